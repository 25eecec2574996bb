# SPDX-License-Identifier: BSD-2-Clause
"""SCSI commands straight to a device by SG_IO: what an initiator does on its own.

Only what the tests need to look at a disk from the side, past the helper.
"""

import ctypes
import fcntl
import mmap
import os
from dataclasses import dataclass

SG_IO = 0x2285
TO_DEVICE, FROM_DEVICE, NO_DATA = -2, -3, -1
TIMEOUT_MS = 30000
BLOCK = 512
SLACK = 4096            # LIO's READ FULL STATUS writes past a short allocation length,
                        # and the kernel maps the caller's memory for it


class SgIoHeader(ctypes.Structure):
    """sg_io_hdr_t of <scsi/sg.h>"""
    _fields_ = [
        ("interface_id", ctypes.c_int), ("direction", ctypes.c_int),
        ("cmd_len", ctypes.c_ubyte), ("sense_max", ctypes.c_ubyte),
        ("iovec_count", ctypes.c_ushort), ("data_len", ctypes.c_uint),
        ("data", ctypes.c_void_p), ("cmd", ctypes.c_void_p), ("sense", ctypes.c_void_p),
        ("timeout", ctypes.c_uint), ("flags", ctypes.c_uint), ("pack_id", ctypes.c_int),
        ("usr_ptr", ctypes.c_void_p), ("status", ctypes.c_ubyte),
        ("masked_status", ctypes.c_ubyte), ("msg_status", ctypes.c_ubyte),
        ("sense_len", ctypes.c_ubyte), ("host_status", ctypes.c_ushort),
        ("driver_status", ctypes.c_ushort), ("residual", ctypes.c_int),
        ("duration", ctypes.c_uint), ("info", ctypes.c_uint)]


@dataclass(frozen=True)
class Result:
    status: int
    data: bytes
    sense: bytes        # as long as the device made it

    @property
    def code(self):
        """(sense key, asc, ascq) of fixed format sense, or None."""
        s = self.sense
        return (s[2] & 15, s[12], s[13]) if len(s) >= 14 else None


def execute(path, cdb, out=b"", length=0):
    """Send `cdb` with the data `out`, or read up to `length` bytes."""
    size = len(out) or length
    data = ctypes.create_string_buffer(bytes(out), size + SLACK)
    command = ctypes.create_string_buffer(bytes(cdb), len(cdb))
    sense = ctypes.create_string_buffer(96)
    header = SgIoHeader(
        interface_id=ord("S"), cmd_len=len(cdb), sense_max=96, timeout=TIMEOUT_MS,
        direction=TO_DEVICE if out else FROM_DEVICE if length else NO_DATA,
        data_len=size, data=ctypes.addressof(data), cmd=ctypes.addressof(command),
        sense=ctypes.addressof(sense))
    fd = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    try:
        fcntl.ioctl(fd, SG_IO, header)
    finally:
        os.close(fd)
    if header.host_status:
        raise OSError(f"{path}: host status {header.host_status:#x}")
    received = data.raw[:length - header.residual] if length and not header.status else b""
    return Result(header.status, received, sense.raw[:header.sense_len])


def test_unit_ready(path):
    return execute(path, bytes(6))


def drop_unit_attentions(path):
    """Take what the disk wants to tell this initiator, until it is ready."""
    for _ in range(8):
        if test_unit_ready(path).status == 0:
            return
    raise OSError(f"{path} does not get ready")


def write_block(path, fill=0):
    """WRITE(10) of block 0."""
    return execute(path, bytes.fromhex("2a000000000000000100"), out=bytes([fill]) * BLOCK)


def pwrite_direct(path):
    """The kernel's own write path. None, or the errno with which it failed."""
    page = mmap.mmap(-1, 4096)          # O_DIRECT wants an aligned buffer
    fd = os.open(path, os.O_RDWR | os.O_DIRECT)
    try:
        os.pwritev(fd, [page], 0)
    except OSError as e:
        return e.errno
    finally:
        os.close(fd)
        page.close()
    return None
