# SPDX-License-Identifier: BSD-2-Clause
"""The pidfile, and running in the background."""

import contextlib
import fcntl
import os
import signal
import stat

from daemon import Helper, alive, connects, run_command, status
from harness import case, contains, equal, eventually


def read(path):
    with open(path) as f:
        return f.read()


@case(defect="the peer leaves its pidfile behind")
def content(t):
    """-f: the process id and a newline, mode 600, removed at the end"""
    h = Helper(t, "-f", t.path("pid"))
    eventually(lambda: os.path.exists(t.path("pid")), "the pidfile")
    equal(read(t.path("pid")), f"{h.pid}\n", "content")
    equal(stat.S_IMODE(os.stat(t.path("pid")).st_mode), 0o600, "mode")
    equal(h.stop(), 0)
    equal(os.path.exists(t.path("pid")), False, "the pidfile is left")


def can_lock(file):
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    except BlockingIOError:
        return False


@case()
def locked(t):
    """the pidfile is locked while the helper lives"""
    h = Helper(t, "-f", t.path("pid"))
    eventually(lambda: os.path.exists(t.path("pid")), "the pidfile")
    with open(t.path("pid"), "r+") as f:
        equal(can_lock(f), False, "somebody else can lock it")
        h.kill(signal.SIGKILL)
        h.wait()
        eventually(lambda: can_lock(f), "the lock is free again")


@case()
def second_refused(t):
    """a second helper with the same pidfile is refused, and the first goes on"""
    h = Helper(t, "-f", t.path("pid"))
    eventually(lambda: os.path.exists(t.path("pid")), "the pidfile")
    rc, _, err = run_command(t, "-k", t.path("s2"), "-f", t.path("pid"))
    equal(rc, 1, "exit status")
    contains(err, "ock pid file")
    equal(read(t.path("pid")), f"{h.pid}\n", "the first one's content")
    if not t.peer:
        equal(os.path.exists(t.path("s2")), False, "the second one's socket")
    h.client().close()


@case()
def stale(t):
    """a stale pidfile is used again, whatever it says"""
    with open(t.path("pid"), "w") as f:
        f.write("123456789012345\nand more\n")
    h = Helper(t, "-f", t.path("pid"))
    eventually(lambda: read(t.path("pid")) == f"{h.pid}\n", "our own process id")
    equal(h.stop(), 0)


@case()
def relative(t):
    """a relative pidfile, also in the background"""
    h = Helper(t, "-f", "pid", cwd=t.dir)
    eventually(lambda: os.path.exists(t.path("pid")), "the pidfile")
    equal(h.stop(), 0)
    with background(t, "-f", "pid", cwd=t.dir) as pid:
        equal(read(t.path("pid")), f"{pid}\n", "content")


@case(differs="the peer follows symbolic links")
def symlink(t):
    """the pidfile is no symbolic link, and what it points to stays as it is"""
    with open(t.path("precious"), "w") as f:
        f.write("precious")
    os.symlink("precious", t.path("pid"))
    rc, _, err = run_command(t, "-k", t.path("s"), "-f", t.path("pid"), timeout=3)
    equal(rc, 1, "exit status")
    contains(err, t.path("pid"))
    equal(read(t.path("precious")), "precious", "what it points to")
    equal(os.path.exists(t.path("s")), False, "the socket")


@case(each={"directory": "/tmp", "missing directory": "/no/such/pid", "device": "/dev/full"},
      ours="its messages differ")
def impossible(t, path):
    """a pidfile that cannot be written is an error, and the socket goes"""
    rc, _, err = run_command(t, "-k", t.path("s"), "-f", path)
    equal(rc, 1, "exit status")
    contains(err, path)
    equal(os.path.exists(t.path("s")), False, "the socket")


@case(ours="its messages differ")
def same_as_socket(t):
    """the socket's own path as pidfile is an error, and nothing is left"""
    rc, _, err = run_command(t, "-k", t.path("s"), "-f", t.path("s"))
    equal(rc, 1, "exit status")
    contains(err, t.path("s"))
    equal(os.listdir(t.dir), [], "files")


