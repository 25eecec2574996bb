/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A device: what a descriptor that a client passed turned out to be, and how
 * PERSISTENT RESERVE commands reach it.
 *
 * `struct device_ops` has one instance a kind of device. Every command gets a
 * SCSI status, whatever became of it: by device_execute(), or in two steps, by
 * device_refusal() and the kind's execute().
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "scsi/pr.h"
#include "scsi/sense.h"

/** A command on its way to a device. */
struct pr_command {
        const uint8_t *bytes; /**< the CDB as received, PR_CDB_SIZE bytes */
        struct pr_cdb cdb;    /**< the same, decoded */
        uint8_t *data;        /**< cdb.length bytes: OUT: the parameter list; IN: zeros, to be filled;
                               of device_buffer() where a kernel may fill it */
};

/** What became of a command. */
struct pr_result {
        uint8_t status;            /**< SCSI status for the client */
        uint8_t sense[SENSE_SIZE]; /**< zero unless CHECK CONDITION */
        uint32_t size;             /**< bytes of data; 0 unless PR IN was GOOD */
        bool reached;              /**< it was handed to the device, which may have carried it out */
        int error;                 /**< errno of the ioctl, or 0 */
        uint16_t host, driver;     /**< host and driver status of the ioctl */
        const char *refusal;       /**< why it was not handed to the device, or NULL; static storage */
};

struct device;

struct device_ops {
        const char *kind; /**< for log and trace: "scsi", "partition", ... */

        /** Carry out one command on `fd`, for which device_refusal() has said nothing. */
        void (*execute)(const struct device *device, int fd, const struct pr_command *command,
                        struct pr_result *ret_result);

        /** The device's world wide name as text, NUL-terminated; "" where it has none. */
        void (*wwid)(const struct device *device, char *ret_name, size_t size);
};

/** One descriptor's device. A plain value: it owns nothing. */
struct device {
        const struct device_ops *ops;
        const void *context; /**< of the source that identified it */
        dev_t number;        /**< major and minor, 0 where it has none */
        bool block;          /**< `number` is a block device's */
        uint64_t sequence;   /**< of a whole disk, as the descriptor itself says, which no other disk
                                  ever has; 0: not known */
        uint64_t id;         /**< tells it apart from other devices that are known at the time */
        const char *refusal; /**< why every command is refused, or NULL; static storage */
};

/** Where devices come from: the kernel's (sgio.h), or simulated ones. */
struct device_source {
        const void *context;
        /**
         * Find out what `fd` is. Never fails: what it does not know is a refused device.
         * @param device  zeros, or what the last call left there, which may spare finding out the
         *                same again
         */
        void (*identify)(const void *context, int fd, struct device *device);
};

/** A device that answers every command with INVALID COMMAND OPERATION CODE (5/20/00). */
void device_init_refused(struct device *ret_device, const char *refusal);

/**
 * Why `command` must not be sent by `fd`: the device takes none, or the descriptor does not allow
 * it (opened with O_PATH; PR OUT and not open for writing). NULL where it may; static storage.
 */
const char *device_refusal(const struct device *device, int fd, const struct pr_command *command);

/** Run a command: refuse it where device_refusal() says so, else leave it to the kind of device. */
void device_execute(const struct device *device, int fd, const struct pr_command *command,
                    struct pr_result *ret_result);

/**
 * Room for a command's data, at the beginning of a page, all zero: whatever the kernel leaves
 * untouched must not be somebody else's. Behind it is a page that is never sent.
 * @param ret_memory what is to be freed
 * @return NULL where there is no memory
 */
uint8_t *device_buffer(size_t size, void **ret_memory);

/** Answer `command` with CHECK CONDITION and this sense. */
void pr_result_sense(struct pr_result *ret_result, struct scsi_sense sense);

/** Answer with 5/20/00 without having asked the device. */
void pr_result_refuse(struct pr_result *ret_result, const char *refusal);

/** Whether it failed on the way to the device or back, and not by what the device said. */
bool pr_result_is_lost(const struct pr_result *result);
