# SPDX-License-Identifier: BSD-2-Clause
"""What many clients cost, and what happens where there are too many."""

import contextlib
import multiprocessing
import os
import resource
import select
import signal
import socket
import struct
import time

import prclient
from daemon import Helper, Witness, status
from harness import case, equal, eventually
from prclient import CHECK_CONDITION, cdb_in, cdb_out, params

FEW = ["prlimit", "--nofile=96:96"]     # two for each client, but for 64 of them:
FEW_CLIENTS = 12                        # three quarters of 16 are one user's


def fill(t, h):
    """Clients until they are turned away at once, three times running."""
    clients, refused = [], 0
    while len(clients) < 200:
        c = prclient.Client(h.socket, handshake=False, timeout=5)
        t.keep(c)
        try:
            c.receive(4)
            c.send(bytes(4))
        except (EOFError, BrokenPipeError):
            refused += 1
            if refused == 3:
                return clients
            h.settled_fds()      # those that left earlier may not have been counted out yet
            continue
        except TimeoutError:
            raise AssertionError("neither served nor turned away") from None
        clients.append(c)
    raise AssertionError("200 clients, and no limit")


def does_not_spin(h):
    before = h.cpu()
    begin = time.monotonic()
    eventually(lambda: time.monotonic() - begin > 0.5, "half a second")
    if h.cpu() - before > 0.2:
        raise AssertionError(f"{h.cpu() - before} s of CPU time in 0.5 s of doing nothing")


@case(defect="at the limit of descriptors it spins and drops clients", cost=2)
def descriptors(t):
    """out of descriptors: newcomers are turned away, the others served, no time wasted"""
    h = Helper(t, wrapper=FEW)
    clients = fill(t, h)
    if not t.peer:
        equal(len(clients), FEW_CLIENTS, "clients with 96 descriptors")
    fd = t.open()
    before = h.cpu()
    begin = time.monotonic()
    while time.monotonic() - begin < 1:
        for c in clients:      # all at once: a descriptor on its way for every one
            c.send(cdb_out(0), [fd])
        for c in clients:
            c.send(params(1))
        for c in clients:
            equal(c.reply().status, CHECK_CONDITION, "status of a client")
        extra = t.keep(h.client(handshake=False))
        equal(extra.closed(), True, "a newcomer is turned away")
        extra.close()
    t.note(f"{h.cpu() - before:.2f} s of CPU time under load")
    does_not_spin(h)
    for c in clients[:5]:
        c.close()
    for _ in range(5):
        def again():
            c = t.keep(h.client(handshake=False))
            try:
                c.receive(4)
            except EOFError:
                return False
            c.send(bytes(4))
            return c.request(fd, cdb_in(0)).status == CHECK_CONDITION
        eventually(again, "a newcomer is served when another left")


@contextlib.contextmanager
def limit(h, which, number):
    """A running helper's limit is that inside."""
    before = set_limit(h, which, number)
    try:
        yield
    finally:
        set_limit(h, which, before)


def set_limit(h, which, number):
    """What its own user may do, too. Returns the one before."""
    ids = status(h.pid)
    os.setresgid(int(ids["Gid"].split()[0]), -1, -1)
    os.setresuid(int(ids["Uid"].split()[0]), -1, -1)
    try:
        before, hard = resource.prlimit(h.pid, which)
        resource.prlimit(h.pid, which, (number, hard))
        return before
    finally:
        os.setresuid(0, -1, -1)
        os.setresgid(0, -1, -1)


@case(defect="at the limit of descriptors it spins and drops clients", root=True, cost=1)
def accept_fails(t):
    """no descriptor for newcomers: they wait, no time is wasted, and it is told once"""
    h = Helper(t)
    eventually(lambda: t.peer or h.threads() <= 2, "who looked whether it serves has left")
    h.settled_fds()
    used = {int(n) for n in os.listdir(f"/proc/{h.pid}/fd")}
    free = min(set(range(len(used) + 1)) - used)
    with limit(h, resource.RLIMIT_NOFILE, free):
        newcomers = [t.keep(h.client(handshake=False)) for _ in range(1 if t.peer else 3)]
        does_not_spin(h)
        if not t.peer:
            h.wait_log("newcomers have to wait: Too many open files")
        equal(select.select([c.sock for c in newcomers], [], [], 0)[0], [], "those who have a word")
    for c in newcomers:
        equal(c.receive(4), bytes(4), "feature word")
    equal(h.log().count("newcomers have to wait"), 0 if t.peer else 1, "lines about it")


