/* SPDX-License-Identifier: BSD-2-Clause */
/* The bounded queue between those who log and the thread that writes. Private to base/. */
#pragma once

#include <stdarg.h>
#include <stdbool.h>

#include "base/log_sink.h"

/** Queue a line, or write it at once where the thread does not run. A full queue drops and counts it. */
void log_queue_put(enum log_stream stream, int priority, bool reserved, const char *format,
                   va_list args) __attribute__((format(printf, 4, 0)));
