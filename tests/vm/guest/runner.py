# SPDX-License-Identifier: BSD-2-Clause
"""Run the suites inside the VM and print TAP, one line per case as it ends.

Arguments: the names of the suites (test_NAME.py); none: all of them. A case is a
unittest method; the first line of its docstring is its name in the output. With
"--peer" before them the helper is the peer, and only what it must fail is run.
"""

import faulthandler
import signal
import sys
import time
import traceback
import unittest
from pathlib import Path

import kernel_log
from case import PEER

CASE_SECONDS = 60       # emulation is slow; what takes longer hangs
SLOW_SECONDS = 3        # worth a remark


class TooSlow(Exception):
    pass


class TapResult(unittest.TestResult):
    def __init__(self):
        super().__init__()
        self.failed = False
        self._why = None
        self._skip = ""
        self._start = time.monotonic()

    def startTest(self, test):
        super().startTest(test)
        self._why, self._skip, self._start = None, "", time.monotonic()
        kernel_log.begin(test.id())
        signal.alarm(CASE_SECONDS)

    def addError(self, test, err):
        # what fails outside a case (a suite that cannot be imported or set up)
        # would otherwise leave no line behind
        if not hasattr(test, "_testMethodName"):
            self._why = err
            self._print(str(test), test)
        self._why = err

    def addFailure(self, test, err):
        self._why = err

    def addSubTest(self, test, subtest, err):
        if err:
            self._why = self._why or err

    def addSkip(self, test, reason):
        self._skip = f" # SKIP {reason}"

    def stopTest(self, test):
        signal.alarm(0)
        self._print(_name(test), test)

    def _print(self, name, test):
        if PEER and _defect(test):
            name += f" # defect of the peer: {_defect(test)}"
            self._turn()
        if self._why:
            self.failed = True
            lines = "".join(traceback.format_exception(*self._why)).splitlines()
            lines += _diagnostics(test) + ["kernel log:", *kernel_log.lines()]
            print(f"not ok - {name}", *lines, sep="\n# ", flush=True)
        else:
            print(f"ok - {name}{self._skip}", flush=True)
        if (seconds := time.monotonic() - self._start) >= SLOW_SECONDS:
            print(f"# took {seconds:.1f} s", flush=True)

    def _turn(self):
        """To fail is what is expected of the peer; an error of another kind is not."""
        if not self._why:
            self._why = AssertionError, AssertionError("the peer passes"), None
        elif issubclass(self._why[0], AssertionError):
            self._why = None


def _name(test):
    suite = type(test).__module__.removeprefix("test_")
    return f"{suite}: {test.shortDescription() or test.id()}"


def _defect(test):
    method = getattr(test, "_testMethodName", "")
    return getattr(getattr(test, method, None), "defect", None)


def _flat(suite):
    """All cases of a suite of suites."""
    for test in suite:
        yield from _flat(test) if isinstance(test, unittest.TestSuite) else [test]


def _diagnostics(test):
    """What a case that failed has to say besides, whatever state it has left behind."""
    try:
        return getattr(test, "diagnostics", list)()
    except Exception as e:
        return [f"no diagnostics: {e!r}"]


def main():
    faulthandler.enable()
    here = Path(__file__).parent
    suites = sys.argv[1 + PEER:] or sorted(p.stem.removeprefix("test_") for p in here.glob("test_*.py"))

    def on_alarm(*_):
        raise TooSlow(f"the case took more than {CASE_SECONDS} s")
    signal.signal(signal.SIGALRM, on_alarm)

    result = TapResult()
    cases = unittest.defaultTestLoader.loadTestsFromNames([f"test_{s}" for s in suites])
    if PEER:
        cases = unittest.TestSuite(case for case in _flat(cases)
                                   if _defect(case) or isinstance(case, unittest.loader._FailedTest))
    cases.run(result)
    print(f"1..{result.testsRun}", flush=True)
    return 1 if result.failed or not result.testsRun else 0


sys.exit(main())
