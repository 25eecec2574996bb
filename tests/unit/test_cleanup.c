/* SPDX-License-Identifier: BSD-2-Clause */
/* base/cleanup: when a descriptor is closed nobody knows its number any more, and errno stays. */
#include "base/cleanup.h"

#include <sys/syscall.h>

#include "fixture.h"
#include "tap.h"

static int watched = -1, closed = -1, known = -1;

/* In place of the C library's: another thread may have the number as soon as it returns. */
int close(int fd)
{
        known = watched;
        closed = fd;
        errno = EIO;
        return (int)syscall(SYS_close, fd);
}

int main(void)
{
        int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

        watched = fd;
        errno = ENOENT;
        close_fd(&watched);
        is_int(closed, fd, "close_fd() closes");
        is_int(known, -1, "what nobody knows any more");
        is_int(watched, -1, "nor does its caller");
        is_int(errno, ENOENT, "and keeps errno");
        closed = -1;
        close_fd(&watched);
        is_int(closed, -1, "what is not open is not closed");
        return done();
}
