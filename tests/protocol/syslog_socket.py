# SPDX-License-Identifier: BSD-2-Clause
"""A syslog of the test's own, in a mount name space of the test's own."""

import contextlib
import os
import socket

from fuse import private_mounts
from harness import Lacking


class Syslog:
    """At /dev/log, or where systemd has it and /dev does not, as in a virtual machine of libvirt's."""

    def __init__(self, t, systemd=False):
        libc = private_mounts()
        self.socket, self.path = None, t.path("run/systemd/journal/dev-log" if systemd else "dev/log")
        os.makedirs(t.path("run/systemd/journal"))
        os.mkdir(t.path("dev"))
        for name in ("null", "zero", "urandom"):
            with open(t.path(f"dev/{name}"), "w"):
                pass
            libc.mount(f"/dev/{name}".encode(), t.path(f"dev/{name}").encode(), None, 4096, None)
        self.begin()
        for name in ("dev", "run"):
            if libc.mount(t.path(name).encode(), f"/{name}".encode(), None, 4096 | 0x4000, None):
                raise Lacking("cannot mount")
        self.libc, self.received = libc, []
        t.cleanups.callback(self.end)

    def begin(self):
        """Serve, by another socket than before."""
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.socket.bind(self.path)
        os.chmod(self.path, 0o666)
        self.socket.settimeout(0.01)

    def stop(self):
        """Serve no more, with nothing unread."""
        self.read()
        self.socket.close()
        os.unlink(self.path)

    def read(self):
        with contextlib.suppress(TimeoutError, BlockingIOError):
            while True:
                self.received.append(self.socket.recv(4096).decode())
        return self.received

    def end(self):
        self.socket.close()
        self.libc.umount2(b"/run", 2)
        self.libc.umount2(b"/dev", 2)
