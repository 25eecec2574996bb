# SPDX-License-Identifier: BSD-2-Clause
"""The AppArmor profile: what the daemon does goes on as without it, and nothing else does."""

import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import unittest
from pathlib import Path

import kernel_log
import lio
import prclient as pr
from case import Case
from service import (PATH, SERVICE, SOCKET, STATUS, installed, journal, main_pid, run, systemctl,
                     with_status)
from waiting import wait_for

KEY = 0xA1
PROFILE = "qemu-pr-helper"
LIBVIRT = Path("/var/lib/libvirt/qemu/domain-1-vm")
PIDFILE = Path("/run/qemu-pr-helper.pid")

# Where the tests have the daemon's stderr: what sites add is in this file.
LOCAL = Path("/etc/apparmor.d/local/qemu-pr-helper")
LOCAL_RULES = "/tmp/helper-*/log rw,\n"

# A VMM: what an unconfined process has opened the kernel hands over without a look,
# what one has opened that is confined itself, as libvirt's are, it does not.
VMM = "profile vmm flags=(attach_disconnected) { file, unix, capability, }\n"

# A client that is one. Arguments: the socket; what to open; a key to register.
CLIENT = """
import os, sys
import prclient as pr
with open("/proc/self/attr/apparmor/current", "w") as f:
    f.write("changeprofile vmm")
fd = os.open(sys.argv[2], os.O_RDWR | os.O_NONBLOCK)
with pr.Client(sys.argv[1], timeout=50) as client:
    try:
        print(client.out(fd, pr.REGISTER, sark=int(sys.argv[3])).status)
    except (EOFError, BrokenPipeError):
        print("closed")
"""

# Give a command a /dev of its own, as libvirt does for QEMU. Arguments: device numbers, the command.
OWN_DEV = """
mount -t tmpfs none /dev
mknod /dev/sdz b "$1" "$2"
shift 2
exec "$@"
"""


def setUpModule():
    if not Path("/sys/kernel/security/apparmor/profiles").exists():
        raise unittest.SkipTest("this kernel has no AppArmor")
    kernel_log.keep_all()
    LOCAL.parent.mkdir(exist_ok=True)
    LOCAL.write_text(LOCAL_RULES)
    profile = installed(f"/apparmor.d/{PROFILE}")
    vmm = Path("/tmp/vmm")
    vmm.write_text(VMM)
    for path in (profile, vmm):
        run("apparmor_parser", "--replace", "--skip-cache", path)
        unittest.addModuleCleanup(run, "apparmor_parser", "--remove", path)
    # the daemon has the path to itself, but where a case starts it
    systemctl("disable", "--now", SOCKET)


