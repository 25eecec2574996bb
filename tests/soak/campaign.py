# SPDX-License-Identifier: BSD-2-Clause
"""The course of a soak: attack, let it calm down, look whether all is as before; again.

Meanwhile honest clusters go on, and some daemons are ended and started again. The same
course on the simulated target and on real disks: what differs is in Parts.
"""

import time
from dataclasses import dataclass, field

import events
from cluster import Gate
from hostile import Hostile
from watch import Watch

CALM = 25.0             # seconds in which a daemon has rid itself of all that attacked it
QUIET = 10.0
TREND = 12              # values of memory in the table


@dataclass
class Parts:
    """What a soak consists of, made by host.py and by the virtual machine's soak.py."""
    patience: float                                 # of an honest client, in seconds
    pauses: tuple                                   # between restarts: the least, the mean
    steady: list = field(default_factory=list)      # services that live as long as the soak
    restarted: list = field(default_factory=list)   # services that are killed all the time
    clusters: list = field(default_factory=list)
    hostile: list = field(default_factory=list)     # (settings, descriptors) of Hostile
    hangs: list = field(default_factory=list)       # (service, Hang, clusters that must go on)


class Campaign:
    def __init__(self, seconds, tally, rng, say):
        self.seconds, self.tally, self.rng, self.say = seconds, tally, rng, say
        self.gate = Gate()
        self.measure = True             # the daemons' memory
        self._parts = None
        self._watches, self._hostiles, self._events = [], [], []
        self._last_progress = time.monotonic()

    def run(self, parts):
        """True where nothing failed."""
        self._parts = parts
        restarters = [events.Restarter(s, self.rng, parts.pauses, self.tally)
                      for s in parts.restarted]
        end = time.monotonic() + self.seconds
        try:
            self._begin(restarters)
            while time.monotonic() < end and not self._hopeless():
                self._round(end)
        finally:
            self._end(restarters)
        for watch in self._watches if self.measure else ():
            watch.judge()
        return not self.tally.failed

    def _begin(self, restarters):
        parts = self._parts
        for service in (*parts.steady, *parts.restarted):
            service.start()
        for cluster in parts.clusters:
            cluster.start()
        self._hostiles = [Hostile(settings, fds) for settings, fds in parts.hostile]
        self._watches = [Watch(service, self.tally) for service in parts.steady]
        self._look()
        for restarter in restarters:
            restarter.start()

    def _round(self, end):
        length = max(2.0, min(45.0, self.seconds / 12, end - time.monotonic()))
        for hostile in self._hostiles:
            hostile.go(length)
        begin = time.monotonic()
        self._event(length)
        self._sleep(length - (time.monotonic() - begin))
        for hostile in self._hostiles:
            done, wrong = hostile.result()
            self.tally.attempts(done)
            for text in wrong:
                self.tally.fail(f"a hostile client: {text}")
        for watch in self._watches:
            watch.threads_settle(CALM)
        self._look()

    def _event(self, length):
        """In turn: descriptors run out, a disk hangs, for each service that has one."""
        if not self._events:
            self._events = [lambda s=s: events.squeeze(s, min(3.0, length / 2), self.tally)
                            for s in self._parts.steady]
            self._events += [lambda h=h: events.hang(*h, min(4.0, length / 2),
                                                     self._parts.patience, self.tally)
                             for h in self._parts.hangs]
            self.rng.shuffle(self._events)
        self._sleep(length / 4)
        self._events.pop()()

    def _look(self):
        """All honest clients connected and idle, all others gone: what is open now?"""
        clusters = self._parts.clusters
        with self.gate.closed(len(clusters), self._parts.patience * 2) as quiet:
            if not quiet:
                self.tally.fail("the honest clients do not come to rest")
            for watch in self._watches:
                watch.look(QUIET)
        self._progress()

    def _sleep(self, seconds):
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            time.sleep(min(left, 1))
            self._progress()

    def _progress(self):
        for service in (*self._parts.steady, *self._parts.restarted):
            service.check()
        if time.monotonic() - self._last_progress < min(60, self.seconds / 5):
            return
        self._last_progress = time.monotonic()
        tally = self.tally
        uses = ", ".join(f"{w.service.name} {w.samples[-1].rss} kB {w.samples[-1].fds} fds"
                         for w in self._watches if w.samples)
        self.say(f"{tally.elapsed / 60:5.1f} min: {tally.commands} commands, "
                 f"{tally.hostile.total()} attacks, {tally.events['restarts']} restarts, "
                 f"{tally.events['kill -9']} kills; {uses}; {tally.failed} failures")

    def _hopeless(self):
        return self.tally.failed > 1000

    def _end(self, restarters):
        parts = self._parts
        self.tally.stop.set()
        for restarter in restarters:
            restarter.join()
        for cluster in parts.clusters:
            cluster.join(parts.patience * 2)
        for hostile in self._hostiles:
            hostile.end()
        for service in (*parts.steady, *parts.restarted):
            service.end()

    def summary(self):
        """Lines: the table."""
        tally = self.tally
        yield f"{'ran for':40} {tally.elapsed:.0f} s"
        yield f"{'commands answered':40} {tally.commands}"
        yield from _rows("  ", tally.answers)
        yield (f"{'latency: p50, p99, max':40} " + ", ".join(
            f"{1000 * t:.1f} ms" for t in (tally.latency.quantile(0.5),
                                           tally.latency.quantile(0.99), tally.latency.longest)))
        yield f"{'longest time until connected again':40} {tally.longest_outage:.2f} s"
        yield "what happened"
        yield from _rows("  ", tally.events)
        yield f"{'hostile attempts':40} {tally.hostile.total()}"
        yield from _rows("  ", tally.hostile)
        for watch in self._watches:
            yield from _uses(watch)
        for cluster in self._parts.clusters:
            yield f"{'steps of ' + cluster.name:40} {cluster.steps}"
        yield from tally.notes
        yield from (f"FAILURE {text}" for text in tally.failures)
        yield f"{'verdict':40} " + (f"FAILED, {tally.failed} failures" if tally.failed else
                                    "passed")


def _rows(indent, counts):
    for name, count in counts.most_common():
        yield f"{indent + name:40} {count}"


def _uses(watch):
    quiet = watch.samples
    if not quiet:
        return
    yield f"{watch.service.name}: {len(quiet)} quiet looks in one life of {quiet[-1].at:.0f} s"
    for what in ("rss", "fds", "threads"):
        values = [getattr(s, what) for s in quiet]
        unit = " kB" if what == "rss" else ""
        yield (f"{'  ' + what + ': first, min, max, last':40} {values[0]}, {min(values)}, "
               f"{max(values)}, {values[-1]}{unit}")
    shown = quiet[::-(-len(quiet) // TREND)]
    yield f"{'  rss by and by':40} " + " ".join(str(s.rss) for s in shown)
    slope = watch.slope()
    if slope is not None:
        yield f"{'  rss: slope after warming up':40} {slope:+.0f} kB/h"
