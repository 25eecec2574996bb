# SPDX-License-Identifier: BSD-2-Clause
"""A helper with a fault in it, and clients that come back when they are turned away."""

import json
import os
import re
import signal
import socket
import subprocess
import time

import prclient as pr

PATIENCE = 12      # seconds for anything that a deadline of the helper's own may be behind
RAWIO = 1 << 17


class Problem(Exception):
    """What must not be."""


def eventually(condition, what, timeout=PATIENCE):
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            raise Problem(f"not in {timeout:g} s: {what}")
        time.sleep(0.001)


class Link:
    """A client's connection. A disturbance is a command that is not answered as it should be."""

    def __init__(self, helper, path):
        self.helper, self.path, self.client = helper, path, None
        self.disturbed = 0

    def drop(self):
        if self.client:
            self.client.close()
        self.client = None

    def request(self, fd, cdb, data=b""):
        """The reply, or None where the connection ended before it."""
        try:
            if not self.client:
                self.client = pr.Client(self.path, timeout=PATIENCE)
            return self.client.request(fd, cdb, data)
        except socket.timeout:
            raise Problem(f"no answer in {PATIENCE} s") from None
        except (EOFError, OSError):
            self.disturbed += 1
            self.drop()
            if not self.helper.alive():
                raise Problem(f"it died while it served: {self.helper.text()[-300:]}") from None
            return None

    def expect(self, reply, status, code=None):
        """Note where it is another one. True where it is not."""
        if reply is None:
            return False
        if reply.status != status or (code and reply.code != code):
            self.disturbed += 1
            return False
        return True


class Helper:
    """`program` with its arguments in a folder; `fault` is a FaultMap or None; `world` is for world.c."""

    def __init__(self, program, arguments, folder, library=None, fault=None, world=None, keep=-1):
        environment = os.environ | (world or {})
        if fault:
            environment |= {"LD_PRELOAD": str(library), "FAULT_MAP": str(fault.path)}
        self.folder = folder
        self.log = open(folder / "log", "w+b")
        self.process = subprocess.Popen([program, *arguments], env=environment, stdin=subprocess.DEVNULL,
                                        stdout=self.log, stderr=self.log, cwd=folder,
                                        pass_fds=[keep] if keep >= 0 else [])
        self.pid = self.process.pid
        self.background = False

    def serve_as(self, pid):
        """It is another process that serves, in the background."""
        self.pid, self.background = pid, True

    def alive(self):
        if not self.background:
            return self.process.poll() is None
        try:
            with open(f"/proc/{self.pid}/stat") as f:
                return f.read().rpartition(")")[2].split()[0] not in "ZX"
        except OSError:
            return False

    def end_by_pid(self):
        if self.alive():
            os.kill(self.pid, signal.SIGTERM)

    def text(self):
        self.log.seek(0)
        return self.log.read().decode(errors="replace")

    def started(self, sockets):
        """True when it serves; False where it gave up, as it has to then."""
        def decided():
            return self.process.poll() is not None or all(s.exists() for s in sockets)
        eventually(decided, "it starts or gives up")
        while self.process.poll() is None:
            try:
                pr.Client(sockets[0], timeout=PATIENCE).close()
                return True
            except (EOFError, OSError):
                time.sleep(0.002)
        return False

    def check_gave_up(self):
        if self.process.returncode != 1:
            raise Problem(f"ended with {self.process.returncode} at start: {self.text()[-300:]}")
        if not re.search(r"^[\w-]+: \S", self.text(), re.M):
            raise Problem("it gave up without a word")

    def held(self):
        """(open descriptors, threads); 0 where nobody may look."""
        def entries(kind):
            try:
                return len(os.listdir(f"/proc/{self.pid}/{kind}"))
            except OSError:
                return 0
        return entries("fd"), entries("task")

    def check_privileges(self):
        with open(f"/proc/{self.pid}/status") as f:
            status = dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)
        for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
            if int(status[name], 16) & ~RAWIO:
                raise Problem(f"it serves with {name} {status[name]}")
        for name, wanted in (("NoNewPrivs", "1"), ("Seccomp", "2")):
            if status[name].strip() != wanted:
                raise Problem(f"it serves with {name} {status[name]}")

    def stop(self):
        if self.process.poll() is not None:
            raise Problem(f"it died with {self.process.returncode}: {self.text()[-300:]}")
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            raise Problem("SIGTERM did not end it") from None
        if status != 0:
            raise Problem(f"ended with {status}: {self.text()[-300:]}")

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.log.close()

    def kill_background(self):
        """Whatever runs with a path in our folder."""
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as f:
                    if str(self.folder).encode() + b"/" in f.read():
                        os.kill(int(pid), signal.SIGKILL)
            except OSError:
                continue


def read_status(path):
    """The status document, or None where the connection ended before."""
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(PATIENCE)
        try:
            s.connect(str(path))
            text = b""
            while part := s.recv(65536):
                text += part
            return json.loads(text)
        except (OSError, ValueError):
            return None
