/* SPDX-License-Identifier: BSD-2-Clause */
/* Descriptors of a library, which is in processes whose standard ones may be closed. */
#pragma once

#include <fcntl.h>

#include "base/cleanup.h"

enum { DESCRIPTOR_MIN = 3 }; /**< what is below is input, output and error, open or not */

/** A duplicate of `fd`, CLOEXEC; -1 and errno on failure. */
static inline int descriptor_copy(int fd)
{
        return fcntl(fd, F_DUPFD_CLOEXEC, DESCRIPTOR_MIN);
}

/** Consumes `fd`, which may be -1, and returns what it is to be used by; -1 and errno on failure. */
static inline int descriptor_move(int fd)
{
        cleanup_fd int low = fd;

        return fd < 0 || fd >= DESCRIPTOR_MIN ? steal_fd(&low) : descriptor_copy(low);
}
