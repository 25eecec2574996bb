# SPDX-License-Identifier: BSD-2-Clause
"""libprmanager on real nexuses: prm_move() from one initiator to the other and back."""

import os
import subprocess
import unittest

from case import Case

PROGRAM = "/usr/bin/manager-live"     # tests/manager/live.c


@unittest.skipUnless(os.path.exists(PROGRAM), "libprmanager was not built with the helper")
class Move(Case):
    def run_live(self, *arguments):
        r = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=50)
        lines = r.stdout.splitlines()
        wrong = [line for line in lines if not line.startswith(("ok", "1.."))]
        self.assertEqual((r.returncode, wrong), (0, []), r.stdout + r.stderr)
        self.assertIn("1..60", lines)

    def test_directly(self):
        """prm_move(): all types, equal and different keys, by SG_IO in the process"""
        self.run_live(self.a.disk, self.b.disk)

    def test_helper(self):
        """prm_move(): the same through the daemon"""
        self.run_live(self.a.disk, self.b.disk, str(self.helper().socket))

    def test_generic(self):
        """prm_move(): the same on nodes of sg"""
        self.run_live(self.a.sg, self.b.sg)
