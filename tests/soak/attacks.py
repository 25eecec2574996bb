# SPDX-License-Identifier: BSD-2-Clause
"""What hostile clients do, one function a kind: see hostile.py, which calls them.

Each gets the `Attacker`: its random numbers, descriptors, and connect(). A connection that
ends is what most of them ask for, so OSError and EOFError are nobody's concern. What may
never come back goes to attacker.refused(): a GOOD that the descriptor does not allow.
"""

import array
import contextlib
import os
import socket
import time

import prclient as pr

KINDS = {}          # name: function
SLOW = set()        # after which the daemon needs its ten seconds of patience
DISK_ACTIONS = range(9)


def kind(name, slow=False):
    def register(function):
        KINDS[name] = function
        if slow:
            SLOW.add(name)
        return function
    return register


def send(client, data, fds=(), flags=0):
    control = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
    client.sock.sendmsg([data], control, flags)


def drain(client):
    """Until the daemon has closed."""
    while client.sock.recv(65536):
        pass


@kind("half a request, then gone")
def half_request(a):
    whole = pr.cdb_out(pr.REGISTER) + pr.params(0, 1)
    for _ in range(10):
        with a.connect() as c:
            send(c, whole[:a.rng.randrange(1, len(whole))], [a.own])


@kind("half a request, and staying")
def half_and_staying(a):
    whole = pr.cdb_out(pr.REGISTER) + pr.params(0, 1)
    c = a.hold(a.connect())
    send(c, whole[:a.rng.randrange(1, len(whole))], [a.own])


@kind("half a handshake")
def half_handshake(a):
    with a.connect(handshake=False) as c:
        send(c, bytes(a.rng.randrange(1, 4)), [a.own] * a.rng.randrange(3))


@kind("features that were not offered")
def wrong_features(a):
    with a.connect(handshake=False) as c:
        c.receive(4)
        send(c, a.rng.choice((b"\0\0\0\1", b"\x80\0\0\0", b"\xff\xff\xff\xff")))
        drain(c)


@kind("garbage")
def garbage(a):
    for _ in range(5):
        with a.connect(handshake=a.rng.random() < 0.8) as c, contextlib.suppress(OSError):
            for _ in range(a.rng.randrange(1, 8)):
                send(c, a.rng.randbytes(a.rng.randrange(1, 300)), [a.own] * a.rng.choice((0, 1)))


@kind("lengths above the limit")
def oversized(a):
    for length in (8193, 65535, 0x10018, 0x1000018, 0x80000000, 0xFFFFFFFF):
        with a.connect() as c:
            cdb = pr.cdb_out(pr.REGISTER, length=length)
            if length <= 65535 and a.rng.random() < 0.5:
                cdb = pr.cdb_in(pr.READ_KEYS, length)
            send(c, cdb, [a.own])
            drain(c)


@kind("many descriptors in a message")
def many_descriptors(a):
    for count in (2, 3, 253):
        with a.connect() as c:
            cdb = pr.cdb_in(pr.READ_KEYS)
            cut = a.rng.choice((1, 15, 16))
            send(c, cdb[:cut], [a.own] * count)
            with contextlib.suppress(OSError):
                send(c, cdb[cut:] or b"\0", [a.own] * a.rng.choice((0, 1, 253)))
                drain(c)


@kind("no descriptor")
def no_descriptor(a):
    with a.connect() as c:
        send(c, a.rng.choice((pr.cdb_in(pr.READ_KEYS), pr.cdb_out(pr.REGISTER) + pr.params(0, 1))))
        drain(c)


@kind("the connection's own descriptor", slow=True)
def own_connection(a):
    for _ in range(3):
        with a.connect() as c, a.connect() as d:
            for one, other in ((c, c), (c, d), (d, c)):
                send(one, pr.cdb_in(pr.READ_KEYS), [other.sock.fileno()])
            send(c, pr.cdb_in(pr.READ_KEYS)[:a.rng.randrange(1, 16)], [c.sock.fileno()])


@kind("replies that nobody reads")
def unread(a):
    c = a.hold(a.connect())
    c.sock.settimeout(0.2)
    with contextlib.suppress(TimeoutError):
        for _ in range(a.rng.randrange(10, 400)):
            send(c, pr.cdb_in(pr.READ_KEYS), [a.own])


