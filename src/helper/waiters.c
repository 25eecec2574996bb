/* SPDX-License-Identifier: BSD-2-Clause */
/* Who waits, user by user: see waiters.h. */
#include "helper/waiters.h"

#include <stdlib.h>
#include <time.h>

/* The user's, made where there are none; or NULL. */
static struct waiters *find_or_add(struct waiters **list, uid_t uid)
{
        pthread_condattr_t monotonic;
        struct waiters *w = *list;

        while (w && w->uid != uid)
                w = w->next;
        if (w)
                return w;
        w = malloc(sizeof *w);
        if (!w)
                return NULL;
        *w = (struct waiters){ .next = *list, .uid = uid };
        pthread_condattr_init(&monotonic);
        pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
        pthread_cond_init(&w->wake, &monotonic);
        pthread_condattr_destroy(&monotonic);
        *list = w;
        return w;
}

static void forget(struct waiters **list, struct waiters *w)
{
        while (*list != w)
                list = &(*list)->next;
        *list = w->next;
        pthread_cond_destroy(&w->wake);
        free(w);
}

bool waiters_wait(struct waiters **list, uid_t uid, unsigned max, pthread_mutex_t *lock,
                  int64_t until_us)
{
        struct timespec deadline = { .tv_sec = until_us / 1000000,
                                     .tv_nsec = until_us % 1000000 * 1000 };
        struct waiters *w = find_or_add(list, uid);

        if (!w || w->count >= max)
                return false;
        w->count++;
        (void)pthread_cond_timedwait(&w->wake, lock, &deadline);
        if (--w->count == 0)
                forget(list, w);
        return true;
}

void waiters_wake_all(struct waiters *list)
{
        for (struct waiters *w = list; w; w = w->next)
                pthread_cond_broadcast(&w->wake);
}
