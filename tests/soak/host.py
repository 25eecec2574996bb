# SPDX-License-Identifier: BSD-2-Clause
"""The half of the soak without disks: the simulated target, and the real daemon refusing."""

import contextlib
import os
import random
import signal
import sys
from pathlib import Path
from types import SimpleNamespace

sys.path.append(str(Path(__file__).resolve().parent.parent / "protocol"))

import prclient as pr                   # noqa: E402
from campaign import Campaign, Parts    # noqa: E402
from events import Hang                 # noqa: E402
from fuse import Troubles               # noqa: E402
from harness import Skip                # noqa: E402
from ledger import Ledger               # noqa: E402
from nexus import Nexus                 # noqa: E402
from race import Race                   # noqa: E402
from service import Service             # noqa: E402
from tally import Tally                 # noqa: E402
from witness import Witness             # noqa: E402

INITIATORS = "abcw"             # w is the one that looks
PATIENCE = 20.0
PAUSES = (0.3, 3.0)
LIMITS = ["--max-clients=120"]  # 90 of one user: a flood has an end
NOBODY = 65534
OPTIONS = ["--socket-mode=666", "--status-socket={folder}/{name}.status"]


class StoppedServer(Hang):
    """A file of a file system in user space, whose server is stopped and continued."""

    close_hangs = True

    def __init__(self, troubles):
        self.fd = troubles.open("fine")
        self._server = troubles.pid

    def stop(self):
        os.kill(self._server, signal.SIGSTOP)

    def resume(self):
        os.kill(self._server, signal.SIGCONT)

    def right(self, reply):
        """It is no disk to either daemon; what matters is that the answer comes."""
        return reply.status == pr.CHECK_CONDITION


class Host:
    def __init__(self, folder, campaign, options, stack):
        self._folder, self._campaign, self._stack = Path(folder), campaign, stack
        self._tally, self._seed = campaign.tally, campaign.rng
        self._sim, self._helper = options.sim.resolve(), options.helper.resolve()
        self._always = LIMITS + (["--no-sandbox"] if options.sanitized else [])
        self._readonly, self._own = [], []

    def parts(self):
        parts = Parts(PATIENCE, PAUSES)
        hang = self._hang()
        for name, kinds in (("steady", ("race", "always")),
                            ("killed", ("race", "always", "never", "sometimes"))):
            service = self._simulated(name)
            clusters = [self._cluster(service, kind) for kind in kinds]
            (parts.steady if name == "steady" else parts.restarted).append(service)
            parts.clusters += clusters
            parts.hangs += [(service, hang, clusters)] if hang and name == "steady" else []
        real = self._service("real", [self._helper], ["-k", "{folder}/real"], ["real"])
        witness = self._witness(real)
        parts.steady.append(real)
        parts.clusters.append(witness)
        parts.hangs += [(real, hang, [witness])] if hang else []
        for service in (*parts.steady, *parts.restarted):
            parts.hostile += [self._hostile(service, uid) for uid in (0, NOBODY)]
        return parts

    def _rng(self):
        return random.Random(self._seed.getrandbits(32))

    def _service(self, name, program, arguments, sockets):
        names = {"folder": self._folder, "name": name}
        words = [*program, *(word.format(**names) for word in (*arguments, *OPTIONS)),
                 *self._always]
        return Service(name, words, [self._folder / s for s in sockets], self._folder,
                       self._tally, PATIENCE)

    def _simulated(self, name):
        sockets = [f"{name}-{i}" for i in INITIATORS]
        arguments = ["--state-dir={folder}/{name}.state"]
        arguments += [f"--initiator=iqn.2026-11.org.example:{i},socket={{folder}}/{s}"
                      for i, s in zip(INITIATORS, sockets)]
        return self._service(name, [self._sim], arguments, sockets)

    def _open(self, name, flags=os.O_RDWR | os.O_CREAT):
        fd = os.open(self._folder / name, flags | os.O_CLOEXEC, 0o666)
        self._stack.callback(os.close, fd)
        return fd

    def _cluster(self, service, kind):
        name = f"{service.name}/{kind}"
        disk = f"disk-{service.name}-{kind}"
        common = (name, self._tally, self._campaign.gate, self._rng(), False)
        cluster = Race(*common) if kind == "race" else Ledger(*common, aptpl=kind)
        fd = self._open(disk)
        self._readonly.append(self._open(disk, os.O_RDONLY))
        members = [Nexus(f"{name}/{i}", path, fd, self._tally, PATIENCE, cluster.on_life)
                   for i, path in zip(INITIATORS, service.sockets)]
        *cluster.nodes, cluster.observer = members
        return cluster

    def _witness(self, service):
        witness = Witness("real/witness", self._tally, self._campaign.gate, self._rng(), True)
        for name in ("/dev/null", "/dev/zero", "plain-file"):
            witness.nodes.append(Nexus(f"real{name}", service.sockets[0], self._open(name),
                                       self._tally, PATIENCE))
        return witness

    def _hostile(self, service, uid):
        """Its own disk is one to the simulated target only."""
        own = self._open(f"scratch-{uid}")
        simulated = service.name != "real"
        settings = {
            "seed": self._seed.getrandbits(32), "sockets": service.sockets, "own": own,
            "readonly": self._readonly, "no_disks": [] if simulated else [(own, "a file")],
            "files_are_disks": simulated, "uid": uid, "flood": 200 if uid else 20,
            "hold_seconds": 1.5, "patient": self._campaign.seconds >= 60}
        return settings, [own, *self._readonly]

    def _hang(self):
        context = SimpleNamespace(dir=str(self._folder), cleanups=self._stack)
        # its server ends with this program, not by a signal to all: nothing could be closed then
        signals = {n: signal.signal(n, signal.SIG_IGN) for n in (signal.SIGTERM, signal.SIGINT)}
        try:
            return StoppedServer(Troubles(context))
        except Skip as e:
            self._tally.note(f"no disk hung on the simulated target: {e}")
            return None
        finally:
            for number, handler in signals.items():
                signal.signal(number, handler)


def soak(folder, seconds, seed, say, options):
    """(passed, lines of the summary). `options`: of the command line."""
    with contextlib.ExitStack() as stack:
        campaign = Campaign(seconds, Tally(say), random.Random(seed), say)
        campaign.measure = not options.sanitized
        passed = campaign.run(Host(folder, campaign, options, stack).parts())
        return passed, list(campaign.summary())
