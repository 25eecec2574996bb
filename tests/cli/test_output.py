# SPDX-License-Identifier: BSD-2-Clause
"""Standard descriptors that are closed, and an output that nobody reads."""

import os
import subprocess

from harness import TIMEOUT, case, contains, equal

CLOSED = ">&-", "2>&-", "<&-", ">&- 2>&-", "<&- 2>&-", "<&- >&- 2>&-"
LOST = "pr-manager: cannot write the output: Bad file descriptor\n"


def without(t, closed, *args):
    """Run it with these descriptors closed, in the shell's words."""
    return subprocess.run(["sh", "-c", f'exec "$@" {closed}', "sh", t.options.program, "--helper=A", *args],
                          cwd=t.dir, env=t.environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=TIMEOUT)


@case("where standard descriptors are closed nothing of what is said goes to the disk")
def closed(t):
    t.sim()
    with open(t.path("disk"), "rb") as f:
        before = f.read()
    for which in CLOSED:
        lost = ">&-" in which.split()
        for args, status in ((["--json", "register", "disk", "--ignore-existing", "--new-key=0xa1"], 15 if lost else 0),
                             (["reserve", "disk", "--key=0xdead", "--type=WE"], 24),
                             (["--json", "clear", "disk", "--key=0xdead", "-y"], 24),
                             (["clear", "disk", "--key=0xa1"], 1),
                             (["raw", "disk", "5f000000000000001800", (2 * "00000000000000a1").ljust(48, "0")],
                              15 if lost else 0),
                             (["register", "disk", "--ignore-existing", "--new-key=0xa1"], 0),
                             (["show", "disk"], 15 if lost else 0)):
            ended = without(t, which, *args)
            with open(t.path("disk"), "rb") as f:
                equal(f.read() == before, True, f"{args} {which}: the disk is as before")
            equal(ended.returncode, status, f"{args} {which}: {ended.stderr}")


@case("an output that is closed is one that cannot be written")
def lost(t):
    t.sim()
    for args in ["show", "disk"], ["--json", "read-keys", "disk"], ["watch", "disk"], ["--version"], ["--help"]:
        ended = without(t, ">&-", *args)
        equal((ended.returncode, ended.stderr), (15, LOST))
    ended = without(t, ">&-", "--json", "register", "disk", "--new-key=0xa1")
    equal((ended.returncode, ended.stderr),
          (15, LOST + "pr-manager: disk: REGISTER: the command itself ended with GOOD, but its output is lost\n"))
    ended = without(t, ">&-", "release", "disk", "--key=0xa1", "--type=WE")
    equal((ended.returncode, ended.stderr), (0, ""))


def unread(t, *args):
    """Run it with an output whose reader has gone. @return its status and what it said"""
    reader, writer = os.pipe()
    os.close(reader)
    with open(writer, "w") as pipe:
        process = t.popen("--helper=A", *args, stdout=pipe)
    err = process.communicate(timeout=TIMEOUT)[1]
    return process.returncode, err


@case("nobody reads the output: how a command ended that changed something is told")
def unread_after_change(t):
    t.sim()
    for args, said in ((["--json", "register", "disk", "--new-key=0xa1"], "REGISTER"),
                       (["--json", "move", "disk", "--key=0xa1", "--new-key=0xb2", "-y"], "move"),
                       (["raw", "disk", "5f000000000000001800", "00000000000000b200000000000000c3".ljust(48, "0")],
                        "REGISTER")):
        equal(unread(t, *args), (15, f"pr-manager: disk: {said}: the command itself ended with GOOD, but its output is "
                                     "lost\n"))
    equal(t.json("--helper=A", "read-keys", "disk")["keys"], [{"key": "0xc3"}])
    status, err = unread(t, "--json", "register", "disk", "--new-key=0xa1")
    equal((status, err.count("\n")), (24, 1))
    contains(err, "REGISTER: RESERVATION CONFLICT")


@case("nobody reads the output: of what only reads nothing is said")
def unread_reading(t):
    t.sim()
    for args in (["show", "disk"], ["--json", "show", "disk"], ["read-keys", "disk"], ["--help"], ["--version"],
                 ["--completions=bash"], ["raw", "disk", "5e000000000000002000"]):
        equal(unread(t, *args), (15, ""), args)
    equal(unread(t, "watch", "disk"), (0, ""))
