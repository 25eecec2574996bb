# SPDX-License-Identifier: BSD-2-Clause
"""Clients that stop in the middle: ten seconds for what was begun, for ever for what was not."""

import array
import contextlib
import fcntl
import select
import socket
import struct
import termios
import time

from daemon import Helper, Witness, all_asleep
from harness import case, equal, eventually
from prclient import CHECK_CONDITION, REPLY_HEADER, cdb_in, cdb_out, params

PATIENCE = 10.0   # WIRE_PATIENCE_MS
NO_DEADLINE = "it waits for the rest of a request for ever"


def rights(fd):
    return [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [fd]))]


def closed_in_time(clients, begin):
    """Each of {what: client} is closed after the patience, not before and not long after."""
    for what, c in clients.items():
        c.sock.settimeout(max(0.1, begin + PATIENCE + 4 - time.monotonic()))
        try:
            equal(c.closed(), True, what)
        except TimeoutError:
            raise AssertionError(f"{what}: not closed after {PATIENCE + 4:g} s") from None
        if time.monotonic() - begin < PATIENCE - 1:
            raise AssertionError(f"{what}: closed after {time.monotonic() - begin:.1f} s")


@case(ours=NO_DEADLINE, cost=11)
def half_sent(t):
    """half a message is given up after ten seconds, and an idle client is not"""
    h = Helper(t)
    w = Witness(t, h)
    idle = t.keep(h.client())
    silent = t.keep(h.client(handshake=False))
    clients = {}
    begin = time.monotonic()
    whole = cdb_out(0) + params(1)
    for size in (1, 15, 16, 17, 39):
        c = clients[f"{size} bytes"] = t.keep(h.client())
        c.sock.sendmsg([whole[:size]], rights(w.fd))
    c = clients["half a feature word"] = t.keep(h.client(handshake=False))
    c.receive(4)
    c.send(b"\0\0")
    closed_in_time(clients, begin)
    equal(idle.request(w.fd, cdb_in(0)).status, CHECK_CONDITION, "the idle client")
    silent.receive(4)
    silent.send(bytes(4))
    equal(silent.request(w.fd, cdb_in(0)).status, CHECK_CONDITION, "the silent client")
    for c in (*clients.values(), idle, silent):
        c.close()
    w.check()


@case(ours=NO_DEADLINE, cost=11)
def trickle(t):
    """a byte now and then does not extend the ten seconds"""
    h = Helper(t)
    w = Witness(t, h)
    c = t.keep(h.client())
    begin = time.monotonic()
    c.sock.settimeout(1.5)
    for byte in cdb_in(0):
        try:
            c.sock.send(bytes([byte]))
            if c.sock.recv(1) == b"":
                break
        except TimeoutError:
            continue
        except (BrokenPipeError, ConnectionResetError):
            break
    took = time.monotonic() - begin
    if not PATIENCE - 1 < took < PATIENCE + 4:
        raise AssertionError(f"closed after {took:.1f} s")
    c.close()
    w.check()


@case(ours=NO_DEADLINE, cost=12)
def unread_reply(t):
    """a client that does not read its replies is given up after ten seconds"""
    h = Helper(t)
    w = Witness(t, h)
    c = t.keep(h.client())
    c.sock.settimeout(0.5)
    begin = time.monotonic()
    with contextlib.suppress(TimeoutError):
        while True:                      # until both directions are full
            c.sock.sendmsg([cdb_in(0)], rights(w.fd))
    w.ask()

    def gone():
        try:
            c.sock.sendmsg([b"x"])
        except (BrokenPipeError, ConnectionResetError):
            return True
        except TimeoutError:
            return False
        return False
    eventually(gone, "closed", PATIENCE + 4)
    if time.monotonic() - begin < PATIENCE - 1:
        raise AssertionError("closed too early")
    c.close()
    w.check()


@case(differs="its replies wait in as much memory as the kernel gives")
def unread_memory(t):
    """replies that are not read wait in a few pages, and all come when they are read"""
    h = Helper(t)
    w = Witness(t, h)
    c = t.keep(h.client())
    c.sock.setblocking(False)
    sent = 0

    def waiting():
        return struct.unpack("i", fcntl.ioctl(c.sock, termios.FIONREAD, bytes(4)))[0] // REPLY_HEADER

    def stands_still():
        nonlocal sent
        with contextlib.suppress(BlockingIOError):
            while True:
                c.sock.sendmsg([cdb_in(0)], rights(w.fd))
                sent += 1
        before = waiting()
        writable = select.select([], [c.sock], [], 0)[1]
        return before > 0 and all_asleep(h.pid) and not writable and waiting() == before
    eventually(stands_still, "no request is read any more")
    t.note(f"{waiting()} replies to {sent} requests wait")
    if waiting() > 100:          # 278 where the kernel decides
        raise AssertionError(f"{waiting()} replies wait")
    c.sock.settimeout(8)
    for i in range(sent):
        equal(c.reply().status, CHECK_CONDITION, f"reply {i}")
    c.close()
    w.check()


@case(defect="its descriptors pile up: a connection that is held by itself never ends",
      cost=12)
def own_connection(t):
    """clients that pass their own connection and leave: nothing piles up"""
    h = Helper(t)
    w = Witness(t, h)
    for parts in ([cdb_in(0)], [cdb_in(0)[:1]], [cdb_in(0)[:15]], [cdb_out(0)],
                  [cdb_out(0) + params(1)[:23]], [cdb_in(0)] * 100, [cdb_in(0)[:15], b"\0"],
                  [cdb_in(0)] * 40 + [cdb_in(0)[:7]]):
        c = t.keep(h.client())
        for data in parts:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                c.sock.sendmsg([data], rights(c.sock.fileno()))
        c.close()
    for _ in range(100):
        c = t.keep(h.client())
        c.sock.sendmsg([cdb_in(0)[:9]], rights(c.sock.fileno()))
        c.close()
    w.check(PATIENCE + 5)


@case(defect="its descriptors pile up: a connection that is held by itself never ends",
      cost=12)
def each_others_connection(t):
    """clients that pass each other's connections and leave: nothing piles up"""
    h = Helper(t)
    w = Witness(t, h)
    for _ in range(20):
        a, b = t.keep(h.client()), t.keep(h.client())
        for one, other in ((a, b), (b, a)):
            for _ in range(5):
                one.sock.sendmsg([cdb_in(0)], rights(other.sock.fileno()))
            one.sock.sendmsg([cdb_in(0)[:3]], rights(other.sock.fileno()))
        a.close()
        b.close()
    for _ in range(20):     # one that was not greeted yet
        a, b = t.keep(h.client(handshake=False)), t.keep(h.client())
        a.sock.sendmsg([b"\0\0"], rights(a.sock.fileno()))
        b.sock.sendmsg([cdb_in(0)[:3]], rights(a.sock.fileno()))
        a.close()
        b.close()
    w.check(PATIENCE + 5)
