# SPDX-License-Identifier: BSD-2-Clause
"""Disks that hang, and what can be seen of a daemon whose commands hang on one.

A context manager each; inside it hang() sends a command that does not come back until
come_back().
"""

import contextlib
import fcntl
import os
import struct
import tempfile
from pathlib import Path

import prclient as pr
import stacked

KEY = 0xA1
SG_SCSI_RESET, RESET_DEVICE = 0x2284, 1         # <scsi/sg.h>


class Target(contextlib.ExitStack):
    """A target that hangs: what LIO is to keep over a power loss is on a frozen file system.

    Whoever has sent that command is in uninterruptible sleep, and so is everybody who
    sends another one to the same LUN.
    """

    def __init__(self, lun):
        super().__init__()
        self._lun = lun
        self.path = lun.initiators[0].disk
        self._freeze = contextlib.ExitStack()

    def __enter__(self):
        folder = Path(tempfile.mkdtemp())
        self.callback(folder.rmdir)
        self.enter_context(stacked.file_system(folder))
        # a PR OUT to any LUN writes that LUN's file: only this one's is to hang
        file = self._lun.aptpl_file()
        file.unlink(missing_ok=True)
        file.symlink_to(folder / "aptpl")
        self.callback(file.unlink)
        self._freeze.enter_context(stacked.frozen(folder))
        self.callback(self.come_back)
        return self

    def hang(self, client, fd):
        client.send(pr.cdb_out(pr.REGISTER_AND_IGNORE), [fd])
        client.send(pr.params(sark=KEY, flags=pr.APTPL))

    def come_back(self):
        self._freeze.close()

    def timeouts(self):
        """The kernel's count of commands that it gave up: each begins error recovery."""
        return int((self._lun.initiators[0].sysfs / "iotmo_cnt").read_text(), 16)


class NoPath(contextlib.ExitStack):
    """A multipath map without a path, whose commands wait for one (queue_if_no_path)."""

    def __init__(self, lun):
        super().__init__()
        self._below = lun.initiators[0].disk
        number = os.stat(self._below).st_rdev
        self._path = f"{os.major(number)}:{os.minor(number)}"

    def __enter__(self):
        self.path = self.enter_context(stacked.multipath("hanging", self._below))
        stacked.multipath_message("hanging", f"fail_path {self._path}")
        self.callback(self.come_back)
        return self

    def hang(self, client, fd):
        client.send(pr.cdb_in(pr.READ_KEYS), [fd])

    def come_back(self):
        stacked.multipath_message("hanging", f"reinstate_path {self._path}")


def reset(disk):
    """Ask the kernel to reset a disk: its host sends nothing else until that is done."""
    fd = os.open(disk, os.O_RDWR | os.O_NONBLOCK)
    try:
        fcntl.ioctl(fd, SG_SCSI_RESET, struct.pack("i", RESET_DEVICE))
    finally:
        os.close(fd)


def state(pid):
    """The letter of /proc, such as "D", of a process (of its first thread), or None."""
    return _state(f"/proc/{pid}")


def states(pid):
    """Those of all its threads, but for what has just gone."""
    return sorted(filter(None, (_state(thread) for thread in _threads(pid))))


def children(pid):
    return [int(word) for thread in _threads(pid) for word in _read(thread, "children").split()]


def _threads(pid):
    with contextlib.suppress(FileNotFoundError):
        return list(Path(f"/proc/{pid}/task").iterdir())
    return []


def _state(folder):
    return _read(folder, "stat").rpartition(") ")[2][:1] or None


def _read(folder, name):
    """A file of /proc; "" where its thread has gone."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return Path(folder, name).read_text()
    return ""
