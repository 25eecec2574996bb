# SPDX-License-Identifier: BSD-2-Clause
"""Devices and helpers that are not as one would like them."""

import time

from fakes import BUSY, CONFLICT, Helper, Server, check, device, keys, reply, reservation
from harness import case, contains, equal

CAPABILITIES = bytes.fromhex("00080d90ea010000")


def old_array(**more):
    """A target without READ FULL STATUS."""
    return {0: reply(payload=keys(0xA1, 0xB2)), 1: reply(payload=reservation(0xA1)),
            2: reply(payload=CAPABILITIES), **more}


@case("show falls back to the keys, with a note, where READ FULL STATUS is lacking")
def fallback(t):
    Helper(t, device(old_array()))
    t.golden("show-old-array", "--helper=F", "show", "disk")


@case("a holder whose key several nexuses have is not guessed")
def same_key(t):
    Helper(t, device({**old_array(), 0: reply(payload=keys(0xA1, 0xA1, 0xB2))}))
    rows = t.json("--helper=F", "show", "disk")["registrants"]
    equal([(r["key"], r["holder"], r["host"]) for r in rows],
          [("0xa1", None, "unknown"), ("0xa1", None, "unknown"), ("0xb2", False, "unknown")])


@case("show says so where registrations changed between its commands")
def changed(t):
    Helper(t, device({**old_array(), 0: reply(payload=keys(0xA1, 0xB2, generation=8))}))
    notes = t.json("--helper=F", "show", "disk")["notes"]
    contains("\n".join(notes), "registrations changed while this was read: run it again")


def full_status(*rows, more=0):
    """READ FULL STATUS of rows of key and type, 0 where it does not hold, and `more` bytes that are not sent."""
    transport = bytes([6]) + bytes(23)
    body = b"".join(key.to_bytes(8, "big") + bytes(4) + bytes([kind > 0, kind]) + bytes(4) + b"\0\1"
                    + len(transport).to_bytes(4, "big") + transport for key, kind in rows)
    return reply(payload=(7).to_bytes(4, "big") + (len(body) + more).to_bytes(4, "big") + body)


@case("show says so where the reservation changed between its commands, which PRGENERATION does not count")
def reservation_changed(t):
    for number, (held, full, told) in enumerate((
            (reservation(), full_status((0xA1, 1), (0xB2, 0)), True),
            (reservation(0xA1), full_status((0xA1, 0), (0xB2, 0)), True),
            (reservation(0xA1), full_status((0xA1, 0), (0xB2, 1)), True),
            (reservation(0xA1, 3), full_status((0xA1, 1), (0xB2, 0)), True),
            (reservation(0, 7), full_status((0xA1, 5), (0xB2, 0)), True),
            (reservation(), full_status((0xA1, 0), (0xB2, 0)), False),
            (reservation(0xA1), full_status((0xA1, 1), (0xB2, 0)), False),
            (reservation(0, 7), full_status((0xA1, 7), (0xB2, 7)), False),
            (reservation(0, 7), full_status((0xA1, 7), (0xB2, 0)), False),    # as some targets have it
            (reservation(0xA1), full_status((0xB2, 0), more=48 * 400), False))):
        Helper(t, device({**old_array(), 1: reply(payload=held), 3: full}), name=f"F{number}")
        notes = t.json(f"--helper=F{number}", "show", "disk")["notes"]
        said = [note for note in notes if not note.startswith("the device has more registrations")]
        equal(said, ["the reservation changed while this was read: run it again"] if told else [], number)


@case("all registrants hold where the type says so, without READ FULL STATUS too")
def all_hold(t):
    Helper(t, device({**old_array(), 1: reply(payload=reservation(0, 8))}))
    document = t.json("--helper=F", "show", "disk")
    equal([r["holder"] for r in document["registrants"]], [True, True])


@case("show does without REPORT CAPABILITIES")
def no_capabilities(t):
    Helper(t, device({0: reply(payload=keys()), 1: reply(payload=reservation())}))
    contains(t.run("--helper=F", "show", "disk").out, "Capabilities: the device does not say")


@case("a type, TransportID or type mask that the standard has not")
def odd(t):
    full = (bytes.fromhex("0000000700000030") + bytes.fromhex("00000000000000a1000000000140000000000001")
            + (24).to_bytes(4, "big") + bytes([0x0F]) + bytes(23))
    Helper(t, device({1: reply(payload=reservation(0xA1, 4)), 2: reply(payload=bytes.fromhex("0008000000000000")),
                      3: reply(payload=full)}))
    t.golden("show-odd", "--helper=F", "show", "disk")


