# SPDX-License-Identifier: BSD-2-Clause
"""What a conformance test for initiators and targets asks, after libiscsi's test-tool.

Left out of its list: SANITIZE and the RESERVE and RELEASE of SPC-2 under a reservation,
which no helper passes on.
"""

import struct

import prclient as pr

from .story import ALL_REGISTRANTS, REGISTRANTS_ONLY, TYPE_NAMES, case
from .target import (GOOD, INVALID_FIELD_IN_CDB, INVALID_FIELD_IN_LIST, INVALID_RELEASE,
                     REGISTRATION_PREEMPTED, RELEASED, outcome)

K1, K2 = 0x1122334455667788, 0x99AABBCCDDEEFF00
PR_IN_ACTIONS = range(0x20)
KNOWN_PR_IN = (pr.READ_KEYS, pr.READ_RESERVATION, pr.REPORT_CAPABILITIES, pr.READ_FULL_STATUS)
ALL_TYPES_MASK = 0xEA01
ALLOW_COMMANDS_MAX = 5


@case("READ KEYS: the length is that of what follows")
def read_keys_simple(t):
    for keys in ([], [K1], [K1, K2]):
        if keys:
            t.register_ignore((t.a, t.b)[len(keys) - 1], keys[-1])
        seen = t.a.read_keys()      # 8192: the longest that a helper takes
        t.equal(seen.keys, keys, "keys")
        t.equal(seen.announced, seen.received - 8, "ADDITIONAL LENGTH")


@case("READ KEYS: a short allocation length cuts the keys and not their length")
def read_keys_truncate(t):
    t.register_ignore(t.a, K1)
    seen = t.a.read_keys(8)
    t.equal((seen.announced, seen.keys, seen.received), (8, [], 8), "with room for the header")
    t.register_ignore(t.b, K2)
    seen = t.a.read_keys(16)
    t.equal((seen.announced, seen.keys, seen.received), (16, [K1], 16), "with room for one key")
    t.register_ignore(t.b, 0)
    t.register_ignore(t.a, 0)
    t.state([])


@case("READ FULL STATUS: a short allocation length cuts it and not its length")
def full_status_truncate(t):
    t.register_ignore(t.a, K1)
    t.register_ignore(t.b, K2)
    whole = t.a.in_(pr.READ_FULL_STATUS).payload
    for alloc in (8, 24, 40):
        reply = t.a.in_(pr.READ_FULL_STATUS, alloc)
        t.good(reply, f"allocation length {alloc}")
        t.equal((reply.payload == whole[:alloc], *struct.unpack(">4xI", reply.payload[:8])),
                (True, len(whole) - 8), f"beginning and length with allocation length {alloc}",
                differs="READ FULL STATUS cut short")
    t.equal(t.a.in_(pr.READ_FULL_STATUS, len(whole)).payload, whole, "the response")


@case("PERSISTENT RESERVE IN: an allocation length below the header's is no error")
def tiny_allocation_lengths(t):
    t.register_ignore(t.a, K1)
    for action in KNOWN_PR_IN:
        whole = t.a.in_(action).payload
        for alloc in (0, 1, 5):
            reply = t.a.in_(action, alloc)
            t.good(reply, f"service action {action}, allocation length {alloc}",
                   differs="allocation length below 6")
            if outcome(reply) == GOOD:
                t.equal(reply.payload, whole[:alloc], "the response's beginning")


@case("PERSISTENT RESERVE IN: the known service actions and no other")
def service_actions(t):
    for action in PR_IN_ACTIONS:
        expected = GOOD if action in KNOWN_PR_IN else INVALID_FIELD_IN_CDB
        t.answer(t.a.in_(action), expected, f"service action {action:#04x}")


@case("PERSISTENT RESERVE OUT: an unknown service action")
def unknown_service_actions(t):
    t.register_ignore(t.a, K1)
    with t.counted(0):
        for action in range(pr.REPLACE_LOST, 0x20):
            t.answer(t.a.out(action, K1, K2, pr.WE), INVALID_FIELD_IN_CDB,
                     f"service action {action:#04x}")
    t.state([K1])


