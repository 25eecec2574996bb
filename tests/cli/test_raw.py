# SPDX-License-Identifier: BSD-2-Clause
"""raw: commands in hexadecimal."""

from harness import case, contains, equal

READ = "5e 0{} 00 00 00 00 00 20 00 00"
RELEASE = "5f020100000000001800"
KEY = "00000000000000a1" + 32 * "0"


@case("each PERSISTENT RESERVE IN is decoded")
def read(t):
    t.both_registered()
    for action, name in enumerate(("keys", "reservation", "capabilities", "full-status")):
        t.golden(f"raw-{name}", "--helper=A", "raw", "disk", READ.format(action))


@case("a cut answer is decoded as far as it goes, and said to be cut")
def cut(t):
    t.both_registered()
    t.golden("raw-cut", "--helper=A", "raw", "disk", "5e:00:00:00:00:00:00:00:10:00")
    t.golden("raw-header", "--helper=A", "raw", "disk", "5e03000000000000080000000000000000".ljust(32, "0")[:32])
    equal(t.a("raw", "disk", "5e000000000000000000").out, "READ KEYS: GOOD\n0 bytes\n")
    equal(t.a("raw", "disk", "5e000000000000000300").out, "READ KEYS: GOOD\n3 bytes:\n  00 00 00\n")


@case("sense data is shown, and sets the exit status")
def sense(t):
    t.sim()
    t.golden("raw-sense", "--helper=A", "raw", "disk", "5e050000000000002000", status=5)


@case("PERSISTENT RESERVE OUT goes with its parameter list")
def out(t):
    t.both_registered()
    equal(t.a("raw", "disk", RELEASE, KEY).out, "RELEASE: GOOD\n")
    equal(t.json("--helper=A", "read-reservation", "disk")["reservation"], None)
    conflict = t.b("raw", "disk", RELEASE, KEY, status=24)
    equal(conflict.err, "pr-manager: disk: RELEASE: RESERVATION CONFLICT\n")
    equal(conflict.out, "")


@case("CLEAR, PREEMPT and PREEMPT AND ABORT ask like the commands in words, and no other does")
def asks(t):
    t.both_registered()
    for action in 3, 4, 5:
        refused = t.a("raw", "disk", f"5f0{action}0100000000001800", KEY, status=1)
        contains(refused.err, "--yes has to be given. Nothing was sent")
    equal(len(t.json("--helper=A", "read-keys", "disk")["keys"]), 2)
    t.a("raw", "disk", "5f030000000000001800", KEY, "--yes")
    equal(t.json("--helper=A", "read-keys", "disk")["keys"], [])


@case("what is no command, and data that does not fit, is refused unsent")
def refused(t):
    for args, said in ((["5e"], "10 to 16 bytes"), (["5e00000000000000200"], "10 to 16 bytes"),
                       (["5e0000000000000020zz"], "10 to 16 bytes"), ([17 * "5e"], "10 to 16 bytes"),
                       ([""], "10 to 16 bytes"), (["12000000240000000000"], "another command"),
                       (["5e000000000000002000", "00"], "takes no data"),
                       ([RELEASE], "24 bytes of parameter list"),
                       ([RELEASE, KEY[2:]], "24 bytes of parameter list (its bytes 5 to 8), and 23"),
                       ([RELEASE, KEY[1:]], "no parameter list"),
                       ([RELEASE, "x"], "no parameter list"),
                       (["5f02010000ffffffff00", KEY], "announces 4294967295 bytes")):
        contains(t.a("raw", "disk", *args, status=1).err, said)


@case("a transfer longer than the helper protocol carries is refused with the reason")
def too_long(t):
    t.sim()
    cdb = "5e000000000000ffff00"
    ended = t.a("raw", "disk", cdb, status=5)
    contains(ended.err, "pr-manager: disk: READ KEYS: ")
    contains(ended.err, "carries 8192")
    equal(ended.out, "")
    equal("sense_data" in t.json("--helper=A", "raw", "disk", cdb, status=5), False)

