/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is going on at each device: commands in flight and how long, conflicts,
 * errors, latency, and who has registered.
 *
 * One table for the daemon, bounded: devices that nobody used for longest make
 * way. Its lock is held for a few instructions and never across a command.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "device/device.h"

enum {
        DEVICE_STATS_MAX = 256,
        DEVICE_WWID_SIZE = 128,
        LATENCY_BUCKETS = 16, /**< bucket i: less than 64 << i microseconds; the last: all others */
        IN_FLIGHT_MAX = 32,   /**< shown a device; more are only counted */
        DEVICE_USERS_MAX = 64,
};

/** A command that has been sent and is not back. */
struct in_flight {
        unsigned client; /**< 0: a free place */
        struct pr_cdb cdb;
        int64_t since_us; /**< CLOCK_MONOTONIC */
};

/** A connected client that has sent commands to the device. */
struct device_user {
        unsigned client; /**< 0: a free place */
        pid_t pid;
        bool registered; /**< it has registered a key */
};

struct device_stats {
        uint64_t id;       /**< of struct device */
        const void *nexus; /**< the device's context: through which nexus it is reached */
        dev_t number;
        char wwid[DEVICE_WWID_SIZE];
        uint64_t commands, conflicts, errors;
        uint64_t latency[LATENCY_BUCKETS];
        unsigned in_flight_count;
        struct in_flight in_flight[IN_FLIGHT_MAX];
        struct device_user users[DEVICE_USERS_MAX];
        int64_t used_us;
};

struct device_stats_token {
        struct device_stats *device; /**< NULL where the table is full of busy devices */
        struct in_flight *place;
        int64_t since_us;
};

/** A command is about to be sent. @return a token for device_stats_end() */
struct device_stats_token device_stats_begin(const struct device *device, unsigned client,
                                             pid_t pid, const struct pr_cdb *cdb);

/** It came back. */
void device_stats_end(const struct device_stats_token *token, unsigned client,
                      const struct pr_command *command, const struct pr_result *result);

/** A client has left. */
void device_stats_forget_client(unsigned client);

/** A copy of every device's, at most `max`. @return how many */
size_t device_stats_snapshot(struct device_stats *ret_stats, size_t max);
