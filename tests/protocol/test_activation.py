# SPDX-License-Identifier: BSD-2-Clause
"""Socket activation: LISTEN_PID, LISTEN_FDS and what descriptor 3 is."""

import os
import socket
import subprocess

from daemon import Helper, describe_fds
from harness import case, contains, equal, eventually
from prclient import CHECK_CONDITION, Client, cdb_in, cdb_out, params


def listening(t, path="s", listen=True, kind=socket.SOCK_STREAM):
    s = t.keep(socket.socket(socket.AF_UNIX, kind))
    s.bind(t.path(path))
    if listen:
        s.listen(50)
    return s


def environment(fd, fds, pid):
    """What runs in the child before the helper does."""
    def prepare():
        if fd is None:
            try:
                os.close(3)
            except OSError:
                pass
        else:
            os.dup2(fd, 3)
        os.environ["LISTEN_PID"] = pid or str(os.getpid())
        os.environ["LISTEN_FDS"] = fds
    return prepare


def start(t, fd, fds="1", pid=None, options=(), **more):
    return Helper(t, *options, socket_args=False, ready=False,
                  preexec_fn=environment(fd, fds, pid), close_fds=False, **more)


def refused(t, *messages, **how):
    h = start(t, **how)
    equal(h.wait(), 1, "exit status")
    contains(h.log(), "qemu-pr-helper: ")
    for message in messages:
        contains(h.log(), message)
    return h


@case()
def activated(t):
    """descriptor 3 is served, and its path stays at the end"""
    s = listening(t)
    h = start(t, s.fileno())
    c = t.keep(h.client())
    equal(c.request(t.open(), cdb_in(0)).status, CHECK_CONDITION)
    equal(h.stop(), 0, "exit status")
    equal(os.path.exists(t.path("s")), True, "the path is left alone")
    h = start(t, s.fileno())
    h.client().close()
    h.stop()


@case()
def queued(t):
    """clients that connected before it was started are served"""
    s = listening(t)
    clients = [t.keep(Client(t.path("s"), handshake=False)) for _ in range(20)]
    start(t, s.fileno())
    fd = t.open()
    for c in clients:
        equal(c.receive(4), bytes(4))
        c.send(bytes(4))
        equal(c.request(fd, cdb_in(0)).status, CHECK_CONDITION)


@case(each={"SO_PASSCRED": socket.SO_PASSCRED, "SO_PASSSEC": getattr(socket, "SO_PASSSEC", 34)})
def passes_credentials(t, option):
    """a socket that was set up to pass credentials too (systemd's PassCredentials=)"""
    check_extra_control(t, option)


@case(defect="the process descriptors that come with every request pile up")
def passes_pidfd(t):
    """a socket that was set up to pass process descriptors too (SO_PASSPIDFD)"""
    check_extra_control(t, 76)


def check_extra_control(t, option):
    s = listening(t)
    try:
        s.setsockopt(socket.SOL_SOCKET, option, 1)
    except OSError as e:
        t.note(f"no such option here: {e}")
        return
    h = start(t, s.fileno())
    w = t.keep(h.client())
    fd = t.open()
    for _ in range(3):
        equal(w.request(fd, cdb_in(0)).status, CHECK_CONDITION)
        equal(w.request(fd, cdb_out(0), params(1)).status, CHECK_CONDITION)
    before = h.settled_fds()
    for count in (0, 2, 3, 253):
        c = t.keep(h.client())
        c.send(cdb_in(0), [fd] * count)
        equal(c.closed(), True, f"closed with {count} descriptors")
        c.close()
    eventually(lambda: h.fds() <= before, "descriptors back to what they were")


@case(each={"-k": "-k", "--socket": "--socket"})
def with_socket_option(t, option):
    """together with -k: refused"""
    refused(t, "Unix socket can't be set when using socket activation",
            fd=listening(t).fileno(), options=(option, t.path("other")))
    equal(os.path.exists(t.path("other")), False, "a socket was made")


@case()
def two_sockets(t):
    """more than one socket: refused"""
    s = listening(t)
    refused(t, "" if t.peer else "LISTEN_FDS > 1", fd=s.fileno(), fds="2")


@case(each={v or "empty": v for v in ("-1", "-2147483648", "2147483647", "4294967295", "99999999",
                                      "99999999999999999999", "1x", "0x1", "one", " 1", "+1",
                                      "")},
      defect="it aborts on some and takes garbage for a number")
def bad_count(t, value):
    """garbage or a huge number in LISTEN_FDS: refused with a clear error"""
    refused(t, "LISTEN_FDS", fd=listening(t).fileno(), fds=value)


@case(each={"datagram": "datagram", "not listening": "idle", "TCP": "tcp", "file": "file",
            "closed": "closed", "connected": "connected", "seqpacket": "seqpacket"},
      differs="the peer looks at the address family only")
def no_listener(t, kind):
    """descriptor 3 is no listening unix stream socket: refused"""
    keep = None
    if kind in ("datagram", "seqpacket"):
        packet = kind == "seqpacket"
        fd = listening(t, listen=packet,
                       kind=socket.SOCK_SEQPACKET if packet else socket.SOCK_DGRAM).fileno()
    elif kind == "idle":
        fd = listening(t, listen=False).fileno()
    elif kind == "tcp":
        keep = socket.socket()
        keep.bind(("127.0.0.1", 0))
        keep.listen()
        fd = keep.fileno()
    elif kind == "connected":
        keep = socket.socketpair()
        fd = keep[0].fileno()
    else:
        fd = t.open("/etc/passwd", os.O_RDONLY) if kind == "file" else None
    refused(t, "descriptor 3 is no listening unix stream socket", fd=fd)


@case(each={"1": "1", "none": "", "garbage": "abc", "negative": "-1", "huge": "9" * 30})
def another_process(t, pid):
    """LISTEN_PID is not ours: ignored"""
    s = listening(t)
    h = start(t, s.fileno(), pid=pid or "x", options=("-k", t.path("own")))
    h.socket = t.path("own")
    h.wait_ready()
    equal(h.stop(), 0)
    equal(os.path.exists(t.path("s")), True, "the other's path")


@case()
def no_sockets(t):
    """LISTEN_FDS=0 is no activation"""
    h = start(t, listening(t).fileno(), fds="0", options=("-k", t.path("own")))
    h.socket = t.path("own")
    h.wait_ready()
    equal(h.stop(), 0)


@case()
def in_background(t):
    """with -d too"""
    s = listening(t)
    done = subprocess.run([t.helper, *t.always, "-d", "-f", t.path("pid")],
                          close_fds=False, timeout=10, stdin=subprocess.DEVNULL,
                          preexec_fn=environment(s.fileno(), "1", None))
    equal(done.returncode, 0, "exit status")
    s.close()
    with Client(t.path("s"), timeout=5) as c:
        equal(c.request(t.open(), cdb_in(0)).status, CHECK_CONDITION)


@case(ours="it has no log of its own", root=True)
def not_inherited(t):
    """the passed socket is closed when it ends: nobody keeps it"""
    s = listening(t)
    h = start(t, s.fileno(), options=("-f", t.path("pid")))
    h.client().close()
    pid, = h.keepers()
    listener = os.readlink(f"/proc/self/fd/{s.fileno()}")
    contains(describe_fds(h.pid), listener)
    equal(listener in describe_fds(pid), False, "the keeper holds the listener")
    s.close()
    equal(h.stop(), 0)
