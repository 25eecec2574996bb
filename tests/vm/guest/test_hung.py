# SPDX-License-Identifier: BSD-2-Clause
"""A disk that hangs: whom it holds up, and that the daemon ends and is followed by another."""

import contextlib
import fcntl
import os
import re
import signal
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import hanging
import lio
import prclient as pr
from case import Case
from helper import PROGRAM
from waiting import wait_for

KEY = 0xB2
COMMANDS, FOR_ALL = 16, 22      # in flight on one device: of one user, of all of them
OVER = 10                       # seconds in which a daemon ends whatever hangs
SLACK = 2                       # emulation is slow
TIMED_OUT = (0xB, 0x2E, 2)
AT_ONCE = 10                    # a successor, which asks a socket for two seconds who is there


class HungCase(Case):
    """`self.hung` is a descriptor of a disk that hangs, `self.good` one of a disk that does not."""

    make_hanging = hanging.Target

    def setUp(self):
        super().setUp()
        self.other = lio.other_lun()
        self.other.reset()
        self.disk = self.enterContext(self.make_hanging(self.lun))
        self.hung = self.open(self.disk.path)
        self.good = self.open(self.other.initiators[0].disk)

    def helper(self, *options, **how):
        daemon = super().helper(*options, **how)
        self.addCleanup(self.disk.come_back)        # before it is waited for
        return daemon

    def client(self, daemon, hangs=False):
        client = self.enterContext(daemon.client())
        if hangs:
            self.disk.hang(client, self.hung)
        return client

    def assertBusy(self, client, fd):
        reply = client.request(fd, pr.cdb_in(pr.READ_KEYS))
        self.assertEqual(reply.status, pr.BUSY, str(reply))


def is_locked(file):
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False


class EndCase(HungCase):
    """A daemon that is ended while a command hangs, and one that takes its place."""

    def start(self):
        folder = Path(tempfile.mkdtemp(dir="/run"))
        self.socket, self.pidfile, status = (folder / n for n in ("socket", "pid", "status"))
        self.paths = self.socket, self.pidfile, status
        self.options = "-f", self.pidfile, f"--status-socket={status}"
        self.daemon = self.helper(*self.options, socket_path=self.socket)
        self.keeper, = hanging.children(self.daemon.pid)
        self.idle = self.client(self.daemon)
        self.stuck = self.client(self.daemon, hangs=True)
        wait_for(self.daemon.commands_running)


    def assertUninterruptible(self):
        """What is left is a zombie with a thread that no signal ends."""
        pid = self.daemon.pid
        wait_for(lambda: hanging.states(pid) == ["D", "Z"])
        os.kill(pid, signal.SIGKILL)
        self.assertEqual(hanging.states(pid), ["D", "Z"])
        self.assertEqual(hanging.state(pid), "Z")

    def check_sigterm(self):
        """All that clients and successors can see is gone in time, and the log says what hung."""
        self.start()
        with open(self.pidfile, "r+b") as file:
            self.assertTrue(is_locked(file))
            began = time.monotonic()
            self.daemon.process.terminate()
            self.assertTrue(self.idle.closed())
            wait_for(lambda: not self.daemon.accepts())
            self.assertTrue(self.stuck.closed())
            wait_for(lambda: not is_locked(file))
        wait_for(lambda: not any(path.exists() for path in self.paths))
        gone = time.monotonic() - began
        wait_for(lambda: hanging.state(self.daemon.pid) in (None, "Z"))
        ended = time.monotonic() - began
        self.note(f"all was given up in {gone:.1f} s, and it ended in {ended:.1f} s")
        self.assertLess(ended, OVER + SLACK)
        number = os.stat(self.disk.path).st_rdev
        told = re.compile(rf"PR (IN|OUT) client=\d+ pid={os.getpid()} uid=0 "
                          rf"device={os.major(number)}:{os.minor(number)} wwid=.* "
                          r"has not come back for \d+ s")
        wait_for(lambda: told.search(self.daemon.log))

    def check_successor(self):
        """The same command line serves at once, and keeps its paths when the old one goes."""
        began = time.monotonic()
        successor = self.helper(*self.options, socket_path=self.socket)
        with successor.client() as client:
            self.assertGood(client.out(self.good, pr.REGISTER, sark=KEY))
            self.assertEqual(client.read_keys(self.good)[1], [KEY])
        self.note(f"the successor has served after {time.monotonic() - began:.1f} s")
        self.assertLess(time.monotonic() - began, AT_ONCE)
        self.assertEqual(lio.keys(self.other.initiators[1].disk), [KEY])
        return successor

    def check_old_one_goes(self, successor, status):
        self.disk.come_back()
        self.assertTrue(self.idle.closed())         # at the latest
        wait_for(lambda: self.daemon.process.poll() is not None)
        self.assertEqual(self.daemon.process.returncode, status)
        wait_for(lambda: hanging.state(self.keeper) in (None, "Z"))
        self.assertTrue(successor.accepts())
        self.assertEqual(self.pidfile.read_text(), f"{successor.pid}\n")
        self.assertEqual(successor.stop(), 0)
        wait_for(lambda: not any(path.exists() for path in self.paths))


