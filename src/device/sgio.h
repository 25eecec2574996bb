/* SPDX-License-Identifier: BSD-2-Clause */
/* Devices of the running kernel, reached by the SG_IO ioctl. */
#pragma once

#include <stdbool.h>

#include "device/device.h"

struct stat;

/** How to treat them. Has to outlive the devices that were identified with it. */
struct sgio_context {
        int sysfs;           /**< directory descriptor of the sysfs mount */
        unsigned timeout_ms; /**< for a command, in the kernel */
        bool allow_stacked;  /**< serve partitions and device-mapper volumes on SCSI disks */
        /** ioctl(2) and fstat(2), or what a test puts in their place. They set errno. */
        int (*ioctl)(int fd, unsigned long request, void *argument);
        int (*fstat)(int fd, struct stat *ret_stat);
};

/** ioctl(2) and fstat(2) themselves. */
int sgio_ioctl(int fd, unsigned long request, void *argument);
int sgio_fstat(int fd, struct stat *ret_stat);

/**
 * A device_source.identify: what `fd` is, by fstat(2) and sysfs, never by a path. A whole SCSI disk
 * that is the last one again, by its sequence number, is not looked up again.
 */
void sgio_identify(const void *context, int fd, struct device *device);

struct sg_io_hdr;

/**
 * What an SG_IO came to, for the client (docs/protocol.md has the table).
 * @param error   errno of the ioctl, 0 where it came back
 * @param header  as the kernel left it; `sbp` points to result->sense
 */
void sgio_result(int error, const struct sg_io_hdr *header, const struct pr_cdb *cdb,
                 struct pr_result *result);
