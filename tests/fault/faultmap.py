# SPDX-License-Identifier: BSD-2-Clause
"""The file that fault.c shares with this side: see fault.h."""

import mmap
import struct

FUNCTIONS_MAX, NAME_SIZE = 112, 24
HEAD = struct.Struct("=iIiIiII")
CALLS = struct.Struct(f"={FUNCTIONS_MAX}I")
SIZE = HEAD.size + CALLS.size + FUNCTIONS_MAX * NAME_SIZE


class FaultMap:
    """Which call fails, and what happened."""

    def __init__(self, path, function=-1, nth=0, error=0):
        self.path = path
        with open(path, "w+b") as f:
            f.write(HEAD.pack(function, nth, error, 0, 0, 0, 0).ljust(SIZE, b"\0"))
            f.flush()
            self.bytes = mmap.mmap(f.fileno(), SIZE)

    def head(self):
        return HEAD.unpack(self.bytes[:HEAD.size])

    @property
    def fired(self):
        return self.head()[3] > 0

    @property
    def fired_pid(self):
        return self.head()[4]

    @property
    def sent(self):
        """PERSISTENT RESERVE OUT commands that the simulated node of sg carried out."""
        return self.head()[5]

    def calls(self):
        """{name: (number of the function, calls)}"""
        counts = CALLS.unpack(self.bytes[HEAD.size:HEAD.size + CALLS.size])
        found = {}
        for i in range(self.head()[6]):
            at = HEAD.size + CALLS.size + i * NAME_SIZE
            found[self.bytes[at:at + NAME_SIZE].rstrip(b"\0").decode()] = (i, counts[i])
        return found

    def close(self):
        self.bytes.close()
