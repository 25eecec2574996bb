# SPDX-License-Identifier: BSD-2-Clause
"""Which functions fail, and how: the errnos that each is made to fail with, one after the other."""

import errno as e

ERRNOS = {
    "socket": [e.EMFILE], "socketpair": [e.EMFILE], "bind": [e.EACCES], "listen": [e.EADDRINUSE],
    "connect": [e.ECONNREFUSED, e.EACCES], "accept4": [e.EMFILE, e.EINTR], "recvmsg": [e.ENOMEM, e.EINTR],
    "recv": [e.ENOMEM, e.EINTR], "sendmsg": [e.ENOBUFS, e.EINTR], "send": [e.ENOBUFS, e.EINTR],
    "shutdown": [e.ENOTCONN], "setsockopt": [e.ENOPROTOOPT], "getsockopt": [e.ENOBUFS],
    "poll": [e.ENOMEM, e.EINTR], "fstat": [e.EIO], "fstatat": [e.EIO], "statx": [e.EIO],
    "readlinkat": [e.EIO], "faccessat": [e.EACCES], "read": [e.EIO, e.EINTR], "pread": [e.EIO],
    "write": [e.EIO, e.EINTR, e.EPIPE], "dup2": [e.EBUSY], "eventfd": [e.EMFILE], "signalfd": [e.EMFILE],
    "sigprocmask": [e.EINVAL], "fork": [e.EAGAIN], "setsid": [e.EPERM], "setgroups": [e.EPERM],
    "setresuid": [e.EAGAIN], "setresgid": [e.EPERM], "getgroups": [e.EINVAL], "capget": [e.EPERM],
    "capset": [e.EPERM], "chdir": [e.EACCES], "fchdir": [e.EACCES], "mkdir": [e.EACCES],
    "linkat": [e.EIO, e.EEXIST], "unlinkat": [e.EIO], "renameat": [e.EIO], "renameat2": [e.EINVAL],
    "fchmod": [e.EPERM], "fchownat": [e.EPERM], "fsync": [e.EIO], "ftruncate": [e.EIO],
    "flock": [e.ENOLCK], "close_range": [e.ENOSYS], "getrandom": [e.EAGAIN], "getrlimit": [e.EINVAL],
    "setrlimit": [e.EPERM], "fopen": [e.EMFILE], "fdopendir": [e.ENOMEM], "fgets": [e.EIO],
    "getpwnam": [e.EIO], "getpwuid": [e.EIO], "getgrnam": [e.EIO], "open": [e.EMFILE], "openat": [e.EMFILE, e.EINTR],
    "fcntl": [e.ENOLCK], "ioctl": [e.EIO, e.EINTR], "prctl": [e.EPERM], "syscall": [e.EINVAL],
    "close": [e.EIO], "pthread_create": [e.EAGAIN], "malloc": [e.ENOMEM], "calloc": [e.ENOMEM],
    "realloc": [e.ENOMEM],
    "pipe2": [e.EMFILE], "sigaction": [e.EINVAL], "signal": [e.EINVAL], "setitimer": [e.EINVAL],
    "pthread_sigmask": [e.EINVAL], "sendto": [e.ECONNREFUSED, e.EINTR], "getdelim": [e.EIO], "fscanf": [e.EIO],
    "readdir": [e.EIO], "closedir": [e.EIO], "fclose": [e.EIO],
    "seccomp_malloc": [e.ENOMEM], "seccomp_calloc": [e.ENOMEM], "seccomp_realloc": [e.ENOMEM],
}

# libseccomp 2.5.4 goes round for ever after some of them. Only played when they are asked for by name.
NOT_OURS = {"seccomp_malloc", "seccomp_calloc", "seccomp_realloc"}

# Calls of a function; of more, only so many fail: they are loops.
MANY = {"prctl": 18}
MANY_ELSE = 72


def chosen(name, count):
    """Which of `count` calls are made to fail: all, or the first, the last, and some between."""
    many = MANY.get(name, MANY_ELSE)
    if count <= many:
        return range(1, count + 1)
    edge = many // 3
    between = range(edge + 1, count - edge, (count - 2 * edge) // edge)
    return sorted({*range(1, edge + 1), *between, *range(count - edge + 1, count + 1)})


# What may stay behind at the end when removing it, or looking whether it is ours, was what failed.
MAY_LEAVE_PATHS = {"unlinkat", "fstat", "fstatat"}

# After these what is stored is looked at by another start.
STORING = {"openat", "write", "fsync", "renameat", "unlinkat", "malloc", "close"}
