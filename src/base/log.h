/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The log: lines for people, to stderr and, where nobody may be reading that,
 * to syslog.
 *
 * Until log_start() lines are written where they are made. From then on they
 * go through a bounded queue to a thread of their own, because a write to
 * stderr may block for ever and nobody else may wait for it. A line that finds
 * the queue full is dropped and counted; one whose place was reserved is not.
 *
 * Priorities are those of <syslog.h>.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <syslog.h>

enum {
        LOG_LINE_MAX = 512,         /**< longer lines are cut */
        LOG_RESERVED_MAX = 10000,   /**< places at a time; none is taken from other lines */
};

/**
 * Begin to log under this name. Looks at stderr: the journal behind it
 * (JOURNAL_STREAM) gets priority prefixes instead of the name; where it is a
 * pipe, whose reader may go away, syslog gets every line too, and where it is
 * no file either, from when it takes no more.
 */
void log_open(const char *program);

/** Syslog gets every line, whatever stderr is. @return 1 where it is there now, 0 where not yet, -errno */
int log_use_syslog(void);

/** stderr is nobody's any more: lines that syslog does not take are waited with, if it was ever there. */
void log_leave_stderr(void);

/** Show lines up to this priority; LOG_NOTICE at first. */
void log_set_level(int priority);

/** Log one line, without a newline. */
void log_message(int priority, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...) log_message(LOG_ERR, __VA_ARGS__)
#define log_warning(...) log_message(LOG_WARNING, __VA_ARGS__)
#define log_notice(...) log_message(LOG_NOTICE, __VA_ARGS__)
#define log_info(...) log_message(LOG_INFO, __VA_ARGS__)

/** This thread's lines are these one's from now on, who may have three quarters of those that wait. */
void log_set_owner(unsigned who);

/**
 * Reserve the place of one line, for what must not be lost. It may be held for
 * long: only lines that wait to be written stand in the way of others.
 * Waits for at most `timeout_ms`.
 * @return 0, or -EAGAIN while whoever takes the log does not take it
 */
int log_reserve(int timeout_ms);

/** Log a line in a reserved place, whatever the level. */
void log_reserved(int priority, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** Give a reserved place back. */
void log_release(void);

/** Start the writing thread. @return 0 or -errno */
int log_start(void);

/** Wait until everything is written, at most `timeout_ms`. @return 0 or -ETIMEDOUT */
int log_flush(int timeout_ms);
