# SPDX-License-Identifier: BSD-2-Clause
"""A writer of the archive that the kernel takes as its initramfs ("newc" cpio).

Everything in it belongs to root and no staging folder is needed, so that any
user can build an image. Folders come into being with the first file in them.
The format: the kernel's Documentation/driver-api/early-userspace/buffer-format.rst
"""

import os
import shutil
import stat

# merged /usr, as Debian has it: what the tools find below /lib lands in /usr/lib
TOP_LINKS = {name: f"usr/{name}" for name in ("bin", "sbin", "lib", "lib64")}


class Archive:
    def __init__(self, path):
        self._out = open(path, "wb")
        self._seen = {"/"}
        for name, target in TOP_LINKS.items():
            self.folder("/" + target)
            self.link("/" + name, target)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self._record("TRAILER!!!", 0, 0, b"")
        self._out.close()

    def __contains__(self, path):
        return _canonical(path) in self._seen

    def folder(self, path, mode=0o755):
        if self._take(path):
            self._record(_canonical(path), stat.S_IFDIR | mode, 0, b"")

    def link(self, path, target):
        if self._take(path):
            self._record(_canonical(path), stat.S_IFLNK | 0o777, 0, target.encode())

    def text(self, path, content, mode=0o644):
        self.data(path, content.encode(), mode)

    def data(self, path, content, mode=0o644):
        if self._take(path):
            self._record(_canonical(path), stat.S_IFREG | mode, 0, content)

    def file(self, path, source):
        """Copy a file of the host, with its mode and its time (Python's .pyc files go by it)."""
        if not self._take(path):
            return
        with open(source, "rb") as f:
            info = os.fstat(f.fileno())
            mode = stat.S_IFREG | stat.S_IMODE(info.st_mode)
            self._header(_canonical(path), mode, int(info.st_mtime), info.st_size)
            shutil.copyfileobj(f, self._out, 1 << 20)
            self._pad()

    def _take(self, path):
        """True when the path is new; its parents are made first."""
        path = _canonical(path)
        if path in self._seen:
            return False
        self.folder(os.path.dirname(path))
        self._seen.add(path)
        return True

    def _record(self, path, mode, mtime, content):
        self._header(path, mode, mtime, len(content))
        self._out.write(content)
        self._pad()

    def _header(self, path, mode, mtime, size):
        name = path.lstrip("/").encode() + b"\0"
        # magic, inode, mode, uid, gid, links, mtime, size, 4 device numbers, name size, check
        fields = [0, mode, 0, 0, 1, mtime, size, 0, 0, 0, 0, len(name), 0]
        self._out.write(b"070701" + b"".join(b"%08X" % f for f in fields) + name)
        self._pad()

    def _pad(self):
        self._out.write(b"\0" * (-self._out.tell() % 4))


def _canonical(path):
    """/lib/x as /usr/lib/x, and so on."""
    path = os.path.normpath(path)
    first = path.split("/")[1]
    if first in TOP_LINKS and path != "/" + first:
        path = "/usr" + path
    return path
