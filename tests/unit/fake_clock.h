/* SPDX-License-Identifier: BSD-2-Clause */
/* CLOCK_MONOTONIC for all of a test program, which may put it forward. */
#pragma once

#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int64_t clock_ahead_ms; /* of the real one */
static int64_t clock_step_ms;  /* goes forward by so much whenever it is looked at */

/* In place of the C library's. */
int clock_gettime(clockid_t id, struct timespec *ret_now)
{
        int r = (int)syscall(SYS_clock_gettime, id, ret_now);

        if (r == 0 && id == CLOCK_MONOTONIC) {
                clock_ahead_ms += clock_step_ms;
                ret_now->tv_sec += clock_ahead_ms / 1000;
                ret_now->tv_nsec += clock_ahead_ms % 1000 * 1000000;
                if (ret_now->tv_nsec >= 1000000000) {
                        ret_now->tv_sec++;
                        ret_now->tv_nsec -= 1000000000;
                }
        }
        return r;
}
