# SPDX-License-Identifier: BSD-2-Clause
"""Which commands a reservation lets through: the standard's table (SPC-4 5.13.1
tables 65 and 66, SBC-3's like), row by row with example commands."""

from pr_model import ALL_REGISTRANTS, EA, REGISTRANTS_ONLY, WE, WE_AR, WE_RO

ALLOWED, RESERVED, IGNORED = 0, 1, 2


def cdb(opcode, action=0, byte4=0, size=16):
    return bytes([opcode, action, 0, 0, byte4]).ljust(size, b"\0")


def variable(action):
    return bytes([0x7F, 0, 0, 0, 0, 0, 0, 0x18]) + action.to_bytes(2, "big") + bytes(22)


# columns: WE and EA from anybody but the holder; RO and AR from a registrant;
# WE-RO/WE-AR and EA-RO/EA-AR from others
ROWS = (
    # INQUIRY, REPORT LUNS, REQUEST SENSE, TEST UNIT READY, LOG SENSE, PR IN, ACCESS CONTROL, READ CAPACITY, ...
    ("AAAAA", [cdb(o) for o in (0x12, 0xA0, 0x03, 0x00, 0x4D, 0x5E, 0x86, 0x87, 0x25)]
     + [cdb(0x9E, a) for a in (0x10, 0x13)]                         # READ CAPACITY(16), REPORT REFERRALS
     + [cdb(0xA3, a) for a in (0x05, 0x0A, 0x0B, 0x0E, 0x0F)]       # REPORT IDENT INFO, TPGS, ALIASES, ...
     + [cdb(0x1B, 0, 0x01), cdb(0x1E, 0, 0x00)]),                   # START, allow medium removal
    # READ, VERIFY, PRE-FETCH, GET LBA STATUS, MODE SENSE, READ BUFFER, READ ATTRIBUTE, ...
    ("ACAAC", [cdb(o) for o in (0x08, 0x28, 0xA8, 0x88, 0x2F, 0xAF, 0x8F, 0x34, 0x90,
                                0x1A, 0x5A, 0x3C, 0x8C, 0x1C, 0xA2)]
     + [cdb(0x9E, 0x12), variable(9), variable(10)]
     + [cdb(0xA3, a) for a in (0x0C, 0x0D, 0x10)]),
    # WRITE, COMPARE AND WRITE, UNMAP, WRITE SAME, ORWRITE, FORMAT, SANITIZE, SYNCHRONIZE CACHE, ...
    ("CCACC", [cdb(o) for o in (0x0A, 0x2A, 0xAA, 0x8A, 0x2E, 0xAE, 0x8E, 0x89, 0x42, 0x41, 0x93, 0x8B,
                                0x04, 0x48, 0x35, 0x91, 0x15, 0x55, 0x4C, 0x3B, 0x1D, 0x83, 0xB5)]
     + [variable(11), variable(12), variable(13)]
     + [cdb(0xA4, a) for a in (0x06, 0x0A, 0x0E, 0x0F)]             # SET ...
     + [cdb(0x1B, 0, b) for b in (0x00, 0x02, 0x03 + 0x20, 0x10)]   # STOP, power conditions
     + [cdb(0x1E, 0, b) for b in (0x01, 0x03)]),                    # prevent
)
LEGACY = [cdb(o, size=n) for o, n in ((0x16, 6), (0x17, 6), (0x56, 10), (0x57, 10))]

# PERSISTENT RESERVE OUT: from a registrant, from others
OUT = {0: "AA", 6: "AA", 1: "CC", 7: "CC", 2: "AC", 3: "AC", 4: "AC", 5: "AC"}

COMMANDS = [(c, columns) for columns, row in ROWS for c in row]


def expected(model, nexus, command, columns=None):
    """The verdict for a command of one of the rows (columns), of LEGACY, or a PR OUT."""
    registered, holder = bool(model.registration(nexus)), model.holds(nexus)
    for_registrants = model.type in REGISTRANTS_ONLY + ALL_REGISTRANTS
    if command in LEGACY:
        if model.crh and (holder or registered and for_registrants):
            return IGNORED
        return RESERVED if model.regs else ALLOWED
    if not model.type or holder:
        return ALLOWED
    if command[0] == 0x5F:
        return RESERVED if OUT[command[1]][not registered] == "C" else ALLOWED
    if model.type in (WE, EA):
        column = 0 if model.type == WE else 1
    elif registered:
        column = 2
    else:
        column = 3 if model.type in (WE_RO, WE_AR) else 4
    return RESERVED if columns[column] == "C" else ALLOWED
