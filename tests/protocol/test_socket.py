# SPDX-License-Identifier: BSD-2-Clause
"""The socket's path: what may be there before, who gets it, what is left at the end."""

import ctypes
import os
import pwd
import signal
import socket
import stat
import time

import prclient
from daemon import Helper, Witness, connects, is_socket, run_command
from harness import Lacking, Skip, case, contains, equal, eventually

STOLEN = "a second helper takes the path away from the first"


def names(t):
    """What is in the test's directory, but for logs."""
    return sorted(n for n in os.listdir(t.dir) if not n.startswith("log"))


def make_stale(path):
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(path)


def make(t, kind):
    path = t.path("s")
    if kind == "regular file":
        with open(path, "w") as f:
            f.write("precious")
    elif kind == "directory":
        os.mkdir(path)
    elif kind == "symbolic link":
        os.symlink("elsewhere", path)
    elif kind == "symbolic link to a socket":
        make_stale(t.path("elsewhere"))
        os.symlink("elsewhere", path)
    elif kind == "fifo":
        os.mkfifo(path)
    return os.lstat(path)


@case(each={"status socket": "--status-socket={}", "pid file": "-f{}"},
      ours="its pid file is another kind of file, and it has no status socket")
def named_twice(t, option):
    """one path for two things is refused, and nothing is left behind"""
    rc, out, err = run_command(t, "-k", t.path("s"), option.format(t.path("s")), timeout=3)
    equal(rc, 1, "exit status")
    contains(err, f"'{t.path('s')}' is named twice")
    equal(names(t), [], "files")


NO_SOCKETS = {k: k for k in ("regular file", "directory", "symbolic link", "fifo",
                             "symbolic link to a socket")}


@case(each=NO_SOCKETS, differs="the peer deletes what is at the path, if it can")
def no_socket_there(t, kind):
    """what is no socket is refused and left alone"""
    before = make(t, kind)
    files = names(t)
    rc, out, err = run_command(t, "-k", t.path("s"), timeout=3)
    equal(rc, 1, "exit status")
    contains(err, f"qemu-pr-helper: {t.path('s')}")
    contains(err, "left alone")
    equal(err.count("\n"), 1, "lines")
    after = os.lstat(t.path("s"))
    equal((after.st_ino, after.st_mode, after.st_mtime_ns),
          (before.st_ino, before.st_mode, before.st_mtime_ns), "it is the same")
    equal(names(t), files, "files")


@case()
def stale(t):
    """a stale socket is replaced"""
    make_stale(t.path("s"))
    h = Helper(t)
    equal(names(t), ["s"], "files")
    equal(h.stop(), 0, "exit status")
    equal(names(t), [], "files")


@case(differs="the peer replaces any socket at once", cost=2.5)
def silent_socket(t):
    """a socket whose owner says nothing for two seconds is stale, not before"""
    listener = t.keep(socket.socket(socket.AF_UNIX))
    listener.bind(t.path("s"))
    listener.listen(5)
    begin = time.monotonic()
    h = Helper(t, ready=False)
    eventually(lambda: answers(t.path("s")), "replaced")
    if time.monotonic() - begin < 1.5:
        raise AssertionError("replaced too early")
    equal(h.stop(), 0)


def answers(path):
    """Whether a helper's feature word comes at once."""
    try:
        with prclient.Client(path, handshake=False, timeout=0.2) as c:
            return c.receive(4) == bytes(4)
    except (OSError, EOFError):
        return False


@case(differs="the peer replaces any socket at once", cost=2.5)
def slow_socket(t):
    """a live helper that answers late, but within two seconds, keeps its path"""
    listener = t.keep(socket.socket(socket.AF_UNIX))
    listener.bind(t.path("s"))
    listener.listen(5)
    listener.settimeout(5)
    h = Helper(t, ready=False)
    conn = t.keep(listener.accept()[0])
    begin = time.monotonic()
    eventually(lambda: time.monotonic() - begin > 0.7, "0.7 s")
    conn.sendall(b"\0\0")
    eventually(lambda: time.monotonic() - begin > 1.4, "1.4 s")
    conn.sendall(b"\0\0")
    equal(h.wait(), 1, "exit status")
    contains(h.log(), "in use")


@case(defect=STOLEN)
def live(t):
    """a live helper's path is refused, and the first goes on"""
    h = Helper(t)
    w = Witness(t, h)
    rc, _, err = run_command(t, "-k", t.path("s"), timeout=3)
    equal((rc, err), (1, f"qemu-pr-helper: {t.path('s')} is in use by another helper\n"))
    h.client().close()
    w.check()
    equal(names(t), ["s"], "files")
    equal(h.stop(), 0)
    equal(names(t), [], "files")


