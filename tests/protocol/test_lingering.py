# SPDX-License-Identifier: BSD-2-Clause
"""Descriptors that are long in closing, left unread in a connection: a TCP socket that lingers,
a file whose file system never takes what was written to it."""

import contextlib
import os
import signal
import socket
import struct
import time

import prclient
from daemon import Helper, connects, status
from fuse import Troubles
from harness import case, equal, eventually
from test_activation import listening, start

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


def full(t, *args, listener=None):
    """A helper that takes no more clients of ours, and those."""
    h = start(t, listener.fileno(), options=(*FEW, *args)) if listener else Helper(t, *FEW, *args)
    eventually(lambda: h.threads() <= 2, "who looked whether it serves has left")
    return h, [t.keep(h.client()) for _ in range(3)]


def pause(h):
    """Who closes last waits: that is not to be us."""
    h.kill(signal.SIGSTOP)
    eventually(lambda: status(h.pid)["State"].startswith("T"), "it is stopped")


def leave_behind(t, h, count):
    """Connections with a lingering descriptor in each that nobody has read, and nobody else has."""
    clients = []
    pause(h)
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
    h, clients = full(t)
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


def close_for_ever(t, **how):
    """A helper that has turned more clients away than it has threads for closing what they sent."""
    troubles = Troubles(t)
    h, clients = full(t, "--socket-mode=666", **how)
    t.cleanups.callback(troubles.end)     # or the helper could not end
    before = h.threads()
    pause(h)
    for _ in range(40):
        fd = troubles.open("write-hangs")
        t.keep(prclient.Client(h.socket, handshake=False)).send(b"\1", [fd])
        os.close(fd)
    os.write(troubles.open("write-hangs"), bytes(4096))
    h.kill(signal.SIGCONT)
    eventually(lambda: h.threads() >= before + 24, "all its threads close something")
    return troubles, h, clients


@case(root=True, ours=OURS)
def hangs_and_comes_back(t):
    """closing that hangs for good: newcomers wait, nobody else does, and it is told"""
    troubles, h, clients = close_for_ever(t)
    h.wait_log("nobody is taken in until")
    os.seteuid(1000)
    newcomer = t.keep(h.client(handshake=False))
    os.seteuid(0)
    for c in clients:
        c.read_keys(t.open())
    troubles.end()
    equal(newcomer.receive(4), bytes(4), "feature word")
    newcomer.send(bytes(4))
    newcomer.read_keys(t.open())
    equal(h.stop(), 0, "exit status")
    equal(h.log().count("nobody is taken in until"), 1, "lines about it")


@case(root=True, ours=OURS)
def hangs_at_the_end(t):
    """closing that hangs for good does not keep it from ending"""
    troubles, h, _ = close_for_ever(t)
    h.kill(signal.SIGTERM)
    eventually(lambda: not os.path.exists(h.socket), "the socket is gone")
    troubles.end()
    equal(h.wait(), 0, "exit status")


@case(root=True, ours=OURS)
def hangs_when_activated(t):
    """closing that hangs for good, at the end: a socket that was passed is as good as before"""
    listener = listening(t)
    troubles, h, clients = close_for_ever(t, listener=listener)
    h.kill(signal.SIGTERM)
    equal([c.closed() for c in clients], [True] * len(clients), "clients have been let go")
    equal(connects(h.socket), True, "somebody is let in")
    troubles.end()      # or starting another would hang too, closing what is ours
    equal(h.wait(), 0, "exit status")
    second = start(t, listener.fileno())
    with second.client(timeout=5) as c:
        c.read_keys(t.open())
    equal(second.stop(), 0, "exit status of the second")
