# SPDX-License-Identifier: BSD-2-Clause
"""What happens to the daemons beside their clients: ends, disks that hang, no descriptors."""

import contextlib
import os
import resource
import select
import signal
import threading
import time

import prclient as pr
from service import forking

WAITING = 6             # clients of a disk that hangs; two of them leave
LEAVING = 2
AFTERMATH = 3.0         # seconds until answers from before are all read
EXHAUSTED = "newcomers have to wait: Too many open files"    # in a daemon's log
GO_ON_SECONDS = 20.0    # for others to go on; after 30 the kernel's error recovery stops them, too


class Restarter:
    """Ends a service at random times, one way or the other, and starts it again.

    `pauses`: the least and the mean number of seconds in between.
    """

    def __init__(self, service, rng, pauses, tally):
        self._service, self._rng, self._pauses, self._tally = service, rng, pauses, tally
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self):
        self._thread.start()

    def join(self):
        self._thread.join()

    def _run(self):
        least, mean = self._pauses
        while not self._tally.stop.wait(least + self._rng.expovariate(1 / (mean - least))):
            how = self._rng.choice((signal.SIGTERM, signal.SIGKILL, signal.SIGKILL))
            self._service.restart(how, few_descriptors=self._rng.random() < 0.25)
            self._tally.event("kill -9" if how == signal.SIGKILL else "restarts")


def squeeze(service, seconds, tally):
    """Take a running daemon's room for more descriptors, while it is attacked; give it back."""
    before = resource.prlimit(service.pid, resource.RLIMIT_NOFILE)
    used = 1 + max((int(n) for n in _fds(service.pid)), default=64)
    told = service.log().count(EXHAUSTED)
    tally.squeezed.set()
    try:
        resource.prlimit(service.pid, resource.RLIMIT_NOFILE, (used + 2, before[1]))
    except PermissionError:
        tally.note("the limit on descriptors of a running daemon: not ours to change")
        return
    time.sleep(seconds)
    resource.prlimit(service.pid, resource.RLIMIT_NOFILE, before)
    time.sleep(AFTERMATH)
    tally.squeezed.clear()
    exhausted = service.log().count(EXHAUSTED) > told
    tally.event("descriptors exhausted" if exhausted else "descriptors limited, and enough")


def _fds(pid):
    try:
        return os.listdir(f"/proc/{pid}/fd")
    except PermissionError:
        return []


class Hang:
    """A disk that can hang, by `fd`: a base with the parts that differ.

    What a client is told in the end is `right(reply)`.
    """

    fd = -1
    close_hangs = False     # of a copy of it, too, which every new process has for a moment

    def stop(self):
        """From now on commands do not come back."""

    def resume(self):
        """They do."""

    def right(self, reply):
        return reply.status == pr.GOOD


def hang(service, disk, others, seconds, patience, tally):
    """A disk of `service` hangs: its clients wait, `others` (clusters) go on."""
    clients = _connect(service, patience)
    with forking if disk.close_hangs else contextlib.nullcontext():
        _hang(clients, service, disk, others, seconds, patience, tally)
    for client in clients[LEAVING:]:
        try:
            reply = client.reply()
            if not disk.right(reply):
                tally.fail(f"{service.name}: after a disk hung: {reply}")
        except (OSError, EOFError) as e:
            tally.fail(f"{service.name}: no answer after a disk hung: {e!r}")
        client.close()
    tally.event("disks hung and resumed")


def _hang(clients, service, disk, others, seconds, patience, tally):
    before = {cluster: cluster.steps for cluster in others}
    disk.stop()
    try:
        for client in clients:
            client.send(pr.cdb_in(pr.READ_KEYS), [disk.fd])
        time.sleep(seconds)
        end = time.monotonic() + min(patience, GO_ON_SECONDS)
        while time.monotonic() < end and any(c.steps == steps for c, steps in before.items()):
            time.sleep(0.1)
        if select.select([c.sock for c in clients], [], [], 0)[0]:
            tally.fail(f"{service.name}: a command on a disk that hangs came back")
        for cluster, steps in before.items():
            if cluster.steps == steps:
                tally.fail(f"{cluster.name}: stood still while another disk hung")
        for client in clients[:LEAVING]:
            client.close()
    finally:
        disk.resume()


def _connect(service, patience):
    """Clients, though the daemon may be full for a moment."""
    clients = []
    end = time.monotonic() + patience
    while len(clients) < WAITING:
        try:
            clients.append(pr.Client(service.sockets[0], timeout=patience))
        except (OSError, EOFError):
            if time.monotonic() > end:
                raise
            time.sleep(0.05)
    return clients
