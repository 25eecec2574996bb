# SPDX-License-Identifier: BSD-2-Clause
"""Block devices of a made-up sysfs, and a start with everything in its way."""

import fcntl
import functools
import os
import socket
import struct
import tempfile
from pathlib import Path

from daemon import Problem
from scenario import Generic

SDA = "devices/host0/0:0:0:0/block/sda"
SDB = "devices/host0/0:0:0:1/block/sdb"
VDA = "devices/virtio0/block/vda"
VIRTUAL = "devices/virtual/block/"

# name: (number, directory, what is refused: "out", "in", or both)
DEVICES = {
    "disk": ("8:0", SDA, ""),
    "partition": ("8:1", SDA + "/sda1", ""),
    "volume": ("252:0", VIRTUAL + "dm-0", ""),
    "multipath": ("252:1", VIRTUAL + "dm-1", "out"),
    "half a volume": ("252:2", VIRTUAL + "dm-2", "in out"),
    "volume on multipath": ("252:3", VIRTUAL + "dm-3", "in out"),
}


@functools.cache
def zombie():
    """The id of a process that has ended, and that nobody waits for."""
    pid = os.posix_spawnp("true", ["true"], os.environ)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    return pid


def identity(path):
    """What another file has not, even with the same inode number."""
    st = path.lstat()
    return st.st_ino, st.st_mtime_ns


class Sysfs:
    """A folder with one."""

    def __init__(self):
        self.temporary = tempfile.TemporaryDirectory(prefix="prf.")
        self.root = Path(self.temporary.name)
        self.root.chmod(0o755)
        for number, node, _ in DEVICES.values():
            self.link(f"dev/block/{number}", node)
        for node, bus in ((SDA, "scsi"), (SDB, "scsi"), (VDA, "virtio")):
            self.file(f"{node}/dev", "")
            self.link(f"{node}/device", os.path.dirname(os.path.dirname(node)))
            self.link(f"{node}/device/subsystem", f"bus/{bus}")
        self.file(f"{SDA}/device/wwid", "naa.600140512345678\n")
        self.file(f"{SDA}/sda1/partition", "1\n")
        self.volume("dm-0", "LVM-0", SDA + "/sda1", SDB)
        self.volume("dm-1", "mpath-1", SDA)
        self.volume("dm-2", "LVM-2", SDA, VDA)
        self.volume("dm-3", "LVM-3", VIRTUAL + "dm-1")

    def place(self, path):
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        return place

    def file(self, path, text):
        self.place(path).write_text(text)

    def link(self, path, target):
        place = self.place(path)
        place.symlink_to(os.path.relpath(self.root / target, os.path.realpath(place.parent)))

    def volume(self, name, uuid, *slaves):
        self.file(f"{VIRTUAL}{name}/dm/uuid", uuid + "\n")
        for slave in slaves:
            self.link(f"{VIRTUAL}{name}/slaves/{os.path.basename(slave)}", slave)


@functools.cache
def sysfs():
    """The same for all: nobody writes there."""
    return Sysfs()


class Blocks(Generic):
    """qemu-pr-helper with block devices: what one is does not look like another when a look fails."""
    name = "qemu-pr-helper with block devices"
    elsewhere = {"accept4", "recvmsg", "sendmsg", "poll", "prctl", "getsockopt", "write", "pthread_create",
                 "pthread_sigmask", "capget", "capset", "syscall", "close_range", "shutdown", "bind", "listen",
                 "fork", "socketpair"}
    warned = "every block device will be refused"

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.fds = {name: os.open(self.folder / name, os.O_RDWR | os.O_CREAT, 0o600) for name in DEVICES}
        events = self.folder / "events"
        events.write_text("# none\nnone_of_these*\n")
        # by number, for who has that has to be found out
        self.arguments += ["--allow-stacked", f"--trace=events={events}", f"--socket-owner={os.geteuid()}"]
        self.world = {
            "FAULT_DEVICES": ",".join(f"{os.fstat(self.fds[name]).st_ino} b {number}"
                                      for name, (number, _, _) in DEVICES.items()),
            "FAULT_SYSFS": str(sysfs().root),
            "FAULT_NO_STDIN": "1",
            "FAULT_REFUSED": "setgroups",
        }
        self.locked = os.open(self.pidfile, os.O_RDWR | os.O_CREAT, 0o600)
        self.others = self.put_in_the_way()

    def put_in_the_way(self):
        """A socket that nobody listens on, and the pidfile of a process that has ended, locked still."""
        with socket.socket(socket.AF_UNIX) as stale:
            stale.bind(str(self.sockets["a"]))
        os.write(self.locked, b"%d\n" % zombie())
        fcntl.fcntl(self.locked, fcntl.F_OFD_SETLK, struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0))
        return {identity(path) for path in (self.sockets["a"], self.pidfile)}

    def close(self):
        for fd in (self.locked, *self.fds.values()):
            os.close(fd)
        super().close()

    def left(self):
        return [name for name in super().left() if identity(self.folder / name) not in self.others]

    def serve(self):
        self.others = set()     # it has come into their place
        for name in ("disk", *DEVICES):
            fd, refused = self.fds[name], DEVICES[name][2]
            try:
                self.register("a", fd, "out" in refused)
                self.look("b", fd, "in" in refused)
            except Problem as problem:
                raise Problem(f"{name}: {problem}") from None
        self.look_at_status()
