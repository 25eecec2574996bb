# SPDX-License-Identifier: BSD-2-Clause
"""What can be stacked on a disk: partitions, device-mapper, loop, md.

Each is a context manager that gives the path of the device and takes it away again.
Nothing here needs udev.
"""

import contextlib
import fcntl
import os
import struct
import subprocess
from pathlib import Path

from waiting import wait_for

BLKRRPART = 0x125F
FIFREEZE, FITHAW = 0xC0045877, 0xC0045878       # <linux/fs.h>
SECTORS = 2048          # the size of everything below: 1 MiB


@contextlib.contextmanager
def partition(disk):
    """A partition table with one partition."""
    # flags, first CHS, type (Linux), last CHS, first sector, sectors
    entry = struct.pack("<B3sB3sII", 0, b"\0\x02\0", 0x83, b"\0\x02\0", 64, SECTORS)
    _write_first_sector(disk, b"\0" * 446 + entry + b"\0" * 48 + b"\x55\xaa")
    try:
        yield wait_for(lambda: _existing(disk + "1"))
    finally:
        _write_first_sector(disk, bytes(512))


def _write_first_sector(disk, content):
    with open(disk, "r+b", buffering=0) as f:
        f.write(content)
        os.fsync(f.fileno())
        fcntl.ioctl(f, BLKRRPART)


def linear(name, below, uuid=None):
    """A device-mapper volume, as LVM makes them."""
    return _device_mapper(name, f"0 {SECTORS} linear {below} 0", uuid or f"LVM-{name}")


def multipath(name, path):
    """A multipath map of one path, as multipathd makes it. It is known by its UUID."""
    table = f"0 {SECTORS} multipath 1 queue_if_no_path 0 1 1 round-robin 0 1 1 {path} 1000"
    return _device_mapper(name, table, f"mpath-{name}")


def multipath_message(name, message):
    """Such as "fail_path 8:0": then the map has no path left and commands wait for one."""
    _run("dmsetup", "message", name, "0", message)


@contextlib.contextmanager
def file_system(folder):
    """A small file system of its own on `folder`, one that can be frozen."""
    image = f"/tmp/{os.path.basename(folder)}.img"
    with open(image, "wb") as f:
        f.truncate(4 << 20)
    _run("mke2fs", "-F", image)
    with loop(image) as device:
        _run("mount", "-t", "ext4", device, str(folder))
        try:
            yield
        finally:
            # a file that a kernel thread wrote, as LIO's do, is closed by the kernel in its own time
            wait_for(lambda: _succeeds("umount", str(folder)))
    os.unlink(image)


@contextlib.contextmanager
def frozen(folder):
    """Freeze the file system at `folder`: whoever writes to it waits."""
    fd = os.open(folder, os.O_RDONLY)
    try:
        fcntl.ioctl(fd, FIFREEZE, 0)
        try:
            yield
        finally:
            fcntl.ioctl(fd, FITHAW, 0)
    finally:
        os.close(fd)


@contextlib.contextmanager
def _device_mapper(name, table, uuid):
    _run("dmsetup", "create", name, "--uuid", uuid, "--table", table)
    try:
        yield f"/dev/mapper/{name}"
    finally:
        _run("dmsetup", "remove", "--retry", name)


@contextlib.contextmanager
def loop(below):
    device = _run("losetup", "-f").strip()
    _run("losetup", device, below)
    try:
        yield device
    finally:
        _run("losetup", "-d", device)


@contextlib.contextmanager
def md_array(disk):
    """An array of one disk that keeps nothing on it, made through sysfs."""
    Path("/sys/module/md_mod/parameters/new_array").write_text("md9")
    array = Path("/sys/block/md9/md")
    number = os.stat(disk).st_rdev
    for name, value in (("metadata_version", "none"), ("level", "linear"), ("raid_disks", "1"),
                        ("new_dev", f"{os.major(number)}:{os.minor(number)}"),
                        (f"dev-{os.path.basename(disk)}/slot", "0"), ("array_state", "active")):
        (array / name).write_text(value)
    try:
        yield "/dev/md9"
    finally:
        (array / "array_state").write_text("clear")


def _run(*command):
    done = subprocess.run(command, capture_output=True, text=True,
                          env={**os.environ, "DM_DISABLE_UDEV": "1"})
    if done.returncode:
        raise OSError(f"{' '.join(command)}: {done.stderr}")
    return done.stdout


def _succeeds(*command):
    try:
        _run(*command)
    except OSError:
        return False
    return True


def _existing(path):
    return path if os.path.exists(path) else None
