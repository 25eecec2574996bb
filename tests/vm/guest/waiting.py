# SPDX-License-Identifier: BSD-2-Clause
"""Waiting for what happens elsewhere, without fixed sleeps."""

import time

PATIENCE = 30.0         # seconds; emulation is slow


def wait_for(condition, seconds=PATIENCE):
    """Poll until `condition()` is true and return what it returned."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise TimeoutError(f"waited {seconds} s in vain")
        time.sleep(0.01)
