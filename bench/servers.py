# SPDX-License-Identifier: BSD-2-Clause
"""The servers that are compared, and what is measured of them."""

import contextlib
import json
import os
import re
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

PATIENCE = 10.0         # seconds for a server to listen, and to end


@dataclass(frozen=True)
class Program:
    """One of those that are compared. `command` gets the socket's path appended."""
    name: str
    command: tuple

    def line(self, socket):
        return [*self.command, str(socket)]


class Server:
    """A running one. Use it in a `with` block."""

    def __init__(self, program, folder):
        self.name = program.name
        self.socket = Path(folder) / program.name
        self.socket.unlink(missing_ok=True)
        self._process = subprocess.Popen(program.line(self.socket), stdin=subprocess.DEVNULL,
                                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.pid = self._process.pid

    def __enter__(self):
        end = time.monotonic() + PATIENCE
        while not self.socket.exists():
            if self._process.poll() is not None or time.monotonic() > end:
                self.__exit__()
                raise RuntimeError(f"{self.name} does not listen")
            time.sleep(0.01)
        time.sleep(0.1)         # what it does after the socket is there: privileges, threads
        return self

    def __exit__(self, *_):
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def memory(self):
        """In kB: rss and its high-water mark; pss of it with the processes that it has forked.

        smaps counts pages; VmRSS, where that may not be read, can be some hundred kB off
        (counters that each CPU keeps for itself).
        """
        status = _status(self.pid)
        rollups = [_rollup(pid) for pid in [self.pid, *_children(self.pid)]]
        return {
            "rss": rollups[0].get("Rss", status["VmRSS"]),
            "anonymous": rollups[0].get("Anonymous", status["RssAnon"]),
            "peak": status["VmHWM"],
            "pss_of_all": sum(r.get("Pss", 0) for r in rollups),
            "threads": status["Threads"],
        }


@contextlib.contextmanager
def one_core(server):
    """The server and what is started meanwhile have one core, the same, and none has to be woken."""
    before = os.sched_getaffinity(0)
    tasks = [0, *map(int, os.listdir(f"/proc/{server.pid}/task"))]
    try:
        for task in tasks:
            os.sched_setaffinity(task, {max(before)})
        yield
    finally:
        for task in tasks:
            with contextlib.suppress(ProcessLookupError):
                os.sched_setaffinity(task, before)


class Load:
    """The load generator."""

    def __init__(self, program):
        self._program = str(program)

    def run(self, server, *, connections, seconds, warm_up, options=()):
        """Requests in a closed loop. Returns what load prints."""
        return self._json("run", "-n", connections, "-t", seconds, "-w", warm_up, "-p", server.pid,
                          *options, server.socket, timeout=seconds + warm_up + 30)

    def direct(self, *, seconds, warm_up, options=()):
        """The same by SG_IO, with no server."""
        return self._json("direct", "-t", seconds, "-w", warm_up, *options,
                          timeout=seconds + warm_up + 30)

    def start(self, program, folder, *, starts):
        socket = Path(folder) / f"{program.name}-start"
        return self._json("start", "-s", starts, socket, *program.line(socket),
                          timeout=60 + starts)

    def idle(self, server, *, connections):
        """Generates: after the connections are there; after a request on each of them."""
        process = subprocess.Popen([self._program, "idle", "-n", str(connections), server.socket],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        with process:
            yield json.loads(process.stdout.readline())
            process.stdin.write("r")
            process.stdin.flush()
            yield json.loads(process.stdout.readline())
            process.stdin.close()

    def _json(self, *arguments, timeout):
        done = subprocess.run([self._program, *map(str, arguments)], stdout=subprocess.PIPE,
                              check=True, timeout=timeout)
        return json.loads(done.stdout)


def kernel_stacks():
    """kB of all kernel stacks of this machine."""
    return _kilobytes(Path("/proc/meminfo").read_text())["KernelStack"]


def processor():
    text = Path("/proc/cpuinfo").read_text()
    name = re.search(r"model name\s*: (.*)", text)
    return {"model": name[1] if name else "unknown", "cores": os.cpu_count(),
            "kernel": os.uname().release.split("-")[0]}


def _kilobytes(text):
    return {name: int(value) for name, value in re.findall(r"^(\w+):\s+(\d+)(?: kB)?$", text, re.M)}


def _status(pid):
    return _kilobytes(Path(f"/proc/{pid}/status").read_text())


def _rollup(pid):
    try:
        return _kilobytes(Path(f"/proc/{pid}/smaps_rollup").read_text())
    except OSError:
        return {}


def _children(pid):
    return map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
