# SPDX-License-Identifier: BSD-2-Clause
"""The public cases as a suite of the test VM: the same cases, on the kernel's target.

What differs from the standard there is in differences.py. Each of these differences
has to come, which the last of the tests sees to.
"""

import unittest

from .catalogue import CASES
from .lio_target import LioTarget
from .story import Story

met = set()


def _note(line):
    print(f"# {line}", flush=True)


def _test_of(case):
    def test(self):
        with LioTarget() as target:
            self.helper = target.helper
            story = Story(target, _note)
            try:
                case.play(story)
            finally:
                met.update(story.met)
    test.__doc__ = case.name
    return test


class PublicCases(unittest.TestCase):
    helper = None

    def diagnostics(self):
        """Lines for the output where the case fails."""
        return [f"{self.helper}:", *self.helper.log.splitlines()] if self.helper else []

    def test_999_differences(self):
        """each difference that is expected came at least once"""
        self.assertEqual(set(LioTarget.differences) - met, set())


for _number, _case in enumerate(CASES):
    setattr(PublicCases, f"test_{_number:03}_{_case.identifier}", _test_of(_case))
PublicCases.__module__ = "test_cases"       # what the runner calls the suite by
