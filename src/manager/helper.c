/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The class pr-manager-helper: a client of the helper protocol.
 *
 * There is one connection and on it one command at a time. A thread claims the
 * connection, does its blocking without any lock, and gives it back. Nobody
 * else touches the socket meanwhile, nor does a child of fork(): it has its own.
 *
 * A command that found no helper is tried again as long as none of it has been
 * sent. From the first byte on it is never sent again: a REGISTER that was
 * carried out twice answers with a conflict.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "manager/manager.h"
#include "manager/result.h"
#include "wire/wire_client.h"

enum {
        ATTEMPTS = 5,
        ATTEMPT_INTERVAL_MS = 1000,
        DEFAULT_TIMEOUT_MS = 60000,
};

struct helper {
        struct prm_manager base;
        char *path;

        pthread_mutex_t lock; /* never held while anything may block */
        pthread_cond_t given_back;
        bool claimed;
        bool connected; /* sock >= 0, as those who have not claimed it may see it */
        int sock;       /* for the thread that claimed it */
};

static struct helper *helper_of(struct prm_manager *manager)
{
        return (struct helper *)manager;
}

static int64_t deadline_in(const struct helper *helper, uint32_t timeout_ms)
{
        if (timeout_ms == 0)
                timeout_ms = helper->base.timeout_ms;
        return timeout_ms == PRM_NO_TIMEOUT ? WIRE_NO_DEADLINE : clock_ms() + timeout_ms;
}

/* Wait for the connection until `deadline`. */
static int claim(struct helper *helper, int64_t deadline)
{
        struct timespec until = {
                .tv_sec = (time_t)(deadline / 1000),
                .tv_nsec = (long)(deadline % 1000 * 1000000),
        };
        int r = 0;

        pthread_mutex_lock(&helper->lock);
        while (helper->claimed && r == 0)
                r = deadline == WIRE_NO_DEADLINE
                            ? pthread_cond_wait(&helper->given_back, &helper->lock)
                            : pthread_cond_timedwait(&helper->given_back, &helper->lock, &until);
        bool got = !helper->claimed;
        if (got)
                helper->claimed = true;
        pthread_mutex_unlock(&helper->lock);
        return got ? 0 : WIRE_FAULT_LATE;
}

static void give_back(struct helper *helper)
{
        pthread_mutex_lock(&helper->lock);
        helper->claimed = false;
        pthread_cond_signal(&helper->given_back);
        pthread_mutex_unlock(&helper->lock);
}

static void set_connected(struct helper *helper, bool connected)
{
        pthread_mutex_lock(&helper->lock);
        helper->connected = connected;
        pthread_mutex_unlock(&helper->lock);
        manager_status_changed(&helper->base, connected);
}

static void disconnect(struct helper *helper)
{
        if (helper->sock < 0)
                return;
        close_fd(&helper->sock);
        set_connected(helper, false);
}

/* Disconnect what can serve no further command: the helper has gone, or talks out of turn. */
static void drop_dead(struct helper *helper)
{
        if (helper->sock >= 0 && wire_check_idle(helper->sock) != 0)
                disconnect(helper);
}

/* One attempt, unless there is a connection. Writes why it failed. */
static int connect_once(struct helper *helper, int64_t deadline, struct prm_error *ret_error)
{
        cleanup_fd int sock = -1;

        if (helper->sock >= 0)
                return 0;
        int r = wire_connect(helper->path, deadline, &sock);
        if (r != 0)
                return error_set(ret_error, wire_fault_errno(r), "connect to %s: %s", helper->path,
                                 wire_fault_text(r));
        r = wire_request_features(sock, deadline);
        if (r != 0)
                return error_set(ret_error, wire_fault_errno(r), "%s: %s", helper->path,
                                 wire_fault_text(r));
        helper->sock = steal_fd(&sock);
        set_connected(helper, true);
        return 0;
}

/*
 * Whether a command that changes something may have been carried out although it was answered with
 * this sense, because a helper says so, too, that its own way to the disk failed (docs/protocol.md):
 * ABORTED COMMAND; UNIT ATTENTION 29h, whatever its qualifier, where the bus was reset.
 */
static bool sense_leaves_doubt(struct prm_sense sense)
{
        return sense.key == 0x0b || (sense.key == 0x06 && sense.asc == 0x29);
}

/* Send a command and read its reply. *ret_begun: it may have been carried out, whatever came of it. */
static int exchange(struct helper *helper, int fd, const struct pr_command *command, int64_t deadline,
                    struct prm_result *ret_result, bool *ret_begun)
{
        struct wire_answer answer;
        const struct pr_cdb *cdb = &command->cdb;
        int r = wire_send_request(helper->sock, command->bytes, fd, command->data,
                                  cdb->out ? cdb->length : 0, deadline, ret_begun);

        if (r == 0)
                r = wire_read_answer(helper->sock, cdb, command->data, deadline, &answer);
        if (r != 0)
                return r;
        result_set(ret_result, answer.status, answer.sense);
        ret_result->in_doubt = cdb->out && sense_leaves_doubt(ret_result->sense);
        ret_result->size = answer.size;
        return 0;
}

