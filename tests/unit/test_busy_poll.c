/* SPDX-License-Identifier: BSD-2-Clause */
/* helper/busy_poll: how often is looked for the next request, and when no longer. */
#include "helper/busy_poll.h"

#include <errno.h>
#include <sys/socket.h>

#include "tap.h"

enum { LOOKS = 64, STREAK = 32, PENALTY_MAX = 1023 };

static unsigned looks;
static unsigned there_at; /* the look that finds something, from 1 on; 0: none does */
static ssize_t found;     /* what it then returns, */
static int error;         /* with this errno */
static void (*meanwhile)(void);

/* The linker puts this in the place of the C library's. */
ssize_t __wrap_recv(int sock, void *bytes, size_t size, int flags);

ssize_t __wrap_recv(int sock, void *bytes, size_t size, int flags)
{
        (void)sock, (void)bytes;
        looks++;
        if (size == 0 || flags != (MSG_PEEK | MSG_DONTWAIT))
                looks += 1000; /* it would wait, or take what it finds */
        if (meanwhile)
                meanwhile();
        errno = looks == there_at ? error : EAGAIN;
        return looks == there_at ? found : -1;
}

static unsigned wait_for(struct busy_poll *state, unsigned at)
{
        looks = 0;
        there_at = at;
        busy_poll(state, -1);
        return looks;
}

static void test_looks(void)
{
        static const struct {
                const char *what;
                unsigned at;
                ssize_t found;
                int error;
        } cases[] = {
                { "a request that is there", 1, 1, 0 },
                { "one that comes", 10, 1, 0 },
                { "one that comes at the last moment", LOOKS, 1, 0 },
                { "the end of the connection", 3, 0, 0 },
                { "an error, for who reads", 3, -1, ENOMEM },
        };

        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                struct busy_poll state = { 0 };
                found = cases[i].found;
                error = cases[i].error;
                is_int(wait_for(&state, cases[i].at), cases[i].at, "%s: looks", cases[i].what);
                is_int(wait_for(&state, 1), 1, "%s: the next is waited for", cases[i].what);
        }
        found = 1;
        error = 0;
}

/* How many requests are not waited for before the next one is. */
static unsigned skipped(struct busy_poll *state, unsigned at)
{
        unsigned count = 0;

        while (wait_for(state, at) == 0)
                count++;
        return count;
}

static void test_penalty(void)
{
        struct busy_poll state = { 0 };

        is_int(wait_for(&state, 0), LOOKS, "in vain: looks");
        for (unsigned want = 1; want < PENALTY_MAX; want = 2 * want + 1)
                is_int(skipped(&state, 0), want, "in vain: then so many are not waited for");
        is_int(skipped(&state, 0), PENALTY_MAX, "in vain: the most");
        is_int(skipped(&state, 0), PENALTY_MAX, "in vain: and no more than that");
}

static void test_streak(void)
{
        struct busy_poll state = { 0 };

        for (unsigned i = 0; i < 4; i++)
                (void)skipped(&state, 0); /* 1, 3, 7: the next in vain would be 15 */
        (void)skipped(&state, 1);
        for (unsigned i = 1; i < STREAK - 1; i++)
                is_int(wait_for(&state, 1), 1, "found: the next is waited for");
        (void)wait_for(&state, 0);
        is_int(skipped(&state, 1), 31, "one less than a streak mends nothing");
        for (unsigned i = 1; i < STREAK; i++)
                (void)wait_for(&state, 1);
        (void)wait_for(&state, 0);
        is_int(skipped(&state, 1), 31, "a streak halves what the next in vain doubles");
        for (unsigned i = 1; i < 5 * STREAK; i++)
                (void)wait_for(&state, 1);
        (void)wait_for(&state, 0);
        is_int(skipped(&state, 1), 1, "all is forgiven in the end");
}

static struct busy_poll other;

static void wait_too(void)
{
        unsigned before = looks;

        meanwhile = NULL;
        busy_poll(&other, -1);
        is_int(looks, before, "another does not look while one does");
}

static void test_one_at_a_time(void)
{
        struct busy_poll state = { 0 };

        meanwhile = wait_too;
        is_int(wait_for(&state, 2), 2, "which does not hold up the one");
        is_int(wait_for(&other, 2), 2, "and it is no wait in vain");
}

int main(void)
{
        test_looks();
        test_penalty();
        test_streak();
        test_one_at_a_time();
        return done();
}
