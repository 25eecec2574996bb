/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Scope-bound ownership of file descriptors and memory.
 *
 *     cleanup_fd int fd = open(...);      closed when the scope is left
 *     return steal_fd(&fd);               handed on instead
 */
#pragma once

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/** Give up ownership: returns *fd and leaves -1 behind. */
static inline int steal_fd(int *fd)
{
        int taken = *fd;
        *fd = -1;
        return taken;
}

/** Close *fd if it is open, keep errno. It is -1 before the number may be something else's. */
static inline void close_fd(int *fd)
{
        int taken = steal_fd(fd);

        if (taken >= 0) {
                int saved = errno;
                close(taken);
                errno = saved;
        }
}

static inline void free_pointer(void *pointer)
{
        void **memory = pointer;
        free(*memory);
        *memory = NULL;
}

#define cleanup_fd __attribute__((cleanup(close_fd)))
#define cleanup_free __attribute__((cleanup(free_pointer)))
