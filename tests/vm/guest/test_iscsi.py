# SPDX-License-Identifier: BSD-2-Clause
"""A disk behind iSCSI: a transport that has its own ways, and PREEMPT AND ABORT.

On a loopback LUN that command does not end (see test_scsi.py).
"""

import errno

import lio
import prclient as pr
import scsi
from case import Case

KA, KB = 0xA1, 0xB2


class Iscsi(Case):
    make_lun = staticmethod(lio.iscsi_lun)

    def setUp(self):
        super().setUp()
        self.client = self.enterContext(self.helper().client())
        self.fa, self.fb = self.open(self.a.disk), self.open(self.b.disk)
        self.assertGood(self.client.out(self.fa, pr.REGISTER, sark=KA))
        self.assertGood(self.client.out(self.fb, pr.REGISTER, sark=KB))
        self.assertGood(self.client.out(self.fa, pr.RESERVE, key=KA, rtype=pr.WE))

    def test_conflict(self):
        """a reservation on an iSCSI disk stops the other session's writes"""
        self.assertEqual(scsi.write_block(self.a.disk).status, pr.GOOD)
        self.assertEqual(scsi.write_block(self.b.disk).status, pr.RESERVATION_CONFLICT)
        self.assertEqual(scsi.pwrite_direct(self.b.disk), errno.EBADE)
        self.assertConflict(self.client.out(self.fb, pr.RESERVE, key=KB, rtype=pr.WE))

    def test_preempt_and_abort(self):
        """PREEMPT AND ABORT takes the reservation over and tells the victim"""
        self.assertGood(self.client.out(self.fb, pr.PREEMPT_AND_ABORT, key=KB, sark=KA,
                                        rtype=pr.EA))
        self.assertEqual(lio.keys(self.b.disk), [KB])
        self.assertEqual(lio.reservation(self.b.disk), (KB, pr.EA))
        self.assertCheck(self.client.request(self.fa, pr.cdb_in(pr.READ_KEYS)), (6, 0x2A, 5))
        self.assertEqual(scsi.write_block(self.a.disk).status, pr.RESERVATION_CONFLICT)

    def test_full_status(self):
        """READ FULL STATUS: TransportIDs with the initiators' names"""
        reply = self.client.request(self.fb, pr.cdb_in(pr.READ_FULL_STATUS))
        self.assertGood(reply)
        for name in (b"iqn.2020-01.test:initiator1", b"iqn.2020-01.test:initiator2"):
            self.assertIn(name, reply.payload)
