/* SPDX-License-Identifier: BSD-2-Clause */
/* SCSI status codes (SAM-5 5.3.1) and sense data (SPC-4 4.5). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum scsi_status {
        SCSI_GOOD = 0x00,
        SCSI_CHECK_CONDITION = 0x02,
        SCSI_BUSY = 0x08,
        SCSI_RESERVATION_CONFLICT = 0x18,
        SCSI_TASK_SET_FULL = 0x28,
};

enum {
        SENSE_SIZE = 96,       /**< what a helper's reply holds */
        SENSE_FIXED_SIZE = 18, /**< what fixed format takes (SPC-4 4.5.3) */
};

/** Sense key, additional sense code, and its qualifier. */
struct scsi_sense {
        uint8_t key, asc, ascq;
};

/** Sense as the standard's tables have it: SENSE(0x05, 0x24, 0x00). */
#define SENSE(k, a, q) ((struct scsi_sense){ .key = (k), .asc = (a), .ascq = (q) })

#define SENSE_INVALID_OPCODE SENSE(0x05, 0x20, 0x00)
#define SENSE_INVALID_FIELD_IN_CDB SENSE(0x05, 0x24, 0x00)
#define SENSE_INTERNAL_TARGET_FAILURE SENSE(0x04, 0x44, 0x00)
#define SENSE_LUN_COMMUNICATION_FAILURE SENSE(0x0b, 0x08, 0x00)

/** Fill all SENSE_SIZE bytes: current error, fixed format, the rest zero (SPC-4 4.5.3). */
void scsi_sense_build(struct scsi_sense sense, uint8_t ret_bytes[static SENSE_SIZE]);

/** Decode fixed (70h, 71h) or descriptor (72h, 73h) format. False where it is neither. */
bool scsi_sense_decode(const uint8_t *bytes, size_t size, struct scsi_sense *ret_sense);

/** What the standard calls this additional sense (SPC-4 annex F), or NULL where not known here. */
const char *scsi_sense_name(struct scsi_sense sense);

/** "GOOD", "RESERVATION CONFLICT", ...; "status" where the code is not one of SAM-5's. */
const char *scsi_status_name(uint8_t status);

/** Its name, or "status 0x.." where it has none. */
void scsi_status_format(uint8_t status, char *ret_text, size_t size);
