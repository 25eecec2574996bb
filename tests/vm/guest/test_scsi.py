# SPDX-License-Identifier: BSD-2-Clause
"""Every service action on a real LUN through the daemon, checked from the side.

LIO is the kernel's own target. Where it answers otherwise than SPC-4 says, the
comment at the case says so.
"""

import struct

import lio
import prclient as pr
import scsi
from case import Case

KA, KB = 0xA1, 0xB2
INVALID_FIELD = (5, 0x24, 0)
LUN_COMMUNICATION_FAILURE = (2, 8, 0)
WITH_REGISTRANTS_ONLY = (pr.WE_RO, pr.EA_RO, pr.WE_AR, pr.EA_AR)
TYPE_MASK = 0xEA01      # of REPORT CAPABILITIES: all six types


class ScsiCase(Case):
    def setUp(self):
        super().setUp()
        self.client = self.enterContext(self.helper().client())
        self.fa, self.fb = self.open(self.a.disk), self.open(self.b.disk)

    def register_both(self):
        self.assertGood(self.client.out(self.fa, pr.REGISTER, sark=KA))
        self.assertGood(self.client.out(self.fb, pr.REGISTER, sark=KB))

    def reserve(self, rtype=pr.WE):
        self.register_both()
        self.assertGood(self.client.out(self.fa, pr.RESERVE, key=KA, rtype=rtype))

    def in_(self, fd, action, alloc=8192):
        return self.client.request(fd, pr.cdb_in(action, alloc))


class Register(ScsiCase):
    def test_register(self):
        """REGISTER registers a key, changes it and takes it away"""
        self.assertGood(self.client.out(self.fa, pr.REGISTER, sark=KA))
        self.assertEqual(lio.keys(self.b.disk), [KA])
        self.assertGood(self.client.out(self.fa, pr.REGISTER, key=KA, sark=0xA2))
        self.assertEqual(lio.keys(self.b.disk), [0xA2])
        self.assertGood(self.client.out(self.fa, pr.REGISTER, key=0xA2, sark=0))
        self.assertEqual(lio.keys(self.b.disk), [])

    def test_register_wrong_key(self):
        """REGISTER with a wrong key is a conflict and changes nothing"""
        self.assertConflict(self.client.out(self.fa, pr.REGISTER, key=0xDEAD, sark=KA))
        self.register_both()
        self.assertConflict(self.client.out(self.fb, pr.REGISTER, key=0xDEAD, sark=KB))
        self.assertEqual(lio.keys(self.b.disk), [KA, KB])

    def test_register_and_ignore(self):
        """REGISTER AND IGNORE EXISTING KEY replaces a key that it does not name"""
        self.assertGood(self.client.out(self.fa, pr.REGISTER, sark=KA))
        self.assertGood(self.client.out(self.fa, pr.REGISTER_AND_IGNORE, sark=0xA3))
        self.assertEqual(lio.keys(self.b.disk), [0xA3])

    def test_keys_are_64_bits(self):
        """a key of eight different bytes arrives in their order"""
        key = 0x0123456789ABCDEF
        self.assertGood(self.client.out(self.fa, pr.REGISTER, sark=key))
        self.assertEqual(lio.keys(self.b.disk), [key])
        self.assertEqual(self.client.read_keys(self.fb)[1], [key])

    def test_many_transport_ids(self):
        """REGISTER with 33 TransportIDs: the disk's answer comes back, and nothing ends"""
        ids = b"".join(struct.pack(">4xQ12x", n).replace(b"\0", b"\6", 1) for n in range(1, 34))
        data = pr.params(sark=KA, flags=pr.SPEC_I_PT) + struct.pack(">I", len(ids)) + ids
        cdb = pr.cdb_out(pr.REGISTER, length=len(data))
        direct = scsi.execute(self.b.disk, cdb[:10], out=data)
        self.assertEqual(direct.status, pr.CHECK_CONDITION)     # it knows none of these ports
        self.assertCheck(self.client.request(self.fa, cdb, data), direct.code)
        self.assertEqual(lio.keys(self.b.disk), [])
        self.assertGood(self.client.out(self.fa, pr.REGISTER, sark=KA))

    def test_aptpl(self):
        """REGISTER with APTPL: the target writes the registration to disk"""
        path = self.lun.aptpl_file()
        path.unlink(missing_ok=True)
        self.assertGood(self.client.out(self.fa, pr.REGISTER, sark=KA, flags=pr.APTPL))
        self.assertIn(f"sa_res_key={KA}", path.read_text())


