# SPDX-License-Identifier: BSD-2-Clause
"""How it ends: signals at any time, kill -9 and the keeper, what it inherited."""

import os
import random
import signal
import socket
import subprocess
import time

from daemon import Helper, Witness, alive, describe_fds, run_command
from harness import case, children, equal, eventually
from prclient import Client, CHECK_CONDITION, cdb_in, cdb_out, params

SIGNALS = {s.name: s for s in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)}


def files(t):
    return sorted(n for n in os.listdir(t.dir) if not n.startswith("log"))


@case(each=SIGNALS)
def ends(t, number):
    """exit 0 and no path left"""
    h = Helper(t)
    equal(h.stop(number), 0, "exit status")
    equal(files(t), [], "files")


@case(each=SIGNALS, ours="its socket and pidfile stay")
def ends_with_clients(t, number):
    """idle clients are dropped at once, half-sent requests too, exit 0, no path left"""
    h = Helper(t, "-f", t.path("pid"))
    fd = t.open()
    idle = t.keep(h.client())
    fresh = t.keep(h.client(handshake=False))
    fresh.receive(4)
    half = t.keep(h.client())
    half.send(cdb_in(0)[:5], [fd])
    waiting = t.keep(h.client())
    waiting.send(cdb_out(0) + params(1)[:5], [fd])
    equal(idle.request(fd, cdb_in(0)).status, CHECK_CONDITION)
    begin = time.monotonic()
    equal(h.stop(number), 0, "exit status")
    if time.monotonic() - begin > 3:
        raise AssertionError(f"it took {time.monotonic() - begin:.1f} s")
    for c in (idle, fresh, half, waiting):
        equal(c.closed(), True, "closed")
    equal(files(t), [], "files")


@case(ours="it waits for nobody")
def ends_with_unread_reply(t):
    """a client that does not read its replies cannot delay the end for long"""
    h = Helper(t)
    fd = t.open()
    c = t.keep(h.client(timeout=0.3))
    try:
        while True:
            c.send(cdb_in(0), [fd])
    except TimeoutError:
        pass
    begin = time.monotonic()
    equal(h.stop(timeout=13), 0, "exit status")
    took = time.monotonic() - begin
    t.note(f"{took:.1f} s")
    if took > 5:
        raise AssertionError(f"it took {took:.1f} s")


@case()
def ends_repeatedly(t):
    """more signals while it ends change nothing"""
    for _ in range(5):
        h = Helper(t)
        t.keep(h.client())
        for number in list(SIGNALS.values()) * 3:
            h.kill(number)
        equal(h.wait(), 0, "exit status")
        equal(files(t), [], "files")


@case()
def sigpipe(t):
    """SIGPIPE is ignored"""
    h = Helper(t)
    for _ in range(10):
        h.kill(signal.SIGPIPE)
    w = Witness(t, h)
    w.check()


@case(ours="SIGUSR1 and others end it too")
def other_signals(t):
    """signals that it blocks or ignores do not disturb it"""
    h = Helper(t)
    w = Witness(t, h)
    for number in (signal.SIGCHLD, signal.SIGWINCH, signal.SIGCONT, signal.SIGURG,
                   signal.SIGPIPE, signal.SIGUSR1, signal.SIGALRM):
        h.kill(number)
    w.check()


def early(t, wrapper=(), tries=150, options=()):
    """SIGTERM after any time from 0 to the time that a start takes."""
    h = Helper(t, *options)
    begin = time.monotonic()
    h.stop()
    rng = random.Random(7)
    span = 0.012 if not t.sanitized else 0.15
    t.note(f"a stop takes {1000 * (time.monotonic() - begin):.1f} ms")
    for i in range(tries):
        h = Helper(t, *options, ready=False, wrapper=wrapper)
        pause = time.monotonic() + rng.random() * span
        while time.monotonic() < pause:
            pass
        h.kill(signal.SIGTERM)
        rc = h.wait(10)
        if rc not in (0, -signal.SIGTERM):
            raise AssertionError(f"try {i}: ended with {rc}: {h.log()}")
        eventually(lambda: not files(t), f"try {i} ended with {rc}: nothing is left")
        h.end()


