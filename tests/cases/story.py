# SPDX-License-Identifier: BSD-2-Clause
"""What a case is written with: the list of all cases, and the words of one that runs."""

import contextlib
from dataclasses import dataclass

import prclient as pr

from .differences import NAMES
from .target import CONFLICT, GOOD, outcome

TYPE_NAMES = {pr.WE: "Write Exclusive", pr.EA: "Exclusive Access",
              pr.WE_RO: "Write Exclusive - Registrants Only",
              pr.EA_RO: "Exclusive Access - Registrants Only",
              pr.WE_AR: "Write Exclusive - All Registrants",
              pr.EA_AR: "Exclusive Access - All Registrants"}
REGISTRANTS_ONLY = (pr.WE_RO, pr.EA_RO)
ALL_REGISTRANTS = (pr.WE_AR, pr.EA_AR)

CASES = []


@dataclass(frozen=True)
class Case:
    name: str
    play: object        # called with a Story

    @property
    def identifier(self):
        return "".join(c if c.isalnum() else "_" for c in self.name)


def case(name, **arguments):
    """Put a function into the list of cases, with these arguments after the Story."""
    def put(function):
        CASES.append(Case(name, lambda story: function(story, **arguments)))
        return function
    return put


class Story:
    """A case that runs on a target. What is not as it should be is an AssertionError."""

    def __init__(self, target, note):
        """`note` gets a line for each expected difference."""
        self.target, self.a, self.b = target, target.a, target.b
        self._note = note
        self.met = set()        # expected differences that came

    def equal(self, actual, expected, what, differs=None):
        """`differs` names the entry of differences.py that may stand for `expected`."""
        if differs is not None and differs not in NAMES:
            raise LookupError(f"no target differs in {differs}")
        difference = self.target.differences.get(differs)
        if difference:
            if actual == expected:
                raise AssertionError(f"{what}: {actual!r}, so this expected difference is none: "
                                     f"{differs}")
            expected = difference.instead
            if actual == expected and differs not in self.met:
                self._note(f"differs as expected: {differs}: {difference.reason}")
            self.met.add(differs)
        if actual != expected:
            raise AssertionError(f"{what}: {actual!r} instead of {expected!r}")

    def true(self, condition, what):
        if not condition:
            raise AssertionError(what)

    def answer(self, reply, expected, what, differs=None):
        """`expected`: an outcome of target.py."""
        self.equal(outcome(reply), expected, what, differs)

    def good(self, reply, what, differs=None):
        self.answer(reply, GOOD, what, differs)

    def conflict(self, reply, what, differs=None):
        self.answer(reply, CONFLICT, what, differs)

    def attentions(self, nexus, *expected, differs=None):
        """The unit attentions that are pending for the nexus, all of them; they are taken."""
        self.equal(nexus.drain(), list(expected), f"unit attentions of {nexus.name}", differs)

    @contextlib.contextmanager
    def counted(self, by, nexus=None, differs=None):
        """PRGENERATION grows so much within; seen from `nexus`, which may get no attention."""
        nexus = nexus or self.a
        before = nexus.read_keys().generation
        yield
        after = nexus.read_keys().generation
        self.equal((after - before) % 2 ** 32, by, "growth of PRGENERATION", differs)

    def state(self, keys, reservation=None, holders=None):
        """What both nexuses see.

        `keys`: in the order of registration; `reservation`: (key, type), of which `holders`
        are the holders' keys, by default that one key or all.
        """
        if reservation is None:
            shown, holders = None, []
        else:
            key, rtype = reservation
            everybody = rtype in ALL_REGISTRANTS
            shown = (0 if everybody else key, rtype, 0)
            holders = holders or (keys if everybody else [key])
        for nexus in (self.a, self.b):
            seen = nexus.read_keys()
            self.equal(seen.keys, keys, f"keys that {nexus.name} reads")
            self.equal(seen.announced, 8 * len(keys), "ADDITIONAL LENGTH of READ KEYS")
            found = nexus.read_reservation()
            self.equal(found and (found.key, found.type, found.scope), shown,
                       f"reservation that {nexus.name} reads")
            full = nexus.full_status()
            self.equal(sorted(r.key for r in full), sorted(keys), "keys in READ FULL STATUS")
            self.equal(sorted(r.key for r in full if r.holder), sorted(holders),
                       "holders in READ FULL STATUS")
            for r in full:
                self.equal(r.scope_type, reservation[1] if r.holder else 0,
                           "scope and type in READ FULL STATUS")

    def access(self, nexus, read, write, what):
        """Whether the medium can be read and written through the nexus, where it is enforced."""
        if not self.target.enforces:
            return
        self.equal(nexus.read(), GOOD if read else CONFLICT, f"READ by {nexus.name}, {what}")
        self.equal(nexus.write(), GOOD if write else CONFLICT, f"WRITE by {nexus.name}, {what}")

    # Commands that have to end GOOD.

    def register(self, nexus, key, old=0):
        self.good(nexus.out(pr.REGISTER, old, key), f"REGISTER by {nexus.name}")

    def register_ignore(self, nexus, key):
        self.good(nexus.out(pr.REGISTER_AND_IGNORE, 0, key),
                  f"REGISTER AND IGNORE EXISTING KEY by {nexus.name}")

    def reserve(self, nexus, key, rtype):
        self.good(nexus.out(pr.RESERVE, key, rtype=rtype),
                  f"RESERVE of type {rtype} by {nexus.name}")

    def release(self, nexus, key, rtype):
        self.good(nexus.out(pr.RELEASE, key, rtype=rtype),
                  f"RELEASE of type {rtype} by {nexus.name}")

    def preempt(self, nexus, key, victim, rtype, action=pr.PREEMPT):
        self.good(nexus.out(action, key, victim, rtype),
                  f"PREEMPT of {victim:#x} by {nexus.name}")

    def clear(self, nexus, key):
        self.good(nexus.out(pr.CLEAR, key), f"CLEAR by {nexus.name}")