@case("REPORT CAPABILITIES: every type that it offers can be had")
def report_capabilities(t):
    t.register_ignore(t.a, K1)
    offered = t.a.capabilities()
    t.equal(offered.length, 8, "LENGTH")
    t.true(offered.allow_commands <= ALLOW_COMMANDS_MAX,
           f"ALLOW COMMANDS is the reserved value {offered.allow_commands}")
    t.equal(offered.types & ~ALL_TYPES_MASK, 0, "reserved bits of the type mask")
    for rtype in range(16):
        if rtype in pr.TYPES and offered.offers(rtype):
            t.reserve(t.a, K1, rtype)
            t.state([K1], (K1, rtype))
            t.release(t.a, K1, rtype)
        else:
            t.answer(t.a.out(pr.RESERVE, K1, rtype=rtype), INVALID_FIELD_IN_CDB,
                     f"RESERVE of the unknown type {rtype}")
    t.state([K1])


@case("REGISTER: who is registered cannot register as if he were not")
def register_simple(t):
    with t.counted(1):
        t.register_ignore(t.a, K1)
    t.state([K1])
    with t.counted(0):
        t.conflict(t.a.out(pr.REGISTER, 0, K1 + 1), "REGISTER with key 0")
    t.state([K1])
    with t.counted(1, differs="unregistering is not counted"):
        t.register(t.a, 0, old=K1)
    t.state([])


@case("RESERVE and RELEASE: all six types")
def reserve_simple(t):
    t.register_ignore(t.a, K1)
    with t.counted(0):
        for rtype in pr.TYPES:
            t.reserve(t.a, K1, rtype)
            t.reserve(t.a, K1, rtype)       # what one holds one can have again
            t.state([K1], (K1, rtype))
            t.release(t.a, K1, rtype)
            t.state([K1])


@case("CLEAR: reservation and registrations are gone")
def clear_simple(t):
    t.register_ignore(t.a, K1)
    t.reserve(t.a, K1, pr.EA)
    with t.counted(1):
        t.clear(t.a, K1)
    t.attentions(t.a)
    t.state([])
    t.conflict(t.a.out(pr.CLEAR, K1), "a second CLEAR", differs="sender not registered")


@case("who is not registered can do nothing but register")
def not_registered(t):
    t.register_ignore(t.b, K2)
    for what, action in (("RESERVE", pr.RESERVE), ("RELEASE", pr.RELEASE), ("CLEAR", pr.CLEAR)):
        t.conflict(t.a.out(action, K2, rtype=pr.WE), what, differs="sender not registered")
    for action in (pr.PREEMPT, pr.PREEMPT_AND_ABORT):
        t.conflict(t.a.out(action, K2, K2, pr.WE), "PREEMPT")
    t.conflict(t.a.out(pr.REGISTER, K2, K1), "REGISTER with another's key")
    t.state([K2])


@case("RELEASE: the type and the key have to be the reservation's")
def release_mismatch(t):
    t.register_ignore(t.a, K1)
    t.register_ignore(t.b, K2)
    t.reserve(t.a, K1, pr.WE)
    t.answer(t.a.out(pr.RELEASE, K1, rtype=pr.EA), INVALID_RELEASE, "RELEASE of another type",
             differs="RELEASE of another type")
    t.conflict(t.a.out(pr.RELEASE, K2, rtype=pr.WE), "RELEASE with another's key")
    t.conflict(t.b.out(pr.RELEASE, K1, rtype=pr.WE), "the same of who holds nothing",
               differs="key of a RELEASE that releases nothing")
    t.state([K1, K2], (K1, pr.WE))
    t.conflict(t.a.out(pr.RESERVE, K1, rtype=pr.EA), "RESERVE of another type")
    t.state([K1, K2], (K1, pr.WE))


@case("PREEMPT: a registration is removed without any reservation")
def preempt_removes_registration(t):
    t.register_ignore(t.a, K1)
    t.register_ignore(t.b, K2)
    with t.counted(1, nexus=t.b):
        t.preempt(t.b, K2, K1, pr.EA)
    t.attentions(t.b)
    t.attentions(t.a, REGISTRATION_PREEMPTED)
    t.state([K2])


