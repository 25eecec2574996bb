/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Power loss at a chosen point: preloaded into a simulated target, this counts
 * its writes, syncs, renames and unlinks of state files, and at number KILL_AT
 * ends the process as kill -9 does, before the call or (KILL_AFTER set) after.
 * At number FAIL_AT the call fails with EIO instead.
 *
 * A file that was written and not synced by then loses what was written, as it
 * may when the power goes.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int unsynced = -1; /* the state file that is being written */
static int calls;

static void *next(const char *name)
{
        return dlsym(RTLD_NEXT, name);
}

static void die(void)
{
        if (unsynced >= 0)
                (void)!ftruncate(unsynced, 0);
        kill(getpid(), SIGKILL);
}

static bool is_at(const char *variable)
{
        const char *at = getenv(variable);

        return at && calls == atoi(at);
}

/* Before the call. True where it has to fail. */
static bool begin(void)
{
        calls++;
        if (is_at("KILL_AT") && !getenv("KILL_AFTER"))
                die();
        if (is_at("FAIL_AT"))
                errno = EIO;
        return is_at("FAIL_AT");
}

static void end(void)
{
        if (is_at("KILL_AT") && getenv("KILL_AFTER"))
                die();
}

static bool is_state(int fd)
{
        struct stat st;

        return fstat(fd, &st) == 0 && (S_ISDIR(st.st_mode) || fd == unsynced);
}

/* What a program built for 64-bit file offsets calls. */
__attribute__((visibility("default"))) int openat64(int folder, const char *name, int flags, ...)
{
        int (*real)(int, const char *, int, ...) = next("openat64");
        va_list args;
        unsigned mode = 0;

        if (flags & O_CREAT) {
                va_start(args, flags);
                mode = va_arg(args, unsigned);
                va_end(args);
        }
        int fd = real(folder, name, flags, mode);
        if ((flags & O_CREAT) && folder != AT_FDCWD)
                unsynced = fd;
        return fd;
}

__attribute__((visibility("default"))) ssize_t write(int fd, const void *bytes, size_t size)
{
        ssize_t (*real)(int, const void *, size_t) = next("write");

        if (fd != unsynced)
                return real(fd, bytes, size);
        if (begin())
                return -1;
        ssize_t n = real(fd, bytes, size);
        end();
        return n;
}

__attribute__((visibility("default"))) int fsync(int fd)
{
        int (*real)(int) = next("fsync");

        if (!is_state(fd))
                return real(fd);
        if (begin())
                return -1;
        int r = real(fd);
        if (fd == unsynced)
                unsynced = -1;
        end();
        return r;
}

__attribute__((visibility("default"))) int renameat(int from, const char *old, int to,
                                                    const char *new)
{
        int (*real)(int, const char *, int, const char *) = next("renameat");

        if (begin())
                return -1;
        int r = real(from, old, to, new);
        end();
        return r;
}

__attribute__((visibility("default"))) int unlinkat(int folder, const char *name, int flags)
{
        int (*real)(int, const char *, int) = next("unlinkat");

        if (name[0] < '0' || name[0] > '9') /* a socket, not a state file */
                return real(folder, name, flags);
        if (begin())
                return -1;
        int r = real(folder, name, flags);
        end();
        return r;
}
