# SPDX-License-Identifier: BSD-2-Clause
"""Clients that break the protocol: closed, every descriptor that came with it closed too, and
nobody else notices."""

import array
import os
import random
import socket
import struct

from daemon import Helper, Witness, word
from harness import case, equal, eventually
from prclient import CHECK_CONDITION, cdb_in, cdb_out, params

FD = "fd"


def rights(fd, count=1):
    return [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [fd] * count))] if count else []


# What a client sends after the handshake: (bytes, descriptors on the first of them), ...
# The helper has to close the connection, whether or not the client closes first.
VIOLATIONS = {
    "no descriptor": [(cdb_in(0), 0)],
    "no descriptor, PR OUT": [(cdb_out(0) + params(1), 0)],
    "two descriptors": [(cdb_in(0), 2)],
    "two descriptors, PR OUT": [(cdb_out(0) + params(1), 2)],
    "three descriptors": [(cdb_in(0), 3)],
    "253 descriptors": [(cdb_in(0), 253)],
    "253 descriptors on the last byte": [(cdb_in(0)[:15], 0), (cdb_in(0)[15:], 253)],
    "one on the first byte and one on the last": [(cdb_in(0)[:15], 1), (cdb_in(0)[15:], 1)],
    "one on each of two bytes": [(cdb_in(0)[:1], 1), (cdb_in(0)[1:2], 1), (cdb_in(0)[2:], 0)],
    "one on the first byte and 253 on the next": [(cdb_in(0)[:1], 1), (cdb_in(0)[1:], 253)],
    "253 descriptors on every byte": [(cdb_in(0)[i:i + 1], 253) for i in range(16)],
    "PR IN of 8193 bytes": [(cdb_in(0, 8193), 1)],
    "PR IN of 65535 bytes": [(cdb_in(0, 65535), 1)],
    "PR OUT of 8193 bytes": [(cdb_out(0, length=8193) + bytes(8193), 1)],
    "PR OUT of 65535 bytes": [(cdb_out(0, length=65535), 1)],
    "PR OUT of 4294967295 bytes": [(cdb_out(0, length=0xFFFFFFFF), 1)],
    **{f"opcode {opcode:#04x}": [(bytes([opcode]) + cdb_in(0)[1:], 1)]
       for opcode in (0x00, 0x12, 0x28, 0x5D, 0x60, 0x7F, 0xDE, 0xFF)},
    "a bad request after a good one": [(cdb_in(0), 1), (cdb_in(0), 0)],
    "a bad request after PR OUT": [(cdb_out(0) + params(1), 1), (b"\0" * 16, 1)],
}

# PR OUT: bytes 5-6 belong to the length by the protocol's text, and the peer does not read them
LONG_OUT = {f"{length:#x}": length for length in (0x10018, 0x1000018, 0x80000000)}


def drain_until_closed(c):
    while True:
        try:
            if not c.sock.recv(4096):
                return True
        except ConnectionResetError:
            return True


def send_quietly(c, data, control=()):
    """The helper may have closed already."""
    try:
        c.sock.sendmsg([data], control)
        return True
    except (BrokenPipeError, ConnectionResetError):
        return False


@case(each=VIOLATIONS)
def violation(t, parts):
    """closed"""
    h = Helper(t)
    w = Witness(t, h)
    for _ in range(3):
        c = t.keep(h.client())
        for data, count in parts:
            if not send_quietly(c, data, rights(w.fd, count)):
                break
        equal(drain_until_closed(c), True, "closed")
        c.close()
    w.check()


@case(each=LONG_OUT, differs="the peer reads bytes 7-8 of a PR OUT only, the protocol says 5-8")
def long_out(t, length):
    """closed: PR OUT length"""
    h = Helper(t)
    w = Witness(t, h)
    c = t.keep(h.client(timeout=1))
    c.send(cdb_out(0, length=length), [w.fd])
    try:
        equal(drain_until_closed(c), True, "closed")
    except TimeoutError:
        raise AssertionError("it waits for a parameter list") from None
    w.check()


@case()
def end_at_each_byte(t):
    """the client leaves after each byte of a handshake, CDB and parameter list"""
    h = Helper(t)
    w = Witness(t, h)
    whole = cdb_out(0) + params(1, 2)
    for size in range(4):
        c = t.keep(h.client(handshake=False))
        c.sock.sendall(bytes(4)[:size])
        c.close()
    for size in range(len(whole)):
        for fds in (0, 1):
            c = t.keep(h.client())
            if size:
                c.sock.sendmsg([whole[:size]], rights(w.fd, fds))
            c.close()
    w.check()


@case()
def half_close_at_each_byte(t):
    """the client shuts down its sending side after each byte and sees the end"""
    h = Helper(t)
    w = Witness(t, h)
    whole = cdb_out(0) + params(1, 2)
    for size in range(len(whole)):
        c = t.keep(h.client())
        if size:
            c.sock.sendmsg([whole[:size]], rights(w.fd))
        c.sock.shutdown(socket.SHUT_WR)
        equal(drain_until_closed(c), True, "closed")
        c.close()
    w.check()


