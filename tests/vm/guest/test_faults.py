# SPDX-License-Identifier: BSD-2-Clause
"""Disks that hang, that get lost, and that write where they should not."""

import os
import time

import hanging
import prclient as pr
import scsi
import stacked
from case import PEER, Case, defect
from waiting import wait_for

KEY = 0xA1
COMMANDS = 16       # that one user may have in flight on one device


class NoPathLeft(Case):
    """A multipath map without a path: the kernel keeps commands until one comes back."""

    def setUp(self):
        super().setUp()
        self.daemon = self.helper()
        path = self.enterContext(stacked.multipath("hanging", self.a.disk))
        number = os.stat(self.a.disk).st_rdev
        self.path = f"{os.major(number)}:{os.minor(number)}"
        self.hung, self.good = self.open(path), self.open(self.b.disk)
        stacked.multipath_message("hanging", f"fail_path {self.path}")
        self.addCleanup(self.come_back)

    def come_back(self):
        stacked.multipath_message("hanging", f"reinstate_path {self.path}")

    def hang(self):
        """A client with a command under way that hangs."""
        client = self.enterContext(self.daemon.client())
        client.send(pr.cdb_in(pr.READ_KEYS), [self.hung])
        return client

    def test_others(self):
        """disks that hang delay nobody else, and their clients get their answer in the end"""
        stuck = [self.hang() for _ in range(COMMANDS)]
        wait_for(lambda: self.daemon.commands_running() == len(stuck))
        with self.daemon.client() as other:
            start = time.monotonic()
            for _ in range(10):
                self.assertEqual(other.read_keys(self.good)[1], [])
            self.assertLess(time.monotonic() - start, 10)
        for client in stuck:
            client.sock.setblocking(False)
            with self.assertRaises(BlockingIOError):
                client.sock.recv(1)
            client.sock.settimeout(30)
        self.come_back()
        for client in stuck:
            self.assertGood(client.reply())

    def test_full(self):
        """a disk that hangs takes so many commands, and the next gets BUSY"""
        for _ in range(COMMANDS):
            self.hang()
        wait_for(lambda: self.daemon.commands_running() == COMMANDS)
        with self.daemon.client() as one_more:
            for _ in range(3):
                reply = one_more.request(self.hung, pr.cdb_in(pr.READ_KEYS))
                self.assertEqual(reply.status, pr.BUSY)
        self.come_back()
        wait_for(lambda: self.daemon.commands_running() == 0)
        with self.daemon.client() as later:
            self.assertEqual(later.read_keys(self.hung)[1], [])

    def test_stop(self):
        """SIGTERM while a command runs: it is answered, then the daemon ends"""
        stuck = self.hang()
        wait_for(self.daemon.commands_running)
        self.daemon.process.terminate()
        wait_for(lambda: not self.daemon.accepts())
        self.come_back()
        self.assertGood(stuck.reply())
        self.assertEqual(self.daemon.stop(), 0)


class Timeout(Case):
    TIMED_OUT = (0xB, 0x2E, 2)

    @defect("a timeout that is fixed, and 1 ms by its number")
    def test_timeout(self):
        """--timeout=SECONDS: a command that takes longer ends with B/2E/02"""
        # the kernel makes 7 s of whatever is less
        client = self.enterContext(self.helper(*[] if PEER else ["--timeout=9"]).client())
        fd = self.open(self.a.disk)
        with hanging.Target(self.lun) as disk:
            before = disk.timeouts()
            disk.hang(client, fd)
            start = time.monotonic()
            wait_for(lambda: disk.timeouts() > before)
            self.assertGreaterEqual(time.monotonic() - start, 8)
            disk.come_back()
            self.assertCheck(client.reply(), self.TIMED_OUT)


class Lost(Case):
    def setUp(self):
        super().setUp()
        self.client = self.enterContext(self.helper().client())
        self.fd = self.open(self.a.disk)

    def assertFailing(self, code):
        self.assertCheck(self.client.request(self.fd, pr.cdb_in(pr.READ_KEYS)), code)
        self.assertCheck(self.client.out(self.fd, pr.REGISTER, sark=KEY), code)

    def assertBack(self):
        scsi.drop_unit_attentions(self.a.disk)
        self.assertEqual(self.client.read_keys(self.fd)[1], [])

    def test_offline(self):
        """a disk that is offline: 4/44/00, and it serves again when it is back"""
        state = self.a.sysfs / "state"
        state.write_text("offline\n")
        try:
            self.assertFailing((4, 0x44, 0))
        finally:
            state.write_text("running\n")
        self.assertBack()

    def test_transport(self):
        """a transport that is disrupted: B/29/07, and it serves again when it is back"""
        self.a.transport_status.write_text("offline")
        try:
            self.assertFailing((0xB, 0x29, 7))
        finally:
            self.a.transport_status.write_text("online")
        self.assertBack()


class Overrun(Case):
    def test_overrun(self):
        """a disk that writes past the allocation length does not harm the daemon"""
        # LIO, READ FULL STATUS: a descriptor that begins inside the allocation length is
        # written as a whole, straight into the caller's memory
        daemon = self.helper()
        client = self.enterContext(daemon.client())
        fds = self.open(self.a.disk), self.open(self.b.disk)
        for n, fd in enumerate(fds):
            self.assertGood(client.out(fd, pr.REGISTER, sark=n + 1))
        for alloc in [*range(24, 104, 4)] * 5:
            reply = client.request(fds[0], pr.cdb_in(pr.READ_FULL_STATUS, alloc))
            self.assertGood(reply)
            self.assertLessEqual(len(reply.payload), alloc)
        self.assertEqual(client.read_keys(fds[0])[1], [1, 2])
        client.close()
        self.assertEqual(daemon.stop(), 0)
