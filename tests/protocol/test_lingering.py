# SPDX-License-Identifier: BSD-2-Clause
"""Descriptors that are long in closing, left unread in a connection: a TCP socket that lingers."""

import contextlib
import signal
import socket
import struct
import time

import prclient
from daemon import Helper, status
from harness import case, equal, eventually

FEW = ("--max-clients=8", "--max-clients-per-user=3")
OURS = "it has no limits, and threads of its own to close in"


def lingering(t):
    """A socket whose last close waits for what its peer does not read, for a day."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(1)
        sender = socket.create_connection(listener.getsockname())
        t.keep(listener.accept()[0])
    sender.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 86400))
    sender.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while True:
            sender.send(bytes(65536))
    return sender


def leave_behind(t, h, count):
    """Connections with a lingering descriptor in each that nobody has read, and nobody else has."""
    clients = []
    h.kill(signal.SIGSTOP)      # who closes last waits: that is not to be us
    eventually(lambda: status(h.pid)["State"].startswith("T"), "it is stopped")
    for _ in range(count):
        c = t.keep(prclient.Client(h.socket, handshake=False))
        with lingering(t) as sender:
            c.send(bytes(4))
            c.send(b"\1", [sender.fileno()])
            c.send(b"\1", [sender.fileno()])
        clients.append(c)
    return clients


def go_away(h, clients):
    for c in clients:
        c.close()
    h.kill(signal.SIGCONT)


@case(ours=OURS)
def turned_away(t):
    """a connection that is turned away holds nobody up, whatever was sent through it"""
    h = Helper(t, *FEW)
    clients = [t.keep(h.client()) for _ in range(3)]
    go_away(h, leave_behind(t, h, 20))
    clients.pop().close()

    def served():
        with contextlib.suppress(EOFError, ConnectionResetError, BrokenPipeError):
            t.keep(h.client(timeout=5)).read_keys(t.open())
            return True
        return False
    eventually(served, "the next one is served")
    equal(h.stop(), 0, "exit status")


@case(ours=OURS)
def served_and_gone(t):
    """a client that leaves holds its place no longer than closing takes"""
    h = Helper(t, *FEW)
    for _ in range(4):
        go_away(h, leave_behind(t, h, 3))

    def all_free():
        kept = []
        try:
            for _ in range(3):
                kept.append(h.client(timeout=5))
            return True
        except (EOFError, ConnectionResetError, BrokenPipeError):
            return False
        finally:
            for c in kept:
                c.close()
    eventually(all_free, "its user has all places again")


@case(ours=OURS)
def at_the_end(t):
    """what waits to be accepted when it ends does not hold it up"""
    h = Helper(t, *FEW)
    leave_behind(t, h, 3)
    h.kill(signal.SIGTERM)
    begin = time.monotonic()
    h.kill(signal.SIGCONT)
    equal(h.wait(12), 0, "exit status")     # at once, but for those that were accepted before
    t.note(f"{time.monotonic() - begin:.2f} s")
