/* SPDX-License-Identifier: BSD-2-Clause */
/* CDBs of PERSISTENT RESERVE commands. Private to manager/. */
#pragma once

#include "manager/manager.h"

/** Encode a PERSISTENT RESERVE command (SPC-4 6.15, 6.16). */
void cdb_encode(const struct pr_cdb *cdb, uint8_t ret_bytes[static PR_CDB_SIZE]);

/** Send a PERSISTENT RESERVE IN of cdb->length bytes. Returns as nexus_run(). */
int nexus_in(const struct prm_nexus *nexus, enum pr_in_action action, uint8_t *data, uint16_t length,
             struct prm_result *ret_result);
