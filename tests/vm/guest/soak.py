# SPDX-License-Identifier: BSD-2-Clause
"""The half of `tests/soak/run` with real disks: soak.py SECONDS SEED.

LUNs of LIO, each with several initiators; two daemons, one that lives as long as the soak
and one that is killed all the time, and clusters whose members use the one, the other or
both. What is looked up is looked up past the daemons.
"""

import fcntl
import itertools
import os
import random
import sys
import tempfile

import lio
import prclient as pr
import scsi
import stacked
from campaign import Campaign, Parts
from contextlib import ExitStack
from events import Hang
from ledger import Ledger
from nexus import Nexus, parse_keys, parse_reservation
from race import Race
from service import Service
from tally import Tally

HELPER = "/usr/bin/qemu-pr-helper"
OPTIONS = ["-u", "nobody", "--socket-mode=666", "--max-clients=80"]
PATIENCE = 60.0
PAUSES = (3.0, 15.0)
PLAIN = 1000            # the user that attacks; the daemon is nobody
FIFREEZE, FITHAW = 0xC0045877, 0xC0045878       # <linux/fs.h>


class Direct:
    """Looks at a disk by SG_IO, as an initiator of its own."""

    def __init__(self, disk):
        self._disk = disk

    def look(self):
        keys, reservation = (self._read(action) for action in (pr.READ_KEYS, pr.READ_RESERVATION))
        return (0, *parse_keys(keys), parse_reservation(reservation))

    def _read(self, action):
        while (result := scsi.execute(self._disk, pr.cdb_in(action)[:10], length=8192)).status:
            if not result.code or result.code[0] != 6:
                raise OSError(f"{self._disk}: {result}")
        return result.data

    def close(self):
        pass


class NoPath(Hang):
    """A multipath map, whose only path is taken away."""

    def __init__(self, stack, disk):
        number = os.stat(disk).st_rdev
        self._path = f"{os.major(number)}:{os.minor(number)}"
        name = stack.enter_context(stacked.multipath("hanging", disk))
        self.fd = os.open(name, os.O_RDWR | os.O_NONBLOCK)
        stack.callback(os.close, self.fd)

    def stop(self):
        stacked.multipath_message("hanging", f"fail_path {self._path}")

    def resume(self):
        stacked.multipath_message("hanging", f"reinstate_path {self._path}")


class Frozen(Hang):
    """The same, while LIO cannot store in `path` what APTPL promises: who asks for that waits, too."""

    def __init__(self, disk, path):
        self._disk, self.fd, self._path = disk, disk.fd, path
        self._folder = None

    def stop(self):
        self._disk.stop()
        self._folder = os.open(self._path, os.O_RDONLY)
        fcntl.ioctl(self._folder, FIFREEZE, 0)

    def resume(self):
        fcntl.ioctl(self._folder, FITHAW, 0)
        os.close(self._folder)
        self._disk.resume()


class Guest:
    def __init__(self, campaign, stack):
        self._campaign, self._stack = campaign, stack
        self._tally, self._random = campaign.tally, campaign.rng
        self._folder = tempfile.mkdtemp(prefix="soak-")
        os.chmod(self._folder, 0o755)
        self._freezing = tempfile.mkdtemp(prefix="freezing-")
        self._ports = itertools.count(1)
        self._readonly = []

    def parts(self):
        for folder in (lio.APTPL, self._freezing):
            self._stack.enter_context(stacked.file_system(folder))
        parts = Parts(PATIENCE, PAUSES)
        steady, killed = (self._service(name) for name in ("steady", "killed"))
        parts.steady.append(steady)
        parts.restarted.append(killed)
        parts.clusters = [
            self._cluster("steady/ledger", [steady, steady], "never"),
            self._cluster("killed/ledger", [killed, killed], "never"),
            self._cluster("both/ledger", [steady, killed], "always"),
            self._cluster("both/race", [steady, killed, steady], None)]
        scratch = self._lun("scratch", 2)
        own = self._open(scratch.initiators[0].disk)
        parts.hostile = [self._hostile(service, own, uid)
                         for service in (steady, killed) for uid in (0, PLAIN)]
        disk = NoPath(self._stack, scratch.initiators[1].disk)
        # those that ask for APTPL wait when it cannot be stored, the others may not
        parts.hangs = [(steady, disk, parts.clusters),
                       (steady, Frozen(disk, self._freezing), parts.clusters[:2])]
        return parts

    def _rng(self):
        return random.Random(self._random.getrandbits(32))

    def _service(self, name):
        path = f"{self._folder}/{name}"
        words = [HELPER, "-k", path, f"--status-socket={path}.status", *OPTIONS]
        return Service(name, words, [path], self._folder, self._tally, PATIENCE)

    def _lun(self, name, initiators):
        def initiator(backstore, _):
            return lio.loopback_initiator(backstore, next(self._ports))
        lun = lio.Lun(name, f"{self._random.getrandbits(48):012x}", initiator)
        while len(lun.initiators) < initiators:
            lun.initiators.append(initiator(lun.backstore, None))
        return lun

    def _open(self, path, flags=os.O_RDWR):
        fd = os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC)
        self._stack.callback(os.close, fd)
        return fd

    def _cluster(self, name, services, aptpl):
        lun = self._lun(name.replace("/", "-"), len(services) + 1)
        if aptpl != "never":    # and the others' LUNs store elsewhere that there is nothing to store
            file = lun.aptpl_file()
            file.symlink_to(f"{self._freezing}/{file.name}")
        common = (name, self._tally, self._campaign.gate, self._rng(), True)
        cluster = Ledger(*common, aptpl=aptpl) if aptpl else Race(*common)
        *members, observer = (initiator.disk for initiator in lun.initiators)
        cluster.nodes = [Nexus(f"{name} {disk}", service.sockets[0], self._open(disk), self._tally,
                               PATIENCE, cluster.on_life)
                         for disk, service in zip(members, services)]
        cluster.observer = Direct(observer)
        self._readonly += [self._open(disk, os.O_RDONLY) for disk in members]
        return cluster

    def _hostile(self, service, own, uid):
        """`own` is a disk that nobody else uses."""
        file = self._open("/dev/vda"), "a disk that is not SCSI"
        settings = {
            "seed": self._random.getrandbits(32), "sockets": service.sockets, "own": own,
            "readonly": self._readonly, "no_disks": [file], "files_are_disks": False, "uid": uid,
            "flood": 100 if uid else 10, "hold_seconds": 2.0,
            "patient": self._campaign.seconds >= 60}
        return settings, [own, file[0], *self._readonly]


def say(text):
    """In one write: many threads do."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main():
    seconds, seed = float(sys.argv[1]), int(sys.argv[2])
    with ExitStack() as stack:
        campaign = Campaign(seconds, Tally(say), random.Random(seed), say)
        passed = campaign.run(Guest(campaign, stack).parts())
        for line in campaign.summary():
            say(f"| {line}")
    return 0 if passed else 1


sys.exit(main())
