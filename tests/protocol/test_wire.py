# SPDX-License-Identifier: BSD-2-Clause
"""The protocol as it is meant: handshake, framing, replies, the rules for descriptors."""

import array
import os
import socket
import struct

import prclient
from daemon import Helper, Witness, word
from harness import case, contains, equal, eventually
from prclient import CHECK_CONDITION, cdb_in, cdb_out, params

REFUSED = (5, 0x20, 0)


def rights(*fds):
    return [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))]


def answered(reply):
    """What /dev/null gets, here and there: no data, sense in fixed format."""
    equal(reply.status, CHECK_CONDITION, "status")
    equal(reply.payload, b"", "payload")
    equal(reply.sense[0], 0x70, "response code")
    return reply


@case()
def handshake(t):
    """the helper sends four zero bytes first and takes four"""
    h = Helper(t)
    c = t.keep(h.client(handshake=False))
    equal(word(c), 0, "features offered")
    c.send(struct.pack(">I", 0))
    answered(c.request(t.open(), cdb_in(0)))


@case(each={f"{bits:#x}": bits for bits in (1, 0x80000000, 0xFFFFFFFF)})
def features(t, bits):
    """a request for features that were not offered is closed"""
    h = Helper(t)
    w = Witness(t, h)
    c = t.keep(h.client(handshake=False))
    word(c)
    c.send(struct.pack(">I", bits))
    equal(c.closed(), True, "closed")
    w.check()


def send_bytes(c, data, fds=(), on=0):
    """One byte at a time, the descriptors on byte `on`."""
    for i, byte in enumerate(data):
        c.sock.sendmsg([bytes([byte])], rights(*fds) if fds and i == on else [])


@case()
def single_bytes(t):
    """requests in single bytes, the descriptor on any of the CDB's"""
    h = Helper(t)
    w = Witness(t, h)
    c = t.keep(h.client(handshake=False))
    send_bytes(c, bytes(4))
    word(c)
    for on in range(16):
        send_bytes(c, cdb_in(0), [w.fd], on)
        answered(c.reply())
        send_bytes(c, cdb_out(0) + params(1, 2), [w.fd], on)
        answered(c.reply())
    c.close()
    w.check()


@case()
def two_parts(t):
    """requests in two parts, cut anywhere, the descriptor on either"""
    h = Helper(t)
    w = Witness(t, h)
    c = t.keep(h.client())
    whole = cdb_out(0) + params(1, 2)
    for cut in range(1, 40):
        for on_second in (False, True) if cut < 16 else (False,):
            c.sock.sendmsg([whole[:cut]], rights(w.fd) if not on_second else [])
            c.sock.sendmsg([whole[cut:]], rights(w.fd) if on_second else [])
            answered(c.reply())
    c.close()
    w.check()


@case()
def handshake_and_request(t):
    """the handshake and the first request without waiting for the helper"""
    h = Helper(t)
    w = Witness(t, h)
    for cut in range(1, 16):
        c = t.keep(h.client(handshake=False))
        cdb = cdb_in(0)
        c.sock.sendall(bytes(4) + cdb[:cut])
        c.sock.sendmsg([cdb[cut:]], rights(w.fd))
        equal(word(c), 0)
        answered(c.reply())
        c.close()
    w.check()


@case()
def pipelined(t):
    """a hundred requests at once are answered one by one, and a bad one after them ends it"""
    h = Helper(t)
    w = Witness(t, h)
    c = t.keep(h.client())
    for i in range(100):
        c.send(cdb_in(i % 4), [w.fd]) if i % 2 else c.send(cdb_out(0) + params(i), [w.fd])
    c.send(b"\0" * 16, [w.fd])
    for _ in range(100):
        answered(c.reply())
    equal(c.closed(), True, "closed")
    w.check()


@case(ours="it has no trace event that shows the order")
def order(t):
    """pipelined requests are carried out in the order in which they came"""
    h = Helper(t, "-T", "client_request")
    fd = t.open()
    c = t.keep(h.client())
    actions = [0, 1, 2, 3, 3, 2, 1, 0, 2, 0, 3, 1]
    for action in actions:
        c.send(cdb_in(action), [fd])
    for _ in actions:
        answered(c.reply())
    names = ["READ KEYS", "READ RESERVATION", "REPORT CAPABILITIES", "READ FULL STATUS"]
    log = h.wait_log("client_request", len(actions))
    seen = [line.split("action=")[1].split(" length")[0] for line in log.splitlines()
            if "client_request" in line]
    equal(seen, [names[a] for a in actions], "order")


@case()
def half_close(t):
    """a client that shuts its sending side down still gets its reply"""
    h = Helper(t)
    w = Witness(t, h)
    for cdb, data in ((cdb_in(0), b""), (cdb_out(0), params(1))):
        c = t.keep(h.client())
        c.send(cdb + data, [w.fd])
        c.sock.shutdown(socket.SHUT_WR)
        answered(c.reply())
        equal(c.closed(), True, "closed afterwards")
    w.check()


@case()
def undefined_bytes(t):
    """every byte of a reply that the protocol leaves undefined is zero"""
    h = Helper(t)
    files = [t.open(), t.open(flags=os.O_RDONLY), t.open("/dev/zero", os.O_RDONLY),
             t.open("/", os.O_RDONLY), t.open(flags=os.O_PATH)]
    c = t.keep(h.client())
    for i in range(200):
        fd = files[i % len(files)]
        if i % 3:
            c.send(cdb_in(i % 32, 8192 - i), [fd])
        else:
            c.send(cdb_out(i % 32, i % 16) + params(i, i), [fd])
        header = c.receive(prclient.REPLY_HEADER)
        equal(header[:8], struct.pack(">iI", CHECK_CONDITION, 0), "status and size")
        sense = header[8:]
        equal(sense, bytes([0x70, 0, sense[2], 0, 0, 0, 0, 10, 0, 0, 0, 0, sense[12], sense[13]])
              + bytes(82), "sense")


