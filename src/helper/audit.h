/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The audit: one log line for every PERSISTENT RESERVE OUT, and for what is
 * refused.
 *
 * A command that may reach a device has the place of its line reserved before
 * it is sent, so that nothing happens to a disk that the log does not tell. A
 * command that repeats the client's last one on that device with the same
 * result is counted instead; the count is logged when another one comes, when
 * the client leaves, and once a minute. The same means every byte: a command
 * with more than the basic parameter list always has its line.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "device/device.h"

enum { AUDIT_PERIOD_MS = 60000 };

struct audit_entry;

/** One client's. Its thread records; another thread may flush what is due. */
struct audit {
        unsigned client; /**< its number, pid and uid, for the lines */
        pid_t pid;
        uid_t uid;
        int event;       /**< an eventfd(2), raised when something begins to be counted */
        pthread_mutex_t lock;
        struct audit_entry *entries; /**< allocated with the first line */
        atomic_bool counting;        /**< some repetition has been counted and not been logged */
};

struct ucred;

void audit_init(struct audit *audit, unsigned client, const struct ucred *peer, int event);

/**
 * Reserve the line of a command that is about to be sent.
 * @return 0, or -EAGAIN where the log takes nothing: then it must not be sent
 */
int audit_begin(void);

/** Log or count a command. Uses up what audit_begin() reserved where result->reached. */
void audit_record(struct audit *audit, const struct device *device,
                  const struct pr_command *command, const struct pr_result *result);

/**
 * Log counts.
 * @param until_ms  0: those that are a minute old, as far as the log has room;
 *                  else all, and wait for the log until then (CLOCK_MONOTONIC)
 * @return whether some remain
 */
bool audit_flush(struct audit *audit, int64_t until_ms);

/** The helper stops: all who wait for the log wait no longer than one command does. */
void audit_stop(void);

/** Log all counts, waiting for the log, and free everything. */
void audit_finish(struct audit *audit);
