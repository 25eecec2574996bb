/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The devices in use: what is in flight at each and for how long, conflicts,
 * errors, latency, and who has registered.
 *
 * And the bound on what is in flight, so that a disk that hangs does not eat
 * up all threads: so many commands for one user, and some more for others. A
 * command for which there is no room waits while others come back. Where none
 * has for a second, the device hangs, and the command is not sent.
 *
 * One table for the daemon; devices that nobody used for longest make way. Its
 * lock is held for a few instructions and never across a command.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "device/device.h"

enum {
        DEVICES_MAX = 256,
        DEVICE_WWID_SIZE = 128,
        LATENCY_BUCKETS = 16,   /**< bucket i: less than 64 << i microseconds; the last: all others */
        DEVICE_COMMANDS_MAX = 96, /**< in flight for one user, at most */
        IN_FLIGHT_MAX = 128,      /**< and for all of them: a third more */
        DEVICE_CLIENTS_MAX = 64,  /**< shown a device */
};

/** Whose command it is. */
struct device_client {
        unsigned number; /**< 0: nobody's */
        pid_t pid;
        uid_t uid;
};

/** A command that has been sent and is not back. */
struct in_flight {
        struct device_client client; /**< number 0: a free place */
        struct pr_cdb cdb;
        uint8_t keys[PR_OUT_KEYS_SIZE]; /**< the begin of OUT's parameter list */
        int64_t since_us;               /**< CLOCK_MONOTONIC */
};

struct device_use {
        uint64_t id;       /**< of struct device */
        const void *nexus; /**< the device's context: through which nexus it is reached */
        dev_t number;
        char wwid[DEVICE_WWID_SIZE];
        uint64_t commands, conflicts, errors;
        uint64_t latency[LATENCY_BUCKETS];
        int64_t latency_us; /**< of all of them */
        unsigned in_flight_count;
        struct in_flight in_flight[IN_FLIGHT_MAX];
        struct {
                struct device_client client; /**< number 0: a free place */
                bool registered;             /**< it has registered a key */
        } clients[DEVICE_CLIENTS_MAX]; /**< connected ones that have sent commands */
        int64_t used_us;
};

/** Before anything else. @param commands  in flight on one device for one user, at most */
void devices_init(unsigned commands);

/** A command in flight. */
struct devices_token {
        struct device_use *device;
        struct in_flight *place;
};

/**
 * A command is about to be sent.
 * @return 0, or -EBUSY where it must not be: the device hangs, or there are too many devices
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

/** A copy of every device's, at most `max`. @return how many */
size_t devices_snapshot(struct device_use *ret_devices, size_t max);
