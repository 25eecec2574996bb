# SPDX-License-Identifier: BSD-2-Clause
"""The disk under test: LIO, the kernel's own SCSI target, through configfs.

A ramdisk is exported to two initiators. Each of them is an I_T nexus of its own, so
that they stand for two hosts that share one disk.
"""

import functools
import os
import re
import struct
import subprocess
from pathlib import Path

import scsi
from waiting import wait_for

CONFIGFS = Path("/sys/kernel/config/target")
ISCSI_HOSTS = Path("/sys/class/iscsi_host")
APTPL = Path("/var/target/pr")      # where LIO keeps reservations that survive power loss


class Initiator:
    """One host's view of the LUN: `disk` is /dev/sdX, `sg` is /dev/sgN."""

    def __init__(self, host, number=0):
        """`host`: the number of the SCSI host, `number`: the LUN's there."""
        devices = Path("/sys/class/scsi_device")
        self.sysfs = wait_for(lambda: next(devices.glob(f"{host}:*:{number}"), None)) / "device"
        self.disk = "/dev/" + self._name("block")
        self.sg = "/dev/" + self._name("scsi_generic")
        wait_for(self._opens)           # its node is there before the disk is
        scsi.drop_unit_attentions(self.disk)

    def _opens(self):
        try:
            os.close(os.open(self.disk, os.O_RDWR | os.O_NONBLOCK))
            return True
        except OSError:
            return False

    def _name(self, kind):
        return wait_for(lambda: next((self.sysfs / kind).glob("*"), None)).name


def loopback_initiator(backstore, number):
    """A target port and an initiator inside the kernel: no transport at all."""
    group = CONFIGFS / f"loopback/naa.500140500000000{number:x}/tpgt_1"
    group.mkdir(parents=True)
    (group / "nexus").write_text(f"naa.50014050000000{number:x}0")
    return _loopback_lun(group, backstore, 0)


def _loopback_lun(group, backstore, number):
    (group / f"lun/lun_{number}").mkdir()
    (group / f"lun/lun_{number}/backstore").symlink_to(backstore)
    initiator = Initiator((group / "address").read_text().split(":")[0], number)
    initiator.group = group
    initiator.transport_status = group / "transport_status"     # "online" or "offline"
    return initiator


def iscsi_initiator(backstore, number):
    """A target of LIO over iSCSI, and a session of the kernel's initiator with it, over lo."""
    target = f"iqn.2020-01.test:target{number}"     # one session each is all that iscsistart does
    group = CONFIGFS / f"iscsi/{target}/tpgt_1"
    group.mkdir(parents=True)
    (group / "lun/lun_0").mkdir()
    (group / "lun/lun_0/backstore").symlink_to(backstore)
    (group / "np/127.0.0.1:3260").mkdir()
    for name, value in (("authentication", "0"), ("generate_node_acls", "1"),
                        ("demo_mode_write_protect", "0")):
        (group / "attrib" / name).write_text(value)
    (group / "enable").write_text("1")
    before = set(ISCSI_HOSTS.iterdir())
    subprocess.run(["iscsistart", "-i", f"iqn.2020-01.test:initiator{number}", "-t", target,
                    "-g", "1", "-a", "127.0.0.1", "-p", "3260"], check=True, capture_output=True)
    new, = set(ISCSI_HOSTS.iterdir()) - before
    return Initiator(new.name.removeprefix("host"))


def ramdisk(name, serial):
    backstore = CONFIGFS / "core/rd_mcp_0" / name
    backstore.mkdir(parents=True)
    (backstore / "control").write_text("rd_pages=4096")     # 16 MiB
    (backstore / "wwn/vpd_unit_serial").write_text(serial)
    (backstore / "enable").write_text("1")
    return backstore


class Lun:
    """A ramdisk with two initiators, whose numbers no other LUN of that transport has."""

    def __init__(self, name, serial, make_initiator=loopback_initiator, numbers=(1, 2)):
        self.serial = serial
        self.backstore = ramdisk(name, serial)
        self.initiators = [make_initiator(self.backstore, n) for n in numbers]

    def reset(self):
        """No registration, no reservation, no unit attention."""
        first = self.initiators[0].disk
        key = struct.pack(">QQ8x", 0, 1)
        for initiator in self.initiators:
            scsi.drop_unit_attentions(initiator.disk)
        _expect_good(scsi.execute(first, bytes.fromhex("5f060000000000001800"), out=key))
        _expect_good(scsi.execute(first, bytes.fromhex("5f030000000000001800"),
                                  out=struct.pack(">QQ8x", 1, 0)))
        for initiator in self.initiators:
            scsi.drop_unit_attentions(initiator.disk)

    def aptpl_file(self):
        return APTPL / f"aptpl_{self.serial}"


@functools.cache
def shared_lun():
    """The LUN of most suites."""
    return Lun("shared", "0123456789ab")


@functools.cache
def other_lun():
    """A second one, on SCSI hosts of its own."""
    return Lun("other", "0f1e2d3c4b5a", numbers=(3, 4))


@functools.cache
def neighbour():
    """Another disk on the SCSI host of the first initiator of shared_lun()."""
    first = shared_lun().initiators[0]
    disk = _loopback_lun(first.group, ramdisk("neighbour", "5a4b3c2d1e0f"), 1)
    scsi.drop_unit_attentions(first.disk)       # of a LUN that has come
    return disk


@functools.cache
def iscsi_lun():
    """The same over iSCSI."""
    return Lun("iscsi", "ba9876543210", iscsi_initiator)


def _expect_good(result):
    if result.status:
        raise OSError(f"the disk answered {result}")


# From the side: what sg_persist sees. `device` is a path.

def keys(device):
    """The registered keys, by sg_persist."""
    return [int(k, 16) for k in re.findall(r"^ +0x([0-9a-f]+)$", sg_persist("-k", device), re.M)]


def reservation(device):
    """(key, type) of the reservation, by sg_persist; None where there is none."""
    text = sg_persist("-r", device)
    key = re.search(r"Key=0x([0-9a-f]+)", text)
    if not key:
        return None
    kind = re.search(r"type: (.*)", text)[1].strip()
    return int(key[1], 16), RESERVATION_TYPES[kind]


RESERVATION_TYPES = {
    "Write Exclusive": 1, "Exclusive Access": 3,
    "Write Exclusive, registrants only": 5, "Exclusive Access, registrants only": 6,
    "Write Exclusive, all registrants": 7, "Exclusive Access, all registrants": 8}


def sg_persist(*arguments):
    """The output of a sg_persist --in or (with --out) of a command that must succeed."""
    if "--out" not in arguments:
        arguments = ("--in", *arguments)
    done = subprocess.run(["sg_persist", "--no-inquiry", *arguments], capture_output=True,
                          text=True)
    if done.returncode:
        raise OSError(f"sg_persist {' '.join(arguments)}: status {done.returncode}\n"
                      + done.stdout + done.stderr)
    return done.stdout
