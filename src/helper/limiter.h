/* SPDX-License-Identifier: BSD-2-Clause */
/* So many log lines a user and no more: a token bucket for each. Thread-safe. */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { LIMITER_USERS = 32 }; /**< beyond that many the one quiet for longest is forgotten */

struct limiter {
        unsigned burst;       /**< lines at once */
        unsigned interval_ms; /**< then one in this time */
        pthread_mutex_t lock;
        struct limiter_user {
                bool known;
                uid_t user;
                unsigned tokens, suppressed;
                int64_t refilled_ms; /**< CLOCK_MONOTONIC */
        } users[LIMITER_USERS];
};

#define LIMITER(burst_, interval_ms_) \
        { .burst = (burst_), .interval_ms = (interval_ms_), .lock = PTHREAD_MUTEX_INITIALIZER }

/**
 * Whether `user` may have a line now.
 * @param ret_suppressed  where it may: how many it was denied since the last one
 */
bool limiter_allow(struct limiter *limiter, uid_t user, unsigned *ret_suppressed);
