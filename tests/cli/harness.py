# SPDX-License-Identifier: BSD-2-Clause
"""Test cases of pr-manager: each with a directory of its own, a simulated target where it wants one,
and golden files for what is printed.

A case is a function `def name(t)` under @case("what is true"). The directory has a file `disk`, and
the program runs in it, so that nothing of where it is gets into what is printed.
"""

import contextlib
import json
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

GOLDEN = Path(__file__).resolve().parent / "golden"
TIMEOUT = 30
CASES = []

A, B = "iqn.2026-11.org.example:a", "iqn.2026-11.org.example:b"


class Skip(Exception):
    """This cannot be tested here."""


@dataclass
class Case:
    name: str
    run: object
    slow: bool = False


@dataclass
class Ended:
    """What a program left behind."""
    status: int
    out: str
    err: str


def case(title, slow=False):
    """Register a test; those that are slow are started first."""
    def register(function):
        subject = function.__module__.removeprefix("test_")
        CASES.append(Case(f"{subject}: {title}", function, slow))
        return function
    return register


def equal(got, wanted, what=""):
    if got != wanted:
        raise AssertionError(f"{what}: got {got!r}, want {wanted!r}")


def contains(text, part):
    if part not in text:
        raise AssertionError(f"{part!r} is not in {text!r}")


def eventually(condition, what, timeout=10.0):
    """Poll until `condition()` is true and return its value."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout:g} s: {what}")
        time.sleep(0.02)


def compare_golden(name, text, update):
    path = GOLDEN / name
    if update:
        path.write_text(text)
        return
    wanted = path.read_text() if path.exists() else None
    if wanted == text:
        return
    if wanted is None:
        raise AssertionError(f"golden/{name} is missing; got:\n{text}")
    raise AssertionError(f"not as golden/{name}; got:\n{text}\nwant:\n{wanted}")


class Context:
    """What a test gets."""

    def __init__(self, options):
        self.options = options
        self.dir = tempfile.mkdtemp(prefix="prc.")
        self.cleanups = contextlib.ExitStack()
        self.cleanups.callback(shutil.rmtree, self.dir, ignore_errors=True)
        with open(self.path("disk"), "wb") as disk:
            disk.truncate(1 << 20)

    def path(self, name):
        return os.path.join(self.dir, name)

    def environment(self, **more):
        env = {k: v for k, v in os.environ.items() if not k.startswith("PR_MANAGER")}
        return {**env, "TZ": "UTC", "LC_ALL": "C", **more}

    def popen(self, *args, **options):
        process = subprocess.Popen([self.options.program, *args], cwd=self.dir, text=True,
                                   env=self.environment(**options.pop("env", {})),
                                   **{"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE,
                                      "stderr": subprocess.PIPE, **options})
        self.cleanups.callback(end, process)
        return process

    def run(self, *args, status=0, env=None):
        """Run the program without a terminal; its exit status has to be `status`."""
        process = self.popen(*args, env=env or {})
        try:
            out, err = process.communicate(timeout=TIMEOUT)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{args} did not end") from None
        if process.returncode != status:
            raise AssertionError(f"{args}: exit status {process.returncode}, not {status}\n{out}{err}")
        for line in err.splitlines():
            if not line.startswith("pr-manager: "):
                raise AssertionError(f"{args}: stderr: {line!r}")
        return Ended(process.returncode, out, err)

    def json(self, *args, status=0):
        return json.loads(self.run("--json", *args, status=status).out)

    def golden(self, name, *args, status=0):
        """Run it as text and as JSON, and compare both with golden files."""
        text = self.run(*args, status=status)
        compare_golden(f"{name}.txt", text.out + text.err, self.options.update)
        out = self.run("--json", *args, status=status).out
        json.loads(out)
        compare_golden(f"{name}.json", out, self.options.update)

    def golden_text(self, name, text):
        compare_golden(name, text, self.options.update)

    def sim(self, *more):
        """Start a simulated target with the initiators a and b on the sockets A and B."""
        os.mkdir(self.path("state"))
        command = [self.options.sim, "--state-dir=state", f"--initiator={A},socket=A",
                   f"--initiator={B},socket=B", *more]
        with open(self.path("sim.log"), "wb") as log:
            process = subprocess.Popen(command, cwd=self.dir, stdin=subprocess.DEVNULL, stdout=log,
                                       stderr=log)
        self.cleanups.callback(end, process)
        eventually(lambda: process.poll() is not None
                   or all(os.path.exists(self.path(s)) for s in "AB"), "the target serves")
        if process.poll() is not None:
            raise AssertionError("the target ended: " + Path(self.path("sim.log")).read_text())
        return process

    def a(self, *args, status=0):
        return self.run("--helper=A", *args, status=status)

    def b(self, *args, status=0):
        return self.run("--helper=B", *args, status=status)

    def both_registered(self):
        """0xa1 of a holds the reservation, 0xb2 of b is registered."""
        self.sim()
        self.a("register", "disk", "--new-key=0xa1")
        self.b("register", "disk", "--new-key=0xb2")
        self.a("reserve", "disk", "--key=0xa1", "--type=write-exclusive")

    def on_terminal(self, *args, answer=""):
        """Run it on a terminal and type `answer` when it asks. @return its status and what was there"""
        master, slave = pty.openpty()
        process = self.popen(*args, stdin=slave, stdout=slave, stderr=slave)
        os.close(slave)
        text, answered = b"", not answer
        deadline = time.monotonic() + TIMEOUT
        while time.monotonic() < deadline:
            if select.select([master], [], [], 0.1)[0]:
                try:
                    part = os.read(master, 4096)
                except OSError:
                    part = b""
                if not part:
                    break
                text += part
            if not answered and b"[y/N]" in text:
                os.write(master, answer.encode())
                answered = True
        os.close(master)
        return process.wait(TIMEOUT), text.decode().replace("\r\n", "\n")


def end(process):
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    for pipe in process.stdout, process.stderr:
        if pipe:
            pipe.close()


def without_times(text):
    return re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d([+-]\d{4})?", "TIME", text)


def run_one(test, options):
    begin = time.monotonic()
    notes = ""
    t = Context(options)
    try:
        with t.cleanups:
            test.run(t)
        result = "ok"
    except Skip as e:
        result, notes = "skip", str(e)
    except BaseException as e:  # whatever it is, it has to be told
        result = "failed"
        notes = str(e) if isinstance(e, AssertionError) else traceback.format_exc()
    return result, notes, time.monotonic() - begin


def run_all(cases, options):
    """@return whether none failed"""
    order = sorted(cases, key=lambda test: not test.slow)
    counts = {"ok": 0, "skip": 0, "failed": 0}
    lock = threading.Lock()
    begin = time.monotonic()

    def work(test):
        result, notes, seconds = run_one(test, options)
        with lock:
            counts[result] += 1
            number = sum(counts.values())       # in the order in which they end
            verdict = "not ok" if result == "failed" else "ok"
            print(f"{verdict} {number} - {test.name}" + (f" # SKIP {notes}" if result == "skip" else ""))
            if options.times:
                print(f"# {seconds:.2f} s")
            if result == "failed":
                print("".join(f"# {line}\n" for line in notes.splitlines()), end="", flush=True)

    print(f"1..{len(cases)}", flush=True)
    with ThreadPoolExecutor(options.jobs) as pool:
        list(pool.map(work, order))
    print(f"# {counts['ok']} passed, {counts['failed']} failed, {counts['skip']} skipped in "
          f"{time.monotonic() - begin:.1f} s")
    return counts["failed"] == 0
