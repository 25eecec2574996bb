# SPDX-License-Identifier: BSD-2-Clause
"""The kernel's own target, in the test VM, through qemu-pr-helper.

Reservations go through the daemon; reads and writes of the medium go past it, as
the SCSI command and as the kernel's own I/O, and both have to come out alike.
"""

import contextlib
import errno
import mmap
import os

import lio
import prclient as pr
import scsi
from helper import Helper

from . import differences
from .target import CONFLICT, GOOD, Connection, Nexus, Target, outcome

PAGE = 4096
READ_BLOCK_0 = bytes.fromhex("28000000000000000100")


def _direct(path, io):
    """The kernel's own I/O of the first page: None, or the errno with which it fails."""
    fd = os.open(path, os.O_RDWR | os.O_DIRECT)
    with mmap.mmap(-1, PAGE) as page:       # O_DIRECT wants an aligned buffer
        try:
            io(fd, [page], 0)
        except OSError as e:
            return e.errno
        finally:
            os.close(fd)
    return None


class LioNexus(Nexus):
    def __init__(self, target, name, initiator):
        self._target, self._disk = target, initiator.disk
        super().__init__(name, *self._open())

    def _open(self):
        return self._target.connect(), self._target.open_disk(self._disk)

    def connect(self):
        return Connection(*self._open())

    def read(self):
        return self._both(scsi.execute(self._disk, READ_BLOCK_0, length=scsi.BLOCK), os.preadv)

    def write(self):
        return self._both(scsi.write_block(self._disk), os.pwritev)

    def _both(self, result, io):
        said = outcome(pr.Reply(result.status, b"", result.sense.ljust(96, b"\0")))
        error = _direct(self._disk, io)
        if error != {GOOD: None, CONFLICT: errno.EBADE}.get(said, error):
            raise AssertionError(f"the command says {said}, {io.__name__} says {error}")
        return said


class LioTarget(Target):
    """Over iSCSI: PREEMPT AND ABORT does not end on a loopback LUN."""
    name = "lio"
    enforces = True
    differences = differences.LIO

    def __init__(self):
        self._stack = contextlib.ExitStack()
        lun = lio.iscsi_lun()
        lun.reset()
        with self._stack:
            self.helper = self._stack.enter_context(Helper())
            self.a, self.b = (LioNexus(self, name, initiator)
                              for name, initiator in zip("ab", lun.initiators))
            self._stack = self._stack.pop_all()

    def connect(self):
        return self._stack.enter_context(self.helper.client())

    def open_disk(self, path):
        fd = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        self._stack.callback(os.close, fd)
        return fd

    def __exit__(self, *exc):
        self._stack.close()
