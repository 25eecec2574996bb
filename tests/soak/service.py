# SPDX-License-Identifier: BSD-2-Clause
"""A daemon that is soaked: started again and again on the same sockets, its log read."""

import os
import re
import signal
import subprocess
import threading
import time

import prclient as pr

FEW_DESCRIPTORS = 160           # room for 48 clients, 36 of them of one user
LOG_MAX = 8 << 20               # bytes of a log that are kept
BAD = re.compile(r"BUG|[Aa]ssert|Sanitizer|runtime error:|corrupt|double free|stack smashing|"
                 r"[Ss]egfault|damaged|cannot be (?:read|written)(?!.*Too many open files)")


# Held by whoever starts a process, or must have nobody do it
forking = threading.Lock()


class Service:
    """`command` without a shell; `sockets`: all paths on which it serves."""

    def __init__(self, name, command, sockets, folder, tally, patience):
        self.name, self.sockets, self.tally = name, [str(s) for s in sockets], tally
        self._command = [str(word) for word in command]
        self._patience = patience
        self._log_path = os.path.join(folder, f"{name}.log")
        self._log = open(self._log_path, "ab")      # appending, so that it can be cut
        self._read = 0
        self._lock = threading.Lock()
        self._process = None

    @property
    def pid(self):
        return self._process.pid

    def start(self, few_descriptors=False):
        wrapper = []
        if few_descriptors:
            wrapper = ["/bin/sh", "-c", f'ulimit -n {FEW_DESCRIPTORS}; exec "$0" "$@"']
            self.tally.event("starts with few descriptors")
        with forking:
            self._process = subprocess.Popen([*wrapper, *self._command], stdin=subprocess.DEVNULL,
                                             stdout=self._log, stderr=self._log)
        if not self._wait_for(lambda: self._process.poll() is not None or self.serves()):
            self.tally.fail(f"{self.name}: does not serve {self._patience:g} s after its start")
        if self._process.returncode is not None:
            self.tally.fail(f"{self.name}: ended at its start with {self._process.returncode}: "
                            + self.log()[-1000:])

    def serves(self):
        """It answers on each of its sockets, if only to turn us away."""
        try:
            for path in self.sockets:
                pr.Client(path, timeout=self._patience).close()
        except EOFError:
            return True
        except OSError:
            return False
        return True

    def stop(self, how):
        """By a signal. What it answers must be what it promises."""
        with self._lock:
            self._check_alive()
            self._process.send_signal(how)
            try:
                status = self._process.wait(self._patience + 15)
            except subprocess.TimeoutExpired:
                self.tally.fail(f"{self.name}: does not end by signal {how}")
                self._process.kill()
                status = self._process.wait()
            expected = -how if how == signal.SIGKILL else 0
            if status != expected:
                self.tally.fail(f"{self.name}: ended with {status}, not {expected}")

    def restart(self, how, few_descriptors=False):
        self.stop(how)
        self.start(few_descriptors)

    def check(self):
        """Between other things: it has not ended by itself, and its log is clean."""
        with self._lock:
            if self._process.returncode is None:
                self._check_alive()
        self.read_log()

    def _check_alive(self):
        if self._process.poll() is not None:
            self.tally.fail(f"{self.name}: ended by itself with {self._process.returncode}: "
                            + self.log()[-2000:])
            self.start()

    def read_log(self):
        """Look for what must not be there, once; a log that has grown too long is cut."""
        with open(self._log_path, "rb") as log:
            log.seek(self._read)
            text = log.read()
        end = text.rfind(b"\n") + 1
        self._read += end
        for line in text[:end].decode(errors="replace").splitlines():
            if BAD.search(line):
                self.tally.fail(f"{self.name}: its log says: {line[:500]}")
        if self._read > LOG_MAX:
            os.truncate(self._log_path, 0)
            self._read = 0

    def log(self):
        with open(self._log_path, errors="replace") as log:
            return log.read()

    def end(self):
        """At the very end, gently; its paths are gone then."""
        if self._process is None:
            return
        self.stop(signal.SIGTERM)
        if not self._wait_for(lambda: not any(map(os.path.exists, self.sockets))):
            self.tally.fail(f"{self.name}: its sockets are still there")
        self.read_log()
        self._log.close()

    def _wait_for(self, condition):
        end = time.monotonic() + self._patience
        while not condition():
            if time.monotonic() > end:
                return False
            time.sleep(0.01)
        return True
