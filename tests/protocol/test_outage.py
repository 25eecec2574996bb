# SPDX-License-Identifier: BSD-2-Clause
"""The log is away for a while: no command reaches a disk that it does not tell in the end.

All on pr-helper-sim, whose disks are files: to be told, a command has to reach one.
"""

import dataclasses
import os
import re
import resource
import time

from daemon import Helper
from harness import case, equal, eventually
from prclient import BUSY, GOOD

NO_AUDIT = "it has no audit"
REGISTER_AND_IGNORE = 6


class Disk:
    """A client with a disk that registers with another key each time."""

    def __init__(self, t, helper):
        with open(t.path("disk"), "wb"):
            pass
        self.client = t.keep(helper.client())
        self.fd = t.open(t.path("disk"))
        self.sent = []       # keys of commands that the disk got

    def register(self, count=1):
        """Until `count` are sent or one is not: the last status."""
        status = GOOD
        for _ in range(count):
            key = 0x1000 + len(self.sent)
            status = self.client.out(self.fd, REGISTER_AND_IGNORE, sark=key).status
            if status != GOOD:
                break
            self.sent.append(key)
        return status

    def told_in(self, text):
        return [int(key, 16) for key in re.findall(r"PR OUT .* action-key=(\w+): GOOD", text)]

    def check(self, read):
        """The log tells of every command that was sent, once and in order."""
        eventually(lambda: len(self.told_in(read())) >= len(self.sent), "all is told")
        equal(self.told_in(read()), self.sent, "the commands that the log tells of")


def simulated(t):
    """The same test, of the simulated target's helper."""
    return dataclasses.replace(t, helper=os.path.join(os.path.dirname(t.helper), "pr-helper-sim"))


def run_out(disk):
    """More commands than wait for the log: the first that is not sent is answered so."""
    equal(disk.register(1000), BUSY, "a command that the log does not take")
    if not 100 < len(disk.sent) < 300:
        raise AssertionError(f"{len(disk.sent)} commands wait for the log")


def check_idle(helper):
    before = helper.cpu()
    time.sleep(1)
    if helper.cpu() - before > 0.5:
        raise AssertionError(f"{helper.cpu() - before:.2f} s of CPU time in a second of waiting")


@case(ours=NO_AUDIT, cost=5)
def full_disk(t):
    """stderr is a file that cannot grow: then BUSY, and once it can every command is told, in whole lines"""
    h = Helper(simulated(t), preexec_fn=lambda: resource.setrlimit(
        resource.RLIMIT_FSIZE, (4000, resource.RLIM_INFINITY)))
    disk = Disk(t, h)
    run_out(disk)
    check_idle(h)
    equal(os.path.getsize(h.log_path), 4000, "the file's size")
    resource.prlimit(h.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
    eventually(lambda: disk.register() == GOOD, "commands are sent again")
    disk.check(h.log)
    for line in h.log().splitlines():
        if not re.fullmatch("pr-helper-sim: (PR OUT .*: (GOOD|refused: .* not sent)|[^P].*)", line):
            raise AssertionError(f"a broken line: {line!r}")
    equal(h.stop(), 0)
