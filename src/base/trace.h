/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Trace events: named points that can be switched on from the command line.
 *
 * Who has events declares an array of them and puts
 *     trace(&events[EVENT], "client=%u size=%u", id, size);
 * where they happen. A disabled event costs one load and a branch. The
 * switches are set before the first thread starts and never after.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct trace_event {
        const char *name;
        bool enabled;
};

#define trace(event, ...)                                     \
        do {                                                  \
                if ((event)->enabled)                         \
                        trace_emit((event), __VA_ARGS__);     \
        } while (0)

/** Write one line: "PID@SECONDS.MICROSECONDS:NAME TEXT", as QEMU's log back-end has it. */
void trace_emit(const struct trace_event *event, const char *format, ...)
        __attribute__((format(printf, 2, 3)));

/** The events that options can switch, and what the options asked for. */
struct trace_options {
        struct trace_event *events;
        size_t count;
        char *file; /**< where the trace goes, or NULL for stderr; malloc'ed */
        void (*warn)(const char *message); /**< for what is odd but no error */
};

enum { TRACE_HELP = 1 };

/**
 * Apply one -T argument: [[enable=]PATTERN][,events=FILE][,file=FILE].
 * `,,` stands for a comma; a leading `-` disables; PATTERN may have `*`, `?` and `[]`.
 * @param ret_error  what was wrong, for people
 * @return 0; TRACE_HELP where the list of events was asked for; -EINVAL or another -errno
 */
int trace_options_apply(struct trace_options *options, const char *argument, char *ret_error,
                        size_t error_size);

/** Open options->file, if there is one, for the trace to go to. @return 0 or -errno */
int trace_open(const struct trace_options *options);
