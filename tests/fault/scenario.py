# SPDX-License-Identifier: BSD-2-Clause
"""What is played while a call fails: start, two clients, end. One class a way to run the helper."""

import os
import pwd
import re
import socket
import time
from pathlib import Path

import prclient as pr
from daemon import Helper, Link, Problem, eventually, read_status
from model import Possible
from plan import MAY_LEAVE_PATHS, STORING

INVALID_OPCODE = (5, 0x20, 0)

# (initiator, service action, key, service action key, type)
STEPS = [
    ("a", pr.REGISTER_AND_IGNORE, 0, 0xA1, 0),
    ("b", pr.REGISTER_AND_IGNORE, 0, 0xB2, 0),
    ("a", pr.RESERVE, 0xA1, 0, pr.WE_RO),
    ("b", pr.PREEMPT, 0xB2, 0xA1, pr.EA_RO),
    ("a", pr.REGISTER_AND_IGNORE, 0, 0xA4, 0),
    ("b", pr.RELEASE, 0xB2, 0, pr.EA_RO),
    ("a", pr.RESERVE, 0xA4, 0, pr.WE),
]


class Scenario:
    """Plays it once. `baseline` is how many descriptors and threads an idle helper has."""
    elsewhere = ()      # functions that fail in the same places of another scenario
    warned = None       # what goes wrong is no disturbance for whoever was told so at start

    def __init__(self, programs, library, folder, fault, function="", baseline=None):
        self.folder, self.fault, self.function, self.baseline = Path(folder), fault, function, baseline
        self.programs, self.library = programs, library
        self.pidfile, self.status = self.folder / "pid", self.folder / "status"
        self.disk = os.open(self.folder / "disk", os.O_RDWR | os.O_CREAT, 0o600)
        self.null = os.open("/dev/null", os.O_RDWR)
        self.sockets = {}
        self.world = {}     # what is made up for it: world.c
        self.helper = None
        self.links = {}
        self.calls = {}     # that were made

    def close(self):
        for link in filter(None, self.links.values()):
            link.drop()
        if self.helper:
            self.helper.kill()
        os.close(self.disk)
        os.close(self.null)

    def left(self):
        """Paths that it made."""
        return [p.name for p in self.folder.iterdir()
                if p.is_socket() or p == self.pidfile or p.name.startswith(".pr-helper")]

    def check_no_paths(self):
        if not (self.function in MAY_LEAVE_PATHS and self.fault and self.fault.fired):
            try:
                eventually(lambda: not self.left(), "its paths are gone", 4)
            except Problem:
                raise Problem(f"it left {self.left()} behind") from None

    def refused(self, link):
        """A descriptor that is no device is never GOOD."""
        reply = link.request(self.null, pr.cdb_in(pr.READ_KEYS))
        if reply and reply.status == pr.GOOD:
            raise Problem("GOOD for /dev/null")
        link.expect(reply, pr.CHECK_CONDITION, INVALID_OPCODE)

    def look_at_status(self):
        if read_status(self.status) is None:
            self.links["status"].disturbed += 1

    def check_disturbances(self):
        disturbed = {name: link.disturbed for name, link in self.links.items() if link.disturbed}
        if self.warned and self.warned in self.helper.text():
            return
        if sum(disturbed.values()) > (1 if self.fault.fired else 0):
            raise Problem(f"commands that went wrong: {disturbed}")

    def check_idle(self):
        for link in self.links.values():
            link.drop()
        held = self.helper.held
        if self.baseline:
            try:
                eventually(lambda: all(h <= b or not b for h, b in zip(held(), self.baseline)), "", 5)
            except Problem:
                raise Problem(f"idle, it has {held()} descriptors and threads, and had {self.baseline}") from None
        else:
            seen = None
            while seen != (seen := held()):
                time.sleep(0.05)
            self.baseline = seen

    def play(self):
        """Start, serve, end. False where it gave up at start."""
        if not self.start():
            self.check_no_paths()
            self.helper.check_gave_up()
            return False
        self.helper.check_privileges()
        self.serve()
        self.refused(next(iter(self.links.values())))
        self.check_idle()
        self.check_disturbances()
        self.helper.stop()
        self.check_no_paths()
        self.calls = self.fault.calls()
        self.after()
        return True

    def start(self):
        self.links = {n: None for n in self.sockets} | {"status": None}
        self.helper = Helper(self.program, self.arguments, self.folder, self.library, self.fault, self.world)
        self.links = {n: Link(self.helper, self.sockets.get(n)) for n in self.links}
        return self.helper.started(list(self.sockets.values()))

    def after(self):
        """What is left to look at when it has ended."""


