#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Long random command sequences through the engine (by engine_driver) and
through the model; what either answers and the state after each command must
be the same. A difference is shrunk to the shortest sequence that shows one.

    check.py ENGINE_DRIVER [--commands N] [--seed S]

Prints TAP. A failure names the seed of its sequence: --seed S --sequences 1
runs that one again.
"""

import argparse
import random
import struct
import subprocess
import sys
from collections import Counter

import conflict_model
import pr_model
from pr_model import IGNORE, MOVE, PREEMPT, PREEMPT_ABORT, REGISTER, RELEASE, RESERVE, TYPES, Model

INITIATORS = (
    (5, b"iqn.2026-11.org.example:a", None),
    (5, b"iqn.2026-11.org.example:b", 0x00023D000001),
    (5, b"iqn.2026-11.org.example:b", 0x00023D000002),
    (0, bytes.fromhex("2100000e1e110101")),
    (6, bytes.fromhex("5000c50012345678")),
    (4, bytes(range(16))),
    (1, b"\0\7\0\1"),
)
STRANGERS = ((5, b"iqn.2026-11.org.example:nobody", None), (0, bytes(8)), (3, bytes(8)), (10, b"\1\0"))
KEYS = (1, 2, 3, 0xABCDEF, 0x8000000000000001, 2**64 - 1)
COMMANDS_A_SEQUENCE = 200
SEQUENCES_A_RUN = 10

PREAMBLE = "".join("initiator %s\n" % pr_model.make_transportid(i).hex() for i in INITIATORS)


# ------------------------------------------------------------------ generating


class Generator:
    """Commands that a state has answers to: mostly right in all but one thing."""

    def __init__(self, seed):
        self.rng = random.Random(seed)
        rng = self.rng
        ports = rng.choice([(1,), (1,), (1, 2), (3, 0x1234), (1, 2, 7)])
        self.setup = (ports, rng.choice([2, 3, 4, 6, 9, 256]), rng.random() < 0.75, rng.random() < 0.2)
        self.model = self.new_model()
        everyone = [(i, p) for i in range(len(INITIATORS)) for p in range(len(ports))]
        self.nexuses = rng.sample(everyone, min(4, len(everyone)))
        # a sequence likes some keys and a type better than others: states get deeper
        self.keys = rng.sample(KEYS, rng.choice([1, 2, 4]))
        self.types = rng.sample(TYPES, rng.choice([1, 2, 6]))

    def new_model(self):
        ports, limit, ptpl, crh = self.setup
        return Model(INITIATORS, ports, limit, ptpl, crh)

    def reset_line(self):
        ports, limit, ptpl, crh = self.setup
        return "reset %d %d %d %s" % (ptpl, crh, limit, ",".join(map(str, ports)))

    def one_in(self, n):
        return self.rng.randrange(n) == 0

    def key(self):
        return self.rng.choice(self.keys)

    def victim(self):
        registered = [r["key"] for r in self.model.regs]
        if registered and not self.one_in(4):
            return self.rng.choice(registered)
        return 0 if self.one_in(2) else self.key()

    def transportid(self):
        """Mostly one of an initiator port in play; sometimes by its iSCSI name only."""
        port = INITIATORS[self.rng.choice(self.nexuses)[0]]
        if port[0] == 5 and self.one_in(4):
            port = (5, port[1], None)
        if self.one_in(15):
            port = self.rng.choice(STRANGERS)
        return self.damaged(pr_model.make_transportid(port))

    def transportids(self):
        return b"".join(self.transportid() for _ in range(self.rng.choice([0, 1, 1, 2, 3])))

    def damaged(self, transportid):
        """Mostly as it was; sometimes longer, shorter, or with another byte in it."""
        if transportid[0] & 15 == 5 and self.one_in(10):
            size = 4 + struct.unpack(">H", transportid[2:4])[0] + self.rng.choice([4, 4, 12, 3])
            tail = self.rng.choice([b"\0", b"x"]) * (size - len(transportid))
            return transportid[:2] + struct.pack(">H", size - 4) + transportid[4:] + tail
        if self.one_in(25):
            return transportid[:self.rng.randrange(len(transportid))]
        if self.one_in(25):
            at = self.rng.choice([0, 0, 1, 2, 3, 4, self.rng.randrange(len(transportid))])
            value = bytes([transportid[at] ^ 1 << self.rng.randrange(8)])
            return transportid[:at] + value + transportid[at + 1:]
        return transportid

    def params(self, nexus, action):
        rng, own = self.rng, self.model.key(nexus)
        rk = own if not self.one_in(8) else rng.choice([0, self.key(), own ^ 1])
        sark = self.victim() if action in (PREEMPT, PREEMPT_ABORT) else self.key()
        if action in (REGISTER, IGNORE, MOVE) and self.one_in(6):
            sark = 0
        flags = rng.choice([0, 0, 0, 1, 1, 4, 5])
        if action == MOVE:
            ids = self.transportids() if self.one_in(10) else self.transportid()
            port = rng.choice(self.model.ports) if not self.one_in(10) else 99
            head = struct.pack(">QQBBH", rk, sark, 0, rng.choice([0, 0, 1, 2, 3]), port)
            return head + struct.pack(">I", len(ids)) + ids
        if self.one_in(4 if action == REGISTER and not own else 40):
            ids = self.transportids()
            return struct.pack(">QQIBBHI", rk, sark, 0, flags | 8, 0, 0, len(ids)) + ids
        return struct.pack(">QQIBBH", rk, sark, 0, flags, 0, 0)

    def mangled(self, params):
        """Rarely: a list that is not as long as it says, or says something else."""
        if self.one_in(30):
            return params[:self.rng.choice([0, 8, 20, 24, 27, 28, 47, len(params) - 1])]
        if self.one_in(40):
            return params + bytes(self.rng.choice([1, 4, 24]))
        if self.one_in(40) and len(params) > 24:
            at = self.rng.choice([23, 27])
            return params[:at] + bytes([self.rng.randrange(256)]) + params[at + 1:]
        return params

    def action(self, nexus):
        if not self.model.registration(nexus) and not self.one_in(5):
            return self.rng.choice([REGISTER, REGISTER, IGNORE])
        return self.rng.choice([REGISTER, IGNORE, RESERVE, RESERVE, RESERVE, RELEASE, PREEMPT, PREEMPT_ABORT,
                                MOVE, MOVE, self.rng.choice([3, 8, self.rng.randrange(9, 32)])])

    def command(self):
        rng = self.rng
        if self.one_in(100):
            return ("power",)
        nexus = rng.choice(self.nexuses)
        if self.one_in(12):
            command, columns = rng.choice(conflict_model.COMMANDS)
            if self.one_in(4):
                command, columns = rng.choice(conflict_model.LEGACY), None
            elif self.one_in(4):
                command, columns = conflict_model.cdb(0x5F, rng.randrange(8)), None
            return ("allows", nexus, command, columns)
        reserved_bits = 0x20 << rng.randrange(3) if self.one_in(150) else 0
        if self.one_in(4):
            action = rng.choice([0, 1, 2, 3, 3]) if not self.one_in(20) else rng.randrange(32)
            alloc = rng.choice([8192, 8192, 65535, 24, rng.randrange(60), rng.randrange(600)])
            cdb = struct.pack(">BB5xHB", 0x5E, action | reserved_bits, alloc, 0)
            return ("run", nexus, cdb, b"", 8192 if not self.one_in(20) else rng.randrange(40))
        action = self.action(nexus)
        params = self.mangled(self.params(nexus, action))
        rtype = rng.choice(self.types) if not self.one_in(20) else rng.randrange(16)
        if action == RELEASE and self.model.type and not self.one_in(4):
            rtype = self.model.type
        scope = 1 if self.one_in(40) else 0
        length = len(params) if not self.one_in(200) else rng.choice([0, 24, 28, 2**32 - 1])
        cdb = struct.pack(">BBB2xIB", 0x5F, action | reserved_bits, scope << 4 | rtype, length, 0)
        return ("run", nexus, cdb, params, 0)


# ------------------------------------------------- both sides of a comparison


def line_of(command):
    if command[0] == "power":
        return "power"
    if command[0] == "allows":
        return "allows %d %d %s" % (*command[1], command[2].hex())
    _, nexus, cdb, params, room = command
    return "run %d %d %s %s %d" % (*nexus, cdb.hex(), params.hex() or "-", room)


def answer_of(model, command, outcomes=None):
    if command[0] == "power":
        model.power_cycle()
        return "power | " + model.dump()
    if command[0] == "allows":
        return "allows %d" % conflict_model.expected(model, *command[1:])
    _, nexus, cdb, params, room = command
    status, sense, data, store = model.run(nexus, cdb, params, room)
    if outcomes is not None:
        name = "IN" if cdb[0] == 0x5E else "OUT"
        outcomes[(name, cdb[1], status, *sense)] += 1
    return "%02x %02x%02x%02x %d data=%s | %s" % (status, *sense, store, data.hex(), model.dump())


def drive(driver, lines):
    done = subprocess.run([driver], input="\n".join(lines) + "\n", capture_output=True, text=True, check=False)
    answers = done.stdout.splitlines()
    if done.returncode != 0:
        answers.append("the driver ended with %d: %s" % (done.returncode, done.stderr.strip()))
    return answers


def first_difference(want, got):
    for at, pair in enumerate(zip(want, got)):
        if pair[0] != pair[1]:
            return at
    return None if len(want) == len(got) else min(len(want), len(got))


class Comparison:
    """A sequence, by itself."""

    def __init__(self, driver, generator, commands):
        self.driver, self.generator, self.commands = driver, generator, commands

    def run(self, commands):
        model = self.generator.new_model()
        want = [answer_of(model, c) for c in commands]
        lines = [PREAMBLE + self.generator.reset_line()] + [line_of(c) for c in commands]
        return want, drive(self.driver, lines)

    def differs(self, commands):
        return first_difference(*self.run(commands)) is not None

    def shrunk(self):
        """Delta debugging: leave out what the difference does not need."""
        commands = self.commands
        step = len(commands)
        while step >= 1:
            at = 0
            while at < len(commands):
                without = commands[:at] + commands[at + step:]
                if without and self.differs(without):
                    commands = without
                else:
                    at += step
            step //= 2
        return commands

    def explain(self):
        commands = self.shrunk()
        want, got = self.run(commands)
        print("# shrunk to %d commands, to be given to engine_driver:" % len(commands))
        for line in (PREAMBLE + self.generator.reset_line()).splitlines():
            print("#   " + line)
        for command, w, g in zip(commands, want, got + [""] * len(commands)):
            print("#   " + line_of(command))
            if w == g:
                print("#       both:   " + w)
            else:
                print("#       model:  " + w)
                print("#       engine: " + g)
        if len(got) != len(want):
            print("#   the driver: " + (got[-1] if got else "nothing"))


# ------------------------------------------------------------------------ main

# What random sequences have to have reached for the comparison to mean anything.
NEEDED = (
    [("IN", a, 0, 0, 0, 0) for a in range(4)] + [("OUT", a, 0, 0, 0, 0) for a in range(8)]
    + [("OUT", a, 0x18, 0, 0, 0) for a in range(8) if a != 6]
    + [("OUT", a, 2, 5, 0x1A, 0) for a in range(8)] + [("OUT", a, 2, 5, 0x26, 0) for a in range(8)]
    + [("OUT", a, 2, 5, 0x24, 0) for a in (1, 2, 4, 5, 7, 8)] + [("OUT", 2, 2, 5, 0x26, 4)]
    + [("OUT", a, 2, 5, 0x55, 4) for a in (0, 6, 7)]
    + [(name, 0, 2, 6, 0x2A, a) for name in ("IN", "OUT") for a in (3, 4, 5)]
)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("driver")
    parser.add_argument("--commands", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--sequences", type=int, help="instead of --commands")
    options = parser.parse_args()
    sequences = options.sequences or -(-options.commands // COMMANDS_A_SEQUENCE)
    outcomes = Counter()

    for start in range(0, sequences, SEQUENCES_A_RUN):
        batch = []
        for number in range(start, min(start + SEQUENCES_A_RUN, sequences)):
            generator = Generator(options.seed + number)
            commands, want = [], []
            for _ in range(COMMANDS_A_SEQUENCE):
                commands.append(generator.command())
                want.append(answer_of(generator.model, commands[-1], outcomes))
            batch.append((options.seed + number, generator, commands, want))

        lines = [PREAMBLE]
        for _, generator, commands, _ in batch:
            lines += [generator.reset_line()] + [line_of(c) for c in commands]
        got = drive(options.driver, lines)
        for seed, generator, commands, want in batch:
            mine, got = got[:len(want)], got[len(want):]
            if first_difference(want, mine) is not None:
                print("not ok 1 - engine and model agree")
                print("# they differ in the sequence of seed %d" % seed)
                Comparison(options.driver, generator, commands).explain()
                print("1..1")
                return 1

    print("ok 1 - engine and model agree on %d commands, seeds %d to %d"
          % (sequences * COMMANDS_A_SEQUENCE, options.seed, options.seed + sequences - 1))
    missing = [n for n in NEEDED if not outcomes[n]]
    enough = sequences * COMMANDS_A_SEQUENCE < 50_000 or not missing
    print("%sok 2 - the sequences reached every answer" % ("" if enough else "not "))
    for need in missing:
        print("# not reached: PR %s action %d, status %#04x, sense %x/%02x/%02x" % need)
    print("# %d kinds of answer" % len(outcomes))
    print("1..2")
    return 0 if enough else 1


if __name__ == "__main__":
    sys.exit(main())
