# SPDX-License-Identifier: BSD-2-Clause
"""An honest client: a connection that is made again when it breaks, as a VMM does it.

It sends a command twice only where the first cannot have been carried out. Where it may
have been, it says so (InDoubt), and its owner has to allow for both.
"""

import socket
import struct
import time

import prclient as pr

UNIT_ATTENTION = 6
PAUSE = 0.02            # seconds between two attempts to connect, or after BUSY
NOT_STORED = (4, 0x44, 0)       # the simulated target could not open its file, and changed nothing
NOT_REGISTERED = (2, 0x08, 0)   # how LIO answers a stranger where nothing is reserved


class InDoubt(Exception):
    """The connection broke after a command was sent: it was carried out, or was not."""


class GivenUp(Exception):
    """The client's patience is over, or the answer makes no sense; the tally knows."""


class Nexus:
    """One way to one disk: a socket and a descriptor.

    `on_life(pid)` is called with each new connection, before anything is sent over it.
    """

    def __init__(self, name, socket_path, fd, tally, patience, on_life=lambda pid: None):
        self.name, self.tally, self.patience = name, tally, patience
        self._socket, self._fd, self._on_life = socket_path, fd, on_life
        self._client = None
        self.life = 0           # the pid of the daemon that it is connected to

    def close(self):
        if self._client:
            self._client.close()
            self._client = None

    def _connect(self):
        begin = time.monotonic()
        while not self._client:
            try:
                self._client = pr.Client(self._socket, timeout=self.patience)
            except EOFError:
                self.tally.event("clients turned away")
            except OSError:
                self.tally.event("attempts to connect in vain")
            if not self._client:
                self._wait(begin, "nobody serves")
        self.tally.connected(time.monotonic() - begin)
        self.tally.event("connections")
        credentials = self._client.sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
        self.life = struct.unpack("3i", credentials)[0]
        self._on_life(self.life)

    def _wait(self, begin, what):
        if self.tally.stop.is_set():    # the soak ends: whether the daemon lives is seen elsewhere
            raise GivenUp
        if time.monotonic() - begin > self.patience:
            self.tally.fail(f"{self.name}: {what} for {self.patience:g} s")
            raise GivenUp
        time.sleep(PAUSE)

    def exchange(self, cdb, data=b""):
        """One command, once, to one reply; connects first if need be. Raises InDoubt."""
        while True:
            if not self._client:
                self._connect()
            try:
                self._client.send(cdb, [self._fd])
                break
            except OSError:     # the other end was closed: nothing of it was taken
                self.close()
        begin = time.monotonic()
        try:
            if data:
                self._client.send(data)
            reply = self._client.reply()
        except TimeoutError:
            self.close()
            self.tally.fail(f"{self.name}: no answer for {self.patience:g} s")
            raise InDoubt from None
        except (OSError, EOFError):
            self.close()
            raise InDoubt from None
        self.tally.answered(reply, time.monotonic() - begin)
        return reply

    def _until_carried_out(self, cdb, data=b""):
        """Send it again where the answer says that it was not carried out."""
        begin = time.monotonic()
        while True:
            reply = self.exchange(cdb, data)
            if reply.code and reply.code[0] == UNIT_ATTENTION:
                continue
            stored = reply.code != NOT_STORED or not self.tally.squeezed.is_set()
            if reply.status not in (pr.BUSY, pr.TASK_SET_FULL) and stored:
                return reply
            self._wait(begin, str(reply))

    def read(self, action):
        """The payload of a PERSISTENT RESERVE IN."""
        while True:
            try:
                reply = self._until_carried_out(pr.cdb_in(action))
            except InDoubt:
                self.tally.event("reads that broke off")
                continue
            if reply.status == pr.GOOD:
                return reply.payload
            self.tally.fail(f"{self.name}: PR IN {action}: {reply}")
            raise GivenUp

    def out(self, action, key=0, sark=0, rtype=0, flags=0):
        """True: GOOD. False: refused because of others. Raises InDoubt."""
        try:
            reply = self._until_carried_out(pr.cdb_out(action, rtype), pr.params(key, sark, flags))
        except InDoubt:
            self.tally.event("commands in doubt")
            raise
        if reply.status == pr.GOOD:
            return True
        if reply.status == pr.RESERVATION_CONFLICT or reply.code == NOT_REGISTERED:
            return False
        self.tally.fail(f"{self.name}: PR OUT {action}: {reply}")
        raise GivenUp

    def look(self):
        """(life, PRGENERATION, sorted keys, (key, type) or None), all of one life."""
        while True:
            keys = self.read(pr.READ_KEYS)
            life = self.life
            reservation = self.read(pr.READ_RESERVATION)
            if self.life == life:
                return (life, *parse_keys(keys), parse_reservation(reservation))


def parse_keys(data):
    """(PRGENERATION, sorted keys)"""
    generation, length = struct.unpack(">II", data[:8])
    return generation, sorted(struct.unpack(f">{length // 8}Q", data[8:8 + length]))


def parse_reservation(data):
    """(key, type), or None."""
    if struct.unpack(">I", data[4:8])[0] == 0:
        return None
    return struct.unpack(">Q", data[8:16])[0], data[21] & 15
