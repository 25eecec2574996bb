# SPDX-License-Identifier: BSD-2-Clause
"""The VM's own clock, by which all other suites wait."""

import unittest
from pathlib import Path

CURRENT = Path("/sys/devices/system/clocksource/clocksource0/current_clocksource")


class Clock(unittest.TestCase):
    def test_rate(self):
        """its rate is a constant, not what the kernel measured at boot on a busy host"""
        self.assertEqual(CURRENT.read_text().strip(), "hpet")
