/* SPDX-License-Identifier: BSD-2-Clause */
/* The replies of a daemon, held against what its ioctl was answered. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "scsi/pr.h"
#include "scsi/sense.h"

/** An answer of SG_IO. */
struct ioctl_answer {
        int error; /**< errno, or 0 */
        uint8_t status;
        uint16_t host, driver;
        int resid;
        uint16_t data; /**< bytes that the device sends of what was asked for */
        uint8_t sense[SENSE_SIZE], sense_size;
};

struct sg_io_hdr;

/** A new connection. */
void replies_reset(void);

/** One more reply is due. @return false where that is enough */
bool replies_expect(void);

/** The request whose reply is due has come to an SG_IO: fill in its answer and remember it. */
void replies_note_ioctl(struct sg_io_hdr *header, const struct ioctl_answer *answer);

/** Read what has come, and check every reply that is complete. */
void replies_drain(int sock);

/** Read the rest, which ends with a whole reply. */
void replies_finish(int sock);
