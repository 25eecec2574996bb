/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What sysfs says about a block device: what kind it is and what it is
 * stacked on. Private to device/.
 *
 * `sysfs` is a directory descriptor of the mount, so that tests bring a tree
 * of their own.
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

enum sysfs_kind {
        SYSFS_UNKNOWN,   /**< it could not be found out */
        SYSFS_OTHER,     /**< a block device that is none of these */
        SYSFS_SCSI,      /**< a whole SCSI disk or CD-ROM */
        SYSFS_PARTITION,
        SYSFS_DM,        /**< a device-mapper volume other than multipath */
        SYSFS_MULTIPATH, /**< a dm-multipath map */
        SYSFS_MD,
        SYSFS_LOOP,
};

enum sysfs_kind sysfs_kind(int sysfs, dev_t number);

/** What a partition or a device-mapper volume lies on, all of it. */
enum sysfs_below {
        SYSFS_BELOW_SCSI,      /**< SCSI disks only */
        SYSFS_BELOW_MULTIPATH, /**< at least one dm-multipath map */
        SYSFS_BELOW_OTHER,     /**< something that is neither, or that could not be found out */
};

enum sysfs_below sysfs_below(int sysfs, dev_t number);

/**
 * The world wide name of a SCSI disk (of a partition's disk, of an sg node's device), the UUID of a
 * device-mapper volume; "" where there is none. What would not print is replaced by '?'.
 */
void sysfs_wwid(int sysfs, dev_t number, int block, char *ret_name, size_t size);
