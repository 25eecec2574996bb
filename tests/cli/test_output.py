# SPDX-License-Identifier: BSD-2-Clause
"""Standard descriptors that are closed, and an output that nobody reads."""

import subprocess

from harness import TIMEOUT, case, equal

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
          (15, LOST + "pr-manager: disk: REGISTER: the command itself ended with GOOD\n"))
    ended = without(t, ">&-", "release", "disk", "--key=0xa1", "--type=WE")
    equal((ended.returncode, ended.stderr), (0, ""))
