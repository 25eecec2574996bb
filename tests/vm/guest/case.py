# SPDX-License-Identifier: BSD-2-Clause
"""The base of all cases: a clean LUN, and words for what a case expects."""

import os
import sys
import unittest

import lio
import prclient as pr
from helper import Helper

INVALID_OPCODE = (5, 0x20, 0)
PEER = "--peer" in sys.argv         # the helper is the peer


def defect(what):
    """The peer has this defect, and so fails the case: what `run --peer` is about."""
    def mark(method):
        method.defect = what
        return method
    return mark


class Case(unittest.TestCase):
    make_lun = staticmethod(lio.shared_lun)

    def setUp(self):
        self.helpers = []
        self.lun = self.make_lun()
        self.a, self.b = self.lun.initiators
        self.lun.reset()

    def helper(self, *options, **how):
        """Start the daemon; it ends with the case."""
        helper = Helper(*options, **how)
        self.helpers.append(helper)
        return self.enterContext(helper)

    def diagnostics(self):
        """Lines for the output where the case fails."""
        return [line for helper in self.helpers
                for line in [f"{helper}:", *helper.log.splitlines()]]

    def note(self, text):
        """A figure that was measured, for the output."""
        print("#", text, flush=True)

    def open(self, path, flags=os.O_RDWR):
        """An fd that is closed at the end of the case; O_NONBLOCK as QEMU has it."""
        fd = os.open(path, flags | os.O_NONBLOCK)
        self.addCleanup(os.close, fd)
        return fd

    def assertGood(self, reply, what=""):
        self.assertEqual(reply.status, pr.GOOD, f"{what} {reply}")
        self.assertEqual(reply.sense, bytes(96), f"{what} sense beside GOOD")

    def assertConflict(self, reply, what=""):
        self.assertEqual(reply.status, pr.RESERVATION_CONFLICT, f"{what} {reply}")
        self.assertEqual(reply.sense, bytes(96), f"{what} sense beside RESERVATION CONFLICT")

    def assertCheck(self, reply, code, what=""):
        """CHECK CONDITION with (sense key, asc, ascq)."""
        self.assertEqual(reply.status, pr.CHECK_CONDITION, f"{what} {reply}")
        self.assertEqual(reply.code, code, f"{what} {reply}")
        self.assertEqual(reply.payload, b"", what)
        rest = reply.sense[8 + reply.sense[7]:]         # after ADDITIONAL SENSE LENGTH
        self.assertEqual(rest, bytes(len(rest)), f"{what} behind the sense")

    def assertRefused(self, reply, what=""):
        """Refused by the daemon itself: 5/20/00 in fixed format, 18 bytes, no command sent."""
        self.assertCheck(reply, INVALID_OPCODE, what)
        self.assertEqual(reply.sense[0], 0x70, what)
        self.assertEqual(reply.sense[7], 10, what)
        self.assertEqual(reply.sense[18:], bytes(78), what)