@case(defect="SIGTERM early in start-up is lost", cost=4)
def early_signal(t):
    """SIGTERM at any time after the start ends it and leaves nothing"""
    early(t, tries=20 if t.sanitized else 150)


@case(ours="its pidfile stays", cost=3)
def early_signal_with_pidfile(t):
    """SIGTERM at any time, with a pidfile and a user to change to"""
    os.chmod(t.dir, 0o777)
    early(t, tries=10 if t.sanitized else 80,
          options=("-f", t.path("pid"), *(["-u", "nobody"] if os.geteuid() == 0 else [])))


@case(ours="its parent does not wait", cost=4)
def early_signal_in_background(t):
    """-d: a starter that SIGTERM ended leaves no daemon behind"""
    rng = random.Random(5)
    for i in range(8 if t.sanitized else 100):
        p = subprocess.Popen([t.helper, *t.always, "-d", "-k", t.path("s"), "-f", t.path("pid")],
                             stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        pause = time.monotonic() + rng.random() * (0.012 if not t.sanitized else 0.15)
        while time.monotonic() < pause:
            pass
        p.send_signal(signal.SIGTERM)
        rc = p.wait(10)
        if rc == 0:           # it was quicker: now the daemon is there, and is ended
            with open(t.path("pid")) as f:
                os.kill(int(f.read()), signal.SIGTERM)
        eventually(lambda: not files(t) and not children(os.getpid()) or reap(),
                   f"try {i}, starter ended with {rc}: left behind: {files(t)}", 4)


def reap():
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass
    return False


@case(differs="the peer's paths stay after kill -9", root=True,
      each={"foreground": [], "user": ["-u", "nobody"]})
def kill_9(t, options):
    """after kill -9 the keeper removes socket and pidfile"""
    os.chmod(t.dir, 0o755)
    for _ in range(3):
        h = Helper(t, "-f", t.path("pid"), *options)
        t.keep(h.client())
        equal(files(t), ["pid", "s"], "files")
        h.kill(signal.SIGKILL)
        equal(h.wait(), -9)
        eventually(lambda: not files(t), "the paths are gone")


@case(defect="after -u it can remove neither socket nor pidfile", root=True)
def ends_after_drop(t):
    """after -u socket and pidfile go"""
    os.mkdir(t.path("d"), 0o700)
    h = Helper(t, "-f", t.path("d/pid"), "-u", "nobody", "-k", t.path("d/s"), ready=False)
    h.socket = t.path("d/s")
    h.wait_ready()
    equal(h.stop(), 0, "exit status")
    equal(os.listdir(t.path("d")), [], "files")


@case(ours="it has no keeper")
def keeper_survives(t):
    """signals to the whole process group, and to the keeper, leave nothing behind"""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        h = Helper(t, "-f", t.path("pid"), start_new_session=True)
        keepers = h.keepers()
        equal(len(keepers), 1, "keepers")
        for other in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1,
                      signal.SIGPIPE, signal.SIGALRM):
            os.kill(keepers[0], other)
        os.killpg(h.pid, number)
        equal(h.wait(), 0, "exit status")
        equal(files(t), [], "files")
        eventually(lambda: not alive(keepers[0]), "the keeper has ended")


@case(ours="it has no keeper")
def keeper_killed(t):
    """without its keeper it still ends promptly"""
    h = Helper(t)
    os.kill(h.keepers()[0], signal.SIGKILL)
    w = Witness(t, h)
    w.ask()
    begin = time.monotonic()
    equal(h.stop(), 0, "exit status")
    if time.monotonic() - begin > 1.5:
        raise AssertionError("it waited for the keeper")