class Simulated(Scenario):
    """pr-helper-sim with what it stores: replies agree with the state that is read afterwards."""
    name = "pr-helper-sim"

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.program = self.programs["sim"]
        self.sockets = {i: self.folder / i for i in ("a", "b")}
        self.arguments = ["-q", f"--state-dir={self.folder / 'state'}", "-f", self.pidfile,
                          f"--status-socket={self.status}"]
        self.arguments += [f"--initiator=iqn.2026-11.org.example:{i},socket={s}"
                           for i, s in self.sockets.items()]
        self.possible = Possible()

    def command(self, who, action, key, sark, rtype):
        """One that a unit attention is in the way of is sent again."""
        link = self.links[who]
        flags = pr.APTPL if action == pr.REGISTER_AND_IGNORE else 0
        for _ in range(4):
            reply = link.request(self.disk, pr.cdb_out(action, rtype), pr.params(key, sark, flags))
            if not (reply and reply.status == pr.CHECK_CONDITION and reply.code[0] == 6):
                break
        status = reply.status if reply else None
        if not self.possible.answered((who, action, key, sark, rtype), status):
            raise Problem(f"{who}: action {action}: status {status:#x} in {self.possible.here}")
        if reply and status not in (pr.GOOD, pr.RESERVATION_CONFLICT):
            link.disturbed += 1

    def look(self, who):
        """Read keys and reservation; a unit attention is taken."""
        link = self.links[who]
        replies = []
        for action in (pr.READ_KEYS, pr.READ_RESERVATION):
            for _ in range(4):
                reply = link.request(self.disk, pr.cdb_in(action))
                if not (reply and reply.status == pr.CHECK_CONDITION and reply.code[0] == 6):
                    break
            if not link.expect(reply, pr.GOOD):
                return
            replies.append(reply.payload)
        keys = [int.from_bytes(replies[0][i:i + 8], "big") for i in range(8, len(replies[0]), 8)]
        held = replies[1][8:]
        reservation = (int.from_bytes(held[:8], "big"), held[13] & 15) if held else None
        if not self.possible.saw(keys, reservation):
            raise Problem(f"keys {keys}, reservation {reservation}; possible are {self.possible.here}")

    def serve(self):
        for number, step in enumerate(STEPS):
            self.command(*step)
            self.look("ab"[number % 2])
            if number in (0, 1):
                self.refused(self.links["ab"[number]])
            if number == 2:
                self.look_at_status()

    def after(self):
        """Start it once more, without a fault: what is stored is one of what may be."""
        if self.function not in STORING:
            return
        self.helper.kill()
        self.fault = None
        if not self.start():
            raise Problem(f"it does not start again: {self.helper.text()[-300:]}")
        self.possible.here = self.possible.stored
        self.look("a")
        if self.links["a"].disturbed:
            raise Problem("what is stored cannot be read")


def user_name():
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


class Generic(Scenario):
    """qemu-pr-helper with a simulated node of sg: what is answered GOOD is what was carried out."""
    name = "qemu-pr-helper"

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.program = self.programs["helper"]
        self.world = {"FAULT_DEVICES": f"{os.fstat(self.disk).st_ino} c 21:0"}
        self.read_only = os.open(self.folder / "disk", os.O_RDONLY)
        self.sockets = {i: self.folder / "s" for i in ("a", "b")}
        self.arguments = ["-q", "-k", self.sockets["a"], "-f", self.pidfile,
                          f"--status-socket={self.status}", "--socket-mode=600",
                          f"--socket-owner={user_name()}"]
        self.arguments += ["-u", "nobody", "-g", "nogroup"] if os.geteuid() == 0 else \
                          ["-u", user_name(), "-g", str(os.getegid())]
        self.good = self.lost = 0

    def close(self):
        os.close(self.read_only)
        super().close()

    def register(self, who, disk=None, refused=False):
        link = self.links[who]
        reply = link.request(disk or self.disk, pr.cdb_out(pr.REGISTER), pr.params(0, 1))
        if refused:
            self.expect_refusal(link, reply)
            return
        self.good += reply is not None and reply.status == pr.GOOD
        self.lost += reply is None
        link.expect(reply, pr.GOOD)
        self.check_sent()

    def expect_refusal(self, link, reply):
        if reply and reply.status == pr.GOOD:
            raise Problem("GOOD for what is to be refused")
        link.expect(reply, pr.CHECK_CONDITION, INVALID_OPCODE)
        self.check_sent()

    def check_sent(self):
        if not self.good <= self.fault.sent <= self.good + self.lost:
            raise Problem(f"{self.fault.sent} were carried out, {self.good} answered GOOD, {self.lost} not at all")

    def look(self, who, disk=None, refused=False):
        link = self.links[who]
        reply = link.request(disk or self.disk, pr.cdb_in(pr.READ_KEYS))
        if refused:
            self.expect_refusal(link, reply)
        elif link.expect(reply, pr.GOOD) and reply.payload != self.fault.sent.to_bytes(4, "big") + bytes(4):
            raise Problem(f"another one's data: {reply.payload.hex()}")

    def serve(self):
        for number in range(4):
            who = "ab"[number % 2]
            self.register(who)
            self.look(who)
            if number < 2:
                self.refused(self.links[who])
                self.register(who, self.read_only, refused=True)
            if number == 2:
                self.look_at_status()


