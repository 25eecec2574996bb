# SPDX-License-Identifier: BSD-2-Clause
"""A SCSI target as the public cases see it: one disk and its two nexuses, a and b.

An adapter (sim_target.py, lio_target.py) makes a Target; a case knows nothing
of what is behind it.
"""

import struct
from dataclasses import dataclass

import prclient as pr

STATUS = {pr.GOOD: "GOOD", pr.BUSY: "BUSY", pr.RESERVATION_CONFLICT: "RESERVATION CONFLICT",
          pr.TASK_SET_FULL: "TASK SET FULL"}
GOOD, CONFLICT = STATUS[pr.GOOD], STATUS[pr.RESERVATION_CONFLICT]

UNIT_ATTENTION = 6
ATTENTIONS_MAX = 8      # no nexus has more of them pending


def checked(key, asc, ascq):
    """The outcome of a command that ends in CHECK CONDITION with this sense."""
    return "CHECK CONDITION %X/%02X/%02X" % (key, asc, ascq)


INVALID_FIELD_IN_CDB = checked(5, 0x24, 0)
INVALID_FIELD_IN_LIST = checked(5, 0x26, 0)
INVALID_RELEASE = checked(5, 0x26, 4)
PREEMPTED = checked(UNIT_ATTENTION, 0x2A, 3)
RELEASED = checked(UNIT_ATTENTION, 0x2A, 4)
REGISTRATION_PREEMPTED = checked(UNIT_ATTENTION, 0x2A, 5)


def outcome(reply):
    """A reply's status and sense in words."""
    if reply.status == pr.CHECK_CONDITION:
        return checked(*reply.code) if reply.code else "CHECK CONDITION without sense"
    text = STATUS.get(reply.status, f"status {reply.status:#04x}")
    return text + (" with sense" if any(reply.sense) else "")


class Refused(AssertionError):
    """A command that a case relies on did not end GOOD."""

    def __init__(self, what, reply):
        super().__init__(f"{what}: {outcome(reply)}")


@dataclass(frozen=True)
class Keys:
    """READ KEYS. `announced`: bytes of keys that the target has; `received`: of the response."""
    generation: int
    announced: int
    keys: list
    received: int


@dataclass(frozen=True)
class Reservation:
    key: int
    type: int
    scope: int


@dataclass(frozen=True)
class Capabilities:
    """REPORT CAPABILITIES; `types` as in bytes 4 and 5."""
    length: int
    flags: int
    allow_commands: int
    types: int

    def offers(self, rtype):
        bit = 0x0001 if rtype == pr.EA_AR else 0x100 << rtype
        return bool(self.types & bit)


@dataclass(frozen=True)
class Registrant:
    """A full status descriptor (SPC-4 6.15.5)."""
    key: int
    holder: bool
    all_tg_pt: bool
    scope_type: int
    port: int
    transport_id: bytes


class Connection:
    """A client of the helper that serves a nexus, with a descriptor of the disk of its own."""

    def __init__(self, client, fd):
        self._client, self._fd = client, fd

    def request(self, cdb, data=b""):
        return self._client.request(self._fd, cdb, data)

    def in_(self, action, alloc=8192):
        return self.request(pr.cdb_in(action, alloc))

    def out(self, action, key=0, sark=0, rtype=0, flags=0):
        return self.request(pr.cdb_out(action, rtype), pr.params(key, sark, flags))

    def _data(self, what, action, alloc, least):
        reply = self.in_(action, alloc)
        if outcome(reply) != GOOD:
            raise Refused(what, reply)
        if len(reply.payload) < least:
            raise AssertionError(f"{what}: only {len(reply.payload)} bytes")
        return reply.payload

    def read_keys(self, alloc=8192):
        data = self._data("READ KEYS", pr.READ_KEYS, alloc, 8)
        generation, announced = struct.unpack(">II", data[:8])
        count = min(announced, len(data) - 8) // 8
        keys = list(struct.unpack(f">{count}Q", data[8:8 + 8 * count]))
        return Keys(generation, announced, keys, len(data))

    def read_reservation(self):
        """The Reservation, or None."""
        data = self._data("READ RESERVATION", pr.READ_RESERVATION, 8192, 8)
        if struct.unpack(">I", data[4:8])[0] == 0:
            return None
        return Reservation(struct.unpack(">Q", data[8:16])[0], data[21] & 0x0F, data[21] >> 4)

    def capabilities(self):
        data = self._data("REPORT CAPABILITIES", pr.REPORT_CAPABILITIES, 8192, 8)
        length, flags, third, types = struct.unpack(">HBBH", data[:6])
        return Capabilities(length, flags, third >> 4 & 7, types)

    def full_status(self):
        """All Registrants."""
        data = self._data("READ FULL STATUS", pr.READ_FULL_STATUS, 8192, 8)
        rest, found = data[8:8 + struct.unpack(">I", data[4:8])[0]], []
        while rest:
            key, flags, scope_type, port, size = struct.unpack(">Q4xBB4xHI", rest[:24])
            found.append(Registrant(key, bool(flags & 1), bool(flags & 2), scope_type, port,
                                    rest[24:24 + size]))
            rest = rest[24 + size:]
        return found

    def drain(self):
        """Take the unit attentions that are pending; returns their outcomes, oldest first."""
        found = []
        for _ in range(ATTENTIONS_MAX):
            reply = self.in_(pr.READ_KEYS)
            if reply.status != pr.CHECK_CONDITION or reply.code[0] != UNIT_ATTENTION:
                break
            found.append(outcome(reply))
        return found


class Nexus(Connection):
    """One initiator's way to the disk. `name` is for messages."""

    def __init__(self, name, client, fd):
        super().__init__(client, fd)
        self.name = name

    def connect(self):
        """One more Connection through this nexus: another VM on the same host."""
        raise NotImplementedError

    def read(self):
        """READ a block of the medium: the outcome. Only where the target enforces."""
        raise NotImplementedError

    def write(self):
        """WRITE a block of the medium: the outcome. Only where the target enforces."""
        raise NotImplementedError


class Target:
    """What an adapter has to offer. Use it in a `with` block."""
    name = None
    enforces = False        # whether reads and writes of the medium meet the reservation
    differences = {}        # of differences.py
    a = b = None            # Nexus

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        pass
