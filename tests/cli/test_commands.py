# SPDX-License-Identifier: BSD-2-Clause
"""Every command, its table and its JSON against golden files."""

import json

from fakes import Helper, check
from harness import A, B, case, contains, equal


@case("show")
def show(t):
    t.both_registered()
    t.golden("show", "--helper=B", "show", "disk")


@case("show, nobody registered")
def show_empty(t):
    t.sim()
    t.golden("show-empty", "--helper=A", "show", "disk")


@case("show, all registrants hold, with APTPL")
def show_all(t):
    t.sim()
    t.a("register", "disk", "--new-key=0xa1", "--aptpl", "--all-target-ports")
    t.b("register", "disk", "--new-key=0xb2", "--aptpl")
    t.b("reserve", "disk", "--key=0xb2", "--type=WEAR")
    t.golden("show-all-registrants", "--helper=B", "show", "disk")


@case("show marks this host's ports, as sysfs names them")
def show_host(t):
    import os
    t.both_registered()
    os.makedirs(t.path("sys/class/iscsi_session/session1"))
    with open(t.path("sys/class/iscsi_session/session1/initiatorname"), "w") as f:
        f.write(B + "\n")
    t.golden("show-host", "--helper=B", "show", "disk", "--sysfs=sys")


@case("read-keys")
def read_keys(t):
    t.both_registered()
    t.golden("read-keys", "--helper=A", "read-keys", "disk")


@case("read-reservation, with and without one")
def read_reservation(t):
    t.both_registered()
    t.golden("read-reservation", "--helper=A", "read-reservation", "disk")
    t.a("release", "disk", "--key=0xa1", "--type=1")
    t.golden("read-reservation-none", "--helper=A", "read-reservation", "disk")


@case("read-full-status")
def read_full_status(t):
    t.both_registered()
    t.golden("read-full-status", "--helper=A", "read-full-status", "disk")


@case("report-capabilities")
def report_capabilities(t):
    t.sim()
    t.golden("report-capabilities", "--helper=A", "report-capabilities", "disk")


@case("register, reserve and release as JSON")
def acting_json(t):
    t.sim()
    for name, args in (("register", ["--new-key=0xa1"]),
                       ("reserve", ["--key=0xa1", "--type=EA"]),
                       ("release", ["--key=0xa1", "--type=EA"]),
                       ("preempt", ["--key=0xa1", "--victim=0xa1", "--type=EA", "--yes"])):
        out = t.run("--json", "--helper=A", name, "disk", *args).out
        t.golden_text(f"{name}.json", out)


@case("clear")
def clear(t):
    t.both_registered()
    t.golden_text("clear.json", t.run("--json", "--helper=A", "clear", "disk", "--key=0xa1", "-y").out)
    equal(t.json("--helper=A", "read-keys", "disk")["keys"], [])


@case("a conflict as text and as JSON")
def conflict(t):
    t.both_registered()
    t.golden("conflict", "--helper=B", "reserve", "disk", "--key=0xb2", "--type=1", status=24)


@case("register changes a key, refuses a wrong one, and can ignore which there is")
def register(t):
    t.sim()
    t.a("register", "disk", "--new-key=0xa1")
    wrong = t.a("register", "disk", "--new-key=0xa2", status=24)
    contains(wrong.err, "--ignore-existing")
    t.a("register", "disk", "--key=0xa1", "--new-key=0xa2")
    t.a("register", "disk", "--ignore-existing", "--new-key=0xa3")
    equal(t.json("--helper=A", "read-keys", "disk")["keys"], [{"key": "0xa3"}])


@case("a refusal whose reason is likely is told with it")
def hints(t):
    t.sim()
    move = ["register-and-move", "disk", "--key=0xa1", "--new-key=0xb2", f"--initiator={B}"]
    unknown = "--initiator=iqn.2000-01.org.example:x"
    contains(t.a("register", "disk", "--new-key=0xa1", unknown, status=5).err, "may not know a port of --initiator")
    t.a("register", "disk", "--new-key=0xa1")
    equal(t.a("register", "disk", "--new-key=0xa2", f"--initiator={B}", status=24).err,
          "pr-manager: disk: REGISTER: RESERVATION CONFLICT (this nexus is registered already)\n")
    contains(t.a(*move, "--target-port=1", status=5).err, "no reservation to hand on")
    t.a("reserve", "disk", "--key=0xa1", "--type=WE")
    contains(t.a(*move, "--target-port=77", status=5).err, "may not know --initiator or --target-port")
    contains(t.a("preempt", "disk", "--key=0xa1", "--victim=0", "--type=WE", "-y", status=5).err,
             "victim 0 goes only where all registrants hold the reservation")
    Helper(t, lambda *_: check(5, 0x26, 0))
    register = ["--helper=F", "register", "disk", "--new-key=0xa1"]
    contains(t.run(*register, "--aptpl", status=5).err,
             "the device may not offer --aptpl: see `report-capabilities'")
    equal(t.run(*register, status=5).err,
          "pr-manager: disk: REGISTER: CHECK CONDITION: 5/26/00 invalid field in parameter list\n")
    Helper(t, lambda *_: check(4, 0x44, 0), name="G")
    contains(t.run("--helper=G", "read-keys", "disk", status=3).err, "the target is simulated: its log says why")
    contains(t.run("--helper=G", "read-keys", "/dev/null", status=3).err, "internal target failure\n")