def race(t, rounds, prepare):
    for _ in range(rounds):
        prepare()
        helpers = [Helper(t, ready=False) for _ in range(8)]

        def decided():
            return sum(h.process.poll() is None for h in helpers) <= 1
        eventually(decided, "all but one have given up", 15)
        living = [h for h in helpers if h.alive()]
        equal(len(living), 1, "living helpers: "
              + " / ".join(h.log().strip() for h in helpers))
        for h in helpers:
            if h not in living:
                equal(h.wait(), 1, "exit status of a loser")
                contains(h.log(), "in use")
        eventually(lambda: connects(t.path("s")), "the path works")
        equal(names(t), ["s"], "files")
        equal(living[0].stop(), 0, "exit status of the winner")
        equal(names(t), [], "files")


@case(defect=STOLEN, cost=3)
def race_for_nothing(t):
    """eight helpers at once on a free path: one gets it, the others say why not"""
    race(t, 1 if t.sanitized else 4, lambda: None)


@case(defect=STOLEN, cost=4)
def race_for_stale(t):
    """eight helpers at once on a stale socket: one gets it, the others say why not"""
    race(t, 1 if t.sanitized else 8, lambda: make_stale(t.path("s")))


PTRACE_TRACEME, PTRACE_PEEKUSER, PTRACE_DETACH, PTRACE_SYSCALL = 0, 3, 17, 24
ORIG_RAX = 15 * 8
UNLINKAT = 263           # x86-64


def stopped_before_unlink(t):
    """A helper that is held right where it removes the stale socket."""
    if os.uname().machine != "x86_64":
        raise Skip("knows the system calls of x86-64 only")
    libc = ctypes.CDLL(None, use_errno=True)
    ptrace = libc.ptrace
    ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
    ptrace.restype = ctypes.c_long
    pid = os.fork()
    if pid == 0:
        os.dup2(os.open(t.path("log0"), os.O_WRONLY | os.O_CREAT, 0o644), 2)
        if ptrace(PTRACE_TRACEME, 0, None, None) == 0:
            os.execv(t.helper, [t.helper, *t.always, "-k", t.path("s")])
        os._exit(99)
    while True:
        _, how = os.waitpid(pid, 0)
        if not os.WIFSTOPPED(how):
            raise Lacking(f"cannot trace: {how}")
        if ptrace(PTRACE_PEEKUSER, pid, ORIG_RAX, None) == UNLINKAT:
            return pid, lambda: ptrace(PTRACE_DETACH, pid, None, None)
        ptrace(PTRACE_SYSCALL, pid, None, None)


@case(ours=STOLEN)
def race_at_the_worst_moment(t):
    """a helper that is slow to remove a stale socket does not remove another's live one"""
    make_stale(t.path("s"))
    pid, let_go = stopped_before_unlink(t)
    second = Helper(t, ready=False)
    begin = time.monotonic()
    eventually(lambda: answers(t.path("s")) or not second.alive()
               or time.monotonic() - begin > 1, "it serves, or waits for the first")
    let_go()

    def ended():
        done, how = os.waitpid(pid, os.WNOHANG)
        first[0] = first[0] or (done and how)
        return done or not second.alive()
    first = [None]
    eventually(ended, "one of the two gives up: both live, and one has lost its path")
    eventually(lambda: answers(t.path("s")), "the path works")
    contains(second.log() + open(t.path("log0")).read(), "in use")
    if second.alive():
        equal(os.WEXITSTATUS(first[0]), 1, "exit status of the first")
    else:
        os.kill(pid, signal.SIGTERM)
        equal(os.WEXITSTATUS(os.waitpid(pid, 0)[1]), 0, "exit status of the first")


@case(ours="it has no such option")
def mode(t):
    """--socket-mode is the mode, whatever the umask"""
    for octal in (0o600, 0o660, 0o666, 0o777, *([0o4] if os.geteuid() == 0 else [])):
        os.umask(0o077)
        h = Helper(t, f"--socket-mode={octal:o}")
        equal(stat.S_IMODE(os.stat(h.socket).st_mode), octal, "mode")
        equal(h.stop(), 0)


@case()
def umask(t):
    """without --socket-mode the umask decides"""
    for mask in (0o022, 0o077, 0o000, 0o117):
        os.umask(mask)
        h = Helper(t)
        equal(stat.S_IMODE(os.stat(h.socket).st_mode), 0o777 & ~mask, "mode")
        equal(h.stop(), 0)


