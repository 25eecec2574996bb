# SPDX-License-Identifier: BSD-2-Clause
"""Linux clusters: what fence_scsi, fence_mpath and mpathpersist do with a shared disk."""

import prclient as pr

from .story import case
from .target import REGISTRATION_PREEMPTED, RELEASED

NODE_A, NODE_B = 0x5A3C0000, 0x5A3C0001        # keys as fence_scsi makes them


class FenceScsi:
    """fence_scsi, on one node; it registers whatever was there before."""
    name = "fence_scsi"

    def __init__(self, t, nexus, key):
        self.t, self.nexus, self.key = t, nexus, key

    def register(self):
        self.t.register_ignore(self.nexus, self.key)

    def on(self):
        """Take part: register, and reserve where nobody has."""
        self.register()
        self.t.true(self.key in self.nexus.read_keys().keys, "the key is there")
        if self.nexus.read_reservation() is None:
            self.t.reserve(self.nexus, self.key, pr.WE_RO)

    def on_again(self):
        """Of a node whose key is there already: take its own key away and put it back."""
        self.register()
        self.t.preempt(self.nexus, self.key, self.key, pr.WE_RO)
        if self.nexus.read_reservation().key != self.key:
            self.register()
        self.t.true(self.key in self.nexus.read_keys().keys, "the key is there")

    def off(self, victim):
        """Fence another node."""
        self.register()
        self.t.preempt(self.nexus, self.key, victim.key, pr.WE_RO, pr.PREEMPT_AND_ABORT)
        self.t.true(victim.key not in self.nexus.read_keys().keys, "the victim's key is gone")
        self.t.true(self.nexus.read_reservation(), "there is a reservation")


class FenceMpath(FenceScsi):
    """fence_mpath: the same through mpathpersist, which registers by REGISTER."""
    name = "fence_mpath"

    def register(self):
        own = self.key in self.nexus.read_keys().keys
        if own:
            self.t.conflict(self.nexus.out(pr.REGISTER, 0, self.key), "REGISTER as if new")
        self.t.register(self.nexus, self.key, old=self.key if own else 0)


def on(t, agent):
    a, b = agent(t, t.a, NODE_A), agent(t, t.b, NODE_B)
    a.on()
    t.state([NODE_A], (NODE_A, pr.WE_RO))
    t.access(t.b, True, False, "not in the cluster yet")
    b.on()
    t.state([NODE_A, NODE_B], (NODE_A, pr.WE_RO))
    t.access(t.b, True, True, "in the cluster")


def on_again(t, agent):
    a, b = agent(t, t.a, NODE_A), agent(t, t.b, NODE_B)
    a.on()
    b.on()
    a.on_again()                    # it holds the reservation, and goes on holding it
    t.attentions(t.b)
    t.state([NODE_A, NODE_B], (NODE_A, pr.WE_RO))
    b.on_again()                    # it does not, and is without registration for a moment
    t.attentions(t.a)
    t.attentions(t.b)
    t.state([NODE_A, NODE_B], (NODE_A, pr.WE_RO))


def off(t, agent):
    """The victim holds the reservation."""
    a, b = agent(t, t.a, NODE_A), agent(t, t.b, NODE_B)
    a.on()
    b.on()
    b.off(a)
    t.attentions(t.a, REGISTRATION_PREEMPTED)
    t.state([NODE_B], (NODE_B, pr.WE_RO))
    t.access(t.a, True, False, "fenced")
    t.access(t.b, True, True, "left over")
    t.conflict(t.a.out(pr.RESERVE, NODE_A, rtype=pr.WE_RO), "RESERVE of the fenced node")
    a.on()                          # it comes back and asks nobody to make room
    t.state([NODE_B, NODE_A], (NODE_B, pr.WE_RO))
    t.access(t.a, True, True, "back")


def off_bystander(t, agent):
    """The victim holds nothing: the reservation stays where it is."""
    a, b = agent(t, t.a, NODE_A), agent(t, t.b, NODE_B)
    a.on()
    b.on()
    a.off(b)
    t.attentions(t.b, REGISTRATION_PREEMPTED)
    t.state([NODE_A], (NODE_A, pr.WE_RO))
    t.access(t.b, True, False, "fenced")


for agent in (FenceScsi, FenceMpath):
    case(f"{agent.name} on", agent=agent)(on)
    case(f"{agent.name} on again", agent=agent)(on_again)
    case(f"{agent.name} off, of the node that holds the reservation", agent=agent)(off)
    case(f"{agent.name} off, of another", agent=agent)(off_bystander)


# mpathpersist: the two nexuses are two paths of one host

KEY = 0x4D50


def two_paths(t, rtype):
    t.register_ignore(t.a, KEY)
    t.register_ignore(t.b, KEY)
    t.reserve(t.a, KEY, rtype)
    t.state([KEY, KEY], (KEY, rtype), holders=None if rtype == pr.WE_AR else [KEY])


@case("mpathpersist: RELEASE on the path that does not hold is nothing")
def release_on_the_other_path(t):
    two_paths(t, pr.WE_RO)
    t.release(t.b, KEY, pr.WE_RO)
    t.attentions(t.a)
    t.state([KEY, KEY], (KEY, pr.WE_RO))
    t.release(t.a, KEY, pr.WE_RO)
    t.attentions(t.b, RELEASED)
    t.state([KEY, KEY])


@case("mpathpersist: RELEASE on any path releases what all registrants hold")
def release_all_registrants(t):
    two_paths(t, pr.WE_AR)
    t.release(t.b, KEY, pr.WE_AR)
    t.attentions(t.a, RELEASED)
    t.state([KEY, KEY])


@case("mpathpersist: preempting one's own key from the other path")
def self_preempt(t):
    two_paths(t, pr.WE_RO)
    with t.counted(1, nexus=t.b):
        t.preempt(t.b, KEY, KEY, pr.WE_RO)
    t.attentions(t.a, REGISTRATION_PREEMPTED)
    t.attentions(t.b)
    t.state([KEY], (KEY, pr.WE_RO))
    t.conflict(t.a.out(pr.RELEASE, KEY, rtype=pr.WE_RO), "RELEASE on the path that lost")
    t.register(t.a, KEY)            # which is why each path is registered again
    t.state([KEY, KEY], (KEY, pr.WE_RO), holders=[KEY])
    t.release(t.a, KEY, pr.WE_RO)   # the holder is the other path now
    t.state([KEY, KEY], (KEY, pr.WE_RO), holders=[KEY])
    t.access(t.a, True, True, "registered again")
