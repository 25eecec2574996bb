/* SPDX-License-Identifier: BSD-2-Clause */
/* Time that only goes forward. */
#pragma once

#include <stdint.h>
#include <time.h>

/** Microseconds of CLOCK_MONOTONIC. */
static inline int64_t clock_us(void)
{
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/** Milliseconds of CLOCK_MONOTONIC. */
static inline int64_t clock_ms(void)
{
        return clock_us() / 1000;
}

/** Milliseconds until `deadline_ms`, at least 0: what poll(2) takes. */
static inline int clock_left(int64_t deadline_ms)
{
        int64_t left = deadline_ms - clock_ms();

        return left < 0 ? 0 : left > INT32_MAX ? INT32_MAX : (int)left;
}
