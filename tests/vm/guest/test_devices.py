# SPDX-License-Identifier: BSD-2-Clause
"""Which descriptors the daemon serves, and that it touches no other.

The boundary: whoever may write to a whole SCSI disk may reserve it. Nobody else.
"""

import os
import socket
import tempfile

import lio
import prclient as pr
import stacked
from case import Case, defect
from waiting import wait_for

KEY = 0xA1


class DeviceCase(Case):
    def start(self, *options):
        self.daemon = self.helper(*options)
        self.client = self.enterContext(self.daemon.client())

    def make(self, device):
        """Set up something stacked for this case; returns its path."""
        return self.enterContext(device)

    def assertNothingServed(self, fd, what):
        self.assertRefused(self.client.request(fd, pr.cdb_in(pr.READ_KEYS)), f"{what}: PR IN")
        self.assertNotWritable(fd, what)

    def assertNotWritable(self, fd, what):
        for action in (pr.REGISTER, pr.REGISTER_AND_IGNORE):
            self.assertRefused(self.client.out(fd, action, sark=KEY), f"{what}: PR OUT")
        self.assertEqual(lio.keys(self.b.disk), [], f"{what}: nothing is registered")

    def assertServed(self, fd, what):
        self.assertGood(self.client.out(fd, pr.REGISTER, sark=KEY), what)
        self.assertEqual(lio.keys(self.b.disk), [KEY], what)
        self.assertEqual(self.client.read_keys(fd)[1], [KEY], what)
        self.assertGood(self.client.out(fd, pr.REGISTER, key=KEY), what)

    def assertLogged(self, text):
        self.assertIn(text, self.daemon.log)


class ScsiDevices(DeviceCase):
    def test_sg(self):
        """/dev/sgN is served as the disk is"""
        self.start()
        fd = self.open(self.a.sg)
        self.assertGood(self.client.out(fd, pr.REGISTER, sark=KEY))
        self.assertGood(self.client.out(fd, pr.RESERVE, key=KEY, rtype=pr.EA_RO))
        self.assertEqual(lio.reservation(self.b.disk), (KEY, pr.EA_RO))
        other = self.open(self.b.sg)
        self.assertGood(self.client.out(other, pr.REGISTER, sark=KEY))
        self.assertConflict(self.client.out(other, pr.RESERVE, key=KEY, rtype=pr.EA_RO))
        self.assertGood(self.client.out(fd, pr.RELEASE, key=KEY, rtype=pr.EA_RO))
        self.assertCheck(self.client.request(other, pr.cdb_in(pr.READ_KEYS)), (6, 0x2A, 4))

    def test_read_only(self):
        """a descriptor that cannot write reads reservations and makes none"""
        self.start()
        for path in (self.a.disk, self.a.sg):
            fd = self.open(path, os.O_RDONLY)
            self.assertGood(self.client.request(fd, pr.cdb_in(pr.READ_KEYS)), path)
            self.assertNotWritable(fd, path)

    def test_write_only(self):
        """a descriptor that only writes is one that writes"""
        self.start()
        self.assertServed(self.open(self.a.disk, os.O_WRONLY), "O_WRONLY")


    def test_audit(self):
        """the log names the disk, the client and the keys of each PR OUT that reached a disk"""
        self.start()
        wwid = (self.a.sysfs / "wwid").read_text().strip()
        for path in (self.a.disk, self.a.sg):
            self.assertServed(self.open(path), path)

        def registered():
            return [line for line in self.daemon.log.splitlines() if f"{KEY:#x}" in line]
        wait_for(lambda: len(registered()) == 4)
        for line in registered():
            for part in (wwid, "REGISTER", f"pid={os.getpid()}", "uid=0", "GOOD"):
                self.assertIn(part, line)