@case(ours="it has no keeper")
def no_keeper_for_nothing(t):
    """no keeper where there is nothing to remove: socket activation"""
    listener = t.keep(socket.socket(socket.AF_UNIX))
    listener.bind(t.path("s"))
    listener.listen(5)

    def activate():
        os.dup2(listener.fileno(), 3)
        os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1")
    h = Helper(t, socket_args=False, preexec_fn=activate, pass_fds=[3])
    h.client().close()
    equal(h.keepers(), [], "children")
    equal(h.stop(), 0)
    equal(files(t), ["s"], "files")


@case(ours="it has no keeper")
def inherited(t):
    """what it inherited stays open in the serving process and not in the keeper"""
    lock = os.open(t.path("lock"), os.O_RDWR | os.O_CREAT)
    high = os.dup2(lock, 200)
    reader, writer = os.pipe()
    h = Helper(t, pass_fds=[lock, high, writer])
    os.close(writer)
    h.fds()      # skips where it is not for us to see
    mine = describe_fds(h.pid).split()
    equal(mine.count(t.path("lock")), 2, "inherited descriptors in the serving process")
    keeper, = h.keepers()
    theirs = describe_fds(keeper).split()
    equal([p for p in theirs if "lock" in p or "pipe:" in p or p.startswith("/dev")
           or p == h.log_path], [], f"descriptors in the keeper: {theirs}")
    equal(len(theirs), 3, f"connection, directory and inode: {theirs}")
    h.kill(signal.SIGKILL)
    h.wait()
    equal(os.read(reader, 1), b"", "end of file where the helper was the last")


@case()
def libvirt(t):
    """as libvirt runs it: foreground, stderr's reader goes when it is ready"""
    reader, writer = os.pipe()
    h = Helper(t, stderr=writer, ready=False)
    os.close(writer)
    eventually(lambda: os.path.exists(h.socket), "the path")
    os.close(reader)
    eventually(lambda: h.client().close() or True, "connecting")
    fd = t.open()
    c = t.keep(h.client())
    for i in range(100):
        equal(c.out(fd, i % 9, key=i).status, CHECK_CONDITION)
    equal(h.stop(), 0, "exit status")
    equal(files(t), [], "files")


CLOSED = {"none": (), "stdin": (0,), "stdout": (1,), "stderr": (2,), "all": (0, 1, 2)}


def closing(closed):
    return ["sh", "-c", 'exec "$@"' + "".join(f" {fd}>&-" for fd in closed), "sh"]


@case(each=CLOSED, ours="it has the same trouble")
def closed_in_background(t, closed):
    """-d with standard descriptors closed serves nevertheless"""
    rc, _, err = run_command(t, "-d", "-k", t.path("s"), "-f", t.path("pid"), "-v",
                             wrapper=closing(closed))
    equal(rc, 0, f"the parent's exit status, {err!r}")
    with open(t.path("pid")) as f:
        pid = int(f.read())
    with Client(t.path("s"), timeout=5) as c:
        equal(c.out(t.open(), 0).status, CHECK_CONDITION)
    os.kill(pid, signal.SIGTERM)
    eventually(lambda: not files(t), "the paths are gone")


@case(each=CLOSED, ours="it has the same trouble")
def closed_standard(t, closed):
    """started with standard descriptors closed, its log goes to no client and no socket"""
    h = Helper(t, "-v", wrapper=closing(closed))
    fd = t.open()
    clients = [t.keep(h.client()) for _ in range(4)]
    for i in range(10):
        for c in clients:
            equal(c.out(fd, i % 9, key=i).status, CHECK_CONDITION)
            equal(c.request(fd, cdb_in(i % 4)).sense[18:], bytes(78), "the rest of the sense")
    for number in closed:
        target = os.readlink(f"/proc/{h.pid}/fd/{number}") if os.path.lexists(
            f"/proc/{h.pid}/fd/{number}") else "closed"
        if target not in ("/dev/null", "closed"):
            raise AssertionError(f"descriptor {number} is {target}")
    equal(h.stop(), 0, "exit status")
