# SPDX-License-Identifier: BSD-2-Clause
"""A plain client of the helper protocol, for the tests.

It speaks the protocol as docs/protocol.md has it and nothing more: no
reconnecting, no checks of what it sends, so that a test can send anything.
"""

import array
import socket
import struct
from dataclasses import dataclass

PR_IN = 0x5E
PR_OUT = 0x5F

# service actions (SPC-4 6.15, 6.16)
READ_KEYS, READ_RESERVATION, REPORT_CAPABILITIES, READ_FULL_STATUS = range(4)
(REGISTER, RESERVE, RELEASE, CLEAR, PREEMPT, PREEMPT_AND_ABORT,
 REGISTER_AND_IGNORE, REGISTER_AND_MOVE, REPLACE_LOST) = range(9)

# reservation types
WE, EA, WE_RO, EA_RO, WE_AR, EA_AR = 1, 3, 5, 6, 7, 8
TYPES = (WE, EA, WE_RO, EA_RO, WE_AR, EA_AR)

# SCSI status
GOOD, CHECK_CONDITION, BUSY, RESERVATION_CONFLICT, TASK_SET_FULL = 0, 2, 8, 0x18, 0x28

APTPL, ALL_TG_PT, SPEC_I_PT = 1, 4, 8      # byte 20 of the parameter list

REPLY_HEADER = 104


@dataclass(frozen=True)
class Reply:
    """One reply. `sense` is all 96 bytes; `payload` is empty unless PR IN was GOOD."""
    status: int
    payload: bytes
    sense: bytes

    @property
    def code(self):
        """(sense key, asc, ascq), or None where there is no sense."""
        s = self.sense
        if s[0] & 0x7F in (0x70, 0x71):
            return (s[2] & 0x0F, s[12], s[13])
        if s[0] & 0x7F in (0x72, 0x73):
            return (s[1] & 0x0F, s[2], s[3])
        return None

    def __str__(self):
        text = f"status {self.status:#04x}"
        if self.code:
            text += " sense %x/%02x/%02x" % self.code
        if self.payload:
            text += f" payload {self.payload.hex()}"
        return text


def cdb_in(action, alloc=8192):
    """PERSISTENT RESERVE IN (SPC-4 6.15)."""
    return struct.pack(">BB5xHB", PR_IN, action, alloc, 0).ljust(16, b"\0")


def cdb_out(action, rtype=0, scope=0, length=24):
    """PERSISTENT RESERVE OUT (SPC-4 6.16)."""
    return struct.pack(">BBB2xIB", PR_OUT, action, scope << 4 | rtype, length, 0).ljust(16, b"\0")


def params(key=0, sark=0, flags=0):
    """The basic parameter list, 24 bytes."""
    return struct.pack(">QQ4xB3x", key, sark, flags)


class Client:
    """A connection to a helper. `handshake=False` leaves the feature words to the test."""

    def __init__(self, path, handshake=True, timeout=20.0):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(timeout)
        self.sock.connect(str(path))
        if handshake:
            self.features = struct.unpack(">I", self.receive(4))[0]
            self.sock.sendall(struct.pack(">I", 0))

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def close(self):
        self.sock.close()

    def send(self, data, fds=()):
        """Send bytes, with file descriptors on the first of them."""
        control = []
        if fds:
            control = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))]
        sent = self.sock.sendmsg([data], control)
        if sent < len(data):
            self.sock.sendall(data[sent:])

    def receive(self, size):
        """Exactly `size` bytes; EOFError where the helper closed before."""
        data = b""
        while len(data) < size:
            try:
                part = self.sock.recv(size - len(data))
            except ConnectionResetError:
                part = b""
            if not part:
                raise EOFError(f"closed after {len(data)} of {size} bytes")
            data += part
        return data

    def reply(self):
        header = self.receive(REPLY_HEADER)
        status, size = struct.unpack(">iI", header[:8])
        return Reply(status, self.receive(size), header[8:])

    def closed(self):
        """True when the helper has closed the connection (waits for it)."""
        try:
            return self.sock.recv(1) == b""
        except (ConnectionResetError, BrokenPipeError):
            return True

    def request(self, fd, cdb, data=b""):
        """The way QEMU does it: CDB with the fd, then the parameter list, then the reply."""
        self.send(cdb, [fd])
        if data:
            self.send(data)
        return self.reply()

    # typed calls
    def read_keys(self, fd, alloc=8192):
        """(PRGENERATION, [keys]), or the Reply where it was not GOOD."""
        r = self.request(fd, cdb_in(READ_KEYS, alloc))
        if r.status != GOOD:
            return r
        generation, length = struct.unpack(">II", r.payload[:8])
        count = min(length, len(r.payload) - 8) // 8
        return generation, list(struct.unpack(f">{count}Q", r.payload[8:8 + 8 * count]))

    def read_reservation(self, fd):
        """(key, type), or None where nothing is reserved, or the Reply."""
        r = self.request(fd, cdb_in(READ_RESERVATION))
        if r.status != GOOD:
            return r
        if struct.unpack(">I", r.payload[4:8])[0] == 0:
            return None
        return struct.unpack(">Q", r.payload[8:16])[0], r.payload[21] & 0x0F

    def out(self, fd, action, key=0, sark=0, rtype=0, flags=0):
        return self.request(fd, cdb_out(action, rtype), params(key, sark, flags))
