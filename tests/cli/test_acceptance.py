# SPDX-License-Identifier: BSD-2-Clause
"""The story of two hosts and a disk."""

from harness import case, contains, equal


@case("register on both, reserve on one, conflict on the other, show, preempt")
def story(t):
    t.sim()
    equal(t.a("register", "disk", "--new-key=0xa1").out, "")
    equal(t.b("register", "disk", "--new-key=0xb2").out, "")
    equal(t.a("reserve", "disk", "--key=0xa1", "--type=write-exclusive").out, "")
    conflict = t.b("reserve", "disk", "--key=0xb2", "--type=write-exclusive", status=24)
    contains(conflict.err, "RESERVATION CONFLICT (another nexus holds the reservation")

    shown = t.json("--helper=B", "show", "disk")
    equal([(r["key"], r["holder"]) for r in shown["registrants"]], [("0xa1", True), ("0xb2", False)])
    equal(shown["reservation"], {"type": "write-exclusive", "type_code": 1, "scope": 0, "key": "0xa1"})

    t.b("preempt", "disk", "--key=0xb2", "--victim=0xa1", "--type=write-exclusive", "--yes")
    shown = t.json("--helper=B", "show", "disk")
    equal([(r["key"], r["holder"]) for r in shown["registrants"]], [("0xb2", True)])


@case("who was preempted is told once: a note where it reads, exit status 6 where it acts")
def attention(t):
    t.both_registered()
    t.b("preempt", "disk", "--key=0xb2", "--victim=0xa1", "--type=WE", "--yes")
    note = t.a("read-keys", "disk")
    contains(note.err, "note: unit attention 6/2A/05 registrations preempted")
    equal(t.a("read-keys", "disk").err, "")

    t.a("register", "disk", "--new-key=0xa1")
    t.b("preempt", "disk", "--key=0xb2", "--victim=0xa1", "--type=WE", "--yes")
    refused = t.a("register", "disk", "--new-key=0xa1", status=6)
    contains(refused.err, "the command was not carried out")
    t.a("register", "disk", "--new-key=0xa1")

    t.b("clear", "disk", "--key=0xb2", "--yes")
    document = t.json("--helper=A", "show", "disk")
    contains(document["notes"][0], "6/2A/03 reservations preempted")


@case("the helper's socket comes from the environment where --helper is not given")
def environment(t):
    t.sim()
    t.run("register", "disk", "--new-key=0xa1", env={"PR_MANAGER_HELPER": "A"})
    equal(t.json("--helper=B", "read-keys", "disk")["keys"], [{"key": "0xa1"}])
    t.run("--helper=B", "read-keys", "disk", env={"PR_MANAGER_HELPER": "nowhere"})


@case("options may stand anywhere, and a value may follow as a word of its own")
def order(t):
    t.sim()
    t.run("register", "--new-key", "0xa1", "disk", "--helper", "A")
    t.run("reserve", "--helper=A", "disk", "--type", "EAAR", "--key", "0xA1")
    equal(t.json("read-reservation", "--helper=B", "disk")["reservation"]["type"],
          "exclusive-access-all-registrants")


@case("all names and numbers of the six types mean the same")
def types(t):
    t.sim()
    t.a("register", "disk", "--new-key=0xa1")
    for code, short, name in ((1, "WE", "write-exclusive"), (3, "EA", "exclusive-access"),
                              (5, "WERO", "write-exclusive-registrants-only"),
                              (6, "EARO", "exclusive-access-registrants-only"),
                              (7, "WEAR", "write-exclusive-all-registrants"),
                              (8, "EAAR", "exclusive-access-all-registrants")):
        t.a("reserve", "disk", "--key=0xa1", f"--type={code}")
        shown = t.json("--helper=A", "read-reservation", "disk")["reservation"]
        equal((shown["type"], shown["type_code"]), (name, code))
        t.a("reserve", "disk", "--key=0xa1", f"--type={name.upper()}")
        t.a("release", "disk", "--key=0xa1", f"--type={short}")
        equal(t.json("--helper=A", "read-reservation", "disk")["reservation"], None)


@case("keys of 64 bits come through")
def wide_keys(t):
    t.sim()
    t.a("register", "disk", "--new-key=0xfedcba9876543210")
    t.a("register", "disk", "--key=0xFEDCBA9876543210", "--new-key=0xffffffffffffffff")
    equal(t.json("--helper=A", "read-keys", "disk")["keys"], [{"key": "0xffffffffffffffff"}])
    t.a("register", "disk", "--key=0xffffffffffffffff", "--new-key=0")
    equal(t.json("--helper=A", "read-keys", "disk")["keys"], [])
