/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The devices in use: what is in flight at each and for how long, conflicts,
 * errors, latency, and who has registered.
 *
 * And the bound on what is in flight, so that a disk that hangs does not eat
 * up all threads: so many commands for one user, and some more for others. A
 * command for which there is no room waits while others come back. Where none
 * has for a second, the device hangs, and the command is not sent. Nor is one
 * that would wait where very many of its user's wait already.
 *
 * One table for the daemon. Of devices that nobody uses now, it forgets the one
 * that was used least recently when there are too many. A device with a command
 * in flight always finds room: there are no more of those than there are
 * clients, and its entry is small, for the command itself is kept by the thread
 * that waits for it. The table's lock is held for a few instructions and never
 * across a command.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "device/device.h"

enum {
        DEVICES_MAX = 256, /**< with nothing in flight */
        DEVICE_WWID_SIZE = 128,
        LATENCY_BUCKETS = 16, /**< bucket i: less than 64 << i microseconds; the last: all others */
        DEVICE_COMMANDS_MAX = 96,  /**< in flight for one user, at most */
        IN_FLIGHT_MAX = 128,       /**< and for all of them: a third more */
        DEVICE_WAITING_MAX = 1024, /**< for room on one device, of one user */
        DEVICE_CLIENTS_MAX = 64,   /**< shown a device */
};

/** Whose command it is. */
struct device_client {
        unsigned number; /**< 0: nobody's */
        pid_t pid;
        uid_t uid;
};

/** A command that has been sent and is not back. */
struct in_flight {
        struct in_flight *next, **link; /**< what points here */
        struct device_client client;
        struct pr_cdb cdb;
        uint8_t keys[PR_OUT_KEYS_SIZE]; /**< the begin of OUT's parameter list */
        int64_t since_us;               /**< CLOCK_MONOTONIC */
};

/** A connected client that has sent commands. */
struct device_user {
        struct device_client client;
        bool registered; /**< it has registered a key */
};

struct device_use {
        dev_t number;
        char wwid[DEVICE_WWID_SIZE];
        uint64_t commands, conflicts, errors;
        uint64_t latency[LATENCY_BUCKETS];
        int64_t latency_us; /**< of all of them */
        struct in_flight *in_flight; /**< the oldest first */
        unsigned in_flight_count;
        unsigned user_count;
        struct device_user *users;
};

/** Before anything else. @param commands  in flight on one device for one user, at most */
void devices_init(unsigned commands);

/** A command in flight. It stays where it is until devices_end(). */
struct devices_token {
        struct entry *entry;
        struct in_flight command;
};

/**
 * A command is about to be sent.
 * @return 0, or -EBUSY where it must not be: the device hangs, too many of the user's wait for it,
 *         there is no memory for one more device, or the helper stops
 */
int devices_begin(const struct device *device, const struct device_client *client,
                  const struct pr_command *command, struct devices_token *ret_token);

/** It came back. */
void devices_end(const struct devices_token *token, const struct pr_command *command,
                 const struct pr_result *result);

/** A client has left. */
void devices_forget_client(unsigned number);

/** Look at every command that is not back. `each` must not wait for anything. */
void devices_each_in_flight(void (*each)(const struct device_use *, const struct in_flight *));

/** From now on no command is to be sent, and none waits any longer. */
void devices_stop(void);

/**
 * A copy of every device's, at most `max`, those with commands in flight first.
 * @return how many, to be freed by devices_snapshot_free(); or -ENOMEM
 */
int devices_snapshot(struct device_use *ret_devices, size_t max);

void devices_snapshot_free(struct device_use *devices, int count);