@case("a target's name with control characters does not reach the terminal as it is")
def hostile_name(t):
    name = b"iqn.x\x1b[31m\x9b\x07\xc2\x9b\0"
    name += bytes(-len(name) % 4)
    name = name.ljust(20, b"\0")
    transport = bytes([5, 0]) + len(name).to_bytes(2, "big") + name
    full = (bytes.fromhex("00000007") + (24 + len(transport)).to_bytes(4, "big")
            + bytes.fromhex("00000000000000a1000000000000000000000001") + len(transport).to_bytes(4, "big")
            + transport)
    Helper(t, device({**old_array(), 3: reply(payload=full)}))
    for args in ["--json"], []:
        shown = t.run("--helper=F", "show", "disk", *args)
        equal([c for c in shown.out + shown.err if not (" " <= c <= "~" or c == "\n")], [])


@case("unit attentions are repeated by what reads, and each is noted")
def attentions(t):
    Helper(t, device({0: [check(6, 0x2A, 3), check(6, 0x29, 0), reply(payload=keys(0xA1))]}))
    t.golden("attentions", "--helper=F", "read-keys", "disk")


@case("unit attentions without an end are the result at last")
def endless_attentions(t):
    fake = Helper(t, device({0: check(6, 0x29, 0)}))
    contains(t.run("--helper=F", "read-keys", "disk", status=6).err, "6/29/00")
    equal(len(fake.commands), 9)


@case("a command that changes something and may have been carried out is not sent again")
def in_doubt(t):
    for number, (answer, status) in enumerate(((check(6, 0x29, 0), 6), (check(0xB, 0x2E, 2), 11))):
        fake = Helper(t, lambda *_, answer=answer: answer, name=f"F{number}")
        ended = t.run(f"--helper=F{number}", "register", "disk", "--new-key=0xa1", status=status)
        contains(ended.err, "; the command may have been carried out (see with `show' whether it was)")
        equal(len(fake.commands), 1)
    fake = Helper(t, lambda *_: check(6, 0x2A, 5), name="F")
    contains(t.run("--helper=F", "register", "disk", "--new-key=0xa1", status=6).err,
             "(the command was not carried out; see what happened with `show', then send it again)")
    looks = device({0: reply(payload=keys(0xA1)), 1: reply(payload=reservation(0xA1))})
    Helper(t, lambda cdb, data: check(6, 0x29, 0) if cdb[0] == 0x5F else looks(cdb, data), name="G")
    contains(t.run("--helper=G", "move", "disk", "--key=0xa1", "-y", status=6).err,
             "; the command may have been carried out: if it was not, nothing was changed; the same command again")


@case("each SCSI status and sense key has its exit status")
def statuses(t):
    for number, (answer, status) in enumerate((
            (check(2, 4, 1), 2), (check(3, 0x11, 0), 3), (check(4, 0x44, 0), 3), (check(8, 0, 0), 3),
            (check(5, 0x24, 0), 5), (check(5, 0x20, 0), 9), (check(5, 0x20, 2), 5), (check(7, 0x27, 7), 7),
            (check(0xA, 0, 0), 10), (check(0xB, 8, 0), 11), (check(0xB, 0x10, 1), 40),
            (check(0xE, 0x1D, 0), 14), (check(0, 0, 6), 20), (check(1, 0, 0), 21), (check(0xD, 0, 0), 98),
            (reply(CONFLICT), 24), (reply(4), 25), (reply(BUSY), 26), (reply(0x28), 27),
            (reply(0x30), 28), (reply(0x40), 29), (reply(0x22), 99))):
        Helper(t, lambda *_, answer=answer: answer, name=f"F{number}")
        ended = t.run(f"--helper=F{number}", "reserve", "disk", "--key=0xa1", "--type=1", status=status)
        contains(ended.err, "pr-manager: disk: RESERVE: ")
        equal(ended.out, "")
        document = t.json(f"--helper=F{number}", "read-keys", "disk", status=status)
        equal(document["command"], "read-keys")


@case("an answer that contradicts the standard is an error that says so")
def malformed(t):
    for number, payload in enumerate((b"\0\0\0\1", bytes.fromhex("0000000100000007") + bytes(7))):
        Helper(t, device({0: reply(payload=payload)}), name=f"F{number}")
        contains(t.run(f"--helper=F{number}", "read-keys", "disk", status=97).err, "contradicts the standard")


