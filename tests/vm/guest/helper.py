# SPDX-License-Identifier: BSD-2-Clause
"""The daemon under test, started on a path of its own."""

import contextlib
import signal
import socket
import subprocess
import tempfile
from pathlib import Path

from prclient import Client
from waiting import wait_for

PROGRAM = "/usr/bin/qemu-pr-helper"
IOCTL = "16 "           # the number of the system call, as /proc shows it


class Helper:
    """A running daemon. `prefix` is what it is started by, for example setpriv;
    `program` is the daemon itself, where it is not the one in /usr/bin.

    Use it in a `with` block; at its end the daemon gets a SIGTERM.
    """

    def __init__(self, *options, prefix=(), socket_path=None, program=PROGRAM):
        self.folder = Path(tempfile.mkdtemp(prefix="helper-"))
        self.folder.chmod(0o777)
        self.socket = Path(socket_path or self.folder / "socket")
        self._log = open(self.folder / "log", "w+b")
        self.process = subprocess.Popen(
            [*prefix, program, "-k", self.socket, *options],
            stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log)

    def __enter__(self):
        self.wait_until_serving()
        return self

    def __exit__(self, *_):
        self.stop()

    def __str__(self):
        state = {None: "running"}.get(self.process.poll(), f"ended: {self.process.returncode}")
        return f"daemon {self.pid} ({state})"

    def wait_until_serving(self):
        wait_for(lambda: self.process.poll() is not None or self.accepts())
        if self.process.returncode is not None:
            raise RuntimeError(f"the daemon ended with {self.process.returncode}: {self.log}")

    def accepts(self):
        """Whether it greets who connects: the listener of a dead one may outlive it."""
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(1)
            try:
                s.connect(str(self.socket))
                return len(s.recv(4)) == 4
            except OSError:
                return False

    def client(self):
        return Client(self.socket, timeout=60)

    @property
    def pid(self):
        return self.process.pid

    def commands_running(self):
        """How many of its threads are inside an ioctl."""
        count = 0
        for task in Path(f"/proc/{self.pid}/task").iterdir():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):    # it has ended
                count += (task / "syscall").read_text().startswith(IOCTL)
        return count

    @property
    def log(self):
        return (self.folder / "log").read_text(errors="replace")

    def stop(self, how=signal.SIGTERM):
        """End it and return its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        return self.process.wait(60)
