# SPDX-License-Identifier: BSD-2-Clause
"""The kernel's log, case by case, and its audit, which goes there where no daemon takes it."""

import socket
import struct
import subprocess
from pathlib import Path

from waiting import wait_for

MARK = "runner: "       # where a case begins
SETTLED = "so far"
NETLINK_AUDIT, NLM_F_REQUEST = 9, 1
USER_AVC = 1107         # which is taken from a program whether auditing is on or not


def begin(case):
    Path("/dev/kmsg").write_text(f"{MARK}{case}\n")     # without the newline it is not yet in the log


def lines():
    """What the kernel has said in this case so far."""
    done = subprocess.run(["dmesg"], capture_output=True, text=True, errors="replace")
    return done.stdout.rpartition(MARK)[2].splitlines()[1:]


def keep_all():
    """Let no line be dropped for there being many."""
    Path("/proc/sys/kernel/printk_ratelimit").write_text("0")


def settled():
    """The same once the audit's lines are there: they are written in their order, but later."""
    before = sum(SETTLED in line for line in lines())
    data = SETTLED.encode() + b"\0"
    header = struct.pack("=IHHII", 16 + len(data), USER_AVC, NLM_F_REQUEST, 1, 0)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_AUDIT) as s:
        s.sendto(header + data, (0, 0))
    wait_for(lambda: sum(SETTLED in line for line in lines()) > before)
    return [line for line in lines() if SETTLED not in line]