class Reserve(ScsiCase):
    def test_all_types(self):
        """RESERVE and RELEASE: each of the six types"""
        self.register_both()
        for rtype in pr.TYPES:
            with self.subTest(rtype=rtype):
                self.assertGood(self.client.out(self.fa, pr.RESERVE, key=KA, rtype=rtype))
                # of an "all registrants" type every registrant is a holder; SPC-4 shows key 0
                key, seen = lio.reservation(self.b.disk)
                self.assertEqual(seen, rtype)
                self.assertEqual(key, 0 if rtype in (pr.WE_AR, pr.EA_AR) else KA)
                self.assertGood(self.client.out(self.fa, pr.RELEASE, key=KA, rtype=rtype))
                scsi.drop_unit_attentions(self.b.disk)
                self.assertIsNone(lio.reservation(self.b.disk))

    def test_conflict(self):
        """RESERVE of what another one holds is a conflict"""
        self.reserve()
        self.assertConflict(self.client.out(self.fb, pr.RESERVE, key=KB, rtype=pr.WE))
        self.assertEqual(lio.reservation(self.b.disk), (KA, pr.WE))

    def test_unregistered(self):
        """RESERVE without a registration reaches the disk and brings back its sense"""
        # SPC-4 wants a conflict; LIO says 2/8/0
        self.assertCheck(self.client.out(self.fa, pr.RESERVE, key=KA, rtype=pr.WE),
                         LUN_COMMUNICATION_FAILURE)

    def test_release_by_another(self):
        """RELEASE by a registrant that holds nothing leaves the reservation"""
        self.reserve()
        self.assertGood(self.client.out(self.fb, pr.RELEASE, key=KB, rtype=pr.WE))
        self.assertEqual(lio.reservation(self.b.disk), (KA, pr.WE))

    def test_release_unit_attention(self):
        """RELEASE tells the other registrants with a unit attention, where it should"""
        for rtype in WITH_REGISTRANTS_ONLY:
            with self.subTest(rtype=rtype):
                self.lun.reset()
                self.reserve(rtype)
                self.assertGood(self.client.out(self.fa, pr.RELEASE, key=KA, rtype=rtype))
                # the daemon hands the unit attention on and does not try again
                self.assertCheck(self.in_(self.fb, pr.READ_KEYS), (6, 0x2A, 4))
                self.assertGood(self.in_(self.fb, pr.READ_KEYS))

    def test_clear(self):
        """CLEAR takes everything away and tells the other registrants"""
        self.reserve()
        self.assertGood(self.client.out(self.fb, pr.CLEAR, key=KB))
        self.assertCheck(self.in_(self.fa, pr.READ_KEYS), (6, 0x2A, 3))
        self.assertEqual(lio.keys(self.a.disk), [])
        self.assertIsNone(lio.reservation(self.a.disk))

    def test_replace_lost(self):
        """REPLACE LOST RESERVATION: the disk's refusal comes back"""
        self.assertCheck(self.client.out(self.fa, pr.REPLACE_LOST, rtype=pr.WE), INVALID_FIELD)


class Preempt(ScsiCase):
    def test_preempt(self):
        """PREEMPT takes the reservation over and tells the victim"""
        self.reserve()
        self.assertGood(self.client.out(self.fb, pr.PREEMPT, key=KB, sark=KA, rtype=pr.EA))
        self.assertEqual(lio.keys(self.b.disk), [KB])
        self.assertEqual(lio.reservation(self.b.disk), (KB, pr.EA))
        self.assertCheck(self.in_(self.fa, pr.READ_KEYS), (6, 0x2A, 5))

    def test_preempt_unknown_key(self):
        """PREEMPT and PREEMPT AND ABORT of a key that nobody has is a conflict"""
        # A PREEMPT AND ABORT that succeeds does not end on a loopback LUN: it runs in the
        # very work item that core_tmr_lun_reset() waits for. test_iscsi.py has it.
        self.reserve()
        for action in (pr.PREEMPT, pr.PREEMPT_AND_ABORT):
            self.assertConflict(self.client.out(self.fb, action, key=KB, sark=0xDEAD,
                                                rtype=pr.WE))
        self.assertEqual(lio.keys(self.b.disk), [KA, KB])

    def test_register_and_move(self):
        """REGISTER AND MOVE hands the reservation to the other initiator"""
        self.reserve()
        transport_id, port = next(
            (d.transport_id, d.port) for d in full_status(self.in_(self.fa, pr.READ_FULL_STATUS))
            if d.key == KB)
        moved = struct.pack(">QQxBHI", KA, 0xB3, 0, port, len(transport_id)) + transport_id
        self.assertGood(self.client.request(
            self.fa, pr.cdb_out(pr.REGISTER_AND_MOVE, pr.WE, length=len(moved)), moved))
        self.assertEqual(lio.reservation(self.a.disk), (0xB3, pr.WE))


