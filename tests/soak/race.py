# SPDX-License-Identifier: BSD-2-Clause
"""A cluster whose members fence each other at the same time, and who won is looked up.

A round: all register, all reserve at once, the losers preempt the winner at once, the
fenced one finds that it is out, the last winner releases and clears. Of those who race
one at most is told GOOD; if one was, it is the one that the disk names; if none was, it
may only be one whose connection broke.
"""

from concurrent.futures import ThreadPoolExecutor

import prclient as pr
from cluster import Cluster
from nexus import GivenUp, InDoubt

TYPES = (pr.WE, pr.EA, pr.WE_RO, pr.EA_RO)
KEY = 0xC0DE << 32
DOUBT = "in doubt"


class Nobody(Exception):
    """All connections broke before anything was carried out."""


class Race(Cluster):
    """Its members register with APTPL: a daemon that is started again changes nothing."""

    def __init__(self, name, tally, gate, rng, survives):
        super().__init__(name, tally, gate, rng, survives)
        self._round = 0
        self._pool = ThreadPoolExecutor(8, thread_name_prefix=name)

    def step(self):
        try:
            self._one_round()
        except Nobody:
            self.tally.event("races that nobody won")
            self.recover()

    def _one_round(self):
        self._round = self.rng.getrandbits(24)
        members = range(len(self.nodes))
        rtype = self.rng.choice(TYPES)
        for n in members:
            self._insist(n, pr.REGISTER_AND_IGNORE, sark=self._key(n))
        self._see([self._key(n) for n in members], None, "all registered")

        answers = self._at_once(members, lambda n: self._send(
            n, pr.RESERVE, key=self._key(n), rtype=rtype))
        first = self._winner(answers, rtype, members)

        others = [n for n in members if n != first]
        answers = self._at_once(others, lambda n: self._send(
            n, pr.PREEMPT, key=self._key(n), sark=self._key(first), rtype=rtype))
        second = self._winner(answers, rtype, others)

        if self._send(first, pr.RESERVE, key=self._key(first), rtype=rtype) is True:
            self._wrong(f"member {first} was fenced, and is told that it holds the disk")
        self._see([self._key(n) for n in others], (self._key(second), rtype), "fenced")
        self._leave(second, others, rtype)

    def _key(self, n):
        return KEY | self._round << 8 | n + 1

    def _send(self, n, action, **what):
        flags = pr.APTPL if action == pr.REGISTER_AND_IGNORE else 0
        try:
            return self.nodes[n].out(action, flags=flags, **what)
        except InDoubt:
            return DOUBT

    def _insist(self, n, action, **what):
        """Until it is answered: only for what may be done twice."""
        while (answer := self._send(n, action, **what)) == DOUBT:
            pass
        if not answer:
            self._wrong(f"member {n}: action {action} {what} was refused")

    def _at_once(self, members, send):
        """{member: answer}"""
        return dict(zip(members, self._pool.map(send, members)))

    def _winner(self, answers, rtype, members):
        """Who holds the disk now, and that this fits the answers."""
        told = [n for n, answer in answers.items() if answer is True]
        doubtful = [n for n, answer in answers.items() if answer == DOUBT]
        _, reservation = self.look(self.observer)
        names = {(self._key(n), rtype): n for n in members}
        winner = names.get(reservation)
        if winner is None and len(doubtful) == len(answers):
            raise Nobody
        if len(told) > 1 or winner is None or winner not in (told or doubtful):
            self._wrong(f"answers {answers}, and the disk is held by {reservation}, "
                        f"which is member {winner}")
        self.tally.event("races won")
        return winner

    def _leave(self, winner, members, rtype):
        """RELEASE, as often as one likes, and CLEAR, once."""
        self._insist(winner, pr.RELEASE, key=self._key(winner), rtype=rtype)
        self._see([self._key(n) for n in members], None, "released")
        last = self.rng.choice(members)
        answer = self._send(last, pr.CLEAR, key=self._key(last))
        if answer == DOUBT and self.look(self.observer)[0]:
            self._insist(last, pr.CLEAR, key=self._key(last))
        elif answer is False:
            self._wrong("CLEAR was refused")
        self._see([], None, "cleared")

    def _see(self, keys, reservation, what):
        seen = self.look(self.observer)
        if seen != (sorted(keys), reservation):
            self._wrong(f"{what}: seen is {seen}, expected {sorted(keys), reservation}")

    def _wrong(self, text):
        self.tally.fail(f"{self.name}: {text}")
        raise GivenUp

    def recover(self):
        for action, key, sark in ((pr.REGISTER_AND_IGNORE, 0, 1), (pr.CLEAR, 1, 0)):
            self._send(0, action, key=key, sark=sark)
