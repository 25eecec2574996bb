# SPDX-License-Identifier: BSD-2-Clause
"""The log is away for a while: no command reaches a disk that it does not tell in the end.

All on pr-helper-sim, whose disks are files: to be told, a command has to reach one.
"""

import dataclasses
import os
import re
import resource
import select
import socket
import time

from daemon import Helper
from harness import case, contains, equal, eventually
from prclient import BUSY, GOOD
from syslog_socket import Syslog

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


def behind_closed_pipe(t, *options):
    reader, writer = os.pipe()
    h = Helper(simulated(t), *options, stderr=writer)
    os.close(writer)
    os.close(reader)
    return h


def in_background(t, *options):
    h = Helper(simulated(t), "-d", "-f", t.path("pid"), *options, ready=False)
    equal(h.process.wait(8), 0, "the parent's exit status")
    return h


@case(root=True, ours=NO_AUDIT, cost=5,
      each={"a closed pipe": (False, behind_closed_pipe), "-d": (False, in_background),
            "another user": (False, behind_closed_pipe, "-u", "65534"),
            "systemd's, and no /dev/log": (True, behind_closed_pipe)})
def syslog_restarts(t, how):
    """syslog is all that is left, and comes back with another socket: every command is told"""
    systemd, start, *options = how
    syslog = Syslog(t, systemd)
    disk = Disk(t, start(t, *options))
    equal(disk.register(5), GOOD)
    disk.check(lambda: "\n".join(syslog.read()))
    for _ in range(2):
        syslog.stop()
        equal(disk.register(20), GOOD, "while it restarts")
        syslog.begin()
        disk.check(lambda: "\n".join(syslog.read()))


@case(root=True, ours=NO_AUDIT, cost=5)
def syslog_stays_away(t):
    """syslog is all that is left, and goes: BUSY in the end, until it is there again"""
    syslog = Syslog(t)
    h = behind_closed_pipe(t)
    disk = Disk(t, h)
    equal(disk.register(), GOOD)
    syslog.stop()
    run_out(disk)
    check_idle(h)
    syslog.begin()
    eventually(lambda: disk.register() == GOOD, "commands are sent again")
    disk.check(lambda: "\n".join(syslog.read()))


@case(root=True, ours=NO_AUDIT, cost=5)
def syslog_stuck(t):
    """-d, and syslog reads nothing: BUSY in the end, until it does, and no command is lost"""
    syslog = Syslog(t)
    disk = Disk(t, in_background(t))
    run_out(disk)
    eventually(lambda: syslog.read() and disk.register() == GOOD, "commands are sent again")
    disk.check(lambda: "\n".join(syslog.read()))


@case(root=True, ours=NO_AUDIT)
def syslog_stuck_beside_stderr(t):
    """stderr is a pipe that is read, and syslog reads nothing: nobody waits for it"""
    Syslog(t)
    reader, writer = os.pipe()
    t.cleanups.callback(os.close, reader)
    h = Helper(simulated(t), stderr=writer)
    os.close(writer)
    disk = Disk(t, h)
    equal(disk.register(100), GOOD)
    text = [""]

    def read():
        if select.select([reader], [], [], 0)[0]:
            text[0] += os.read(reader, 1 << 16).decode()
        return text[0]
    disk.check(read)


@case(root=True, ours=NO_AUDIT, each={"-d": in_background, "a closed pipe": behind_closed_pipe})
def no_syslog_at_first(t, start):
    """no log from the start: commands are sent, and told as soon as there is a syslog"""
    syslog = Syslog(t)
    syslog.stop()
    h = start(t)
    if start is in_background:
        contains(h.log(), "pr-helper-sim: there is no syslog at /dev/log")
    disk = Disk(t, h)
    equal(disk.register(500), GOOD, "without a log")
    syslog.begin()
    disk.register()
    eventually(lambda: f"action-key={disk.sent[-1]:#x}: GOOD" in "\n".join(syslog.read()), "a line")
    syslog.stop()
    told = len(syslog.received)
    disk.sent.clear()
    equal(disk.register(5), GOOD, "while it restarts")
    syslog.begin()
    disk.check(lambda: "\n".join(syslog.read()[told:]))


@case(root=True, ours=NO_AUDIT, each={"the journal's": True, "another's": False})
def stream_ends(t, journal):
    """stderr is a socket, as the journal's is: syslog is for when that is closed"""
    syslog = Syslog(t)
    ours, theirs = socket.socketpair()
    told = os.fstat(theirs.fileno())
    environment = {**os.environ, "JOURNAL_STREAM": f"{told.st_dev}:{told.st_ino}"}
    h = Helper(simulated(t), stderr=theirs, env=environment if journal else None)
    theirs.close()
    disk = Disk(t, h)
    equal(disk.register(5), GOOD)
    disk.check(lambda: ours.recv(1 << 16, socket.MSG_PEEK).decode())
    equal(syslog.read(), [], "what syslog has got")
    ours.close()
    disk.sent.clear()
    equal(disk.register(5), GOOD)
    disk.check(lambda: "\n".join(syslog.read()))
    equal(h.stop(), 0)