class NotScsi(DeviceCase):
    def test_not_a_device(self):
        """files, folders, sockets, pipes, O_PATH: refused, and nothing ends"""
        self.start()
        ends = socket.socketpair()
        pipe = os.pipe()
        self.addCleanup(lambda: [os.close(fd) for fd in pipe] + [s.close() for s in ends])
        with tempfile.TemporaryFile() as file:
            for fd, what in ((file.fileno(), "a regular file"),
                             (self.open("/dev/null"), "/dev/null"),
                             (self.open("/tmp", os.O_RDONLY), "a folder"),
                             (ends[0].fileno(), "a socket"), (pipe[1], "a pipe"),
                             (self.open(self.a.disk, os.O_PATH), "O_PATH of the disk")):
                self.assertNothingServed(fd, what)
        self.assertServed(self.open(self.a.disk), "the disk, afterwards")

    def test_other_block_devices(self):
        """a virtio disk is no SCSI disk"""
        self.start("--allow-stacked")
        self.assertNothingServed(self.open("/dev/vda"), "virtio")


class Stacked(DeviceCase):
    @defect("it reserves the disk for who has a partition")
    def test_partition(self):
        """a partition is refused: its descriptor would reserve the whole disk"""
        path = self.make(stacked.partition(self.a.disk))
        self.start()
        self.assertNothingServed(self.open(path), path)
        self.assertLogged("partition")
        self.assertServed(self.open(self.a.disk), "the disk itself")

    def test_partition_allowed(self):
        """a partition is served with --allow-stacked"""
        path = self.make(stacked.partition(self.a.disk))
        self.start("--allow-stacked")
        self.assertServed(self.open(path), path)

    @defect("it reserves the disk for who has a volume")
    def test_linear(self):
        """a device-mapper volume is refused, and one on top of it too"""
        path = self.make(stacked.linear("volume", self.a.disk))
        upper = self.make(stacked.linear("upper", path))
        self.start()
        for node in (path, upper):
            self.assertNothingServed(self.open(node), node)
        self.assertLogged("device-mapper")

    def test_linear_allowed(self):
        """a device-mapper volume is served with --allow-stacked"""
        path = self.make(stacked.linear("volume", self.a.disk))
        self.start("--allow-stacked")
        self.assertServed(self.open(path), path)

    def test_loop(self):
        """a loop device on the disk is refused, whatever the options"""
        path = self.make(stacked.loop(self.a.disk))
        for options in ((), ("--allow-stacked",)):
            self.start(*options)
            self.assertNothingServed(self.open(path), path)
            self.assertLogged("loop")

    def test_md(self):
        """an md array is refused, whatever the options"""
        path = self.make(stacked.md_array(self.a.disk))
        for options in ((), ("--allow-stacked",)):
            self.start(*options)
            self.assertNothingServed(self.open(path), path)
            self.assertLogged("md array")


class Multipath(DeviceCase):
    def setUp(self):
        super().setUp()
        self.map = self.make(stacked.multipath("mpatha", self.a.disk))

    def test_read(self):
        """a multipath map: PR IN goes through"""
        self.start()
        with self.daemon.client() as client:
            self.assertGood(client.out(self.open(self.b.disk), pr.REGISTER, sark=KEY))
        self.assertEqual(self.client.read_keys(self.open(self.map))[1], [KEY])

    def test_write(self):
        """a multipath map: PR OUT is refused, with --allow-stacked too"""
        for options in ((), ("--allow-stacked",)):
            self.start(*options)
            self.assertNotWritable(self.open(self.map), self.map)
            self.assertLogged("multipath")

    @defect("it reserves the disk for who has a volume")
    def test_stacked(self):
        """a volume on a multipath map is refused, with --allow-stacked too"""
        volume = self.make(stacked.linear("on-mpath", self.map))
        upper = self.make(stacked.linear("upper", volume))
        for options in ((), ("--allow-stacked",)):
            self.start(*options)
            for node in (volume, upper):
                self.assertNothingServed(self.open(node), node)
        self.assertLogged("multipath")
