/* SPDX-License-Identifier: BSD-2-Clause */
/* helper/limiter: a burst, then one in a time, for each user by itself. */
#include "helper/limiter.h"

#include "fake_clock.h"
#include "tap.h"

enum { INTERVAL_MS = 1000000 }; /* of which none passes but on our clock */

/* How many of `tries` are allowed. */
static unsigned count(struct limiter *limiter, uid_t user, unsigned tries)
{
        unsigned allowed = 0, suppressed;

        while (tries-- > 0)
                allowed += limiter_allow(limiter, user, &suppressed);
        return allowed;
}

static void test_bucket(void)
{
        struct limiter limiter = LIMITER(3, INTERVAL_MS);
        unsigned suppressed = 99;

        is_int(count(&limiter, 1000, 10), 3, "a burst and no more");
        is_int(count(&limiter, 1001, 2), 2, "another user has its own");

        clock_ahead_ms += INTERVAL_MS - 1000;
        ok(!limiter_allow(&limiter, 1000, &suppressed), "none before its time");
        is_int(suppressed, 99, "then nothing is told");
        clock_ahead_ms += 2000;
        ok(limiter_allow(&limiter, 1000, &suppressed), "one when its time has come");
        is_int(suppressed, 8, "and how many were denied: 7 of 10, and 1");
        ok(!limiter_allow(&limiter, 1000, &suppressed), "only one");

        clock_ahead_ms += INTERVAL_MS;
        ok(limiter_allow(&limiter, 1000, &suppressed), "again one");
        is_int(suppressed, 1, "only those since the last one are told");

        clock_ahead_ms += 2 * INTERVAL_MS;
        is_int(count(&limiter, 1000, 10), 2, "two after twice the time");
        clock_ahead_ms += INTERVAL_MS / 2;
        is_int(count(&limiter, 1000, 1), 0, "half the time is not enough");
        clock_ahead_ms += INTERVAL_MS / 2;
        is_int(count(&limiter, 1000, 10), 1, "and is not forgotten");

        clock_ahead_ms += INTERVAL_MS + INTERVAL_MS / 2;
        is_int(count(&limiter, 1000, 1), 1, "one and a half of the time is enough for one");
        clock_ahead_ms += INTERVAL_MS / 2;
        is_int(count(&limiter, 1000, 10), 1, "and the half is not forgotten either");

        clock_ahead_ms += 1000000LL * INTERVAL_MS;
        is_int(count(&limiter, 1000, 100), 3, "never more than a burst, however long it took");
        is_int(count(&limiter, 1001, 100), 3, "for everybody");
}

static void test_users(void)
{
        struct limiter limiter = LIMITER(2, INTERVAL_MS);
        unsigned wrong = 0, suppressed;

        for (uid_t user = 0; user < LIMITER_USERS; user++) {
                wrong += count(&limiter, user, 5) != 2;
                clock_ahead_ms += 10;
        }
        is_int(wrong, 0, "as many users as are remembered, user 0 among them");
        for (uid_t user = 0; user < LIMITER_USERS; user++)
                wrong += count(&limiter, user, 1) != 0;
        is_int(wrong, 0, "all of them are remembered");

        is_int(count(&limiter, 5000, 5), 2, "one more is served too");
        is_int(count(&limiter, LIMITER_USERS - 1, 1), 0, "the latest is not forgotten for it");
        is_int(count(&limiter, 5000, 1), 0, "nor the new one itself");
        is_int(count(&limiter, 0, 1), 1, "the one that was quiet for longest is");
        ok(limiter_allow(&limiter, 0, &suppressed) && suppressed == 0, "and begins anew");
        ok(!limiter_allow(&limiter, (uid_t)-2, &suppressed) || suppressed == 0, "no id is special");
}

static void test_zero(void)
{
        struct limiter limiter = LIMITER(1, INTERVAL_MS);

        is_int(count(&limiter, 0, 3), 1, "a burst of one");
        clock_ahead_ms += 3 * INTERVAL_MS;
        is_int(count(&limiter, 0, 3), 1, "is one again later");
}

int main(void)
{
        test_bucket();
        test_users();
        test_zero();
        return done();
}
