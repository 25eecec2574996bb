/* SPDX-License-Identifier: BSD-2-Clause */
/* Descriptors 0, 1 and 2: see standard_fds.h. */
#include "base/standard_fds.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int standard_fds_fill(int mode)
{
        for (int fd = 0; fd <= STDERR_FILENO; fd++) {
                if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF)
                        continue;
                if (open("/dev/null", mode) < 0) /* takes the lowest number, which is `fd` */
                        return -errno;
        }
        return 0;
}
