/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The server: accepts clients, gives each a thread, and ends them all when a
 * signal says so.
 */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "device/device.h"
#include "helper/limits.h"

enum { ENDPOINTS_MAX = 64 };

/** A listening socket, and the devices that its clients reach. */
struct endpoint {
        int listener;
        bool activated; /**< the listener is a service manager's, for whoever comes next too */
        struct device_source source;
};

struct server_options {
        const struct endpoint *endpoints;
        size_t count;
        const sigset_t *signals; /**< those that end it; blocked since the program started */
        const char *eperm_cause; /**< see client.h */
        int status_listener;     /**< of the status socket, or -1 */
        unsigned timeout_ms;     /**< of a command, for the status */
        struct limits limits;    /**< settled */
};

enum {
        SERVER_PATIENCE_MS = 8000, /**< for commands on devices */
        SERVER_END_MS = 9500,      /**< for all of the end, the log too: in 10 s everything is over */
};

/**
 * Serve until one of the signals comes, then let running commands finish, for
 * SERVER_PATIENCE_MS at most, and end every client.
 *
 * @param ready         called when everything else that can fail at start has not; 0 or -errno
 * @param ret_until_ms  when the end has to be over, SERVER_END_MS after the signal; by clock_ms()
 * @return 0, 1 where commands were left behind on their devices, or -errno where it could not start
 */
int server_run(const struct server_options *options, int (*ready)(void *), void *ready_argument,
               int64_t *ret_until_ms);

/** Log which commands were left behind. Waits for the log to have room, until then at most. */
void server_tell_left(int64_t until_ms);