def doubtful(t, socket, status):
    """Whether what changes nothing was carried out is no question."""
    helper = f"--helper={socket}", "--timeout=1"
    ended = [t.run(*helper, "read-keys", "disk", status=status),
             t.run(*helper, "watch", "disk", status=status),
             t.run(*helper, "raw", "disk", "5e000000000000002000", status=status)]
    document = t.json(*helper, "read-keys", "disk", status=status)
    equal(document["in_doubt"], False)
    for text in document["text"], *(e.err for e in ended):
        contains(text, "the helper ")
        for part in "carried out", "sent":
            equal(part in text, False, text)


@case("where nothing was sent to a helper, it is said")
def unsent(t):
    def talk_out_of_turn_once(connection):
        """The connection cannot be used, and the next one gets no greeting."""
        if not greeted:
            greeted.append(True)
            connection.sendall(b"\0\0\0\0!")
        time.sleep(20)
    greeted = [True]
    Server(t, "F", talk_out_of_turn_once)
    reserve = ["--helper=F", "--timeout=1", "reserve", "disk", "--key=0xa1", "--type=1"]
    equal(t.run(*reserve, status=33).err, "pr-manager: F: the helper did not answer in time; nothing was sent\n")
    greeted.clear()
    equal(t.run(*reserve, status=33).err,
          "pr-manager: disk: RESERVE: F: the helper did not answer in time; nothing was sent\n")
    greeted.clear()
    equal(t.run("--helper=F", "--timeout=1", "read-keys", "disk", status=33).err,
          "pr-manager: disk: READ KEYS: F: the helper did not answer in time\n")
    greeted.clear()
    equal(t.json(*reserve, status=33)["in_doubt"], False)


@case("a helper that breaks the protocol is an error, and is told from a command that failed")
def broken_protocol(t):
    Helper(t, device(old_array()), features=b"\0\0\0\x80")
    equal(t.run("--helper=F", "read-keys", "disk", status=97).err,
          "pr-manager: connect F: what answers there takes no commands; the socket for them is that of "
          "qemu-pr-helper's -k, not of its --status-socket\n")
    Helper(t, lambda *_: reply(payload=bytes(8192 + 16)), name="G")
    t.run("--helper=G", "read-keys", "disk", status=97)
    Helper(t, lambda *_: None, name="H")
    ended = t.run("--helper=H", "reserve", "disk", "--key=0xa1", "--type=1", status=99)
    contains(ended.err, "may have been carried out\n")
    equal(t.json("--helper=H", "reserve", "disk", "--key=0xa1", "--type=1", status=99)["in_doubt"], True)
    doubtful(t, "H", 99)


@case("a helper that does not answer is given up after --timeout")
def silent(t):
    Helper(t, lambda *_: time.sleep(20))
    ended = t.run("--helper=F", "--timeout=1", "reserve", "disk", "--key=0xa1", "--type=1", status=33)
    contains(ended.err, "may have been carried out")
    doubtful(t, "F", 33)


@case("a list that does not fit through the helper is said to be cut")
def truncated(t):
    many = bytes.fromhex("0000000700004000") + bytes(7) + b"\xa1" + (8192 - 16) * b"\0"
    Helper(t, device({0: reply(payload=many)}))
    ended = t.run("--helper=F", "read-keys", "disk", "-n")
    contains(ended.err, "these are not all")
    equal(len(ended.out.splitlines()), 1023)


@case("the real helper refuses a file, and the message says where to look")
def real_helper(t):
    import subprocess
    from harness import end, eventually
    import os
    with open(t.path("log"), "wb") as log:
        process = subprocess.Popen([t.options.helper, "-k", t.path("R")], stdout=log, stderr=log,
                                   stdin=subprocess.DEVNULL)
    t.cleanups.callback(end, process)
    eventually(lambda: process.poll() is not None or os.path.exists(t.path("R")), "the helper serves")
    if process.poll() is not None:
        from harness import Skip
        raise Skip("the helper does not start here: " + open(t.path("log")).read().strip())
    ended = t.run("--helper=R", "show", "disk", status=9)
    contains(ended.err, "the helper does not serve this kind of device: its log says why")


@case("--direct says itself why it refuses a file")
def direct(t):
    ended = t.run("--direct", "read-keys", "disk", status=9)
    contains(ended.err, "pr-manager: disk: READ KEYS: ")
