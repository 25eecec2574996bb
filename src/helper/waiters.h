/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who waits for something that one lock guards, user by user: so that those are
 * woken, one at a time, who can go on. For devices.c, whose lock is held here.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/** Those of one user. A list of them begins as NULL, and is NULL when nobody waits. */
struct waiters {
        struct waiters *next;
        uid_t uid;
        unsigned count;
        pthread_cond_t wake; /**< of CLOCK_MONOTONIC */
};

/**
 * Wait until woken, or `until_us` of CLOCK_MONOTONIC, or for no reason.
 * @param max  of one user
 * @return false at once where so many wait, or for want of memory
 */
bool waiters_wait(struct waiters **list, uid_t uid, unsigned max, pthread_mutex_t *lock,
                  int64_t until_us);

/** Wake everyone. */
void waiters_wake_all(struct waiters *list);
