/* SPDX-License-Identifier: BSD-2-Clause */
/* The log's front: who may say what. See log.h. */
#include "base/log.h"

#include <stdarg.h>

#include "base/log_queue.h"

static int level = LOG_NOTICE;

void log_open(const char *program)
{
        log_sink_open(program);
}

int log_use_syslog(void)
{
        return log_sink_use_syslog();
}

void log_leave_stderr(void)
{
        log_sink_leave_stderr();
}

void log_set_level(int priority)
{
        level = priority;
}

void log_message(int priority, const char *format, ...)
{
        va_list args;

        if (priority > level)
                return;
        va_start(args, format);
        log_queue_put(LOG_STREAM_MESSAGES, priority, false, format, args);
        va_end(args);
}

void log_reserved(int priority, const char *format, ...)
{
        va_list args;

        va_start(args, format);
        log_queue_put(LOG_STREAM_MESSAGES, priority, true, format, args);
        va_end(args);
}
