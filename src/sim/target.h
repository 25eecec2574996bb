/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The simulated target: logical units that are regular files, and the I_T
 * nexuses through which they are reached.
 */
#pragma once

#include <stddef.h>

#include "device/device.h"

enum {
        TARGET_NEXUSES_MAX = 64,
        TARGET_UNITS_MAX = 1024, /**< with some state; others are forgotten when there are more */
};

struct target;

/**
 * @param folder  of store_open(), consumed; -1: nothing is stored, APTPL is not offered
 * @param report  gets one line for what an administrator has to know
 * @return NULL without memory
 */
struct target *target_new(int folder, void (*report)(const char *message));

/**
 * Add a nexus of an initiator by its iSCSI name.
 * @param ret_source  the devices that are reached through it
 * @return 0; -EINVAL where the name is none; -EEXIST where it is there; -ENOSPC beyond the limit
 */
int target_add_nexus(struct target *target, const char *initiator,
                     struct device_source *ret_source);
