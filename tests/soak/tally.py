# SPDX-License-Identifier: BSD-2-Clause
"""What was sent, answered and found: counted by many threads, printed at the end."""

import math
import threading
import time
from collections import Counter

import prclient as pr

STATUS = {pr.GOOD: "GOOD", pr.RESERVATION_CONFLICT: "RESERVATION CONFLICT", pr.BUSY: "BUSY",
          pr.TASK_SET_FULL: "TASK SET FULL"}
FAILURES_SHOWN = 40
STEP = 1.1              # a bucket of the histogram is so much wider than the one before


def status_name(reply):
    """The row of the table that a reply belongs to."""
    if reply.status != pr.CHECK_CONDITION:
        return STATUS.get(reply.status, f"status {reply.status:#x}")
    if reply.code and reply.code[0] == 6:
        return "UNIT ATTENTION"
    return "CHECK CONDITION %X/%02X/%02X" % (reply.code or (0, 0, 0))


class Latency:
    """A histogram of seconds, in steps of a tenth."""

    def __init__(self):
        self._buckets = Counter()
        self.count = 0
        self.longest = 0.0

    def add(self, seconds):
        self._buckets[math.ceil(math.log(max(seconds, 1e-6), STEP))] += 1
        self.count += 1
        self.longest = max(self.longest, seconds)

    def quantile(self, share):
        """Seconds that `share` of all took at most."""
        left = share * self.count
        for bucket in sorted(self._buckets):
            left -= self._buckets[bucket]
            if left <= 0:
                return min(STEP ** bucket, self.longest)
        return self.longest


class Tally:
    def __init__(self, say):
        self._lock = threading.Lock()
        self._say = say
        self._failed = 0
        self.begin = time.monotonic()
        self.stop = threading.Event()
        self.squeezed = threading.Event()   # a daemon has no descriptors just now
        self.answers = Counter()        # of honest clients, by status
        self.hostile = Counter()        # attempts, by kind
        self.events = Counter()         # what was done to the daemons, and what clients noticed
        self.latency = Latency()
        self.longest_outage = 0.0       # until a client was connected again
        self.notes = []                 # lines for the summary
        self.failures = []

    def answered(self, reply, seconds):
        with self._lock:
            self.answers[status_name(reply)] += 1
            self.latency.add(seconds)

    def event(self, name, count=1):
        with self._lock:
            self.events[name] += count

    def attempts(self, kinds):
        with self._lock:
            self.hostile.update(kinds)

    def connected(self, seconds):
        with self._lock:
            self.longest_outage = max(self.longest_outage, seconds)

    def note(self, text):
        with self._lock:
            if text not in self.notes:
                self.notes.append(text)

    def fail(self, text):
        """Something that must not be; the run goes on, to find more."""
        with self._lock:
            self._failed += 1
            text = f"after {self.elapsed:.1f} s: {text}"
            if len(self.failures) >= FAILURES_SHOWN:
                return
            self.failures.append(text)
        self._say(f"FAILURE {text}")

    @property
    def failed(self):
        return self._failed

    @property
    def commands(self):
        return self.latency.count

    @property
    def elapsed(self):
        return time.monotonic() - self.begin
