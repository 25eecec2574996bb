# SPDX-License-Identifier: BSD-2-Clause
"""Persistent reservations once more, as naively as can be: the model that the
engine in src/sim is checked against.

It is written from the standard's rules (SPC-4 5.13, 6.15, 6.16, 7.6.4) and
shares nothing with the engine: registrations are a list of dicts, each command
works on a copy of everything, nothing is clever.
"""

import copy
import struct

GOOD, CHECK, CONFLICT = 0x00, 0x02, 0x18

REGISTER, RESERVE, RELEASE, CLEAR, PREEMPT, PREEMPT_ABORT, IGNORE, MOVE = range(8)
WE, EA, WE_RO, EA_RO, WE_AR, EA_AR = TYPES = (1, 3, 5, 6, 7, 8)
REGISTRANTS_ONLY = (WE_RO, EA_RO)
ALL_REGISTRANTS = (WE_AR, EA_AR)

UA_RESERVATIONS_PREEMPTED, UA_RESERVATIONS_RELEASED, UA_REGISTRATIONS_PREEMPTED = 3, 4, 5


class Ended(Exception):
    """The command ends here without GOOD."""

    def __init__(self, status, sense=(0, 0, 0)):
        super().__init__()
        self.status, self.sense = status, sense


def reservation_conflict():
    return Ended(CONFLICT)


def illegal_request(asc, ascq=0):
    return Ended(CHECK, (5, asc, ascq))


INVALID_CDB = (0x24, 0)
LIST_LENGTH = (0x1A, 0)
INVALID_LIST = (0x26, 0)
INVALID_RELEASE = (0x26, 4)
NO_RESOURCES = (0x55, 4)

# ---------------------------------------------------------------- TransportIDs

FIXED = {0: slice(8, 16), 3: slice(8, 16), 4: slice(8, 24), 6: slice(4, 12), 10: slice(2, 4)}


def parse_transportid(data):
    """One TransportID from the front of `data`: (port, size), or None.
    A port is (protocol, identifier) or (5, name, isid or None)."""
    if len(data) < 24:
        return None
    code, protocol = data[0] >> 6, data[0] & 15
    if protocol == 5:
        size = 4 + int.from_bytes(data[2:4], "big")
        if code > 1 or size < 24 or size % 4 or size > len(data) or 0 not in data[4:size]:
            return None
        text = data[4:size].split(b"\0")[0]
        isid = None
        if code == 1:
            text, found, digits = text.partition(b",i,0x")
            if not found or not 1 <= len(digits) <= 12:
                return None
            if any(d not in b"0123456789abcdefABCDEF" for d in digits):
                return None
            isid = int(digits, 16)
        if not 1 <= len(text) <= 223 or any(c <= 32 or c == 127 or c == ord(",") for c in text):
            return None
        return (5, text, isid), size
    if code != 0:
        return None
    if protocol == 1:
        return (1, data[2:4] + data[6:8]), 24
    if protocol in FIXED:
        return (protocol, data[FIXED[protocol]]), 24
    return None


def make_transportid(port):
    if port[0] != 5:
        data = bytearray(24)
        data[0] = port[0]
        if port[0] == 1:
            data[2:4], data[6:8] = port[1][:2], port[1][2:]
        else:
            data[FIXED[port[0]]] = port[1]
        return bytes(data)
    text = port[1] if port[2] is None else port[1] + b",i,0x%012x" % port[2]
    text += b"\0"
    while len(text) < 20 or len(text) % 4:
        text += b"\0"
    return struct.pack(">BBH", 5 if port[2] is None else 0x45, 0, len(text)) + text


# ------------------------------------------------------------------- the model


