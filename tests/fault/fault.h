/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the driver and the preloaded library share: a file, mapped by every
 * process of the program under test, so that counting takes no system call.
 * tests/fault/run has the same layout.
 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/stat.h>

enum { FAULT_FUNCTIONS_MAX = 112, FAULT_NAME_SIZE = 24 };

struct fault_map {
        int32_t function; /* the one that fails, or -1 */
        uint32_t nth;     /* its call that fails, from 1 on */
        int32_t error;    /* with this errno */
        atomic_uint fired;
        int32_t fired_pid;
        atomic_uint sent; /* PERSISTENT RESERVE OUT commands that the made-up devices carried out */
        uint32_t functions;
        atomic_uint calls[FAULT_FUNCTIONS_MAX];
        char names[FAULT_FUNCTIONS_MAX][FAULT_NAME_SIZE];
};

/* Count a call of a function; whether it has to fail, with errno set. */
int fault_now(unsigned function);

/* world.c; `sent` is that of the map. */
void world_begin(atomic_uint *sent);

/* What fstat(2) says of a made-up device; of all others it is left alone. */
void world_stat(struct stat *st);

/* An ioctl of a file that the real fstat(2) says this of. Whether it was one for us, and is done. */
int world_ioctl(const struct stat *st, unsigned long request, unsigned long argument);

/* What is opened and connected to in the place of what the helper names. */
const char *world_path(const char *path);
const struct sockaddr *world_address(const struct sockaddr *address);
