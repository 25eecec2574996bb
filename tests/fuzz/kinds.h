/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Descriptors of every kind that a client may pass. Those that are to be
 * devices are memory files of which kinds_fstat() tells otherwise; the sysfs that
 * says what they are is made up.
 */
#pragma once

struct stat;

enum kind {
        KIND_SG,          /* a node of sg, open for both */
        KIND_SG_READ,     /* O_RDONLY */
        KIND_SG_PATH,     /* O_PATH */
        KIND_SCSI,        /* a whole SCSI disk */
        KIND_SCSI_READ,
        KIND_SCSI_WRITE,  /* O_WRONLY */
        KIND_PARTITION,
        KIND_MULTIPATH,
        KIND_VOLUME,      /* device-mapper, on a SCSI disk */
        KIND_UNKNOWN,     /* a block device that is not in sysfs */
        KIND_BROKEN,      /* fstat(2) fails */
        KIND_NULL,        /* /dev/null */
        KIND_FILE,
        KIND_DIRECTORY,
        KIND_SOCKET,
        KIND_OWN,         /* the connection itself: the caller's to know */
        KINDS,
};

/** Make them all, and sysfs; once. */
void kinds_make(void);

/** A descriptor of this kind, borrowed; not for KIND_OWN. */
int kinds_fd(enum kind kind);

/** fstat(2), but that some files are devices. */
int kinds_fstat(int fd, struct stat *ret_stat);

/** Of the made-up sysfs. */
int kinds_sysfs(void);

/** What `fd` is, found by its inode, or KINDS where it is none of the devices. */
enum kind kinds_kind(int fd);
