# SPDX-License-Identifier: BSD-2-Clause
"""Windows failover clusters: the verbs of their disk resource, and how two nodes arbitrate."""

import prclient as pr

from .story import case
from .target import CONFLICT, GOOD, PREEMPTED, REGISTRATION_PREEMPTED, RELEASED, outcome

OWNER, CHALLENGER = 0xB16B00B5C0FFEE01, 0xB16B00B5C0FFEE02
NOT_RESERVED, RESERVED_BY_US, RESERVED_BY_OTHERS = range(3)


class Node:
    """The verbs of MS-CSVP as a cluster node sends them."""

    def __init__(self, t, nexus, key):
        self.t, self.nexus, self.key = t, nexus, key

    def register(self):
        self.t.register_ignore(self.nexus, self.key)

    def unregister(self):
        self.t.register_ignore(self.nexus, 0)

    def reserve(self):
        """The outcome."""
        return outcome(self.nexus.out(pr.RESERVE, self.key, rtype=pr.WE_RO))

    def release(self):
        self.t.release(self.nexus, self.key, pr.WE_RO)

    def preempt(self, victim):
        """The outcome."""
        return outcome(self.nexus.out(pr.PREEMPT, self.key, victim, pr.WE_RO))

    def clear(self):
        self.t.clear(self.nexus, self.key)

    def is_present(self):
        found = self.nexus.read_reservation()
        if found is None:
            return NOT_RESERVED
        return RESERVED_BY_US if found.key == self.key else RESERVED_BY_OTHERS

    def arbitrate(self):
        """Register, reserve; what is held by a node that does not answer is taken from it."""
        self.register()
        said = self.reserve()
        if said == CONFLICT:
            said = self.preempt(self.nexus.read_reservation().key)
        return said


def nodes(t):
    return Node(t, t.a, OWNER), Node(t, t.b, CHALLENGER)


@case("Windows: the verbs of the disk resource")
def verbs(t):
    one, two = nodes(t)

    def present(*expected):
        t.equal((one.is_present(), two.is_present()), expected, "IsPRPresent")
    one.register()
    two.register()
    present(NOT_RESERVED, NOT_RESERVED)
    t.equal(one.reserve(), GOOD, "PRReserve")
    present(RESERVED_BY_US, RESERVED_BY_OTHERS)
    one.release()
    t.attentions(t.b, RELEASED)
    present(NOT_RESERVED, NOT_RESERVED)
    t.equal(one.reserve(), GOOD, "PRReserve")
    t.equal(two.preempt(OWNER), GOOD, "PRPreempt")
    t.attentions(t.a, REGISTRATION_PREEMPTED)
    present(RESERVED_BY_OTHERS, RESERVED_BY_US)
    one.register()
    t.equal(one.arbitrate(), GOOD, "PRArbitrate")
    t.attentions(t.b, REGISTRATION_PREEMPTED)
    present(RESERVED_BY_US, RESERVED_BY_OTHERS)
    two.register()
    two.unregister()
    present(RESERVED_BY_US, RESERVED_BY_OTHERS)
    two.register()
    one.clear()
    t.attentions(t.b, PREEMPTED)
    present(NOT_RESERVED, NOT_RESERVED)
    t.state([])


@case("Windows: an owner who lives defends the disk")
def defence(t):
    owner, challenger = nodes(t)
    owner.register()
    t.equal(owner.reserve(), GOOD, "RESERVE of the owner")
    challenger.register()
    t.equal(challenger.reserve(), CONFLICT, "RESERVE of the challenger")
    seen = [k for k in t.a.read_keys().keys if k != OWNER]
    t.equal(seen, [CHALLENGER], "keys that the owner does not know")
    t.equal(owner.preempt(CHALLENGER), GOOD, "the defence")
    t.attentions(t.a)
    t.attentions(t.b, REGISTRATION_PREEMPTED)
    t.state([OWNER], (OWNER, pr.WE_RO))
    t.equal(challenger.preempt(OWNER), CONFLICT, "PREEMPT of the challenger, too late")
    t.state([OWNER], (OWNER, pr.WE_RO))
    t.access(t.a, True, True, "the owner")
    t.access(t.b, True, False, "the challenger")


@case("Windows: an owner who is dead loses the disk")
def takeover(t):
    owner, challenger = nodes(t)
    owner.register()
    t.equal(owner.reserve(), GOOD, "RESERVE of the owner")
    t.equal(challenger.arbitrate(), GOOD, "arbitration")
    t.attentions(t.b)
    t.attentions(t.a, REGISTRATION_PREEMPTED)
    t.state([CHALLENGER], (CHALLENGER, pr.WE_RO))
    t.access(t.a, True, False, "the old owner")
    t.access(t.b, True, True, "the new owner")
    t.equal(owner.reserve(), CONFLICT, "RESERVE of the old owner")
