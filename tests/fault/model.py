# SPDX-License-Identifier: BSD-2-Clause
"""What a target may hold, as far as the scenario goes: all states that the replies so far allow."""

from dataclasses import dataclass

import prclient as pr


@dataclass(frozen=True)
class State:
    keys: tuple = ()     # (initiator, key), oldest first
    holder: str = ""     # an initiator, or nobody
    type: int = 0

    def seen(self):
        """As PERSISTENT RESERVE IN shows it: keys, and (key, type) or None."""
        keys = dict(self.keys)
        return list(keys.values()), (keys[self.holder], self.type) if self.holder else None


def run(state, who, action, key, sark, rtype):
    """(status, state after)."""
    keys = dict(state.keys)
    conflict = (pr.RESERVATION_CONFLICT, state)
    if action == pr.REGISTER_AND_IGNORE:
        keys[who] = sark
        return pr.GOOD, State(tuple(keys.items()), state.holder, state.type)
    if keys.get(who) != key:
        return conflict
    if action == pr.RESERVE:
        if not state.holder:
            return pr.GOOD, State(state.keys, who, rtype)
        return (pr.GOOD, state) if (state.holder, state.type) == (who, rtype) else conflict
    if action == pr.RELEASE:
        return pr.GOOD, State(state.keys) if state.holder == who else state
    assert action == pr.PREEMPT
    if sark not in keys.values():
        return conflict
    takes_over = state.holder and keys[state.holder] == sark
    left = tuple((i, k) for i, k in state.keys if k != sark or i == who)
    return pr.GOOD, State(left, who, rtype) if takes_over else State(left, state.holder, state.type)


class Possible:
    """The states that are possible, here and in what is stored."""

    def __init__(self):
        self.here = {State()}
        self.stored = {State()}

    def answered(self, command, status):
        """A command got this status, None: no reply. False where that is a contradiction."""
        results = [(s, *run(s, *command)) for s in self.here]
        after = {new for _, expected, new in results if expected == pr.GOOD}
        if status is None:
            self.here = self.here | after
            self.stored = self.stored | after
        elif status in (pr.GOOD, pr.RESERVATION_CONFLICT):
            fitting = {new for _, expected, new in results if expected == status}
            if not fitting:
                return False
            if status == pr.GOOD and fitting != self.here:
                self.stored = set(fitting)
            self.here = fitting
        else:       # not carried out; storing it may have been
            self.stored = self.stored | after
        return True

    def saw(self, keys, reservation):
        """PERSISTENT RESERVE IN showed this. False where no possible state looks so."""
        fitting = {s for s in self.here if s.seen() == (keys, reservation)}
        if not fitting:
            return False
        self.here = fitting
        return True