@case("PREEMPT: a key that nobody has, and key 0")
def preempt_without_victim(t):
    t.register_ignore(t.a, K1)
    t.register_ignore(t.b, K2)
    t.reserve(t.a, K1, pr.WE_RO)
    with t.counted(0):
        for action in (pr.PREEMPT, pr.PREEMPT_AND_ABORT):
            t.conflict(t.b.out(action, K2, K1 + 1, pr.WE_RO), "PREEMPT of an unknown key")
            t.answer(t.b.out(action, K2, 0, pr.WE_RO), INVALID_FIELD_IN_LIST, "PREEMPT of key 0")
    t.state([K1, K2], (K1, pr.WE_RO))


@case("PREEMPT: key 0 means all who hold an All Registrants reservation")
def preempt_all(t):
    t.register_ignore(t.a, K1)
    t.register_ignore(t.b, K2)
    t.reserve(t.a, K1, pr.WE_AR)
    t.preempt(t.b, K2, 0, pr.EA)
    t.attentions(t.a, REGISTRATION_PREEMPTED)
    t.attentions(t.b)
    t.state([K2], (K2, pr.EA))


@case("PREEMPT: one's own key under an All Registrants reservation takes one's registration")
def preempt_own_key(t):
    t.register_ignore(t.a, K1)
    t.register_ignore(t.b, K2)
    t.reserve(t.a, K1, pr.WE_AR)
    t.preempt(t.b, K2, K2, pr.WE_AR)
    t.attentions(t.a)
    t.attentions(t.b)
    t.equal(t.a.read_keys().keys, [K1], "keys", differs="preempting one's own key")
    found = t.a.read_reservation()
    t.equal((found.key, found.type), (0, pr.WE_AR), "reservation")


@case("PREEMPT: a change of the type is told to the other registrants")
def preempt_type_change(t):
    t.register_ignore(t.a, K1)
    t.register_ignore(t.b, K2)
    t.reserve(t.a, K1, pr.WE_RO)
    t.preempt(t.a, K1, K1, pr.WE_RO)
    t.attentions(t.b)
    t.preempt(t.a, K1, K1, pr.EA_RO)
    t.attentions(t.b, RELEASED)
    t.attentions(t.a)
    t.state([K1, K2], (K1, pr.EA_RO))


# How the other initiator fares: (read, write) as a registrant, (read, write) without
ACCESS = {
    pr.EA: ((False, False), (False, False)),
    pr.WE: ((True, False), (True, False)),
    pr.EA_RO: ((True, True), (False, False)),
    pr.WE_RO: ((True, True), (True, False)),
    pr.EA_AR: ((True, True), (False, False)),
    pr.WE_AR: ((True, True), (True, False)),
}


def access(t, rtype):
    registrant, stranger = ACCESS[rtype]
    t.register_ignore(t.a, K1)
    t.register_ignore(t.b, K2)
    t.reserve(t.a, K1, rtype)
    t.state([K1, K2], (K1, rtype))
    t.access(t.a, True, True, "who reserved")
    t.access(t.b, *registrant, "a registrant")
    t.register_ignore(t.b, 0)
    t.state([K1], (K1, rtype))
    t.access(t.b, *stranger, "not registered")
    t.conflict(t.b.out(pr.RESERVE, rtype=rtype), "RESERVE by b")
    t.access(t.a, True, True, "who reserved")
    t.release(t.a, K1, rtype)
    t.access(t.b, True, True, "after the release")


def ownership(t, rtype):
    t.register_ignore(t.a, K1)
    t.register_ignore(t.b, K2)
    t.reserve(t.a, K1, rtype)
    t.register_ignore(t.a, 0)
    if rtype in ALL_REGISTRANTS:
        t.state([K2], (K2, rtype))
        t.release(t.b, K2, rtype)
    elif rtype in REGISTRANTS_ONLY:
        t.attentions(t.b, RELEASED)
    t.attentions(t.a)
    t.state([K2])
    t.access(t.a, True, True, "with nothing reserved")


for rtype in pr.TYPES:
    case(f"access under {TYPE_NAMES[rtype]}", rtype=rtype)(access)
for rtype in pr.TYPES:
    case(f"ownership: who holds {TYPE_NAMES[rtype]} unregisters", rtype=rtype)(ownership)
