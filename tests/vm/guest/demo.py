# SPDX-License-Identifier: BSD-2-Clause
"""The story of `tests/vm/demo`: a guest's reservation on a disk that two hosts share.

Everything is real: the target is the kernel's, the guest is in a QEMU, and the disk's
own answers are what is printed. A step that comes out otherwise ends the story.
"""

import errno
import os
import struct
import subprocess
import sys
import textwrap

import lio
import prclient as pr
import qemu
import scsi
from helper import Helper
from waiting import wait_for

WIDTH = 90
GUEST, OTHER = 0xA1, 0xB2       # their keys
STATUS = {pr.GOOD: "GOOD", pr.CHECK_CONDITION: "CHECK CONDITION",
          pr.RESERVATION_CONFLICT: "RESERVATION CONFLICT"}


class Wrong(Exception):
    pass


class Story:
    def __init__(self):
        self._step = 0

    def chapter(self, title):
        print(f"\n{title}", flush=True)

    def say(self, text):
        self._print(text, "     -> ")

    def step(self, what):
        self._step += 1
        self._print(what, f" {self._step:2}. ")

    def who(self, name, text):
        self._print(text, f"     {name:12}")

    def _print(self, text, indent):
        print(textwrap.fill(text, WIDTH, initial_indent=indent,
                            subsequent_indent=" " * len(indent), break_on_hyphens=False),
              flush=True)

    def answer(self, reply, status, meaning, code=None):
        """What the disk said to a command, and that it had to say so."""
        said = STATUS.get(reply.status, f"status {reply.status:#x}")
        if reply.code:
            said += " %X/%02X/%02X" % reply.code
        if reply.status != status or (code and reply.code != code):
            raise Wrong(f"The disk answered {said}: that is wrong.")
        self.say(f"{said}: {meaning}")

    def fact(self, seen, expected, text):
        """Something seen from the side."""
        if seen != expected:
            raise Wrong(f"Expected {expected!r} and saw {seen!r}: {text}")
        self.say(text)


def out(guest, action, key=0, sark=0, rtype=0):
    return guest.write(pr.cdb_out(action, rtype)[:10], pr.params(key, sark))


def introduce(story, lun, helper):
    a, b = lun.initiators
    version = subprocess.run(["qemu-system-x86_64", "--version"], capture_output=True,
                             text=True).stdout.split()[3]
    story.chapter("Who takes part")
    story.who("the disk", "a LUN of the kernel's own SCSI target (LIO), "
              f"Linux {os.uname().release}")
    story.who("the guest", f"runs in QEMU {version}; its disk is {a.disk}, by virtio-scsi and "
              "scsi-block")
    story.who("the daemon", f"qemu-pr-helper, pid {helper.pid}, user nobody; QEMU talks to it "
              "through pr-manager-helper")
    story.who("the other", f"another initiator of the same LUN, {b.disk}: it stands for another "
              "host")


def guest_reserves(story, guest, other):
    story.chapter("The guest takes the disk")
    story.step("The guest registers its key 0xa1 (PERSISTENT RESERVE OUT, REGISTER).")
    story.answer(out(guest, pr.REGISTER, sark=GUEST), pr.GOOD, "the disk took the key")
    story.fact(lio.keys(other.disk), [GUEST], "sg_persist on the other host sees the key 0xa1")
    story.step("The guest reserves the disk for its own writes (RESERVE, Write Exclusive).")
    story.answer(out(guest, pr.RESERVE, key=GUEST, rtype=pr.WE), pr.GOOD, "the guest holds it")
    story.fact(lio.reservation(other.disk), (GUEST, pr.WE),
               "sg_persist on the other host sees the reservation of 0xa1")
    story.step("The guest writes a block.")
    story.answer(guest.write_block(), pr.GOOD, "it is written")
    story.step("The other host writes a block: once by WRITE(10), once by pwrite().")
    story.answer(scsi.write_block(other.disk), pr.RESERVATION_CONFLICT,
                 "the target itself refuses it")
    story.fact(scsi.pwrite_direct(other.disk), errno.EBADE, "pwrite() fails with EBADE")


def other_preempts(story, guest, other):
    story.chapter("The other host takes it away, as a cluster does with a node that is lost")
    story.step("The other host registers 0xb2 and preempts 0xa1 (sg_persist).")
    lio.sg_persist("--out", "--register", f"--param-sark={OTHER:#x}", other.disk)
    lio.sg_persist("--out", "--preempt", f"--param-rk={OTHER:#x}", f"--param-sark={GUEST:#x}",
                   "--prout-type=1", other.disk)
    story.fact(lio.reservation(other.disk), (OTHER, pr.WE), "the reservation is 0xb2's now")
    story.step("The guest asks whether its disk is ready.")
    story.answer(guest.test_unit_ready(), pr.CHECK_CONDITION,
                 "a unit attention tells it: registrations preempted", (6, 0x2A, 5))
    story.step("The guest writes a block.")
    story.answer(guest.write_block(), pr.RESERVATION_CONFLICT, "it is fenced, as it should be")
    story.step("The other host writes a block.")
    story.answer(scsi.write_block(other.disk), pr.GOOD, "it is written")


def daemon_restarts(story, guest, helper):
    story.chapter("The daemon is killed while the guest runs")
    story.step("kill -9 of the daemon; the guest reads the keys.")
    helper.stop(9)
    reply = guest.read(pr.cdb_in(pr.READ_KEYS, 512)[:10], 512)
    story.answer(reply, pr.CHECK_CONDITION, "QEMU says that it cannot, and the guest lives on")
    event = guest.qmp.wait_for_event("PR_MANAGER_STATUS_CHANGED")
    story.fact(event["connected"], False, "QEMU's event PR_MANAGER_STATUS_CHANGED: not connected")
    story.step("The daemon is started again; the guest reads the keys.")
    with Helper("-u", "nobody", socket_path=helper.socket) as second:
        reply = wait_for(lambda: good(guest.read(pr.cdb_in(pr.READ_KEYS, 512)[:10], 512)))
        story.answer(reply, pr.GOOD, "QEMU has found the new daemon by itself")
        story.fact(struct.unpack(">Q", reply.data[8:16])[0], OTHER, "and the key is 0xb2")
        story.step("The guest registers again, preempts 0xb2, writes, and clears everything.")
        for reply, meaning in (
                (out(guest, pr.REGISTER_AND_IGNORE, sark=GUEST), "registered"),
                (out(guest, pr.PREEMPT, key=GUEST, sark=OTHER, rtype=pr.WE), "preempted"),
                (guest.write_block(), "written"),
                (out(guest, pr.CLEAR, key=GUEST), "nobody holds the disk any more")):
            story.answer(reply, pr.GOOD, meaning)
    return second


def good(reply):
    return reply if reply.status == pr.GOOD else None


def main():
    lun = lio.shared_lun()
    first, other = lun.initiators
    story = Story()
    try:
        with Helper("-u", "nobody") as helper:
            introduce(story, lun, helper)
            with qemu.Guest(helper.socket, qemu.blockdev(first.disk)) as guest:
                guest.drop_unit_attentions()
                guest_reserves(story, guest, other)
                other_preempts(story, guest, other)
                second = daemon_restarts(story, guest, helper)
    except Wrong as e:
        story.say(str(e))
        return 1
    story.chapter("What the two daemons wrote meanwhile")
    for line in (helper.log + second.log).splitlines():
        print("    ", line)
    return 0


sys.exit(main())
