/* SPDX-License-Identifier: BSD-2-Clause */
/* Waiting awake for a moment: see busy_poll.h. */
#include "helper/busy_poll.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/socket.h>

enum {
        LOOKS = 64, /* some 12 us: with 40 most of them end just before the next request comes */
        PENALTY_MAX = 1023,
        STREAK = 32,
};

/* Whether there is something to read. What is wrong is for who reads to find. */
static bool look(int sock)
{
        char byte;

        return recv(sock, &byte, sizeof byte, MSG_PEEK | MSG_DONTWAIT) >= 0 || errno != EAGAIN;
}

static bool wait_awake(int sock)
{
        for (int i = 0; i < LOOKS; i++)
                if (look(sock))
                        return true;
        return false;
}

static void note(struct busy_poll *state, bool found)
{
        if (!found) {
                state->penalty = state->penalty < PENALTY_MAX ? 2 * state->penalty + 1 : PENALTY_MAX;
                state->skip = state->penalty;
                state->streak = 0;
        } else if (++state->streak == STREAK) {
                state->penalty /= 2;
                state->streak = 0;
        }
}

void busy_poll(struct busy_poll *state, int sock)
{
        static atomic_flag taken = ATOMIC_FLAG_INIT;

        if (state->skip > 0) {
                state->skip--;
        } else if (!atomic_flag_test_and_set(&taken)) {
                bool found = wait_awake(sock);
                atomic_flag_clear(&taken);
                note(state, found);
        }
}
