# SPDX-License-Identifier: BSD-2-Clause
"""The units as they are installed, under systemd."""

import errno
import os
import re
from pathlib import Path

import kernel_log
import lio
import prclient as pr
import service
from case import Case
from service import PATH, SERVICE, SOCKET, WARNING, journal, main_pid, show, systemctl
from waiting import wait_for

KEY = 0xA1
SYS_RAWIO = 1 << 17
EXITED = "1"            # CLD_EXITED
PRELOAD = "Environment=LD_PRELOAD=/usr/lib/probe.so"


def setUpModule():
    kernel_log.keep_all()
    systemctl("enable", "--now", SOCKET)


class Units(Case):
    def setUp(self):
        super().setUp()
        systemctl("start", SOCKET)
        self.addCleanup(systemctl, "reset-failed", SERVICE)     # and the count of its starts
        self.addCleanup(systemctl, "stop", SERVICE)

    def tearDown(self):
        failed = systemctl("list-units", "--failed", "--plain", "--no-legend")
        self.assertEqual(failed, "", "units have failed")

    def diagnostics(self):
        return [message for _, message in journal(f"--unit={SERVICE}", "--lines=30")]

    def client(self):
        """A client, and with that a service that runs."""
        client = self.enterContext(pr.Client(PATH, timeout=60))
        self.pid = main_pid()
        return client

    def assertServes(self, client):
        fd = self.open(self.a.disk)
        self.assertGood(client.out(fd, pr.REGISTER_AND_IGNORE, sark=KEY))
        self.assertEqual(client.read_keys(fd)[1], [KEY])
        self.assertEqual(lio.keys(self.b.disk), [KEY])

    def assertListens(self):
        self.assertEqual(show(SOCKET)["SubState"], "listening")
        self.assertTrue(PATH.is_socket())

    def assertEnded(self):
        """It has ended by itself, with 0."""
        seen = show(SERVICE)
        self.assertEqual((seen["ActiveState"], seen["Result"]), ("inactive", "success"))
        self.assertEqual((seen["ExecMainCode"], seen["ExecMainStatus"]), (EXITED, "0"))

    def assertLogs(self, pattern):
        """A line of the daemon; those before it. They are on their way when it answers."""
        def found():
            lines = journal(f"_PID={self.pid}", "_TRANSPORT=stdout")
            numbers = [n for n, (_, text) in enumerate(lines) if re.search(pattern, text)]
            return numbers and lines[:numbers[0] + 1]
        return wait_for(found)

    def test_activation(self):
        """the first client starts the service, and registers on a disk"""
        self.assertListens()
        self.assertEqual(show(SERVICE)["ActiveState"], "inactive")
        self.assertServes(self.client())
        self.assertEqual(show(SERVICE)["ActiveState"], "active")
        self.assertEqual(show(SOCKET)["SubState"], "running")

    def test_mode(self):
        """the socket is root's alone"""
        info = PATH.stat()
        self.assertEqual((info.st_mode & 0o777, info.st_uid, info.st_gid), (0o600, 0, 0))

    def test_journal(self):
        """the journal has the audit's line, and neither warnings nor errors"""
        self.assertServes(self.client())
        lines = self.assertLogs(r"^PR OUT client=\d+ pid=%d uid=0 device=\S+ wwid=naa\.\S+ "
                                r"REGISTER.*: GOOD" % os.getpid())
        self.assertEqual([line for line in lines if line[0] <= WARNING], [])

    def test_understood(self):
        """systemd has nothing to remark on the units"""
        for unit in (SERVICE, SOCKET):
            path = show(unit)["FragmentPath"]
            self.assertEqual(journal("_PID=1", f"CONFIG_FILE={path}"), [])

    def test_privileges(self):
        """every thread: one capability, no_new_privs, seccomp, a user of its own"""
        self.client()
        for thread in Path(f"/proc/{self.pid}/task").iterdir():
            try:
                lines = (thread / "status").read_text().splitlines()
            except (FileNotFoundError, ProcessLookupError):
                continue        # it has just ended
            seen = dict(line.split(":\t", 1) for line in lines)
            for name in ("CapEff", "CapPrm", "CapBnd"):
                self.assertEqual(int(seen[name], 16), SYS_RAWIO, name)
            for name in ("CapInh", "CapAmb"):
                self.assertEqual(int(seen[name], 16), 0, name)
            self.assertEqual((seen["Seccomp"], seen["NoNewPrivs"]), ("2", "1"))
            uids = {int(uid) for uid in seen["Uid"].split()}
            self.assertEqual(len(uids), 1)
            self.assertGreaterEqual(min(uids), 61184)       # DynamicUser=, systemd.exec(5)

    def probe(self, name, number):
        """A call that the daemon never makes, from inside: the errno that comes of it."""
        with service.drop_in(f"{PRELOAD} PROBE={name}"):
            self.assertServes(self.client())
            self.assertLogs(f"^probe: {number}$")

    def test_seccomp(self):
        """the daemon's own filter is there: fork(2), which the unit allows, is refused"""
        self.probe("do_fork", errno.EPERM)

    def assertOneRefused(self, comm):
        """The kernel's log has it that this program had one call refused, and no other call of any."""
        line, = [line for line in kernel_log.settled() if "type=1326" in line]
        self.assertRegex(line, rf'comm="{comm}" .* code=0x50000$')      # SECCOMP_RET_ERRNO

    def test_refused(self):
        """a call that is refused leaves a line in the kernel's log, and nothing else does"""
        self.probe("do_fork", errno.EPERM)
        self.assertOneRefused("qemu-pr-helper")

    def test_keeper_refused(self):
        """a call of the keeper's that is refused leaves one, too"""
        with service.with_status(f"{PRELOAD} PROBE_KEEPER=do_fork"):
            self.assertServes(self.client())
            systemctl("stop", SERVICE)
            self.assertFalse(service.STATUS.exists())
        self.assertOneRefused("pr-keeper")

    def test_landlock(self):
        """Landlock is there: a file that everybody may read is refused"""
        self.assertIn("landlock", Path("/sys/kernel/security/lsm").read_text())
        self.probe("open_read", errno.EACCES)

    def test_filter(self):
        """the unit's filter refuses no system call but setgroups, from the start to the end"""
        with service.drop_in("SystemCallFilter=setgroups\nSystemCallErrorNumber=kill"):
            self.assertServes(self.client())
            systemctl("stop", SERVICE)
            self.assertEnded()

    def test_no_landlock(self):
        """a filter that refuses Landlock: it serves, and says so"""
        with service.drop_in("SystemCallFilter=~landlock_create_ruleset"):
            self.assertServes(self.client())
            self.assertEqual(self.assertLogs("Landlock")[-1][0], WARNING)

    def test_kernel_log(self):
        """clients that come and go leave nothing in the kernel's log"""
        for _ in range(5):
            with pr.Client(PATH, timeout=60):
                pass
        self.assertServes(self.client())
        self.assertEqual([line for line in kernel_log.settled() if "audit" in line], [])

    def test_restart(self):
        """restart, with a client connected: it ends well, and the next one is served"""
        before = self.client()
        old = self.pid
        systemctl("restart", SERVICE)
        self.assertTrue(before.closed())
        self.assertServes(self.client())
        self.assertNotEqual(self.pid, old)
        self.assertEqual(show(SERVICE)["NRestarts"], "0")

    def test_stop(self):
        """stop, with a client connected: it ends with 0, and the socket still listens"""
        before = self.client()
        systemctl("stop", SERVICE)
        self.assertTrue(before.closed())
        self.assertEnded()
        self.assertListens()
        self.assertServes(self.client())

    def test_killed(self):
        """SIGKILL: systemd starts it again, on the same socket"""
        before = self.client()
        old = self.pid
        systemctl("kill", "--signal=KILL", SERVICE)
        self.assertTrue(before.closed())
        wait_for(lambda: main_pid() not in (0, old))
        self.assertServes(self.client())
        self.assertEqual(show(SERVICE)["NRestarts"], "1")

    def test_killed_often(self):
        """killed again and again: systemd does not give up, on the service nor on its socket"""
        # as often as systemd would let it be in 10 s, and once more
        with service.drop_in("RestartSec=100ms\n[Unit]\nStartLimitBurst=1"):
            for _ in range(2):
                self.client()
                old = self.pid
                systemctl("kill", "--signal=KILL", SERVICE)
                wait_for(lambda: main_pid() not in (0, old))
            self.assertServes(self.client())

    def test_status(self):
        """a status socket by a drop-in, as the README has it: pr-manager reads it"""
        with service.with_status():
            self.assertServes(self.client())
            shown = service.run("/usr/bin/pr-manager", "status",
                                f"--status-socket={service.STATUS}")
            self.assertRegex(shown, r"Process: +%d\n" % self.pid)
            keeper, = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
            self.assertRegex(Path(f"/proc/{keeper}/status").read_text(), r"CapPrm:\s0+\n")
            said = journal(f"_SYSTEMD_UNIT={SERVICE}", "_TRANSPORT=syslog")
            self.assertEqual(said, [], "a library complains")
            systemctl("stop", SERVICE)
            self.assertFalse(service.STATUS.exists())

    def test_socket_stopped(self):
        """stop of the socket: the service ends as well, and the path is gone"""
        before = self.client()
        systemctl("stop", SOCKET)
        self.assertTrue(before.closed())
        self.assertEnded()
        self.assertFalse(PATH.exists())
