# SPDX-License-Identifier: BSD-2-Clause
"""Where a real target is known to answer otherwise than the standard says, and why.

A place in a case that may come out otherwise names its entry here. On a target
that has the entry, `instead` is what has to come; the standard's answer is a
failure then, for the entry is out of date.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Difference:
    instead: object     # what the target says
    reason: str


SIM = {}

LIO = {
    "sender not registered": Difference(
        "CHECK CONDITION 2/08/00",
        "with nothing reserved LIO answers RESERVE, RELEASE and CLEAR of a nexus without "
        "registration with LOGICAL UNIT COMMUNICATION FAILURE"),
    "unregistering is not counted": Difference(
        0, "LIO leaves PRGENERATION as it is when a registration is taken back"),
    "RELEASE of another type": Difference(
        "RESERVATION CONFLICT", "LIO does not know INVALID RELEASE OF PERSISTENT RESERVATION"),
    "key of a RELEASE that releases nothing": Difference(
        "GOOD", "LIO looks at the key only where the sender holds the reservation"),
    "preempting one's own key": Difference(
        [0x1122334455667788, 0x99AABBCCDDEEFF00],
        "LIO never takes the sender's registration under an All Registrants reservation"),
    "READ FULL STATUS cut short": Difference(
        (False, 0), "LIO leaves out the descriptors that do not fit, and counts only the others"),
    "allocation length below 6": Difference(
        "CHECK CONDITION 5/24/00",
        "LIO wants room for the header of a PERSISTENT RESERVE IN response"),
}

NAMES = {*SIM, *LIO}
