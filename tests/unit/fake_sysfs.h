/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A made-up sysfs in the temporary directory, with the links that the real one
 * has: dev/block/M:N leads to a directory under devices/, a disk's `device` to
 * its parent, whose `subsystem` to the bus.
 */
#pragma once

#include "fixture.h"

#define SYSFS_DISK "devices/pci0000:00/host0/target0:0:0/0:0:0:0"

/** Make a directory and those above it; the path is relative to sysfs. */
static inline void sysfs_directory(const char *path)
{
        char whole[512];

        snprintf(whole, sizeof whole, "%s", temp_path("%s", path));
        for (char *at = whole + strlen(temp_directory()) + 1; (at = strchr(at, '/')); *at++ = '/') {
                *at = '\0';
                (void)mkdir(whole, 0700);
        }
        need(mkdir(whole, 0700) == 0 || errno == EEXIST, path);
}

static inline void sysfs_link(const char *path, const char *target)
{
        char parent[512];

        snprintf(parent, sizeof parent, "%s", path);
        *strrchr(parent, '/') = '\0';
        sysfs_directory(parent);
        need(symlink(target, temp_path("%s", path)) == 0, path);
}

static inline void sysfs_attribute(const char *path, const char *text)
{
        char parent[512];

        snprintf(parent, sizeof parent, "%s", path);
        *strrchr(parent, '/') = '\0';
        sysfs_directory(parent);
        write_file(temp_path("%s", path), text);
}

/** A block device's directory `node`, under the number "8:0". */
static inline void sysfs_block(const char *number, const char *node)
{
        char path[64], target[512];

        snprintf(path, sizeof path, "dev/block/%s", number);
        snprintf(target, sizeof target, "../../%s", node);
        sysfs_directory(node);
        sysfs_link(path, target);
}

/** A file of it. */
static inline void sysfs_file(const char *node, const char *name, const char *text)
{
        char path[512];

        snprintf(path, sizeof path, "%s/%s", node, name);
        sysfs_attribute(path, text);
}

/** Its parent device, whose bus or class is `bus`. */
static inline void sysfs_parent(const char *node, const char *parent, const char *bus)
{
        char path[512];

        snprintf(path, sizeof path, "%s/device", node);
        sysfs_link(path, parent);
        snprintf(path, sizeof path, "%s/%s/subsystem", node, parent);
        sysfs_link(path, bus);
}

/** A whole SCSI disk. */
static inline void sysfs_scsi(const char *number, const char *lun, const char *name)
{
        char node[256], parent[64];

        snprintf(node, sizeof node, "devices/pci0000:00/host0/target0:0:0/%s/block/%s", lun, name);
        snprintf(parent, sizeof parent, "../../../%s", lun);
        sysfs_block(number, node);
        sysfs_parent(node, parent, "../../../../../bus/scsi");
}

/** A device-mapper volume; its UUID as the kernel has it, or NULL for no such attribute. */
static inline void sysfs_dm(const char *number, const char *name, const char *uuid)
{
        char node[256];

        snprintf(node, sizeof node, "devices/virtual/block/%s", name);
        sysfs_block(number, node);
        sysfs_file(node, "dm/name", "volume\n");
        if (uuid)
                sysfs_file(node, "dm/uuid", uuid);
}

/** slaves/`slave` of devices/virtual/block/`name` leads to `target`, relative to devices/. */
static inline void sysfs_slave(const char *name, const char *slave, const char *target)
{
        char path[512], link[512];

        snprintf(path, sizeof path, "devices/virtual/block/%s/slaves/%s", name, slave);
        snprintf(link, sizeof link, "../../../../%s", target);
        sysfs_link(path, link);
}

static inline int sysfs_open(void)
{
        int fd = open(temp_directory(), O_PATH | O_DIRECTORY | O_CLOEXEC);

        need(fd >= 0, "open");
        return fd;
}
