/* SPDX-License-Identifier: BSD-2-Clause */
/* A log that keeps the lines, counts what is reserved, and may be full. Wants fake_clock.h. */
#pragma once

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/log.h"
#include "fake_clock.h"

enum { LINES_MAX = 128 };

static char lines[LINES_MAX][LOG_LINE_MAX];
static int line_count, dropped, reserved, underflows, refusals;
static bool log_full; /* until it has refused twice since `refusals` was 0 */

/* In place of base/log's. */
__attribute__((format(printf, 1, 0))) static void keep(const char *format, va_list args)
{
        if (line_count < LINES_MAX)
                vsnprintf(lines[line_count++], sizeof lines[0], format, args);
}

void log_message(int priority, const char *format, ...)
{
        va_list args;

        (void)priority;
        if (log_full) {
                dropped++;
                return;
        }
        va_start(args, format);
        keep(format, args);
        va_end(args);
}

void log_reserved(int priority, const char *format, ...)
{
        va_list args;

        if (priority != LOG_NOTICE || reserved-- <= 0)
                underflows++;
        va_start(args, format);
        keep(format, args);
        va_end(args);
}

int log_reserve(int timeout_ms)
{
        if (log_full && ++refusals < 3) {
                clock_ahead_ms += timeout_ms;
                return -EAGAIN;
        }
        log_full = false; /* somebody read it at last */
        reserved++;
        return 0;
}

void log_release(void)
{
        if (reserved-- <= 0)
                underflows++;
}
