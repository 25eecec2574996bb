# SPDX-License-Identifier: BSD-2-Clause
"""What the clusters of honest clients have in common: a thread, a gate, and looking."""

import contextlib
import threading
import time
import traceback

from nexus import GivenUp

PACE = 0.005            # seconds between two steps: this is no benchmark


class Gate:
    """Stops all clusters between two steps, connected and idle, for a quiet look at the daemons."""

    def __init__(self):
        self._changed = threading.Condition()
        self._closed = False
        self._parked = 0

    def step(self, settle):
        """A cluster's, before each of its steps."""
        if not self._closed:
            return
        settle()
        with self._changed:
            self._parked += 1
            self._changed.notify_all()
            self._changed.wait_for(lambda: not self._closed)
            self._parked -= 1

    @contextlib.contextmanager
    def closed(self, clusters, seconds):
        """True within where all of so many clusters have come to rest."""
        self._closed = True
        try:
            with self._changed:
                quiet = self._changed.wait_for(lambda: self._parked >= clusters, seconds)
            yield quiet
        finally:
            with self._changed:
                self._closed = False
                self._changed.notify_all()


class Cluster:
    """A thread that makes one step after the other. `nodes`: what its members send by.

    `observer`: anything with look(). `survives`: the disk keeps everything though the daemon
    is killed.
    """

    def __init__(self, name, tally, gate, rng, survives):
        self.name, self.tally, self.gate, self.rng = name, tally, gate, rng
        self.survives = survives
        self.nodes, self.observer = [], None
        self.steps = 0
        self._life = None
        self._generation = (0, 0)
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self):
        self._thread.start()

    def join(self, seconds):
        self._thread.join(seconds)
        if self._thread.is_alive():
            self.tally.fail(f"{self.name}: it does not come to an end")

    def on_life(self, pid):
        """A member has connected to the daemon with this pid."""
        if pid != self._life and self._life is not None and not self.survives:
            self.power_lost()
        self._life = pid

    def power_lost(self):
        """The simulated target was started again."""

    def step(self):
        raise NotImplementedError

    def recover(self):
        """After a failure: to a state that is known."""

    def _run(self):
        while not self.tally.stop.is_set():
            try:
                self.gate.step(self._settle)
                self.step()
                self.steps += 1
            except GivenUp:         # the tally knows
                self._try(self.recover)
            except Exception:       # a defect of the soak itself is no success
                self.tally.fail(f"{self.name}: {traceback.format_exc()}")
                return
            time.sleep(PACE)
        for member in self._members():
            member.close()

    def _members(self):
        return [*self.nodes, self.observer]

    def _settle(self):
        for member in self._members():
            self._try(member.look)

    def _try(self, action):
        try:
            action()
        except GivenUp:
            pass

    def look(self, viewer):
        """(keys, reservation) as `viewer` sees them; PRGENERATION never goes back."""
        life, generation, keys, reservation = viewer.look()
        life = 0 if self.survives else life
        before_life, before = self._generation
        if life == before_life and generation < before:
            self.tally.fail(f"{self.name}: PRGENERATION went from {before} to {generation}")
        self._generation = (life, generation)
        return keys, reservation
