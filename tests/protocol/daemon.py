# SPDX-License-Identifier: BSD-2-Clause
"""A helper under test: started on paths of its own, watched through /proc."""

import contextlib
import os
import signal
import socket
import stat
import struct
import subprocess
import time

import prclient
from harness import Lacking, children, equal, eventually

CLOCK_TICK = os.sysconf("SC_CLK_TCK")


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def status(pid):
    """/proc/PID/status as a dict."""
    with open(f"/proc/{pid}/status") as f:
        return dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)


def all_asleep(pid):
    """Whether every thread waits for something."""
    for task in os.listdir(f"/proc/{pid}/task"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):   # it may have ended
            with open(f"/proc/{pid}/task/{task}/stat") as f:
                if f.read().rpartition(")")[2].split()[0] != "S":
                    return False
    return True


def capabilities(pid):
    """{"Inh": mask, "Prm": ..., "Eff": ..., "Bnd": ..., "Amb": ...}"""
    fields = status(pid)
    return {name: int(fields["Cap" + name], 16) for name in ("Inh", "Prm", "Eff", "Bnd", "Amb")}


def is_socket(path):
    try:
        return stat.S_ISSOCK(os.lstat(path).st_mode)
    except OSError:
        return False


def connects(path):
    with socket.socket(socket.AF_UNIX) as s:
        try:
            s.connect(path)
            return True
        except OSError:
            return False


def word(client):
    """The peer's half of a handshake, by hand."""
    return struct.unpack(">I", client.receive(4))[0]


class Helper:
    """`HELPER -k SOCKET ARGS...`, ready to be connected to."""

    def __init__(self, t, *args, socket_args=True, wrapper=(), ready=True, **popen):
        self.t = t
        self.socket = t.path("s")
        self.log_path = t.path(f"log{time.monotonic_ns()}")
        command = [*wrapper, *t.under, t.helper, *t.always, *(["-k", self.socket] if socket_args else []),
                   *args]
        with open(self.log_path, "wb") as log:
            popen.setdefault("stderr", log)
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, **popen)
        self.pid = self.process.pid
        t.cleanups.callback(self.end)
        if ready:
            self.wait_ready()

    def wait_ready(self):
        def serves():
            if self.process.poll() is not None:
                raise AssertionError(f"ended with {self.process.returncode}: {self.log()}")
            return connects(self.socket)
        eventually(serves, "the helper serves", 15)
        self.client().close()  # served: all of its start-up is behind it

    def client(self, **options):
        """A client. The peer's backlog is 1, which is one test's business and nobody else's."""
        deadline = time.monotonic() + 8
        while True:
            try:
                return prclient.Client(self.socket, **options)
            except BlockingIOError:
                if not self.t.peer or time.monotonic() > deadline:
                    raise
                time.sleep(0.001)

    def log(self):
        with open(self.log_path, errors="replace") as f:
            return f.read()

    def wait_log(self, text, count=1, timeout=8.0):
        eventually(lambda: self.log().count(text) >= count, f"{text!r} in the log", timeout)
        return self.log()

    def kill(self, number):
        self.process.send_signal(number)

    def wait(self, timeout=8.0):
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running after {timeout:g} s") from None

    def stop(self, number=signal.SIGTERM, timeout=8.0):
        """End it by a signal; returns the exit status."""
        self.kill(number)
        return self.wait(timeout)

    def end(self):
        """Whatever state it is in. Sanitizers must have found nothing."""
        if self.process.poll() is None:
            self.kill(signal.SIGTERM)
            try:
                self.process.wait(13)
            except subprocess.TimeoutExpired:
                self.kill(signal.SIGKILL)
                self.process.wait()
        for sign in ("Sanitizer", "runtime error:"):
            if sign in self.log():
                raise AssertionError(f"sanitizer report:\n{self.log()[-6000:]}")

    # --- what /proc shows

    def alive(self):
        return self.process.poll() is None

    def fds(self):
        try:
            return len(os.listdir(f"/proc/{self.pid}/fd"))
        except PermissionError:
            raise Lacking("only root may count the descriptors of what is not dumpable") from None

    def threads(self):
        return int(status(self.pid)["Threads"])

    def rss(self):
        """Resident kilobytes."""
        return int(status(self.pid)["VmRSS"].split()[0])

    def cpu(self):
        """Seconds of CPU time used."""
        with open(f"/proc/{self.pid}/stat") as f:
            fields = f.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / CLOCK_TICK

    def keepers(self):
        return children(self.pid)

    def settled_fds(self):
        """The number of descriptors once it stands still."""
        seen, same = -1, 0
        deadline = time.monotonic() + 5
        while same < 6 and time.monotonic() < deadline:
            now = self.fds()
            seen, same = now, same + 1 if now == seen else 0
            time.sleep(0.01)
        return seen


class Witness:
    """A client that must not notice what others do, and the helper's descriptors before."""

    def __init__(self, t, helper):
        self.t, self.helper = t, helper
        self.fd = t.open()
        self.client = t.keep(helper.client())
        self.ask()
        self.before = helper.settled_fds()

    def ask(self):
        reply = self.client.request(self.fd, prclient.cdb_in(prclient.READ_KEYS))
        equal(reply.status, prclient.CHECK_CONDITION, "status for /dev/null")

    def check(self, timeout=8.0):
        """The helper lives, serves the witness, and holds no more than before."""
        self.ask()
        eventually(lambda: self.helper.fds() <= self.before,
                   f"descriptors back to {self.before} ({describe_fds(self.helper.pid)})", timeout)


def describe_fds(pid):
    found = []
    with contextlib.suppress(OSError):
        for fd in sorted(os.listdir(f"/proc/{pid}/fd"), key=int):
            with contextlib.suppress(OSError):
                found.append(os.readlink(f"/proc/{pid}/fd/{fd}"))
    return " ".join(found)


def run_command(t, *args, timeout=10, wrapper=(), **popen):
    """Run the helper to its end: (exit status, stdout, stderr)."""
    try:
        done = subprocess.run([*wrapper, t.helper, *t.always, *args], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=timeout,
                              text=True, errors="replace", **popen)
    except subprocess.TimeoutExpired:
        raise AssertionError(f"still running after {timeout} s: {' '.join(args)}") from None
    return done.returncode, done.stdout, done.stderr
