# SPDX-License-Identifier: BSD-2-Clause
"""The simulated target: pr-helper-sim with two initiators, and a file for a disk."""

import contextlib
import os
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import prclient as pr

from . import differences
from .target import Connection, Nexus, Target

START_SECONDS = 30


class SimNexus(Nexus):
    def __init__(self, target, name):
        self._target, self._socket = target, target.folder / name
        super().__init__(name, *self._open())

    def _open(self):
        return (self._target.keep(pr.Client(self._socket)), self._target.open_disk())

    def connect(self):
        return Connection(*self._open())


class SimTarget(Target):
    name = "sim"
    differences = differences.SIM

    def __init__(self, program):
        self._stack = contextlib.ExitStack()
        with self._stack:
            self.folder = Path(self._stack.enter_context(
                tempfile.TemporaryDirectory(prefix="pr-cases-")))
            self._start(program)
            (self.folder / "disk").touch()
            self.a, self.b = SimNexus(self, "a"), SimNexus(self, "b")
            self._stack = self._stack.pop_all()

    def _start(self, program):
        command = [program, f"--state-dir={self.folder / 'state'}"]
        command += [f"--initiator=iqn.2026-11.org.example:{name},socket={self.folder / name}"
                    for name in "ab"]
        self._log = self._stack.enter_context(open(self.folder / "log", "w+b"))
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self._log,
                                         stderr=self._log)
        self._stack.callback(self._kill)
        deadline = time.monotonic() + START_SECONDS
        while not all(self._serves(self.folder / name) for name in "ab"):
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"{program} does not serve: {self.log()}")
            time.sleep(0.002)

    @staticmethod
    def _serves(path):
        with socket.socket(socket.AF_UNIX) as s:
            return s.connect_ex(str(path)) == 0

    def keep(self, client):
        self._stack.callback(client.close)
        return client

    def open_disk(self):
        fd = os.open(self.folder / "disk", os.O_RDWR | os.O_CLOEXEC)
        self._stack.callback(os.close, fd)
        return fd

    def log(self):
        return (self.folder / "log").read_text(errors="replace")

    def _kill(self):
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()

    def __exit__(self, kind, *_):
        """The target's end is part of the case: it exits with 0 and complains of nothing."""
        with self._stack:
            self._process.send_signal(signal.SIGTERM)
            status = self._process.wait(START_SECONDS)
            if kind is None and (status or "Sanitizer" in self.log()
                                 or "runtime error:" in self.log()):
                raise AssertionError(f"the target ended with {status}: {self.log()[-4000:]}")
