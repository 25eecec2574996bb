/* SPDX-License-Identifier: BSD-2-Clause */
/* Making results of commands. Private to manager/. */
#pragma once

#include <stdint.h>

#include "prmanager.h"
#include "scsi/sense.h"

/** What a device answered: `sense` is SENSE_SIZE bytes, looked at with CHECK CONDITION only. */
void result_set(struct prm_result *result, uint8_t status, const uint8_t *sense);

/** CHECK CONDITION with this sense, and why: printf(3)-like, "" for no reason. */
__attribute__((format(printf, 3, 4))) void result_sense(struct prm_result *result, struct scsi_sense sense,
                                                        const char *format, ...);

/** There was no way to the device: LOGICAL UNIT COMMUNICATION FAILURE (B/08/00), and why. */
void result_unavailable(struct prm_result *result, int error, bool in_doubt, const char *why);
