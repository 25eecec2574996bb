# SPDX-License-Identifier: BSD-2-Clause
"""What the daemon keeps of its privileges, and what it does where it has few.

The disks are opened by root here, as a management layer does it for its VMs: what
counts is the daemon's privileges, not who opened the disk.
"""

import contextlib
from pathlib import Path

import lio
import prclient as pr
from case import Case
from waiting import wait_for

KEY = 0xA1
SYS_RAWIO = 1 << 17
NOBODY, PLAIN = 65534, 1000
NOT_PERMITTED = (0xB, 0, 6)         # what EPERM of SG_IO is told as


def status(pid):
    """/proc/PID/status as a dict."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def threads(pid):
    """The status of every thread; the ones of clients come and go."""
    for thread in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            yield status(thread.name)


class Privileges(Case):
    def start(self, *options, **how):
        self.daemon = self.helper(*options, **how)
        self.client = self.enterContext(self.daemon.client())
        self.fd = self.open(self.a.disk)

    def assertPrivileges(self, capabilities, uid):
        for seen in threads(self.daemon.pid):
            for name in ("CapEff", "CapPrm"):
                self.assertEqual(int(seen[name], 16), capabilities, name)
            self.assertEqual({int(u) for u in seen["Uid"].split()}, {uid})
            self.assertEqual((seen["NoNewPrivs"], seen["Seccomp"]), ("1", "2"))

    def assertDropped(self):
        seen = status(self.daemon.pid)
        self.assertEqual(int(seen["CapBnd"], 16), 0)
        self.assertEqual(seen["Groups"], "")

    def assertServes(self):
        self.assertGood(self.client.out(self.fd, pr.REGISTER, sark=KEY))
        self.assertEqual(lio.keys(self.b.disk), [KEY])
        self.assertEqual(self.client.read_keys(self.fd)[1], [KEY])

    def assertNotPermitted(self, log):
        """SG_IO fails for want of the capability: the client hears it, the log says why."""
        for _ in range(2):
            self.assertCheck(self.client.out(self.fd, pr.REGISTER, sark=KEY), NOT_PERMITTED)
        self.assertEqual(lio.keys(self.b.disk), [])
        self.assertRegex(self.daemon.log, log)
        # of /dev/sgN, open for reading and writing, the kernel asks no capability
        self.fd = self.open(self.a.sg)
        self.assertServes()

    def test_root(self):
        """root: nothing is kept but CAP_SYS_RAWIO, in every thread"""
        self.start()
        self.assertPrivileges(SYS_RAWIO, 0)
        self.assertDropped()
        self.assertServes()

    def test_user(self):
        """-u nobody: SG_IO works, and its paths are gone in the end"""
        folder = Path("/run/of-root")
        folder.mkdir(mode=0o755, exist_ok=True)
        self.start("-u", "nobody", "-f", folder / "pid", socket_path=folder / "socket")
        self.assertPrivileges(SYS_RAWIO, NOBODY)
        self.assertDropped()
        self.assertServes()
        self.assertEqual(self.daemon.stop(), 0)
        self.assertGone(folder)

    def test_user_killed(self):
        """-u nobody, then SIGKILL: its paths are gone as well"""
        folder = Path("/run/of-root")
        folder.mkdir(mode=0o755, exist_ok=True)
        self.start("-u", "nobody", "-f", folder / "pid", socket_path=folder / "socket")
        self.daemon.stop(9)
        self.assertGone(folder)

    def assertGone(self, folder):
        wait_for(lambda: not list(folder.iterdir()))

    def test_bounded_root(self):
        """root with CAP_SYS_RAWIO alone, as in a container: it serves"""
        self.start(prefix=["setpriv", "--bounding-set", "-all,+sys_rawio",
                           "--inh-caps", "-all", "--"])
        self.assertPrivileges(SYS_RAWIO, 0)
        self.assertServes()

    def test_ambient(self):
        """a user with ambient CAP_SYS_RAWIO: it serves"""
        self.start(prefix=["setpriv", "--reuid", "plain", "--regid", "plain", "--clear-groups",
                           "--inh-caps", "-all,+sys_rawio", "--ambient-caps", "+sys_rawio", "--"])
        self.assertPrivileges(SYS_RAWIO, PLAIN)
        self.assertServes()

    def test_plain(self):
        """a plain user: it runs, SG_IO is not permitted, and the log says what is missing"""
        self.start(prefix=["setpriv", "--reuid", "plain", "--regid", "plain", "--clear-groups",
                           "--"])
        self.assertPrivileges(0, PLAIN)
        self.assertNotPermitted("CAP_SYS_RAWIO")

    def test_user_namespace(self):
        """root of a user namespace: SG_IO is not permitted, and the log names the cause"""
        self.start(prefix=["setpriv", "--reuid", "plain", "--regid", "plain", "--clear-groups",
                           "--", "unshare", "--user", "--map-root-user", "--"])
        self.assertNotPermitted("user namespace")
