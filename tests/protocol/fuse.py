# SPDX-License-Identifier: BSD-2-Clause
"""A file system with one file per kind of trouble, served by a child through /dev/fuse.

A descriptor of it is what a hostile or unlucky client may pass: one whose
fstat fails or never returns, whose ioctl is answered with any errno, whose
close never returns, where a signal ends that or (after something was written:
nobody takes it) nothing does. Needs root, and a mount namespace of the test's own.
"""

import ctypes
import errno
import os
import signal
import stat
import struct
import tempfile

from harness import Lacking

LOOKUP, FORGET, GETATTR, OPEN, RELEASE, FLUSH, INIT, IOCTL = 1, 2, 3, 14, 18, 25, 26, 39
BATCH_FORGET, INTERRUPT, WRITE = 42, 36, 16
WRITEBACK_CACHE = 1 << 16       # what is written waits in the kernel
CLONE_NEWNS, MS_REC, MS_PRIVATE = 0x20000, 0x4000, 1 << 18

# the files: number -> name
FILES = {2: "fine", 3: "fstat-fails", 4: "fstat-hangs", 5: "close-hangs", 6: "ioctl-EDOM",
         7: "ioctl-EBADE", 8: "write-hangs"}
ERRNO_OF_IOCTL = {6: errno.EDOM, 7: errno.EBADE}


def private_mounts():
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNS) or libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None):
        raise Lacking("no mount namespaces here")
    return libc


class Server:
    """In the child: answers the kernel."""

    def __init__(self, device):
        self.device = device
        self.opened = set()

    def answer(self, unique, error=0, body=b""):
        try:
            os.write(self.device, struct.pack("<IiQ", 16 + len(body), -error, unique) + body)
        except OSError:
            pass    # the request was interrupted

    def attributes(self, node):
        mode = stat.S_IFDIR | 0o755 if node == 1 else stat.S_IFREG | 0o666
        return struct.pack("<6Q10I", node, 0, 0, 0, 0, 0, 0, 0, 0, mode, 1, 0, 0, 0, 0, 0)

    def get_attributes(self, unique, node):
        if node in self.opened and FILES.get(node) == "fstat-fails":
            return self.answer(unique, errno.EIO)
        if node in self.opened and FILES.get(node) == "fstat-hangs":
            return None
        return self.answer(unique, 0, struct.pack("<QII", 0, 0, 0) + self.attributes(node))

    def lookup(self, unique, name):
        for node, known in FILES.items():
            if known == name:
                return self.answer(unique, 0, struct.pack("<4Q2I", node, 0, 0, 0, 0, 0)
                                   + self.attributes(node))
        return self.answer(unique, errno.ENOENT)

    def handle(self, request):
        _, opcode, unique, node = struct.unpack("<IIQQ", request[:24])
        body = request[40:]
        if opcode == INIT:
            self.answer(unique, 0, struct.pack("<4IHHIIHHI7I", 7, 31, 0, WRITEBACK_CACHE, 0, 0,
                                               4096, 1, 0, 0, 0, *[0] * 7))
        elif opcode == LOOKUP:
            self.lookup(unique, body.rstrip(b"\0").decode())
        elif opcode == GETATTR:
            self.get_attributes(unique, node)
        elif opcode == OPEN:
            self.opened.add(node)
            self.answer(unique, 0, struct.pack("<QII", node, 0, 0))
        elif opcode == IOCTL:
            self.answer(unique, ERRNO_OF_IOCTL.get(node, errno.ENOTTY))
        elif opcode in (FORGET, BATCH_FORGET, INTERRUPT, WRITE):
            pass
        elif opcode == FLUSH and FILES.get(node) == "close-hangs":
            pass
        elif opcode in (FLUSH, RELEASE):
            self.answer(unique)
        else:
            self.answer(unique, errno.ENOSYS)

    def run(self):
        while True:
            try:
                self.handle(os.read(self.device, 1 << 18))
            except OSError as e:
                if e.errno not in (errno.ENOENT, errno.EINTR):
                    os._exit(0)


class Troubles:
    """The mounted file system."""

    def __init__(self, t):
        if os.geteuid() != 0 or not os.path.exists("/dev/fuse"):
            raise Lacking("needs root and /dev/fuse")
        libc = private_mounts()
        self.directory = tempfile.mkdtemp(dir=t.dir)
        device = os.open("/dev/fuse", os.O_RDWR)
        data = f"fd={device},rootmode=40000,user_id=0,group_id=0".encode()
        if libc.mount(b"troubles", self.directory.encode(), b"fuse", 0, data):
            raise Lacking(f"cannot mount: {os.strerror(ctypes.get_errno())}")
        self.pid = os.fork()
        if self.pid == 0:
            Server(device).run()
        os.close(device)
        t.cleanups.callback(self.end)
        self.t, self.libc = t, libc

    def open(self, name, flags=os.O_RDWR):
        """The test must not close it by itself where that hangs: it goes with the server."""
        return os.open(os.path.join(self.directory, name), flags)

    def end(self):
        """Without its server every request that hangs comes back with an error."""
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            self.pid = 0
            self.libc.umount2(self.directory.encode(), 2)