@case(defect="at the limit of descriptors it spins and drops clients", cost=1)
def two_descriptors_each(t):
    """out of descriptors: those who send two each harm nobody but themselves"""
    h = Helper(t, wrapper=FEW)
    clients = fill(t, h)
    fd = t.open()
    good, bad = clients[0], clients[1:]
    for _ in range(10):
        for c in bad:
            c.send(cdb_in(0)[:1], [fd, fd])
        for _ in range(10):
            equal(good.request(fd, cdb_in(0)).status, CHECK_CONDITION, "status")
        for c in bad:
            equal(c.closed(), True)
            c.close()
        bad = []

        def refill():
            c = t.keep(prclient.Client(h.socket, handshake=False))
            try:
                c.receive(4)
                c.send(bytes(4))
                bad.append(c)
            except (EOFError, BrokenPipeError):
                pass
            return len(bad) >= len(clients) - 1
        eventually(refill, "room for as many clients as before")


def turned_away(t, h):
    c = t.keep(h.client(handshake=False))
    equal(c.closed(), True, "one more is turned away")


@contextlib.contextmanager
def user(uid):
    """Whoever connects inside is that user."""
    os.seteuid(uid)
    try:
        yield
    finally:
        os.seteuid(0)


@case(ours="it has no such option")
def clients(t):
    """--max-clients: one more is turned away, with a word in the log, until another leaves"""
    h = Helper(t, "--max-clients=3", "--max-clients-per-user=3")
    w = Witness(t, h)
    first, second = (t.keep(h.client()) for _ in range(2))
    turned_away(t, h)
    h.wait_log("as many clients as possible are connected (--max-clients)")
    w.ask()
    first.close()
    eventually(lambda: serves(h), "a place for somebody else")
    equal(second.request(t.open(), cdb_in(0)).status, CHECK_CONDITION, "the others are served")


@case(ours="it has no such option", root=True)
def clients_of_a_user(t):
    """--max-clients-per-user: one more of that user is turned away, and of another is not"""
    h = Helper(t, "--max-clients=5", "--max-clients-per-user=2", "--socket-mode=666")
    for uid in (1000, 1001):
        with user(uid):
            for _ in range(2):
                t.keep(h.client())
            turned_away(t, h)
    h.wait_log("its user has as many connections as one user may have (--max-clients-per-user)", 2)
    t.keep(h.client())
    with user(1002):
        turned_away(t, h)
    h.wait_log("as many clients as possible are connected (--max-clients)")


@case(ours="it has no such limit", root=True)
def three_quarters(t):
    """one user has three quarters of what descriptors allow, the rest is for others"""
    h = Helper(t, "--socket-mode=666", wrapper=["prlimit", "--nofile=70:78"])
    eventually(lambda: h.threads() <= 2, "who looked whether it serves has left")
    for uid, count in ((0, 5), (1000, 2)):
        with user(uid):
            for _ in range(count):
                t.keep(h.client())
            turned_away(t, h)
    h.wait_log("its user has as many connections as one user may have (--max-clients-per-user)")
    h.wait_log("as many clients as possible are connected (--max-clients)")


def serves(h):
    """Whether a newcomer is served."""
    try:
        h.client().close()
        return True
    except (EOFError, OSError):
        return False


@case(defect="a live helper's path is stolen", cost=1)
def full_is_live(t):
    """a helper that turns newcomers away still holds its path against another"""
    h = Helper(t, wrapper=FEW)
    clients = fill(t, h)
    other = Helper(t, ready=False)
    equal(other.wait(), 1, "exit status of the second")
    clients[0].close()
    eventually(lambda: serves(h), "the path still leads to the first")


@case(defect="a backlog of 1 turns a burst away", cost=3)
def burst(t):
    """a thousand clients that connect without waiting are all served"""
    h = Helper(t)
    fd = t.open()
    clients = []
    os.kill(h.pid, signal.SIGSTOP)     # all of them are there before it looks
    try:
        for _ in range(1000):
            s = t.keep(socket.socket(socket.AF_UNIX))
            s.setblocking(False)
            s.connect(h.socket)
            clients.append(s)
    except BlockingIOError:
        raise AssertionError(f"EAGAIN at client {len(clients)}") from None
    finally:
        os.kill(h.pid, signal.SIGCONT)
    for s in clients:
        s.settimeout(10)
        equal(s.recv(4), bytes(4), "feature word")
        s.sendall(bytes(4))
        prclient.Client.send(type("C", (), {"sock": s}), cdb_in(0), [fd])
    for s in clients:
        equal(len(s.recv(104, socket.MSG_WAITALL)), 104, "reply")