class Model:
    """One logical unit. A nexus is (index into initiators, index into ports)."""

    def __init__(self, initiators, ports, limit, ptpl, crh=False):
        self.initiators, self.ports, self.limit, self.ptpl, self.crh = initiators, ports, limit, ptpl, crh
        self.cold_start()

    def cold_start(self):
        self.generation, self.aptpl, self.type, self.holder = 0, False, 0, None
        self.regs = []          # {"nexus", "key", "all"}
        self.attentions = {}    # nexus -> [ascq]

    def power_cycle(self):
        keep = self.regs, self.type, self.holder, self.aptpl
        self.cold_start()
        if keep[3]:
            self.regs, self.type, self.holder, self.aptpl = keep

    # -- small questions

    def registration(self, nexus):
        for r in self.regs:
            if r["nexus"] == nexus:
                return r
        return None

    def key(self, nexus):
        r = self.registration(nexus)
        return r["key"] if r else 0

    def holds(self, nexus):
        if not self.type or not self.registration(nexus):
            return False
        return self.type in ALL_REGISTRANTS or self.holder == nexus

    def others(self, nexus):
        return [r["nexus"] for r in self.regs if r["nexus"] != nexus]

    def tell(self, nexuses, ascq):
        for n in nexuses:
            queue = self.attentions.setdefault(n, [])
            if ascq not in queue:
                queue.append(ascq)

    def reserve_for(self, nexus, rtype):
        self.type, self.holder = rtype, None if rtype in ALL_REGISTRANTS else nexus

    def unreserve(self):
        self.type, self.holder = 0, None

    def add(self, nexus, key, every_port):
        if len(self.regs) >= self.limit:
            raise illegal_request(*NO_RESOURCES)
        self.regs.append({"nexus": nexus, "key": key, "all": every_port})

    # -- a command

    def run(self, nexus, cdb, params=b"", room=8192):
        """(status, sense, data, what to store: 0 nothing, 1 the state, 2 that there is none)"""
        if cdb[0] not in (0x5E, 0x5F):
            return CHECK, (5, 0x20, 0), b"", 0
        if self.attentions.get(nexus):
            return CHECK, (6, 0x2A, self.attentions[nexus].pop(0)), b"", 0
        before = copy.deepcopy((self.generation, self.aptpl, self.type, self.holder, self.regs, self.attentions))
        data = b""
        try:
            if cdb[1] >> 5:
                raise illegal_request(*INVALID_CDB)
            if cdb[0] == 0x5E:
                alloc = int.from_bytes(cdb[7:9], "big")
                data = self.persistent_reserve_in(cdb[1])[:min(alloc, room)]
            else:
                self.persistent_reserve_out(nexus, cdb, params)
        except Ended as end:
            (self.generation, self.aptpl, self.type, self.holder, self.regs, self.attentions) = before
            return end.status, end.sense, b"", 0
        if self.aptpl:
            store = int((self.aptpl, self.type, self.holder, self.regs) != before[1:5])
        else:
            store = 2 if before[1] else 0
        return GOOD, (0, 0, 0), data, store

    # -- PERSISTENT RESERVE IN

    def persistent_reserve_in(self, action):
        if action == 0:
            body = b"".join(struct.pack(">Q", r["key"]) for r in self.regs)
        elif action == 1:
            body = b""
            if self.type:
                key = 0 if self.type in ALL_REGISTRANTS else self.key(self.holder)
                body = struct.pack(">QIBBH", key, 0, 0, self.type, 0)
        elif action == 2:
            return struct.pack(">HBBBBH", 8, 0x0C | self.ptpl | self.crh << 4, 0x90 | self.aptpl, 0xEA, 0x01, 0)
        elif action == 3:
            body = b"".join(self.descriptors())
        else:
            raise illegal_request(*INVALID_CDB)
        return struct.pack(">II", self.generation, len(body)) + body

    def descriptors(self):
        told = set()
        for r in self.regs:
            initiator, port = r["nexus"]
            if initiator in told:
                continue
            siblings = [(initiator, p) for p in range(len(self.ports))]
            found = [self.registration(s) for s in siblings]
            everywhere = all(f and f["all"] and f["key"] == r["key"] for f in found) \
                and len({self.holds(s) for s in siblings}) == 1
            if everywhere:
                told.add(initiator)
            holds = self.holds(r["nexus"])
            name = make_transportid(self.initiators[initiator])
            yield struct.pack(">QIBBIHI", r["key"], 0, 2 * everywhere + holds, self.type if holds else 0, 0,
                              0 if everywhere else self.ports[port], len(name)) + name

    # -- PERSISTENT RESERVE OUT

    def persistent_reserve_out(self, nexus, cdb, params):
        action, scope, rtype = cdb[1], cdb[2] >> 4, cdb[2] & 15
        if action > MOVE:
            raise illegal_request(*INVALID_CDB)
        if len(params) != int.from_bytes(cdb[5:9], "big") or len(params) < (48 if action == MOVE else 24):
            raise illegal_request(*LIST_LENGTH)
        rk, sark = struct.unpack(">QQ", params[:16])
        spec_i_pt = action != MOVE and bool(params[20] & 8)
        if action == MOVE:
            if 24 + int.from_bytes(params[20:24], "big") != len(params):
                raise illegal_request(*INVALID_LIST)
        elif spec_i_pt:
            if action != REGISTER:
                raise illegal_request(*INVALID_LIST)
            if len(params) < 28:
                raise illegal_request(*LIST_LENGTH)
            if 28 + int.from_bytes(params[24:28], "big") != len(params):
                raise illegal_request(*INVALID_LIST)
        elif len(params) != 24:
            raise illegal_request(*LIST_LENGTH)

        if action in (REGISTER, IGNORE):
            self.register(nexus, action == IGNORE, rk, sark, params)
            return
        if action == MOVE and not self.registration(nexus) and not self.type:
            raise illegal_request(*INVALID_CDB)
        if not self.registration(nexus) or self.key(nexus) != rk:
            raise reservation_conflict()
        bad_type = scope != 0 or rtype not in TYPES
        if action in (RESERVE, RELEASE) and bad_type:
            raise illegal_request(*INVALID_CDB)

        if action == RESERVE:
            if self.type and not (self.holds(nexus) and self.type == rtype):
                raise reservation_conflict()
            self.reserve_for(nexus, rtype) if not self.type else None
        elif action == RELEASE:
            self.release(nexus, rtype)
        elif action == CLEAR:
            self.tell(self.others(nexus), UA_RESERVATIONS_PREEMPTED)
            self.unreserve()
            self.regs = []
            self.generation = (self.generation + 1) % 2**32
        elif action == MOVE:
            self.move(nexus, sark, params)
        else:
            self.preempt(nexus, sark, rtype, bad_type)

    def register(self, nexus, ignore, rk, sark, params):
        spec_i_pt, every_port, aptpl = bool(params[20] & 8), bool(params[20] & 4), bool(params[20] & 1)
        if not ignore and rk != self.key(nexus):
            raise reservation_conflict()
        if aptpl and not self.ptpl:
            raise illegal_request(*INVALID_LIST)
        if spec_i_pt and self.registration(nexus):
            raise illegal_request(*INVALID_LIST)
        listed = []
        if spec_i_pt and sark:
            listed = self.listed_initiators(params[28:])

        did_something = False
        ports = range(len(self.ports)) if every_port else [nexus[1]]
        for port in ports:
            n = (nexus[0], port)
            r = self.registration(n)
            if not ignore and rk != self.key(n):
                continue                        # would have been a conflict there
            if r and sark:
                r["key"], r["all"] = sark, every_port
            elif r:
                self.regs.remove(r)
            elif sark:
                self.add(n, sark, every_port)
            else:
                continue
            did_something = True
        for initiator in listed:
            for port in ports:
                if not self.registration((initiator, port)):
                    self.add((initiator, port), sark, every_port)
        if not did_something:
            return

        if self.type in ALL_REGISTRANTS:
            if not self.regs:
                self.unreserve()
        elif self.type and not self.registration(self.holder):
            if self.type in REGISTRANTS_ONLY:
                self.tell(self.others(nexus), UA_RESERVATIONS_RELEASED)
            self.unreserve()
        self.aptpl = aptpl
        self.generation = (self.generation + 1) % 2**32

    def matching(self, listed):
        """Which known initiator ports a TransportID means."""
        if listed[0] == 5 and listed[2] is None:
            return [i for i, k in enumerate(self.initiators) if k[0] == 5 and k[1] == listed[1]]
        return [i for i, k in enumerate(self.initiators) if k == listed]

    def listed_initiators(self, data):
        result = []
        while data:
            parsed = parse_transportid(data)
            if not parsed or not self.matching(parsed[0]):
                raise illegal_request(*INVALID_LIST)
            result += self.matching(parsed[0])
            data = data[parsed[1]:]
        return result

    def release(self, nexus, rtype):
        if not self.holds(nexus):
            return
        if rtype != self.type:
            raise illegal_request(*INVALID_RELEASE)
        if self.type in REGISTRANTS_ONLY + ALL_REGISTRANTS:
            self.tell(self.others(nexus), UA_RESERVATIONS_RELEASED)
        self.unreserve()

    def move(self, nexus, sark, params):
        if self.type in ALL_REGISTRANTS or self.holder != nexus:
            raise reservation_conflict() if self.type else illegal_request(*INVALID_CDB)
        unreg, aptpl = bool(params[17] & 2), bool(params[17] & 1)
        relative_port = int.from_bytes(params[18:20], "big")
        parsed = parse_transportid(params[24:])
        if not sark or (aptpl and not self.ptpl) or not parsed or parsed[1] != len(params) - 24:
            raise illegal_request(*INVALID_LIST)
        matching = self.matching(parsed[0])
        if len(matching) != 1 or matching[0] == nexus[0] or relative_port not in self.ports:
            raise illegal_request(*INVALID_LIST)
        destination = (matching[0], self.ports.index(relative_port))
        r = self.registration(destination)
        if r:
            r["key"], r["all"] = sark, False
        else:
            self.add(destination, sark, False)
        self.holder = destination
        if unreg:
            self.regs.remove(self.registration(nexus))
        self.aptpl = aptpl
        self.generation = (self.generation + 1) % 2**32

    def preempt(self, nexus, sark, rtype, bad_type):
        everyone = sark == 0
        if everyone and self.type not in ALL_REGISTRANTS:
            raise illegal_request(*INVALID_LIST)
        if not everyone and sark not in [r["key"] for r in self.regs]:
            raise reservation_conflict()
        victims = [r["nexus"] for r in self.regs if everyone or r["key"] == sark]
        takes_over = everyone or \
            (self.type and self.type not in ALL_REGISTRANTS and self.key(self.holder) == sark)
        if takes_over:
            if bad_type:
                raise illegal_request(*INVALID_CDB)
            victims = [v for v in victims if v != nexus]
            self.regs = [r for r in self.regs if r["nexus"] not in victims]
            self.tell(victims, UA_REGISTRATIONS_PREEMPTED)
            if self.type != rtype:
                self.tell(self.others(nexus), UA_RESERVATIONS_RELEASED)
            self.reserve_for(nexus, rtype)
        else:
            self.regs = [r for r in self.regs if r["nexus"] not in victims]
            self.tell([v for v in victims if v != nexus], UA_REGISTRATIONS_PREEMPTED)
            if not self.regs:
                self.unreserve()
        self.generation = (self.generation + 1) % 2**32

    # -- what the driver prints

    def dump(self):
        holder = self.holder or (0, 0)
        regs = "".join("%d.%d:%x:%d," % (*r["nexus"], r["key"], r["all"]) for r in self.regs)
        attentions = "".join("%d.%d:%02x," % (*n, a) for n in sorted(self.attentions) for a in self.attentions[n])
        return "gen=%d type=%d holder=%d.%d aptpl=%d regs=%s ua=%s" % (
            self.generation, self.type, *holder, self.aptpl, regs, attentions)