class PersistentReserveIn(ScsiCase):
    def assertSameAsDirect(self, action, alloc):
        """The reply carries what SG_IO brings without the daemon: data, length, status."""
        cdb = pr.cdb_in(action, alloc)
        direct = scsi.execute(self.b.disk, cdb[:10], length=alloc)
        reply = self.client.request(self.fb, cdb)
        self.assertEqual(reply.status, direct.status)
        self.assertEqual(reply.payload, direct.data)
        self.assertEqual(reply.sense.rstrip(b"\0"), direct.sense.rstrip(b"\0"))
        return reply

    def test_read_keys(self):
        """READ KEYS"""
        self.register_both()
        self.assertEqual(self.client.read_keys(self.fb)[1], [KA, KB])
        self.assertSameAsDirect(pr.READ_KEYS, 8192)

    def test_read_reservation(self):
        """READ RESERVATION, without one and with one"""
        self.assertIsNone(self.client.read_reservation(self.fb))
        self.reserve(pr.WE_RO)
        self.assertEqual(self.client.read_reservation(self.fb), (KA, pr.WE_RO))
        self.assertSameAsDirect(pr.READ_RESERVATION, 8192)

    def test_report_capabilities(self):
        """REPORT CAPABILITIES"""
        reply = self.assertSameAsDirect(pr.REPORT_CAPABILITIES, 8192)
        length, _, mask = struct.unpack(">HHH", reply.payload[:6])
        self.assertEqual((length, mask), (8, TYPE_MASK))

    def test_read_full_status(self):
        """READ FULL STATUS"""
        self.reserve()
        reply = self.assertSameAsDirect(pr.READ_FULL_STATUS, 8192)
        seen = [(d.key, d.holder) for d in full_status(reply)]
        self.assertEqual(seen, [(KA, True), (KB, False)])

    def test_allocation_lengths(self):
        """allocation lengths that are short, exact, odd and the longest"""
        self.register_both()
        for action in (pr.READ_KEYS, pr.READ_RESERVATION, pr.REPORT_CAPABILITIES,
                       pr.READ_FULL_STATUS):
            # LIO refuses less than 8, and that has to come back as well
            for alloc in (1, 7, 8, 9, 16, 24, 255, 4096, 8191, 8192):
                with self.subTest(action=action, alloc=alloc):
                    reply = self.assertSameAsDirect(action, alloc)
                    self.assertLessEqual(len(reply.payload), alloc)

    def test_unknown_service_action(self):
        """an unknown service action: the disk's refusal comes back, and nothing ends"""
        for action in (4, 0x1F):
            self.assertCheck(self.in_(self.fa, action), INVALID_FIELD)
        self.assertCheck(self.client.out(self.fa, 0x1F), INVALID_FIELD)
        self.assertGood(self.in_(self.fa, pr.READ_KEYS))

    def test_reply_in_time(self):
        """one connection serves both paths, many requests one after the other"""
        self.register_both()
        for _ in range(50):
            self.assertEqual(self.client.read_keys(self.fa)[1], [KA, KB])
            self.assertEqual(self.client.read_keys(self.fb)[1], [KA, KB])


class Descriptor:
    """One of READ FULL STATUS (SPC-4 6.15.5)."""

    def __init__(self, raw):
        self.key, flags, self.port, length = struct.unpack(">Q4xBx4xHI", raw[:24])
        self.holder = bool(flags & 1)
        self.transport_id = raw[24:24 + length]
        self.size = 24 + length


def full_status(reply):
    length, = struct.unpack(">4xI", reply.payload[:8])
    rest, found = reply.payload[8:8 + length], []
    while rest:
        found.append(Descriptor(rest))
        rest = rest[found[-1].size:]
    return found
