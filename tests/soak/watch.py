# SPDX-License-Identifier: BSD-2-Clause
"""What a daemon uses, looked at when all is quiet: it must not grow."""

import os
import time
from dataclasses import dataclass

RSS_GROWTH = 512        # kB
LEAST_LIFE = 60.0       # seconds; a shorter one is all warming up


@dataclass(frozen=True)
class Sample:
    at: float           # seconds since the start
    rss: int            # kB
    fds: int            # -1 where only root may count
    threads: int


def sample(pid, at):
    with open(f"/proc/{pid}/status") as f:
        fields = dict(line.split(":", 1) for line in f)
    try:
        fds = len(os.listdir(f"/proc/{pid}/fd"))
    except PermissionError:
        fds = -1
    return Sample(at, int(fields["VmRSS"].split()[0]), fds, int(fields["Threads"]))


class Watch:
    """One long life of a service."""

    def __init__(self, service, tally):
        self.service, self._tally = service, tally
        self.samples = []

    def settle(self, seconds):
        """Wait until no more is open than at the first look. A quiet look has to come out."""
        end = time.monotonic() + seconds
        while True:
            now = sample(self.service.pid, self._tally.elapsed)
            if not self.samples or self._same(now) or time.monotonic() > end:
                return now
            time.sleep(0.05)

    def threads_settle(self, seconds):
        """The same while honest clients are at work, whose number does not change."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            now = sample(self.service.pid, 0)
            if now.threads <= self.samples[0].threads:
                return
            time.sleep(0.1)

    def look(self, seconds):
        now = self.settle(seconds)
        self.samples.append(now)
        if not self._same(now):
            first = self.samples[0]
            self._tally.fail(f"{self.service.name}: {now.fds} descriptors and {now.threads} "
                             f"threads where there were {first.fds} and {first.threads}: "
                             + describe_fds(self.service.pid))

    def _same(self, now):
        first = self.samples[0]
        return (now.fds, now.threads) == (first.fds, first.threads)

    def judge(self):
        """The least in the last third of its life against the least in the one before.

        The least: how much the allocator keeps after a flood comes and goes, and is no leak.
        """
        life = self.samples[-1].at if self.samples else 0
        if life < LEAST_LIFE:
            return
        middle, last = ([s.rss for s in self.samples if low <= 3 * s.at / life < high]
                        for low, high in ((1, 2), (2, 4)))
        if middle and last and (growth := min(last) - min(middle)) > RSS_GROWTH:
            self._tally.fail(f"{self.service.name}: its memory grew by {growth} kB")

    def slope(self):
        """kB an hour, by least squares after the first third; None where there is too little."""
        life = self.samples[-1].at if self.samples else 0
        warm = [s for s in self.samples if s.at >= life / 3]
        if len(warm) < 3:
            return None
        mean_t = sum(s.at for s in warm) / len(warm)
        mean_r = sum(s.rss for s in warm) / len(warm)
        spread = sum((s.at - mean_t) ** 2 for s in warm)
        return 3600 * sum((s.at - mean_t) * (s.rss - mean_r) for s in warm) / spread


def describe_fds(pid):
    found = []
    try:
        for fd in sorted(os.listdir(f"/proc/{pid}/fd"), key=int):
            found.append(os.readlink(f"/proc/{pid}/fd/{fd}"))
    except OSError:
        pass
    return " ".join(found)
