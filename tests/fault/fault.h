/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the driver and the preloaded library share: a file, mapped by every
 * process of the program under test, so that counting takes no system call.
 * tests/fault/run has the same layout.
 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

enum { FAULT_FUNCTIONS_MAX = 96, FAULT_NAME_SIZE = 24 };

struct fault_map {
        int32_t function; /* the one that fails, or -1 */
        uint32_t nth;     /* its call that fails, from 1 on */
        int32_t error;    /* with this errno */
        atomic_uint fired;
        int32_t fired_pid;
        atomic_uint sent; /* PERSISTENT RESERVE OUT commands that the simulated node of sg carried out */
        uint32_t functions;
        atomic_uint calls[FAULT_FUNCTIONS_MAX];
        char names[FAULT_FUNCTIONS_MAX][FAULT_NAME_SIZE];
};

/* Count a call of a function; whether it has to fail, with errno set. */
int fault_now(unsigned function);