@case(release=True, differs="it is built on GLib and more")
def idle_memory(t):
    """idle memory below 2.9 MB"""
    h = Helper(t)
    t.note(f"{h.rss()} kB")
    if h.rss() >= 2.9 * 1024:
        raise AssertionError(f"{h.rss()} kB")


@case(release=True, ours="it was not made for so many", cost=2)
def memory_of_clients(t):
    """a thousand idle clients that have sent requests below 15 MB, and given back"""
    h = Helper(t)
    fd = t.open()
    empty = h.rss()
    clients = [t.keep(h.client()) for _ in range(1000)]
    for c in clients:
        c.send(cdb_out(0, length=8192) + bytes(8192), [fd])
        c.reply()
    full = h.rss()
    t.note(f"{empty} kB, with 1000 clients {full} kB")
    if full >= 15 * 1024:
        raise AssertionError(f"{full} kB")
    for c in clients:
        c.close()
    eventually(lambda: h.threads() <= 2, "its threads are gone")


@case(release=True, cost=1)
def idle_cpu(t):
    """idle clients cost no time"""
    h = Helper(t)
    for _ in range(100):
        t.keep(h.client())
    begin, before = time.monotonic(), h.cpu()
    eventually(lambda: time.monotonic() - begin > 0.7, "0.7 s")
    if h.cpu() - before > 0.05:
        raise AssertionError(f"{h.cpu() - before} s of CPU time in 0.7 s")


def flood(path):
    while True:
        try:
            with socket.socket(socket.AF_UNIX) as s:
                s.connect(path)
        except OSError:
            pass


@case(cost=4)
def flood_of_connections(t):
    """a flood of connections neither starves other clients nor the signal that ends it"""
    h = Helper(t)
    w = Witness(t, h)
    floods = [multiprocessing.Process(target=flood, args=(h.socket,)) for _ in range(6)]
    for p in floods:
        p.start()
    try:
        begin = time.monotonic()
        while time.monotonic() - begin < 1:
            w.ask()
        begin = time.monotonic()
        equal(h.stop(timeout=8), 0, "exit status")
        t.note(f"ended after {time.monotonic() - begin:.2f} s")
    finally:
        for p in floods:
            p.kill()
            p.join()


@case(ours="it has no thread for each client", release=True)
def no_memory_for_threads(t):
    """out of memory for threads: newcomers are turned away, the others served"""
    h = Helper(t, wrapper=["prlimit", "--as=40000000"])
    clients = fill(t, h)
    t.note(f"{len(clients)} clients")
    fd = t.open()
    for c in clients:
        equal(c.request(fd, cdb_in(0)).status, CHECK_CONDITION, "status")


def without_threads(t):
    """A helper, and a context in which it has no more threads than it had."""
    h = Helper(t, "-u", "nobody", "--max-clients=50", "--socket-mode=666")
    eventually(lambda: h.threads() <= 2, "who looked whether it serves has left")
    return h, limit(h, resource.RLIMIT_NPROC, 1)


@case(ours="it has no thread for each client", root=True)
def no_threads(t):
    """no thread for newcomers: each is turned away, and served when there are threads again"""
    h, nothing = without_threads(t)
    w = Witness(t, h)
    with nothing:
        for _ in range(20):
            turned_away(t, h)
        w.ask()
        h.wait_log("uid 0: Resource temporarily unavailable")
    served = [t.keep(h.client()) for _ in range(20)]
    for c in served:
        c.read_keys(w.fd)
        c.close()
    w.check()
    if h.log().count("turned a client away") >= 20:
        raise AssertionError("a line for each of them")


@case(ours="it has no thread for each client", root=True,
      each={"in line": 0, "out of band": socket.MSG_OOB})
def no_threads_to_close(t, flags):
    """no thread to close what newcomers sent: what they sent stays as it is until there is one"""
    h, nothing = without_threads(t)
    w = Witness(t, h)
    with nothing:
        h.kill(signal.SIGSTOP)
        eventually(lambda: status(h.pid)["State"].startswith("T"), "it is stopped")
        pipes = []
        for _ in range(8):
            c = t.keep(prclient.Client(h.socket, handshake=False))
            end, other = os.pipe()
            pipes.append(t.keep(os.fdopen(end, "rb")))
            c.sock.sendmsg([b"\1"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, struct.pack("i", other))],
                           flags)
            os.close(other)
        h.kill(signal.SIGCONT)
        h.wait_log("nobody is taken in until threads are free")
        equal(select.select(pipes, [], [], 0)[0], [], "descriptors that are closed")
        w.ask()
    for pipe in pipes:
        equal(pipe.read(), b"", "its other end is closed")
    w.check()
