# SPDX-License-Identifier: BSD-2-Clause
"""A cluster that keeps books: every answer is held against a model of the disk.

One command at a time, from a random member. A connection that breaks leaves two
possibilities, a target that was started again may have forgotten what it did not promise
to keep: so the model is a set of possible states. Each answer, and a look from another
member after each command, leaves those that fit; where none does, something was lost, or
was promised and is not there.
"""

from dataclasses import dataclass, replace

import prclient as pr
from cluster import Cluster
from nexus import GivenUp, InDoubt

TYPES = (pr.WE, pr.EA, pr.WE_RO, pr.EA_RO)      # those with one holder


@dataclass(frozen=True)
class State:
    keys: tuple = ()            # (member, key), sorted
    holder: int = -1            # the member that holds the reservation, or -1
    rtype: int = 0
    aptpl: bool = False

    def key(self, member):
        return dict(self.keys).get(member)

    def seen(self):
        """What a look shows."""
        keys = sorted(key for _, key in self.keys)
        return keys, (self.key(self.holder), self.rtype) if self.holder >= 0 else None

    def after_power_loss(self):
        return self if self.aptpl else State()

    def without(self, members):
        keys = tuple(item for item in self.keys if item[0] not in members)
        if self.holder in members:
            return replace(self, keys=keys, holder=-1, rtype=0)
        return replace(self, keys=keys)

    def registered(self, member, key):
        others = [item for item in self.keys if item[0] != member]
        return replace(self, keys=tuple(sorted([*others, (member, key)])))


@dataclass(frozen=True)
class Command:
    member: int
    action: int
    key: int = 0
    sark: int = 0
    rtype: int = 0
    flags: int = 0


def carry_out(state, c):
    """(whether the answer is GOOD, the state after it): SPC-4 5.13, for what is sent here."""
    own = state.key(c.member)
    if c.action in (pr.REGISTER, pr.REGISTER_AND_IGNORE):
        if c.action == pr.REGISTER and c.key != (own or 0):
            return False, state
        after = state.registered(c.member, c.sark) if c.sark else state.without({c.member})
        return True, replace(after, aptpl=bool(c.flags & pr.APTPL))
    if own is None or c.key != own:
        return False, state
    if c.action == pr.RESERVE:
        if state.holder < 0:
            return True, replace(state, holder=c.member, rtype=c.rtype)
        return (state.holder, state.rtype) == (c.member, c.rtype), state
    if c.action == pr.RELEASE:
        held = state.holder == c.member
        return True, replace(state, holder=-1, rtype=0) if held else state
    if c.action == pr.CLEAR:
        return True, replace(state, keys=(), holder=-1, rtype=0)
    victims = {member for member, key in state.keys if key == c.sark}
    if not victims:
        return False, state
    after = state.without(victims)
    if state.holder in victims:
        after = replace(after, holder=c.member, rtype=c.rtype)
    return True, after


class Ledger(Cluster):
    """`aptpl`: "always", "never" or "sometimes" asked for."""

    def __init__(self, name, tally, gate, rng, survives, aptpl="always"):
        super().__init__(name, tally, gate, rng, survives)
        self._aptpl = aptpl
        self._possible = {State()}

    def power_lost(self):
        self._possible = {state.after_power_loss() for state in self._possible}

    def step(self):
        command = self._choose()
        before = self._possible
        try:
            good = self.nodes[command.member].out(command.action, command.key, command.sark,
                                                  command.rtype, command.flags)
            # the daemon may have been started again before it was sent
            expected = [carry_out(state, command) for state in self._possible]
            self._possible = {after for answer, after in expected if answer == good}
            if not self._possible:
                self._wrong(f"{command} was answered {'GOOD' if good else 'with a refusal'}, "
                            f"possible was {before}")
        except InDoubt:
            self._possible = self._possible | {carry_out(s, command)[1] for s in self._possible}
        self._check(command)

    def _check(self, command):
        viewers = [node for n, node in enumerate(self.nodes) if n != command.member]
        seen = self.look(self.rng.choice([self.observer, self.observer, *viewers]))
        fitting = {state for state in self._possible if state.seen() == seen}
        if not fitting:
            self._wrong(f"after {command}: seen is {seen}, possible was {self._possible}")
        self._possible = fitting

    def _wrong(self, text):
        self.tally.fail(f"{self.name}: {text}")
        raise GivenUp

    def recover(self):
        node = self.nodes[0]
        for action, key, sark in ((pr.REGISTER_AND_IGNORE, 0, 1), (pr.CLEAR, 1, 0)):
            try:
                node.out(action, key, sark, 0, self._flags())
            except InDoubt:
                pass
        self._possible = {State(), State(aptpl=True)}
        _, _, keys, reservation = self.observer.look()
        if keys or reservation:
            self.tally.fail(f"{self.name}: cannot be cleared")

    def _flags(self):
        wanted = {"always": True, "never": False}.get(self._aptpl, self.rng.random() < 0.5)
        return pr.APTPL if wanted else 0

    def _choose(self):
        rng = self.rng
        state = min(self._possible, key=repr)
        member = rng.randrange(len(self.nodes))
        own = state.key(member) or 0
        action = rng.choice((pr.REGISTER, pr.REGISTER, pr.REGISTER_AND_IGNORE, pr.RESERVE,
                             pr.RESERVE, pr.RELEASE, pr.PREEMPT, pr.PREEMPT, pr.CLEAR))
        if action in (pr.REGISTER, pr.REGISTER_AND_IGNORE):
            key = own if rng.random() < 0.9 else own + 1
            leave = own and rng.random() < 0.25
            # no two members ever have the same key
            sark = 0 if leave else (member + 1) << 32 | rng.getrandbits(31) << 1
            return Command(member, action, key, sark, 0, self._flags())
        if action == pr.RELEASE and state.holder == member:
            return Command(member, action, own, 0, state.rtype)
        if action == pr.PREEMPT:
            others = [key for other, key in state.keys if other != member]
            victim = rng.choice(others) if others and rng.random() < 0.9 else 99
            return Command(member, action, own, victim, rng.choice(TYPES))
        return Command(member, action, own, 0, rng.choice(TYPES))