class Target(EndCase):
    def test_sigterm(self):
        """SIGTERM with a command that no signal ends: all is given up in time, a successor serves"""
        self.check_sigterm()
        self.assertUninterruptible()
        successor = self.check_successor()
        self.assertUninterruptible()
        self.check_old_one_goes(successor, 0)

    def test_sigkill(self):
        """SIGKILL with a command that no signal ends: a successor takes over and serves at once"""
        self.start()
        self.daemon.process.kill()
        self.assertUninterruptible()
        successor = self.check_successor()
        self.assertUninterruptible()
        self.check_old_one_goes(successor, -signal.SIGKILL)

    def test_all_killed(self):
        """SIGKILL for its keeper too: a successor takes over what is left, and its paths stay"""
        self.start()
        os.kill(self.keeper, signal.SIGKILL)
        self.daemon.process.kill()
        self.assertUninterruptible()
        self.check_old_one_goes(self.check_successor(), -signal.SIGKILL)

    def test_activated(self):
        """SIGTERM or SIGKILL under socket activation: the next one serves the same socket"""
        path = tempfile.mkdtemp() + "/socket"
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path)
            listener.listen()
            for number in (signal.SIGTERM, signal.SIGKILL):
                process = self.activate(listener)
                stuck = self.enterContext(pr.Client(path, timeout=60))
                self.disk.hang(stuck, self.hung)
                wait_for(lambda: "D" in hanging.states(process.pid))
                process.send_signal(number)
                wait_for(lambda: hanging.states(process.pid) == ["D", "Z"])
            last = self.activate(listener)
            with pr.Client(path, timeout=60) as client:
                self.assertGood(client.out(self.good, pr.REGISTER, sark=KEY))
            last.terminate()
            self.assertEqual(last.wait(60), 0)

    def activate(self, listener):
        """The daemon as a service manager starts it, with the listener for descriptor 3."""
        def prepare():
            os.dup2(listener.fileno(), 3)
            os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1")
        process = subprocess.Popen([PROGRAM], preexec_fn=prepare, close_fds=False,
                                   stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(lambda: (process.kill(), self.disk.come_back(), process.wait(60)))
        return process


class NoPath(EndCase):
    """Here the wait is device-mapper's, and a signal that kills ends it."""

    make_hanging = hanging.NoPath

    def test_sigterm(self):
        """SIGTERM with a command that waits for a path: all is given up in time, a successor serves"""
        self.check_sigterm()
        self.assertEqual(self.daemon.process.wait(60), 0)
        self.check_old_one_goes(self.check_successor(), 0)

    def test_sigkill(self):
        """SIGKILL with a command that waits for a path: it goes, and its paths with it"""
        self.start()
        self.daemon.process.kill()
        self.assertEqual(self.daemon.process.wait(60), -signal.SIGKILL)
        wait_for(lambda: not any(path.exists() for path in self.paths))
        self.check_old_one_goes(self.check_successor(), -signal.SIGKILL)


@contextlib.contextmanager
def user(uid):
    """What connects inside is that user's."""
    os.seteuid(uid)
    try:
        yield
    finally:
        os.seteuid(0)


class Slots(HungCase):
    def fill(self, daemon, uid, count):
        """So many commands of a user that hang, and then one that is told so."""
        running = daemon.commands_running()
        for _ in range(count):
            with user(uid):
                self.client(daemon, hangs=True)
        wait_for(lambda: daemon.commands_running() == running + count)
        with user(uid), daemon.client() as one_more:
            self.assertBusy(one_more, self.hung)
            began = time.monotonic()
            self.assertBusy(one_more, self.hung)
            self.assertLess(time.monotonic() - began, 1)
            self.assertEqual(one_more.read_keys(self.good)[1], [])
        self.assertEqual(daemon.commands_running(), running + count)

    def test_users(self):
        """one user's commands that hang leave room on that disk for another's, and no more"""
        daemon = self.helper("--socket-mode=666")
        self.fill(daemon, 1000, COMMANDS)
        self.fill(daemon, 1001, FOR_ALL - COMMANDS)
        self.fill(daemon, 1002, 0)
        self.fill(daemon, 1000, 0)

    def test_option(self):
        """--max-commands sets how many hang, for one user and for all"""
        daemon = self.helper("--socket-mode=666", "--max-commands=3")
        self.fill(daemon, 1000, 3)
        self.fill(daemon, 1001, 1)
        self.fill(daemon, 0, 0)


class Others(HungCase):
    COUNT = 50

    def times(self, client):
        """Of many commands on the disk that does not hang, in seconds: the median, the slowest."""
        times = []
        for _ in range(self.COUNT):
            began = time.monotonic()
            self.assertEqual(client.read_keys(self.good)[1], [])
            times.append(time.monotonic() - began)
        return sorted(times)[self.COUNT // 2], max(times)

    def start(self, *options):
        self.daemon = self.helper(*options)
        self.bystander = self.client(self.daemon)
        self.usual = self.times(self.bystander)
        self.stuck = self.client(self.daemon, hangs=True)
        wait_for(self.daemon.commands_running)

    def assertUsual(self, what):
        for name, usual, now, least in zip(("median", "slowest"), self.usual,
                                           self.times(self.bystander), (0.2, 2)):
            self.note(f"{name} command: {usual * 1000:.1f} ms; while {what}: {now * 1000:.1f} ms")
            self.assertLess(now, max(10 * usual, least), f"{name} command while {what}")

    def test_abort(self):
        """another host's disk keeps its time while one hangs and its command is aborted"""
        before = self.disk.timeouts()
        self.start("--timeout=1")
        self.assertUsual("the other hangs")
        wait_for(lambda: self.disk.timeouts() > before)
        self.assertUsual("its command is aborted")
        self.assertEqual(self.daemon.commands_running(), 1)
        self.disk.come_back()
        self.assertCheck(self.stuck.reply(), TIMED_OUT)

    def test_log(self):
        """hundreds of commands that hang do not use up the log, without which none is sent"""
        daemon = self.helper("--socket-mode=666", "--max-commands=96")
        second = self.open(self.b.disk)             # the same LUN, which hangs, and another disk
        for uid, count in ((1000, 96), (1001, 32)):
            for _ in range(count):
                with user(uid):
                    self.client(daemon, hangs=True)
                    self.disk.hang(self.client(daemon), second)
        wait_for(lambda: daemon.commands_running() == 256)
        self.assertGood(self.client(daemon).out(self.good, pr.REGISTER, sark=KEY))
        wait_for(lambda: f"action-key={KEY:#x}: GOOD" in daemon.log)

    def test_reset(self):
        """another host's disk keeps its time while a host stands still for the reset of a disk"""
        neighbour = self.open(lio.neighbour().disk)
        self.start("--timeout=300")
        resetting = threading.Thread(target=hanging.reset, args=[self.a.disk], daemon=True)
        resetting.start()
        beside = self.client(self.daemon)
        wait_for(lambda: self.stands_still(beside, neighbour))
        self.assertUsual("the other's host is reset")
        self.assertEqual(self.daemon.commands_running(), 2)
        self.disk.come_back()
        self.assertGood(beside.reply())
        self.assertIn(self.stuck.reply().status, (pr.GOOD, pr.CHECK_CONDITION))
        resetting.join(30)
        self.assertFalse(resetting.is_alive())

    def stands_still(self, client, fd):
        """Whether a command on a disk that does not hang itself has no answer in a second."""
        client.send(pr.cdb_in(pr.READ_KEYS), [fd])
        client.sock.settimeout(1)
        try:
            self.assertGood(client.reply())
        except TimeoutError:
            client.sock.settimeout(60)
            return True
        return False