@kind("a flood of connections")
def flood(a):
    """Each of them with requests: a daemon that served one is as large as it will be."""
    clients = []
    end = time.monotonic() + a.hold_seconds
    with contextlib.suppress(OSError):
        while time.monotonic() < end and len(clients) < a.flood:
            clients.append(a.connect(handshake=False))
            send(clients[-1], bytes(4))
            send(clients[-1], pr.cdb_in(pr.READ_FULL_STATUS), [a.own])
            send(clients[-1], pr.cdb_out(pr.RESERVE, length=8192), [a.own])
            send(clients[-1], bytes(8192))
    while time.monotonic() < end:           # full; and a few that knock meanwhile
        with contextlib.suppress(OSError, EOFError), a.connect() as c:
            c.request(a.own, pr.cdb_in(pr.READ_KEYS))
        time.sleep(0.05)
    for client in clients:
        client.close()


@kind("gone at once")
def gone_at_once(a):
    for _ in range(30):
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(a.socket())
            if a.rng.random() < 0.5:
                s.shutdown(socket.SHUT_RDWR)


@kind("gone in mid-command")
def gone_in_mid_command(a):
    for _ in range(10):
        with a.connect() as c:
            send(c, pr.cdb_out(pr.REGISTER_AND_IGNORE), [a.own])
            send(c, pr.params(0, a.rng.randrange(1, 9)))
            send(c, pr.cdb_in(pr.READ_KEYS), [a.rng.choice(a.readonly or [a.own])])


@kind("PR OUT through a read-only descriptor")
def read_only(a):
    for fd in a.readonly:
        with a.connect() as c:
            for action in DISK_ACTIONS:
                key = a.rng.getrandbits(64)
                a.refused(c.out(fd, action, key, a.rng.getrandbits(64), a.rng.choice(pr.TYPES)),
                          "PR OUT through a read-only descriptor")


@kind("a writable descriptor with the parameter list")
def two_descriptors(a):
    for fd in a.readonly:
        with a.connect() as c:
            send(c, pr.cdb_out(pr.REGISTER_AND_IGNORE), [fd])
            send(c, pr.params(0, 1), [a.own])
            a.refused(c.reply(), "a read-only descriptor, and a writable one after it")


@kind("descriptors that are no disk")
def no_disk(a):
    with contextlib.ExitStack() as stack:
        for fd, name in [*a.no_disks, *_made_here(a, stack)]:
            with a.connect() as c:
                a.refused(c.request(fd, pr.cdb_in(a.rng.randrange(4))), f"PR IN of {name}")
                a.refused(c.out(fd, a.rng.randrange(9), 0, 1), f"PR OUT of {name}")


def _made_here(a, stack):
    """[(descriptor, what it is)], closed with the stack."""
    one, other = socket.socketpair()
    reader, writer = os.pipe()
    found = [(one.detach(), "a socket"), (other.detach(), "a socket"), (reader, "a pipe"),
             (writer, "a pipe"), (os.open("/", os.O_RDONLY), "a directory"),
             (os.open("/dev/null", os.O_RDWR), "/dev/null"), (os.eventfd(0), "an eventfd"),
             (os.open("/proc/self/status", os.O_RDONLY), "a file of proc")]
    if not a.files_are_disks:
        found.append((os.memfd_create("hostile"), "a memfd"))
    for fd, _ in found:
        stack.callback(os.close, fd)
    return found


@kind("urgent data")
def urgent(a):
    with a.connect() as c:
        send(c, b"!", [a.own] * a.rng.randrange(3), socket.MSG_OOB)
        send(c, pr.cdb_in(pr.READ_KEYS)[:a.rng.randrange(1, 16)])


@kind("actions and lists that do not exist")
def nonsense_commands(a):
    with a.connect() as c:
        for _ in range(10):
            length = a.rng.choice((0, 1, 23, 24, 25, 48, 8192))
            cdb = pr.cdb_out(a.rng.randrange(32), a.rng.randrange(16), a.rng.randrange(16), length)
            c.request(a.own, cdb, a.rng.randbytes(length))
            c.request(a.own, pr.cdb_in(a.rng.randrange(32), a.rng.randrange(8193)))


@kind("requests sent ahead")
def sent_ahead(a):
    count = a.rng.randrange(2, 50)
    with a.connect() as c:
        for _ in range(count):
            send(c, pr.cdb_in(pr.READ_KEYS), [a.own])
        c.sock.shutdown(socket.SHUT_WR)
        for _ in range(count):
            c.reply()
        drain(c)


@kind("a byte at a time")
def trickle(a):
    whole = pr.cdb_out(pr.REGISTER) + pr.params(0, 1)
    with a.connect() as c:
        for n, byte in enumerate(whole[:a.rng.randrange(2, 40)]):
            send(c, bytes([byte]), [a.own] if n == 0 else ())
            time.sleep(0.01)
