/* SPDX-License-Identifier: BSD-2-Clause */
/* Trace events, written: see trace.h. */
#include "base/trace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/log_queue.h"

__attribute__((format(printf, 1, 2))) static void put(const char *format, ...)
{
        va_list args;

        va_start(args, format);
        log_queue_put(LOG_STREAM_TRACE, LOG_DEBUG, false, format, args);
        va_end(args);
}

void trace_emit(const struct trace_event *event, const char *format, ...)
{
        struct timespec now;
        char text[320];
        va_list args;

        clock_gettime(CLOCK_REALTIME, &now);
        va_start(args, format);
        vsnprintf(text, sizeof text, format, args);
        va_end(args);
        put("%d@%lld.%06ld:%s %s", (int)getpid(), (long long)now.tv_sec, now.tv_nsec / 1000,
            event->name, text);
}

int trace_open(const struct trace_options *options)
{
        if (!options->file)
                return 0;
        int fd = open(options->file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
        if (fd < 0)
                return -errno;
        log_sink_set_trace(fd);
        return 0;
}