@case()
def descriptor_with_features(t):
    """descriptors sent with the feature word are closed and ignored"""
    h = Helper(t)
    w = Witness(t, h)
    for count in (1, 2, 253):
        for cut in (4, 2):
            c = t.keep(h.client(handshake=False))
            c.sock.sendmsg([bytes(cut)], rights(w.fd, count))
            c.sock.sendall(bytes(4 - cut))
            word(c)
            equal(c.request(w.fd, cdb_in(0)).status, CHECK_CONDITION, "status")
            eventually(lambda: h.fds() <= w.before + 1, "only the connection is open")
            c.close()
    w.check()


@case()
def descriptor_with_parameters(t):
    """descriptors sent with the parameter list are closed and ignored"""
    h = Helper(t)
    w = Witness(t, h)
    c = t.keep(h.client())
    for count in (1, 2, 253):
        for cut in (0, 1, 23):
            c.send(cdb_out(0) + params(1)[:cut], [w.fd])
            c.sock.sendmsg([params(1)[cut:]], rights(w.fd, count))
            equal(c.reply().status, CHECK_CONDITION, "status")
            eventually(lambda: h.fds() <= w.before + 1, "only the connection is open")
    c.close()
    w.check()


@case()
def never_reads(t):
    """clients that leave without having read their replies"""
    h = Helper(t)
    w = Witness(t, h)
    for _ in range(20):
        c = t.keep(h.client())
        for _ in range(20):
            c.send(cdb_in(0), [w.fd])
        c.close()
        c = t.keep(h.client())
        c.sock.shutdown(socket.SHUT_RD)
        for _ in range(3):
            send_quietly(c, cdb_in(0), rights(w.fd))
        c.close()
    w.check()


@case(ours="it was not made to withstand urgent data")
def urgent_data(t):
    """urgent data, with and without descriptors, costs neither descriptors nor CPU time"""
    h = Helper(t)
    w = Witness(t, h)
    clients = []
    for before in (b"", b"\x5e", cdb_in(0)[:15]):
        for after in (b"", b"x"):
            for fds in (0, 1, 2):
                c = t.keep(h.client())
                send_quietly(c, before) if before else None
                for _ in range(2):
                    c.sock.sendmsg([b"!"], rights(w.fd, fds), socket.MSG_OOB)
                send_quietly(c, after) if after else None
                clients.append(c)
    begin = h.cpu()
    deadline = [0]

    def looked_at():     # a hundred answers of others later it must not have spun
        w.ask()
        deadline[0] += 1
        return deadline[0] > 100
    eventually(looked_at, "others are served")
    spent = h.cpu() - begin
    if spent > 0.5:
        raise AssertionError(f"{spent} s of CPU time for clients that wait")
    for c in clients:
        c.close()
    w.check()


def random_part(rng, fd):
    """Something that a broken client may send: (bytes, descriptors)."""
    kind = rng.randrange(7)
    if kind == 0:
        return rng.randbytes(rng.randrange(1, 60)), rng.choice((0, 0, 1, 2))
    if kind == 1:
        return cdb_in(rng.randrange(32), rng.randrange(9000)), 1
    if kind == 2:
        return cdb_out(rng.randrange(32), length=rng.choice((0, 24, 24, 8192))), 1
    if kind == 3:
        return params(rng.getrandbits(64)), rng.choice((0, 0, 1))
    if kind == 4:
        whole = cdb_out(0) + params(1)
        return whole[:rng.randrange(1, 40)], rng.choice((0, 1, 1))
    if kind == 5:
        return b"\x5e", rng.choice((0, 1, 3))
    return bytes([rng.choice((0x5E, 0x5F))]) + rng.randbytes(15), 1


@case(each={f"seed {seed}": seed for seed in range(4)}, cost=1.5)
def random_clients(t, seed):
    """three hundred clients that send anything"""
    rng = random.Random(seed)
    h = Helper(t)
    w = Witness(t, h)
    for i in range(300):
        c = t.keep(h.client(handshake=rng.random() < 0.9))
        for _ in range(rng.randrange(1, 6)):
            data, count = random_part(rng, w.fd)
            if not send_quietly(c, data, rights(w.fd, count)):
                break
        if rng.random() < 0.3:
            c.sock.shutdown(rng.choice((socket.SHUT_WR, socket.SHUT_RD, socket.SHUT_RDWR)))
        c.close()
        if i % 50 == 0:
            w.ask()
    w.check()


@case()
def reset(t):
    """clients that leave at once, and while the helper greets them"""
    h = Helper(t)
    w = Witness(t, h)
    for i in range(300):
        s = socket.socket(socket.AF_UNIX)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        s.connect(h.socket)
        if i % 3 == 1:
            s.shutdown(socket.SHUT_RDWR)
        s.close()
    w.check()


@case()
def descriptor_of_the_helper(t):
    """descriptors of the helper's own process files are like any other"""
    h = Helper(t)
    w = Witness(t, h)
    c = t.keep(h.client())
    for name in ("fd", "fdinfo", "mem", "status", "root", "cwd"):
        try:
            fd = t.open(f"/proc/{h.pid}/{name}", os.O_RDONLY)
        except OSError:
            continue
        equal(c.request(fd, cdb_in(0)).status, CHECK_CONDITION, "status")
        equal(c.out(fd, 0).code, (5, 0x20, 0), "sense")
    c.close()
    w.check()