@case(ours="it has no such option", root=True)
def owner(t):
    """--socket-owner: user, user and group, group alone, names and numbers"""
    nobody = pwd.getpwnam("nobody")
    for value, expected in (("nobody", (nobody.pw_uid, 0)), ("12345:54321", (12345, 54321)),
                            (f"nobody:{nobody.pw_gid}", (nobody.pw_uid, nobody.pw_gid)),
                            (":54321", (0, 54321)), ("0", (0, 0))):
        h = Helper(t, f"--socket-owner={value}", "--socket-mode=600")
        st = os.stat(h.socket)
        equal((st.st_uid, st.st_gid, stat.S_IMODE(st.st_mode)), (*expected, 0o600), value)
        equal(h.stop(), 0)
        equal(names(t), [], "files")


@case(ours="it has no such option", root=True)
def owner_refused(t):
    """an owner that cannot be given is an error, and nothing is left"""
    rc, _, err = run_command(t, "-k", t.path("s"), "--socket-owner=nobody",
                             wrapper=["setpriv", "--bounding-set=-chown"])
    equal(rc, 1, "exit status")
    contains(err, "--socket-owner")
    equal(names(t), [], "files")


@case(ours="its path appears before it listens, which is seen once in a few tries")
def path_means_ready(t):
    """from the moment that the path is there one can connect, and is served"""
    for _ in range(5 if t.sanitized else 20):
        h = Helper(t, ready=False)
        deadline = time.monotonic() + 10
        while not is_socket(h.socket):     # no pause: as soon as possible
            if time.monotonic() > deadline or not h.alive():
                raise AssertionError(f"no socket: {h.log()}")
        with prclient.Client(h.socket) as c:
            c.request(t.open(), prclient.cdb_in(0))
        equal(h.stop(), 0)


@case(each={"pidfile": ("-f", "/no/such/dir/pid"), "pidfile is a directory": ("-f", "/")},
      differs="the peer leaves its socket behind")
def failure_after_listening(t, options):
    """a failure after the socket was made removes it"""
    rc, _, err = run_command(t, "-k", t.path("s"), *options)
    equal(rc, 1, "exit status")
    contains(err, options[1])
    equal(names(t), [], "files")


@case(defect=STOLEN, each={"socket": "socket", "file": "file", "nothing": "nothing"})
def replaced(t, by):
    """at the end only our own inode goes: the path has been replaced by"""
    h = Helper(t)
    if by == "nothing" and t.peer:
        raise AssertionError("not distinguishable")
    os.unlink(h.socket)
    if by == "socket":
        make_stale(h.socket)
    elif by == "file":
        make(t, "regular file")
    before = names(t)
    equal(h.stop(), 0, "exit status")
    equal(names(t), before, "files")


@case(ours="it would unlink it")
def renamed(t):
    """a socket that was moved away stays there, and the directory may be renamed"""
    os.mkdir(t.path("d"))
    h = Helper(t, "-k", t.path("d/s"), socket_args=False, ready=False)
    h.socket = t.path("d/s")
    h.wait_ready()
    os.rename(t.path("d"), t.path("e"))
    equal(h.stop(), 0)
    equal(os.listdir(t.path("e")), [], "files in the renamed directory")
    h = Helper(t)
    os.rename(t.path("s"), t.path("moved"))
    equal(h.stop(), 0)
    equal("moved" in names(t), True, "the moved socket is left alone")


@case(root=True)
def given_away(t):
    """a socket that was given to another user is served and removed"""
    h = Helper(t)
    os.chown(h.socket, 12345, 12345)
    os.chmod(h.socket, 0o600)
    h.client().close()
    equal(h.stop(), 0)
    equal(names(t), [], "files")


@case(root=True, defect="it cannot unlink in another user's directory")
def foreign_directory(t):
    """the socket goes from another user's directory, and from a sticky one"""
    for mode_ in (0o700, 0o755, 0o1777):
        os.mkdir(t.path("d"))
        os.chown(t.path("d"), 12345, 12345)
        os.chmod(t.path("d"), mode_)
        h = Helper(t, "-k", t.path("d/s"), socket_args=False, ready=False)
        h.socket = t.path("d/s")
        h.wait_ready()
        if mode_ != 0o1777:
            os.chown(h.socket, 12345, 12345)
        equal(h.stop(), 0)
        equal(os.listdir(t.path("d")), [], f"files in a directory of mode {mode_:o}")
        os.rmdir(t.path("d"))


@case(ours="the peer replaces any socket at once")
def stopped_helper(t):
    """a helper that is stopped for a moment is not taken for dead"""
    h = Helper(t)
    h.kill(signal.SIGSTOP)
    second = Helper(t, ready=False)
    begin = time.monotonic()
    eventually(lambda: time.monotonic() - begin > 0.5, "half a second")
    h.kill(signal.SIGCONT)
    equal(second.wait(), 1, "exit status of the second")
    h.client().close()
