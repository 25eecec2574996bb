/* SPDX-License-Identifier: BSD-2-Clause */
/* Where log and trace lines end up. Private to base/; one thread at a time. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum log_stream {
        LOG_STREAM_MESSAGES, /**< stderr and syslog */
        LOG_STREAM_TRACE,    /**< the trace file, or stderr */
};

void log_sink_open(const char *program);
int log_sink_use_syslog(void);
void log_sink_leave_stderr(void);

/** Write trace lines to `fd` from now on; takes it over. */
void log_sink_set_trace(int fd);

/**
 * Write one line.
 * @param insist  a message stays until somebody has taken it or nobody is left who could;
 *                otherwise until nobody has for a second
 */
void log_sink_write(enum log_stream stream, int priority, const char *text, size_t size,
                    bool insist);
