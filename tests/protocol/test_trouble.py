# SPDX-License-Identifier: BSD-2-Clause
"""Descriptors whose file system fails or never answers: one client's own trouble."""

import os
import signal
import time

import prclient
from daemon import Helper, Witness, alive
from fuse import Troubles
from harness import case, close_quietly, contains, equal, eventually
from prclient import CHECK_CONDITION, cdb_in, cdb_out, params
from test_log import stuck

PATIENCE, OVER = 8, 10           # seconds for what hangs, and for all of the end
SLACK = 0.5
STALLS = "a descriptor that hangs stalls everybody"


def started(t, *options):
    """The file system first, so that the helper lives in the same name space."""
    troubles = Troubles(t)
    h = Helper(t, *options)
    t.cleanups.callback(troubles.end)     # or the helper could not end
    return troubles, h, Witness(t, h)


@case(root=True)
def harmless(t):
    """a file of a file system in user space is like any other"""
    troubles, h, w = started(t)
    c = t.keep(h.client())
    fd = troubles.open("fine")
    equal(c.request(fd, cdb_in(0)).status, CHECK_CONDITION)
    equal(c.out(fd, 0).status, CHECK_CONDITION)
    c.close()
    w.check()


@case(root=True, differs="the peer did not need to know what the descriptor is")
def fstat_fails(t):
    """a descriptor whose fstat fails gets 5/20/00, and the helper lives"""
    troubles, h, w = started(t)
    c = t.keep(h.client())
    fd = troubles.open("fstat-fails")
    for _ in range(5):
        equal(c.request(fd, cdb_in(0)).code, (5, 0x20, 0), "PR IN")
        equal(c.out(fd, 0).code, (5, 0x20, 0), "PR OUT")
    c.close()
    w.check()
    h.wait_log("fstat failed")


@case(root=True, differs="the peer does not ask")
def fstat_hangs(t):
    """a descriptor whose fstat hangs stops one client and nobody else"""
    check_hanging(t, "fstat-hangs")


@case(root=True, defect=STALLS)
def close_hangs(t):
    """a descriptor whose close hangs stops one client and nobody else"""
    check_hanging(t, "close-hangs")


def check_hanging(t, name):
    troubles, h, w = started(t)
    fd = troubles.open(name)
    stuck = [t.keep(h.client(timeout=1)) for _ in range(3)]
    for c in stuck:
        c.send(cdb_in(0), [fd])
    w.client.sock.settimeout(3)
    for _ in range(200):
        w.ask()
    with h.client(timeout=3) as newcomer:
        equal(newcomer.request(w.fd, cdb_out(0), params(1)).status, CHECK_CONDITION)
    for c in stuck:
        try:
            c.reply()
        except TimeoutError:
            continue
        raise AssertionError("it did not hang")
    for c in stuck[:2]:       # leaving changes nothing for the others
        c.close()
    for _ in range(50):
        w.ask()
    troubles.end()            # its requests come back with an error
    stuck[2].sock.settimeout(8)
    equal(stuck[2].reply().status, CHECK_CONDITION, "the stuck client's reply in the end")
    for c in stuck:
        c.close()
    close_quietly(fd)
    w.check()


def end_in_time(h, begin):
    """The paths go when its patience is out and its keeper has run, and then it calls _exit(2)."""
    paths = h.socket, h.t.path("pid")
    eventually(lambda: not any(map(os.path.exists, paths)), "the paths are gone",
               PATIENCE + 1 + SLACK)
    if time.monotonic() - begin < PATIENCE:
        raise AssertionError(f"it waited for {time.monotonic() - begin:.1f} s only")
    eventually(lambda: not alive(h.pid), "it has ended, or is a zombie",
               begin + OVER + SLACK - time.monotonic())
    h.t.note(f"ended after {time.monotonic() - begin:.1f} s")


def followed(t, first, troubles):
    """Another one serves, though the first is stuck in the kernel."""
    second = Helper(t, "-f", t.path("pid"))
    second.client().close()
    troubles.end()
    equal(first.wait(), 0, "exit status")
    equal(second.stop(), 0, "exit status of the second")


@case(root=True, ours="it stalls", cost=11)
def end_with_hanging(t):
    """SIGTERM with a client whose device hangs: eight seconds for it, exit 0, the paths go"""
    troubles, h, w = started(t, "-f", t.path("pid"))
    c = t.keep(h.client())
    fd = t.open()
    for _ in range(3):
        c.out(fd, 0)
    c.send(cdb_in(0), [troubles.open("fstat-hangs")])
    for _ in range(20):
        w.ask()
    begin = time.monotonic()
    h.kill(signal.SIGTERM)
    end_in_time(h, begin)
    contains(h.log(), "left behind")
    contains(h.log(), "repeated 2 times")
    followed(t, h, troubles)


@case(root=True, ours="it stalls", cost=11)
def end_with_all_hanging(t):
    """SIGTERM with a client whose device hangs and a log that takes nothing: in ten seconds all is over"""
    if os.path.exists("/dev/log"):
        t.note("there is a /dev/log: that takes the lines")
    troubles = Troubles(t)
    h, _ = stuck(t, "-v", "-f", t.path("pid"))
    t.cleanups.callback(troubles.end)
    c = t.keep(h.client())
    c.send(cdb_in(0), [troubles.open("fstat-hangs")])
    for _ in range(200):          # more than the log's queue holds
        h.client().close()
    begin = time.monotonic()
    h.kill(signal.SIGTERM)
    end_in_time(h, begin)
    followed(t, h, troubles)


@case(root=True)
def undefined_bytes(t):
    """undefined bytes of a reply are zero where there is no sense"""
    troubles, h, _ = started(t)
    files = [troubles.open(name) for name in ("ioctl-EDOM", "ioctl-EBADE", "fine")]
    for i in range(200):
        if i % 10 == 0:
            c = t.keep(h.client())
        cdb = cdb_in(i % 4, 8 * i) if i % 2 else cdb_out(0) + params(i)
        c.send(cdb, [files[i % 3]])
        header = c.receive(prclient.REPLY_HEADER)
        known = 18 if header[3] == CHECK_CONDITION else 0
        equal(header[8 + known:], bytes(96 - known), f"the rest of the sense, status {header[3]}")
        equal(header[4:8], bytes(4), "size")