class Confined(Case):
    def setUp(self):
        super().setUp()
        self.program = installed("bin/qemu-pr-helper")

    def start(self, *options, path=PATH):
        """The daemon at its own path, confined."""
        helper = self.helper(*options, socket_path=path, program=self.program)
        self.assertConfined(helper.pid)
        return helper

    def assertConfined(self, pid):
        self.assertEqual(Path(f"/proc/{pid}/attr/apparmor/current").read_text().strip(),
                         f"{PROFILE} (enforce)")

    def denied(self):
        return [line for line in kernel_log.settled() if 'apparmor="DENIED"' in line]

    def assertNothingDenied(self):
        self.assertEqual(self.denied(), [])

    def assertServes(self, path=PATH):
        with pr.Client(path, timeout=60) as client:
            for device in (self.a.disk, self.a.sg):
                fd = self.open(device)
                self.assertGood(client.out(fd, pr.REGISTER_AND_IGNORE, sark=KEY))
                self.assertEqual(client.read_keys(fd)[1], [KEY])
            self.assertEqual(lio.keys(self.b.disk), [KEY])

    def vmm(self, path, opened, prefix=()):
        """What a confined client hears: a SCSI status, or "closed"."""
        return run(*prefix, "env", "PYTHONPATH=/vm", sys.executable, "-c", CLIENT, path, opened,
                   str(KEY)).strip()

    def test_root(self):
        """root: it serves, and its paths are gone in the end"""
        helper = self.start()
        self.assertServes()
        self.assertIn("PR OUT", helper.log)
        self.assertEqual(helper.stop(), 0)
        self.assertFalse(PATH.exists())
        self.assertNothingDenied()

    def test_options(self):
        """-u and whatever makes a file: it serves, and its paths are gone in the end"""
        status = Path("/run/qemu-pr-helper.status")
        helper = self.start("-u", "nobody", "-f", PIDFILE, "--socket-owner=plain:nogroup",
                            "--socket-mode=660", f"--status-socket={status}")
        info = PATH.stat()
        self.assertEqual((info.st_uid, info.st_gid, stat.S_IMODE(info.st_mode)),
                         (1000, 65534, 0o660))
        self.assertServes()
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(str(status))
            self.assertTrue(s.recv(4096).startswith(b"{"))
        self.assertEqual(helper.stop(), 0)
        self.assertEqual([p for p in (PATH, PIDFILE, status) if p.exists()], [])
        self.assertNothingDenied()

    def test_daemon(self):
        """-d, with all paths by default: it serves, and logs to syslog"""
        run(self.program, "-d")
        pid = int(PIDFILE.read_text())
        self.assertConfined(pid)
        self.assertServes()
        os.kill(pid, signal.SIGTERM)
        wait_for(lambda: not PIDFILE.exists() and not PATH.exists())
        wait_for(lambda: any(re.search("PR OUT .*GOOD", message) for _, message in
                             journal(f"_PID={pid}", "_TRANSPORT=syslog")))
        self.assertNothingDenied()

    def test_killed(self):
        """what one leaves that was killed with its keeper, the next one takes over"""
        first = self.start("-f", PIDFILE)
        children = Path(f"/proc/{first.pid}/task/{first.pid}/children").read_text().split()
        for keeper in children:
            os.kill(int(keeper), signal.SIGKILL)
        first.stop(signal.SIGKILL)
        self.assertTrue(PATH.exists() and PIDFILE.exists())
        second = self.start("-f", PIDFILE)
        self.assertServes()
        second.stop(signal.SIGKILL)
        wait_for(lambda: not PIDFILE.exists() and not PATH.exists())
        self.assertNothingDenied()

    def test_libvirt(self):
        """the path that libvirt gives, a client with a /dev of its own: it serves"""
        self.addCleanup(shutil.rmtree, "/var/lib/libvirt")
        LIBVIRT.mkdir(parents=True)
        path = LIBVIRT / "pr-helper0.sock"
        helper = self.start(path=path)
        disk = os.stat(self.a.disk).st_rdev
        heard = self.vmm(path, "/dev/sdz", prefix=[
            "unshare", "--mount", "--", "sh", "-euc", OWN_DEV, "sh", str(os.major(disk)),
            str(os.minor(disk))])
        self.assertEqual(heard, str(pr.GOOD))
        self.assertEqual(lio.keys(self.b.disk), [KEY])
        self.assertEqual(helper.stop(), 0)
        self.assertNothingDenied()

    def test_other_paths(self):
        """a socket at any other path is refused"""
        path = Path("/tmp/other.sock")
        done = subprocess.run([self.program, "-k", path], capture_output=True, text=True,
                              timeout=50)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("Permission denied", done.stderr)
        self.assertFalse(path.exists())
        self.assertTrue(self.denied())

    def test_other_descriptors(self):
        """of a confined VMM disks are received and nothing else; others are served on"""
        self.start()
        for path in (self.a.disk, self.a.sg):
            self.lun.reset()
            self.assertEqual(self.vmm(PATH, path), str(pr.GOOD), path)
        self.assertNothingDenied()
        self.assertEqual(self.vmm(PATH, "/etc/machine-id"), "closed")
        self.assertIn('operation="file_receive"', self.denied()[0])
        self.assertServes()

    def test_service(self):
        """the installed service: confined as well, started, restarted and stopped"""
        systemctl("start", SOCKET)
        self.addCleanup(systemctl, "stop", SOCKET)
        self.assertServes()
        self.assertConfined(main_pid())
        systemctl("restart", SERVICE)
        self.assertServes()
        self.assertConfined(main_pid())
        systemctl("stop", SOCKET)
        self.assertFalse(PATH.exists())
        self.assertNothingDenied()

    def test_service_with_status(self):
        """the installed service with a status socket, as the README has it"""
        systemctl("start", SOCKET)
        self.addCleanup(systemctl, "stop", SOCKET)
        with with_status():
            self.assertServes()
            self.assertConfined(main_pid())
            self.assertTrue(STATUS.is_socket())
        self.assertFalse(STATUS.exists())
        self.assertNothingDenied()
