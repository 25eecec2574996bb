# SPDX-License-Identifier: BSD-2-Clause
"""What a reservation is for: the disk itself stops the other initiator's writes.

The reservations go through the daemon; the reads and writes go past it.
"""

import errno

import lio
import prclient as pr
import scsi
from case import Case

KA, KB = 0xA1, 0xB2


class Conflict(Case):
    def setUp(self):
        super().setUp()
        self.client = self.enterContext(self.helper().client())
        self.fa, self.fb = self.open(self.a.disk), self.open(self.b.disk)
        self.assertGood(self.client.out(self.fa, pr.REGISTER, sark=KA))

    def reserve(self, rtype):
        self.assertGood(self.client.out(self.fa, pr.RESERVE, key=KA, rtype=rtype))

    def assertStopped(self, initiator):
        self.assertEqual(scsi.write_block(initiator.disk).status, pr.RESERVATION_CONFLICT)
        self.assertEqual(scsi.pwrite_direct(initiator.disk), errno.EBADE)

    def assertWrites(self, initiator):
        self.assertEqual(scsi.write_block(initiator.disk).status, pr.GOOD)
        self.assertIsNone(scsi.pwrite_direct(initiator.disk))

    def test_nothing_reserved(self):
        """a registration alone stops nobody"""
        self.assertWrites(self.a)
        self.assertWrites(self.b)

    def test_every_type_stops_a_stranger(self):
        """each type stops the writes of an initiator that is not registered"""
        for rtype in pr.TYPES:
            with self.subTest(rtype=rtype):
                self.reserve(rtype)
                self.assertWrites(self.a)
                self.assertStopped(self.b)
                self.assertGood(self.client.out(self.fa, pr.RELEASE, key=KA, rtype=rtype))
                self.assertWrites(self.b)

    def test_registrants(self):
        """a registrant writes under the registrants' types and not under the others"""
        self.assertGood(self.client.out(self.fb, pr.REGISTER, sark=KB))
        for rtype in pr.TYPES:
            with self.subTest(rtype=rtype):
                self.reserve(rtype)
                if rtype in (pr.WE, pr.EA):
                    self.assertStopped(self.b)
                else:
                    self.assertWrites(self.b)
                self.assertGood(self.client.out(self.fa, pr.RELEASE, key=KA, rtype=rtype))
                scsi.drop_unit_attentions(self.b.disk)

    def test_preempted(self):
        """who is preempted gets one unit attention and then conflicts"""
        self.reserve(pr.WE)
        self.assertGood(self.client.out(self.fb, pr.REGISTER, sark=KB))
        self.assertGood(self.client.out(self.fb, pr.PREEMPT, key=KB, sark=KA, rtype=pr.WE))
        self.assertEqual(scsi.test_unit_ready(self.a.disk).code, (6, 0x2A, 5))
        self.assertStopped(self.a)
        self.assertWrites(self.b)
        # RELEASE is no way around
        self.assertConflict(self.client.out(self.fa, pr.RESERVE, key=KA, rtype=pr.WE))
        self.assertStopped(self.a)
        # and back
        self.assertGood(self.client.out(self.fa, pr.REGISTER, sark=KA))
        self.assertGood(self.client.out(self.fa, pr.PREEMPT, key=KA, sark=KB, rtype=pr.WE))
        scsi.drop_unit_attentions(self.b.disk)
        self.assertWrites(self.a)
        self.assertStopped(self.b)

    def test_survives_the_daemon(self):
        """a reservation is the disk's: it stays when the daemon ends"""
        second = self.helper()
        self.reserve(pr.WE)
        with second.client() as client:
            self.assertEqual(client.read_reservation(self.fb), (KA, pr.WE))
        second.stop()
        self.assertStopped(self.b)
        self.assertEqual(lio.reservation(self.b.disk), (KA, pr.WE))

    def test_reservation_of_sg_persist(self):
        """the daemon's view of a reservation that sg_persist made is the same"""
        lio.sg_persist("--out", "--register-ignore", "--param-sark=0xb2", self.b.disk)
        lio.sg_persist("--out", "--reserve", "--param-rk=0xb2", "--prout-type=3", self.b.disk)
        self.assertEqual(self.client.read_keys(self.fa)[1], [KA, KB])
        self.assertEqual(self.client.read_reservation(self.fa), (KB, pr.EA))
        self.assertConflict(self.client.out(self.fa, pr.RESERVE, key=KA, rtype=pr.EA))
        self.assertStopped(self.a)