/* The pause before the next attempt; false where the deadline leaves no time for one. */
static bool pause_before_retry(int64_t deadline)
{
        const struct timespec pause = { .tv_sec = ATTEMPT_INTERVAL_MS / 1000 };

        if (clock_left(deadline) <= ATTEMPT_INTERVAL_MS)
                return false;
        clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
        return true;
}

/* Carry out a command on the connection that this thread has claimed. */
static void run_claimed(struct helper *helper, int fd, const struct pr_command *command,
                        int64_t deadline, struct prm_result *ret_result)
{
        struct prm_error why = { "" };
        bool begun = false;
        int attempts = 0;
        int r;

        drop_dead(helper);
        do {
                if (helper->sock < 0)
                        attempts++;
                r = connect_once(helper, deadline, &why);
                if (r == 0) {
                        r = exchange(helper, fd, command, deadline, ret_result, &begun);
                        if (r == 0)
                                return;
                        r = error_set(&why, wire_fault_errno(r), "%s: %s", helper->path,
                                      wire_fault_text(r));
                        disconnect(helper);
                }
        } while (!begun && attempts < ATTEMPTS && (attempts == 0 || pause_before_retry(deadline)));
        result_unavailable(ret_result, r, begun, why.text);
}

static void helper_run(struct prm_manager *manager, int fd, const struct pr_command *command,
                       uint32_t timeout_ms, struct prm_result *ret_result)
{
        struct helper *helper = helper_of(manager);
        int64_t deadline = deadline_in(helper, timeout_ms);

        if (claim(helper, deadline) != 0) {
                result_unavailable(ret_result, -ETIMEDOUT, false,
                                   "the commands before it took all of its time");
                return;
        }
        run_claimed(helper, fd, command, deadline, ret_result);
        give_back(helper);
}

static int helper_connect(struct prm_manager *manager, struct prm_error *ret_error)
{
        struct helper *helper = helper_of(manager);
        int64_t deadline = deadline_in(helper, 0);

        if (claim(helper, deadline) != 0)
                return error_set(ret_error, -ETIMEDOUT, "%s: a command has the connection", helper->path);
        drop_dead(helper);
        int r = connect_once(helper, deadline, ret_error);
        give_back(helper);
        return r;
}

static bool helper_is_connected(struct prm_manager *manager)
{
        struct helper *helper = helper_of(manager);

        pthread_mutex_lock(&helper->lock);
        bool look = helper->connected && !helper->claimed;
        bool connected = helper->connected;
        if (look)
                helper->claimed = true;
        pthread_mutex_unlock(&helper->lock);
        if (!look)
                return connected;

        drop_dead(helper);
        connected = helper->sock >= 0;
        give_back(helper);
        return connected;
}

/* Nobody has claimed the connection, and there is none: see manager_enter(). */
static void helper_begin(struct prm_manager *manager)
{
        struct helper *helper = helper_of(manager);
        pthread_condattr_t attributes;

        close_fd(&helper->sock); /* the parent's stays open, or was shut already: this waits for nothing */
        helper->connected = false;
        helper->claimed = false;
        pthread_mutex_init(&helper->lock, NULL);
        pthread_condattr_init(&attributes);
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
        pthread_cond_init(&helper->given_back, &attributes);
        pthread_condattr_destroy(&attributes);
}

static int helper_init(struct prm_manager *manager, const struct properties *properties,
                       struct prm_error *ret_error)
{
        struct helper *helper = helper_of(manager);
        const char *path = properties_get(properties, "path");
        int r = properties_get_timeout(properties, "timeout", DEFAULT_TIMEOUT_MS, &manager->timeout_ms,
                                       ret_error);

        if (r < 0)
                return r;
        /* To connect(2) it would be a name in the abstract namespace, which any user can bind. */
        if (*path == '\0')
                return error_set(ret_error, -EINVAL, "property 'path': '' is no path");
        helper->path = strdup(path);
        if (!helper->path)
                return error_set(ret_error, -ENOMEM, "out of memory");
        helper->sock = -1;
        helper_begin(manager);
        return 0;
}

static void helper_destroy(struct prm_manager *manager)
{
        struct helper *helper = helper_of(manager);

        close_fd(&helper->sock);
        pthread_cond_destroy(&helper->given_back);
        pthread_mutex_destroy(&helper->lock);
        free(helper->path);
}

static const struct property_rule rules[] = {
        { .name = "path", .required = true },
        { .name = "timeout" },
        { 0 },
};

const struct manager_class manager_class_helper = {
        .name = "pr-manager-helper",
        .size = sizeof(struct helper),
        .rules = rules,
        .transfer_max = PRM_TRANSFER_MAX,
        .init = helper_init,
        .destroy = helper_destroy,
        .run = helper_run,
        .begin_anew = helper_begin,
        .connect = helper_connect,
        .is_connected = helper_is_connected,
};