@case("register with other initiators")
def register_ports(t):
    t.sim()
    t.a("register", "disk", "--new-key=0xa1", f"--initiator={B}")
    rows = t.json("--helper=A", "show", "disk")["registrants"]
    equal(sorted(r["initiator"] for r in rows), [A, B])


@case("release succeeds where another nexus holds, and says when the type differs")
def release(t):
    t.both_registered()
    t.b("release", "disk", "--key=0xb2", "--type=1")
    wrong = t.a("release", "disk", "--key=0xa1", "--type=3", status=5)
    contains(wrong.err, "read-reservation")
    t.a("release", "disk", "--key=0xa1", "--type=1")


@case("preempt of a key that nobody has is a conflict, --abort goes by another command")
def preempt(t):
    t.both_registered()
    nobody = t.b("preempt", "disk", "--key=0xb2", "--victim=0xc3", "--type=1", "-y", status=24)
    contains(nobody.err, "PREEMPT: RESERVATION CONFLICT")
    t.b("preempt", "disk", "--key=0xb2", "--victim=0xa1", "--type=1", "--abort", "-y")
    document = t.json("--helper=B", "show", "disk")
    equal([r["key"] for r in document["registrants"]], ["0xb2"])


@case("preempt with victim 0 takes an all registrants reservation from all others")
def preempt_all(t):
    t.sim()
    t.a("register", "disk", "--new-key=0xa1")
    t.b("register", "disk", "--new-key=0xb2")
    t.a("reserve", "disk", "--key=0xa1", "--type=WEAR")
    t.b("preempt", "disk", "--key=0xb2", "--victim=0", "--type=EAAR", "-y")
    equal([r["key"] for r in t.json("--helper=B", "show", "disk")["registrants"]], ["0xb2"])


@case("move takes over registration and reservation, under the same key and another")
def move(t):
    t.both_registered()
    t.b("register", "disk", "--key=0xb2", "--new-key=0")
    t.golden_text("move.json", t.run("--json", "--helper=B", "move", "disk", "--key=0xa1", "-y").out)
    rows = t.json("--helper=B", "show", "disk")["registrants"]
    equal([(r["key"], r["initiator"], r["holder"]) for r in rows], [("0xa1", B, True)])
    t.a("move", "disk", "--key=0xa1", "--new-key=0xc3", "--yes")
    rows = t.json("--helper=A", "show", "disk")["registrants"]
    equal([(r["key"], r["initiator"], r["holder"]) for r in rows], [("0xc3", A, True)])


@case("move again: it cannot be told who took the old registration away, and a note says so")
def move_unproven(t):
    t.sim()
    t.b("register", "disk", "--new-key=0xb2")
    run = t.run("--json", "--helper=B", "move", "disk", "--key=0xa1", "--new-key=0xb2", "-y")
    equal(json.loads(run.out)["unproven"], True)
    contains(run.err, "note: the old registration was gone before")


@case("move of a key that nobody has")
def move_nobody(t):
    t.both_registered()
    t.golden("move-nobody", "--helper=B", "move", "disk", "--key=0xc3", "-y", status=24)


@case("register-and-move hands the reservation on")
def register_and_move(t):
    t.both_registered()
    t.a("register-and-move", "disk", "--key=0xa1", "--new-key=0xc3", f"--initiator={B}",
        "--target-port=1", "--unregister")
    rows = t.json("--helper=B", "show", "disk")["registrants"]
    equal([(r["key"], r["initiator"], r["holder"]) for r in rows], [("0xc3", B, True)])


@case("--output chooses columns in its order, in any case, as text and as JSON")
def output(t):
    t.both_registered()
    t.golden("output", "--helper=A", "show", "disk", "--output=initiator,KEY")
    t.golden("noheadings", "--helper=A", "read-full-status", "disk", "-n", "-o", "KEY,HOLDER")
    equal(t.a("read-keys", "disk", "-n").out, "0xa1\n0xb2\n")
    wrong = t.a("show", "disk", "--output=KEY,FOO", status=1)
    contains(wrong.err, "there is no column 'FOO'; there are KEY HOLDER TYPE PORT INITIATOR HOST")
    for bad in "KEY,", ",KEY", ",", "KEY,,HOST", "KEY HOST":
        t.a("show", "disk", f"--output={bad}", status=1)