@case()
def read_only(t):
    """PR OUT with a descriptor that cannot write gets 5/20/00"""
    h = Helper(t)
    c = t.keep(h.client())
    for path in ("/dev/null", "/dev/zero", "/etc/passwd", "/"):
        reply = answered(c.out(t.open(path, os.O_RDONLY), prclient.REGISTER, sark=1))
        equal(reply.code, REFUSED, f"sense for {path}")


def no_scsi_devices(t):
    """(what it is, descriptor) of everything that is no SCSI device."""
    os.mkfifo(t.path("fifo"))
    with open(t.path("file"), "w") as f:
        f.write("x" * 100)
    reader, writer = os.pipe()
    left, right = socket.socketpair()
    for thing in (left, right):
        t.keep(thing)
    epoll = __import__("select").epoll()
    if not t.sim:
        yield "regular file", t.open(t.path("file"))
        yield "write-only file", t.open(t.path("file"), os.O_WRONLY)
        yield "memfd", os.memfd_create("x")
        yield "proc", t.open("/proc/self/stat", os.O_RDONLY)
    yield from {
        "/dev/null": t.open(), "/dev/zero": t.open("/dev/zero"),
        "directory": t.open("/", os.O_RDONLY), "fifo": t.open(t.path("fifo")),
        "pipe, reading": reader, "pipe, writing": writer,
        "socket": left.fileno(), "epoll": epoll.fileno(),
        "O_PATH": t.open("/dev/null", os.O_PATH), "O_PATH of a directory": t.open("/", os.O_PATH),
        "eventfd": os.eventfd(0), "pidfd": os.pidfd_open(os.getpid()),
        "pty": os.openpty()[0],
    }.items()
    for path in ("/dev/fuse", "/dev/loop0", "/dev/kvm", "/dev/net/tun", "/dev/ptmx"):
        try:
            yield path, t.open(path)
        except OSError:
            t.note(f"no {path} here")


@case(differs="the peer sends SG_IO to whatever it is given and reports the errno")
def no_scsi_device(t):
    """what is no SCSI device gets 5/20/00"""
    h = Helper(t)
    w = Witness(t, h)
    c = t.keep(h.client())
    for what, fd in no_scsi_devices(t):
        for reply in (c.request(fd, cdb_in(0)), c.request(fd, cdb_in(3, 0)),
                      c.out(fd, prclient.REGISTER, sark=1)):
            answered(reply)
            equal(reply.code, REFUSED, f"sense for {what}")
    c.close()
    w.check()


@case(defect="it clears O_NONBLOCK of the client's open file")
def nonblock(t):
    """the client's open file keeps its O_NONBLOCK"""
    h = Helper(t)
    c = t.keep(h.client())
    for flags in (os.O_RDWR | os.O_NONBLOCK, os.O_RDONLY | os.O_NONBLOCK):
        fd = t.open(flags=flags)
        answered(c.request(fd, cdb_in(0)))
        answered(c.out(fd, 0))
        equal(os.get_blocking(fd), False, "still non-blocking")
    fd = t.open()
    answered(c.request(fd, cdb_in(0)))
    equal(os.get_blocking(fd), True, "still blocking")


@case(each={"0": 0, "1": 1, "8": 8, "8192": 8192})
def lengths(t, length):
    """transfer length"""
    h = Helper(t)
    w = Witness(t, h)
    c = t.keep(h.client())
    for fd in (w.fd, t.open(flags=os.O_RDONLY)):
        answered(c.request(fd, cdb_in(0, length)))
        answered(c.request(fd, cdb_out(0, length=length), b"\xff" * length))
    w.ask()


@case()
def actions(t):
    """every service action, type and scope is answered"""
    h = Helper(t)
    c = t.keep(h.client())
    fd = t.open()
    for action in range(256):
        answered(c.request(fd, cdb_in(action)))
        answered(c.request(fd, cdb_out(action, action & 15, action >> 4), params(1, 2)))


@case()
def credentials(t):
    """credentials that come with the descriptor do no harm"""
    h = Helper(t)
    w = Witness(t, h)
    c = t.keep(h.client())
    mine = struct.pack("iII", os.getpid(), os.getuid(), os.getgid())
    c.sock.sendmsg([cdb_in(0)], rights(w.fd)
                   + [(socket.SOL_SOCKET, socket.SCM_CREDENTIALS, mine)])
    answered(c.reply())
    c.close()
    w.check()


@case()
def many_clients(t):
    """two hundred clients at once, and each gets its own replies"""
    h = Helper(t)
    fd = t.open()
    clients = [t.keep(h.client()) for _ in range(200)]
    for round_ in range(3):
        for c in clients:
            c.send(cdb_in(round_), [fd])
        for c in clients:
            answered(c.reply())
    for c in clients:
        c.close()
    eventually(lambda: h.fds() < 100, "descriptors of clients that left are closed")


@case(ours="its log does not name the client")
def peer_identity(t):
    """the log names the client's process and user"""
    h = Helper(t)
    c = t.keep(h.client())
    answered(c.out(t.open(), prclient.REGISTER, sark=0x1234))
    log = h.wait_log("PR OUT")
    contains(log, f"pid={os.getpid()} uid={os.getuid()}")
