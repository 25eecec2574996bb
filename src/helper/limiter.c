/* SPDX-License-Identifier: BSD-2-Clause */
/* So many log lines a user and no more: see limiter.h. */
#include "helper/limiter.h"

#include "base/clock.h"

/* The user's bucket; a new one takes the place of the one that was quiet for longest. */
static struct limiter_user *find(struct limiter *limiter, uid_t user, int64_t now)
{
        struct limiter_user *oldest = &limiter->users[0];

        for (struct limiter_user *u = limiter->users; u < limiter->users + LIMITER_USERS; u++) {
                if (u->known && u->user == user)
                        return u;
                if (!u->known || (oldest->known && u->refilled_ms < oldest->refilled_ms))
                        oldest = u;
        }
        *oldest = (struct limiter_user){
                .known = true,
                .user = user,
                .tokens = limiter->burst,
                .refilled_ms = now,
        };
        return oldest;
}

bool limiter_allow(struct limiter *limiter, uid_t user, unsigned *ret_suppressed)
{
        int64_t now = clock_ms();
        bool allowed;

        pthread_mutex_lock(&limiter->lock);
        struct limiter_user *u = find(limiter, user, now);
        int64_t due = (now - u->refilled_ms) / limiter->interval_ms;
        if (due > 0) {
                u->tokens = due > limiter->burst - u->tokens ? limiter->burst :
                                                               u->tokens + (unsigned)due;
                u->refilled_ms += due * limiter->interval_ms;
        }
        allowed = u->tokens > 0;
        if (allowed) {
                *ret_suppressed = u->suppressed;
                u->suppressed = 0;
                u->tokens--;
        } else {
                u->suppressed++;
        }
        pthread_mutex_unlock(&limiter->lock);
        return allowed;
}
