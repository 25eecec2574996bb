# SPDX-License-Identifier: BSD-2-Clause
"""The pr-manager command on a real disk: what it does sg_persist sees, and the other way round."""

import json
import os
import subprocess
import unittest

from case import Case

PROGRAM = "/usr/bin/pr-manager"
TYPE = "write-exclusive-registrants-only"
CONFLICT, UNIT_ATTENTION = 24, 6


def run(*arguments):
    return subprocess.run(arguments, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=60, check=False)


@unittest.skipUnless(os.path.exists(PROGRAM), "pr-manager was not built with the helper")
class Command(Case):
    def setUp(self):
        super().setUp()
        self.daemon = Case.helper(self, f"--status-socket=/run/status.{os.getpid()}")

    def pr(self, *arguments, way=None, status=0):
        """Run pr-manager through the daemon (or another `way`); what it printed."""
        done = run(PROGRAM, way or f"--helper={self.daemon.socket}", *arguments)
        self.assertEqual(done.returncode, status, f"{arguments}: {done.stdout}{done.stderr}")
        return done.stdout

    def sg_persist(self, *arguments):
        done = run("sg_persist", "--no-inquiry", *arguments)
        self.assertEqual(done.returncode, 0, f"{arguments}: {done.stdout}{done.stderr}")
        return done.stdout

    def check_both_ways(self, way=None):
        a, b = self.a.disk, self.b.disk
        self.pr("register", a, "--new-key=0xa1", way=way)
        self.assertIn("0xa1", self.sg_persist("--in", "--read-keys", b))
        self.sg_persist("--out", "--register", "--param-sark=b2", b)
        keys = json.loads(self.pr("--json", "read-keys", a, way=way))
        self.assertEqual([k["key"] for k in keys["keys"]], ["0xa1", "0xb2"])

        self.pr("reserve", a, "--key=0xa1", f"--type={TYPE}", way=way)
        self.assertIn("0xa1", self.sg_persist("--in", "--read-reservation", b))
        self.pr("reserve", b, "--key=0xb2", f"--type={TYPE}", way=way, status=CONFLICT)
        shown = json.loads(self.pr("--json", "show", b, way=way))
        holders = [r["key"] for r in shown["registrants"] if r["holder"]]
        self.assertEqual(holders, ["0xa1"])

        self.pr("preempt", b, "--key=0xb2", "--victim=0xa1", f"--type={TYPE}", "--yes", way=way)
        self.assertNotIn("0xa1", self.sg_persist("--in", "--read-keys", b))
        self.pr("reserve", a, "--key=0xa1", f"--type={TYPE}", way=way, status=UNIT_ATTENTION)
        self.sg_persist("--out", "--release", "--param-rk=b2", "--prout-type=5", b)
        self.assertIsNone(json.loads(self.pr("--json", "show", b, way=way))["reservation"])
        self.pr("clear", b, "--key=0xb2", "--yes", way=way)
        self.assertNotIn("0xb2", self.sg_persist("--in", "--read-keys", b))

    def test_helper(self):
        """pr-manager and sg_persist agree, through the daemon"""
        self.check_both_ways()

    def test_direct(self):
        """pr-manager and sg_persist agree, with --direct"""
        self.check_both_ways(way="--direct")

    def test_show(self):
        """pr-manager show: what sysfs and the target say of a real disk"""
        self.pr("register", self.a.disk, "--new-key=0xa1")
        shown = json.loads(self.pr("--json", "show", self.a.disk))
        self.assertEqual(shown["wwid"], (self.a.sysfs / "wwid").read_text().strip())
        self.assertEqual(shown["vendor"], "LIO-ORG")
        self.assertIn("sas:0x5001405", json.dumps(shown["registrants"]))

    def test_status(self):
        """pr-manager status: clients, devices and conflicts of the daemon"""
        status = f"--status-socket=/run/status.{os.getpid()}"
        self.pr("register", self.a.disk, "--new-key=0xa1")
        self.pr("reserve", self.b.disk, "--key=0xb2", "--type=WE", status=2)
        done = run(PROGRAM, "--json", "status", status)
        self.assertEqual(done.returncode, 0, done.stderr)
        told = json.loads(done.stdout)
        disk = os.stat(self.a.disk).st_rdev
        names = [d["device"] for d in told["devices"]]
        self.assertIn(f"{os.major(disk)}:{os.minor(disk)}", names)
        self.assertIn("naa.6001405", run(PROGRAM, "status", status).stdout)
