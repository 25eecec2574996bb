# SPDX-License-Identifier: BSD-2-Clause
"""Test cases and the processes that run them.

A test is a function `def name(t)` under @case. It runs in a process of its own
(so that a limit, a directory or a mask that it sets is nobody else's), with a
temporary directory `t.dir`, and everything that it leaves running is ended.

A case says what to expect of Debian's helper, "the peer":
  @case()                  the same as of ours
  @case(defect="...")      it fails there: the peer has a defect that ours must not have
  @case(differs="...")     it fails there: we differ on purpose
  @case(ours="...")        it cannot be asked there
"""

import contextlib
import ctypes
import json
import os
import resource
import select
import shutil
import signal
import sys
import tempfile
import time
import traceback
from dataclasses import dataclass, field

IN_CI = os.environ.get("CI") == "true"
TEST_TIMEOUT = 60.0
PR_SET_CHILD_SUBREAPER = 36

CASES = []


class Skip(Exception):
    """This test is not for what is tested here."""


class Lacking(Skip):
    """The machine lacks what this test needs. In CI that is a failure."""


@dataclass
class Case:
    name: str
    run: object
    defect: str = ""
    differs: str = ""
    ours: str = ""
    root: bool = False       # needs root
    release: bool = False    # measures: not with sanitizers
    cost: float = 0.3        # seconds that it takes: the longest are started first
    arguments: tuple = ()


def case(name=None, each=None, **marks):
    """Register a test; with `each`, {suffix: argument}, one test for every item."""
    def register(function):
        title = name or function.__doc__.strip().splitlines()[0].rstrip(".")
        subject = function.__module__.removeprefix("test_")
        if each is None:
            CASES.append(Case(f"{subject}: {title}", function, **marks))
            return function
        for suffix, argument in each.items():
            CASES.append(Case(f"{subject}: {title}: {suffix}", function, arguments=(argument,),
                              **marks))
        return function
    return register


def eventually(condition, what, timeout=8.0):
    """Poll until `condition()` is true and return its value."""
    deadline = time.monotonic() + timeout
    pause = 0.001
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout:g} s: {what}")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.05)


def equal(got, expected, what=""):
    if got != expected:
        raise AssertionError(f"{what or 'value'}: got {got!r}, expected {expected!r}")


def contains(text, part):
    if part not in text:
        raise AssertionError(f"{part!r} is not in {text!r}")


@dataclass
class Context:
    """What a test gets."""
    helper: str
    peer: bool
    sanitized: bool
    sim: bool           # the program is pr-helper-sim, to which files are disks
    under: list         # what every helper is started by, such as valgrind
    dir: str
    notes: list = field(default_factory=list)
    cleanups: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    @property
    def always(self):
        """Options of every helper: the sanitizers' own calls are not on the sandbox's list."""
        return ["--no-sandbox"] if self.sanitized else []

    def path(self, name):
        return os.path.join(self.dir, name)

    def note(self, text):
        self.notes.append(str(text))

    def keep(self, thing):
        """Close `thing` at the end."""
        self.cleanups.callback(thing.close)
        return thing

    def open(self, path="/dev/null", flags=os.O_RDWR):
        fd = os.open(path, flags)
        self.cleanups.callback(close_quietly, fd)
        return fd


def close_quietly(fd):
    with contextlib.suppress(OSError):
        os.close(fd)


def children(pid):
    """Process ids of the children of `pid`, of all its threads."""
    found = []
    with contextlib.suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children") as f:
                found += [int(word) for word in f.read().split()]
    return found


def reap_all():
    """End and reap what the test has left behind; it inherits its orphans."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        mine = children(os.getpid())
        if not mine:
            return
        for pid in mine:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for pid in mine:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)
        time.sleep(0.001)


def run_here(test, options, directory):
    """Run one test in this process; returns (result, diagnostics)."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    t = Context(options.helper, options.peer, options.sanitized, options.sim,
                options.under.split(), directory)
    try:
        if test.root and os.geteuid() != 0:
            raise Lacking("needs root")
        if test.release and options.sanitized:
            raise Skip("measures the release build")
        with t.cleanups:
            test.run(t, *test.arguments)
        result = "ok"
    except Lacking as e:
        result = "failed" if IN_CI else f"skip {e}"
        t.note(str(e))
    except Skip as e:
        result = f"skip {e}"
    except BaseException as e:   # whatever it is, it has to be told
        result = "failed"
        text = str(e) if isinstance(e, AssertionError) and str(e) else traceback.format_exc()
        where = [f for f in traceback.extract_tb(e.__traceback__) if "test_" in f.filename]
        if where:
            text += f"\nat {os.path.basename(where[-1].filename)}:{where[-1].lineno}"
        t.note(text)
    finally:
        reap_all()
    return result, t.notes


class Running:
    """A test in its process."""

    def __init__(self, test, options):
        self.test = test
        self.directory = tempfile.mkdtemp(prefix="prt.")
        os.chmod(self.directory, 0o755)
        self.begin = time.monotonic()
        self.reader, writer = os.pipe()
        self.text = b""
        sys.stdout.flush()
        self.pid = os.fork()
        if self.pid == 0:
            os.setsid()
            os.close(self.reader)
            os.dup2(os.open(os.devnull, os.O_RDWR), 0)
            outcome = json.dumps(run_here(test, options, self.directory)).encode()
            with open(writer, "wb") as f:
                f.write(outcome)
            os._exit(0)
        os.close(writer)

    def read(self):
        """False when it has ended."""
        part = os.read(self.reader, 65536)
        self.text += part
        return bool(part)

    def finish(self):
        os.close(self.reader)
        os.waitpid(self.pid, 0)
        shutil.rmtree(self.directory, ignore_errors=True)
        try:
            result, notes = json.loads(self.text)
        except ValueError:
            result, notes = "failed", ["the test's process ended without a result"]
        return result, notes, time.monotonic() - self.begin

    def overdue(self):
        if time.monotonic() - self.begin < TEST_TIMEOUT:
            return False
        for pid in children(self.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        return True


def run_all(tests, options, jobs, report):
    """Run tests, `jobs` at a time, and call report(test, result, notes, seconds) as they end."""
    waiting = sorted(reversed(tests), key=lambda test: test.cost)
    running = {}
    while waiting or running:
        while waiting and len(running) < jobs:
            started = Running(waiting.pop(), options)
            running[started.reader] = started
        ready, _, _ = select.select(list(running), [], [], 1.0)
        for reader in list(running):
            r = running[reader]
            if (reader in ready and not r.read()) or r.overdue():
                del running[reader]
                report(r.test, *r.finish())
