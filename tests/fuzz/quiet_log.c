/* SPDX-License-Identifier: BSD-2-Clause */
/* A log that is looked at and goes nowhere: see quiet_log.h. */
#include "quiet_log.h"

#include <errno.h>

#include "base/log.h"
#include "base/log_queue.h"
#include "fuzz.h"

int quiet_log_reserved;
unsigned quiet_log_full;
bool quiet_log_any;

void log_queue_put(enum log_stream stream, int priority, bool reserved, const char *format,
                   va_list args)
{
        char text[LOG_LINE_MAX];
        int length = vsnprintf(text, sizeof text, format, args);

        (void)stream, (void)priority;
        fuzz_check(length >= 0, "format '%s'", format);
        for (const char *c = text; *c != '\0' && !quiet_log_any; c++)
                fuzz_check((unsigned char)*c >= 0x20 && *c != 0x7f, "control character in '%s'", text);
        if (reserved)
                log_release();
}

int log_reserve(int timeout_ms)
{
        (void)timeout_ms;
        if (quiet_log_full > 0) {
                quiet_log_full--;
                return -EAGAIN;
        }
        quiet_log_reserved++;
        return 0;
}

void log_set_owner(unsigned who)
{
        (void)who;
}

void log_release(void)
{
        fuzz_check(quiet_log_reserved > 0, "a reservation that nobody has");
        quiet_log_reserved--;
}

int log_start(void)
{
        return 0;
}

int log_flush(int timeout_ms)
{
        (void)timeout_ms;
        return 0;
}