@case(ours="it leaves its pidfile behind")
def replaced(t):
    """a pidfile that somebody has replaced is left alone"""
    h = Helper(t, "-f", t.path("pid"))
    os.unlink(t.path("pid"))
    with open(t.path("pid"), "w") as f:
        f.write("1\n")
    equal(h.stop(), 0)
    equal(read(t.path("pid")), "1\n", "the other one's pidfile")


def without_warnings(text):
    """A helper says what it lacks: a plain user's, one without its sandbox, without syslog."""
    return "".join(line for line in text.splitlines(True)
                   if "CAP_S" not in line and "without its sandbox" not in line
                   and "no syslog at /dev/log" not in line)


@contextlib.contextmanager
def background(t, *options, **popen):
    """A helper with -d: yields the process id of the daemon and ends it."""
    rc, out, err = run_command(t, "-d", "-k", t.path("s"), *options, **popen)
    equal((rc, out, without_warnings(err)), (0, "", ""), "exit status and output of the parent")
    pid = int(read(t.path("pid")))
    try:
        yield pid
    finally:
        if alive(pid):
            os.kill(pid, signal.SIGTERM)
        eventually(lambda: not alive(pid), "the daemon has ended")


@case(differs="the peer's parent does not wait")
def parent_tells_the_truth(t):
    """-d: when the parent exits with 0 the daemon serves and the pidfile is there"""
    for _ in range(5):
        with background(t, "-f", t.path("pid")) as pid:
            equal(connects(t.path("s")), True, "connecting")
            equal(alive(pid), True, "alive")
        eventually(lambda: not os.path.exists(t.path("s")), "the socket is gone")


@case(ours="its parent does not wait", root=True)
def detached(t):
    """-d: /dev/null for stdin, stdout and stderr, a session of its own, / as directory"""
    with background(t, "-f", t.path("pid"), cwd=t.dir) as pid:
        for fd in range(3):
            equal(os.readlink(f"/proc/{pid}/fd/{fd}"), "/dev/null", f"descriptor {fd}")
        equal(os.readlink(f"/proc/{pid}/cwd"), "/", "directory")
        equal(os.getsid(pid) != os.getsid(0), True, "a session of its own")
        equal(int(status(pid)["PPid"]) == os.getpid(), True, "orphaned")


@case(differs="the peer leaves files behind")
def nothing_left(t):
    """-d: at the end of the daemon socket and pidfile are gone"""
    with background(t, "-f", t.path("pid")):
        equal(sorted(os.listdir(t.dir)), ["pid", "s"], "files while it runs")
    equal(os.listdir(t.dir), [], "files")


@case(each={"socket": ["-k", "/no/such/s"], "user": ["-u", "no-such-user"],
            "trace": ["-T", "file=/no/such/trace"]})
def failure(t, options):
    """-d: a failure is the parent's exit 1 and message"""
    check_failure(t, options)


@case(differs="the peer's parent does not wait")
def failure_of_the_pidfile(t):
    """-d: an impossible pidfile is the parent's exit 1 and message"""
    check_failure(t, ["-f", "/no/such/pid"])


def check_failure(t, options):
    rc, _, err = run_command(t, "-d", "-k", t.path("s"), "-f", t.path("pid"), *options)
    equal(rc, 1, "exit status")
    contains(err, "qemu-pr-helper: ")
    if not t.peer:
        equal(os.listdir(t.dir), [], "files left")


@case(ours="it dies in the privilege drop", root=True)
def failure_of_the_drop(t):
    """-d: a user that cannot be changed to is the parent's exit 1, and the paths go"""
    os.chmod(t.dir, 0o777)
    rc, _, err = run_command(t, "-d", "-k", t.path("s"), "-f", t.path("pid"), "-u", "12345",
                             wrapper=["setpriv", "--reuid=65534", "--clear-groups"])
    equal(rc, 1, "exit status")
    contains(err, "cannot change to ")
    equal(os.listdir(t.dir), [], "files left")


@case(ours="it has no parent that waits")
def live_path(t):
    """-d on a live helper's path: exit 1, and its pidfile is not touched"""
    Helper(t)
    rc, _, err = run_command(t, "-d", "-k", t.path("s"), "-f", t.path("pid"))
    equal(rc, 1, "exit status")
    contains(err, "in use")
    equal(os.path.exists(t.path("pid")), False, "a pidfile")
