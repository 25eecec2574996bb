# SPDX-License-Identifier: BSD-2-Clause
"""The main job: a guest of a real QEMU reserves a disk through the daemon."""

import struct

import lio
import prclient as pr
import qemu
import scsi
from case import Case
from waiting import wait_for

GUEST, HOST = 0xA1, 0xB2        # the keys of the guest and of the other initiator
STATUS_CHANGED = "PR_MANAGER_STATUS_CHANGED"


class QemuCase(Case):
    def boot(self, backend, device, model="scsi-block"):
        self.daemon = self.helper()
        self.guest = self.enterContext(qemu.Guest(self.daemon.socket, backend(device), model))
        self.guest.drop_unit_attentions()

    def diagnostics(self):
        guest = getattr(self, "guest", None)
        return super().diagnostics() + (["QEMU:", *guest.log.splitlines()] if guest else [])

    def out(self, action, key=0, sark=0, rtype=0):
        return self.guest.write(pr.cdb_out(action, rtype)[:10], pr.params(key, sark))

    def in_(self, action, length=512):
        return self.guest.read(pr.cdb_in(action, length)[:10], length)

    def keys(self):
        """The keys that the guest sees."""
        reply = self.in_(pr.READ_KEYS)
        self.assertStatus(reply, pr.GOOD)
        length, = struct.unpack(">4xI", reply.data[:8])
        return list(struct.unpack(f">{length // 8}Q", reply.data[8:8 + length]))

    def assertStatus(self, reply, status):
        self.assertEqual(reply.status, status, reply)

    def assertUnitAttention(self, reply, asc, ascq):
        self.assertStatus(reply, pr.CHECK_CONDITION)
        self.assertEqual(reply.code, (6, asc, ascq))


class FromGuest(QemuCase):
    def life_of_a_reservation(self):
        """Register, reserve, write, lose it to the other initiator, see it, take it back."""
        self.assertEqual(self.keys(), [])
        self.assertStatus(self.in_(pr.REPORT_CAPABILITIES, 8), pr.GOOD)
        self.assertStatus(self.out(pr.REGISTER, sark=GUEST), pr.GOOD)
        self.assertEqual(lio.keys(self.b.disk), [GUEST])
        self.assertStatus(self.out(pr.RESERVE, key=GUEST, rtype=pr.WE), pr.GOOD)
        self.assertEqual(lio.reservation(self.b.disk), (GUEST, pr.WE))
        self.assertStatus(self.guest.write_block(), pr.GOOD)
        self.assertEqual(scsi.write_block(self.b.disk).status, pr.RESERVATION_CONFLICT)

        lio.sg_persist("--out", "--register", f"--param-sark={HOST:#x}", self.b.disk)
        lio.sg_persist("--out", "--preempt", f"--param-rk={HOST:#x}", f"--param-sark={GUEST:#x}",
                       "--prout-type=1", self.b.disk)
        self.assertUnitAttention(self.guest.test_unit_ready(), 0x2A, 5)
        self.assertStatus(self.guest.write_block(), pr.RESERVATION_CONFLICT)
        self.assertStatus(self.out(pr.RESERVE, key=GUEST, rtype=pr.WE), pr.RESERVATION_CONFLICT)
        self.assertEqual(self.keys(), [HOST])
        self.assertEqual(scsi.write_block(self.b.disk).status, pr.GOOD)

        self.assertStatus(self.out(pr.REGISTER_AND_IGNORE, sark=GUEST), pr.GOOD)
        self.assertStatus(self.out(pr.PREEMPT, key=GUEST, sark=HOST, rtype=pr.WE), pr.GOOD)
        self.assertStatus(self.guest.write_block(), pr.GOOD)
        self.assertStatus(self.out(pr.CLEAR, key=GUEST), pr.GOOD)
        self.assertEqual(self.keys(), [])

    def test_blockdev(self):
        """scsi-block by -blockdev: the life of a reservation"""
        self.boot(qemu.blockdev, self.a.disk)
        self.life_of_a_reservation()

    def test_drive(self):
        """scsi-block by -drive: the life of a reservation"""
        self.boot(qemu.drive, self.a.disk)
        self.life_of_a_reservation()

    def test_generic_blockdev(self):
        """scsi-generic on /dev/sgN by -blockdev: the life of a reservation"""
        self.boot(qemu.blockdev, self.a.sg, "scsi-generic")
        self.life_of_a_reservation()

    def test_generic_drive(self):
        """scsi-generic on /dev/sgN by -drive: the life of a reservation"""
        self.boot(qemu.drive, self.a.sg, "scsi-generic")
        self.life_of_a_reservation()

    def test_errors(self):
        """what the disk refuses, the guest sees refused"""
        self.boot(qemu.blockdev, self.a.disk)
        self.assertEqual(self.in_(0x1F).code, (5, 0x24, 0))
        self.assertEqual(self.out(0x1F).code, (5, 0x24, 0))
        self.assertStatus(self.out(pr.REGISTER, key=0xDEAD, sark=GUEST), pr.RESERVATION_CONFLICT)
        self.assertEqual(self.keys(), [])


class Restart(QemuCase):
    def test_restart(self):
        """the daemon is killed and started again: QEMU says so and finds it again"""
        self.boot(qemu.blockdev, self.a.disk)
        qmp = self.guest.qmp
        self.assertStatus(self.out(pr.REGISTER, sark=GUEST), pr.GOOD)
        self.assertEqual(qmp.managers(), {qemu.MANAGER: True})

        self.daemon.stop(9)
        # QEMU notices at the next command
        self.assertStatus(self.in_(pr.READ_KEYS), pr.CHECK_CONDITION)
        self.assertEqual(qmp.wait_for_event(STATUS_CHANGED),
                         {"id": qemu.MANAGER, "connected": False})
        self.assertEqual(qmp.managers(), {qemu.MANAGER: False})

        self.helper(socket_path=self.daemon.socket)
        wait_for(lambda: self.in_(pr.READ_KEYS).status == pr.GOOD)
        self.assertEqual(qmp.wait_for_event(STATUS_CHANGED),
                         {"id": qemu.MANAGER, "connected": True})
        self.assertEqual(qmp.managers(), {qemu.MANAGER: True})
        self.assertEqual(self.keys(), [GUEST])
        self.assertStatus(self.out(pr.RESERVE, key=GUEST, rtype=pr.WE), pr.GOOD)

    def test_two_guests(self):
        """two QEMUs share one daemon and one LUN by two paths: the one stops the other"""
        self.boot(qemu.blockdev, self.a.disk)
        with qemu.Guest(self.daemon.socket, qemu.blockdev(self.b.disk)) as other:
            other.drop_unit_attentions()
            self.assertStatus(self.out(pr.REGISTER, sark=GUEST), pr.GOOD)
            self.assertStatus(self.out(pr.RESERVE, key=GUEST, rtype=pr.EA), pr.GOOD)
            self.assertStatus(self.guest.write_block(), pr.GOOD)
            self.assertStatus(other.write_block(), pr.RESERVATION_CONFLICT)
            self.assertStatus(self.out(pr.RELEASE, key=GUEST, rtype=pr.EA), pr.GOOD)
            self.assertStatus(other.write_block(), pr.GOOD)