class Background(Generic):
    """qemu-pr-helper -d: its parent's exit status is the truth, and then it serves, and tells syslog."""
    name = "qemu-pr-helper -d"
    elsewhere = {"accept4"}     # the first may be before the parent's end or after

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.arguments = ["-d", *self.arguments]
        self.log_path = self.folder / "dev" / "log"
        self.log_path.parent.mkdir()
        self.world["FAULT_SYSLOG"] = str(self.log_path)
        self.syslog, self.told = None, []
        self.start_syslog()

    def start_syslog(self):
        """Once more: whoever was connected to it is not any more."""
        if self.syslog:
            self.syslog.shutdown(socket.SHUT_RDWR)  # a child of ours on its way to exec(3) has it, too
            self.syslog.close()
            self.log_path.unlink()
        self.syslog = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.syslog.setblocking(False)
        self.syslog.bind(str(self.log_path))
        self.log_path.chmod(0o666)

    def close(self):
        self.syslog.close()
        super().close()

    def look(self, who, **options):
        super().look(who, **options)
        self.hear()

    def hear(self):
        try:
            while True:
                self.told.append(self.syslog.recv(4096).decode())
        except BlockingIOError:
            return

    def check_told(self):
        """Whatever was carried out, in a line of its own or counted in one."""
        self.hear()
        lines = [line for line in self.told if "REGISTER" in line and "refused" not in line]
        counts = [re.search(r"repeated (\d+) times", line) for line in lines]
        if (told := sum(int(c[1]) if c else 1 for c in counts)) != self.fault.sent:
            raise Problem(f"{self.fault.sent} were carried out, and syslog was told of {told}: {self.told}")

    def play(self):
        self.links = {n: None for n in self.sockets} | {"status": None}
        alive, theirs = os.pipe()
        try:
            self.helper = Helper(self.program, self.arguments, self.folder, self.library, self.fault, self.world,
                                 keep=theirs)
            os.close(theirs)
            return self.play_with(alive)
        finally:
            os.close(alive)

    def play_with(self, alive):
        eventually(lambda: self.helper.process.poll() is not None, "the parent ends")
        if self.helper.process.returncode != 0:
            self.wait_end(alive)
            self.check_no_paths()
            self.helper.check_gave_up()
            return False
        self.calls = self.fault.calls()     # the rest is as in the foreground
        try:
            pid = int(self.pidfile.read_text())
        except (OSError, ValueError):
            raise Problem("it serves, and its pidfile is gone or empty") from None
        try:
            self.helper.serve_as(pid)
            self.start_syslog()
            self.links = {n: Link(self.helper, self.sockets.get(n)) for n in self.links}
            self.helper.check_privileges()
            self.serve()
            self.check_idle()
            self.check_disturbances()
        finally:
            self.helper.end_by_pid()
        self.wait_end(alive)
        self.check_no_paths()
        self.check_told()
        self.calls |= {name: self.fault.calls()[name] for name in ("send", "sendto")}
        return True

    def wait_end(self, alive):
        os.set_blocking(alive, False)

        def ended():
            try:
                return os.read(alive, 1) == b""
            except BlockingIOError:
                return False
        eventually(ended, "the serving process ends")
