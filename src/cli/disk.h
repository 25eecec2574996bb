/* SPDX-License-Identifier: BSD-2-Clause */
/* The device that a command is for: opened, with the way to it. */
#pragma once

#include <stdbool.h>
#include <sys/stat.h>

#include "cli/json.h"
#include "cli/options.h"

struct disk {
        const char *path;
        struct stat st;
        struct prm_nexus nexus; /**< owns its manager and descriptor */
};

/** All zero but for the descriptor: what disk_close() takes before disk_open() as well. */
#define DISK_CLOSED { .nexus = { .fd = -1 } }

/** Close it. */
void disk_close(struct disk *disk);

#define cleanup_disk __attribute__((cleanup(disk_close)))

/**
 * Open options->device and connect to the helper, or not with --direct.
 * @param writing for PERSISTENT RESERVE OUT
 * @return 0, or the exit status after a message that says what to do
 */
int disk_open(const struct options *options, bool writing, struct disk *ret_disk);

/** Whether there is something of that name that cannot be connected to. */
bool is_no_socket(const char *path);

/** Why a socket may be closed to the user: "the socket belongs to root:kvm, mode 0660". */
void describe_socket(const char *path, char *ret_text, size_t size);

/**
 * What sysfs, and the inode, say about a device: "device", "kind", "number", "vendor", "model",
 * "serial", "wwid", "size" in bytes, "multipath"; null where it is not said.
 * @param sysfs a descriptor of the mount, or -1
 */
json_t *disk_facts(int sysfs, const char *path, const struct stat *st);

/** How people read a size: "64 MiB (67108864 bytes)". */
void format_size(const json_t *value, char *ret_text, size_t size);

/** "no", "a map of 2 paths: sda sdb", "sda is a path of mpatha: use the map". */
void format_multipath(const json_t *value, char *ret_text, size_t size);

/** A JSON string of any bytes: what is no UTF-8 or would not print becomes '?'. NULL: null. */
json_t *json_text(const char *text);
