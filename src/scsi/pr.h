/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PERSISTENT RESERVE IN and OUT: the CDBs and the names of what is in them
 * (SPC-4 6.15, 6.16; SPC-5 6.16, 6.17). Pure: bytes in, types out.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
        PR_OPCODE_IN = 0x5e,
        PR_OPCODE_OUT = 0x5f,
        PR_CDB_SIZE = 16,      /**< as the helper protocol carries it; the command itself has 10 */
        PR_DATA_MAX = 8192,    /**< the helper protocol's limit on a transfer, bytes */
        PR_OUT_BASIC_SIZE = 24 /**< the parameter list but for REGISTER AND MOVE and SPEC_I_PT */
};

enum pr_in_action {
        PR_IN_READ_KEYS = 0x00,
        PR_IN_READ_RESERVATION = 0x01,
        PR_IN_REPORT_CAPABILITIES = 0x02,
        PR_IN_READ_FULL_STATUS = 0x03,
};

enum pr_out_action {
        PR_OUT_REGISTER = 0x00,
        PR_OUT_RESERVE = 0x01,
        PR_OUT_RELEASE = 0x02,
        PR_OUT_CLEAR = 0x03,
        PR_OUT_PREEMPT = 0x04,
        PR_OUT_PREEMPT_AND_ABORT = 0x05,
        PR_OUT_REGISTER_AND_IGNORE = 0x06,
        PR_OUT_REGISTER_AND_MOVE = 0x07,
        PR_OUT_REPLACE_LOST = 0x08,
};

enum pr_scope {
        PR_SCOPE_LU = 0x0,
};

enum pr_type {
        PR_TYPE_NONE = 0,
        PR_TYPE_WRITE_EXCLUSIVE = 1,
        PR_TYPE_EXCLUSIVE_ACCESS = 3,
        PR_TYPE_WRITE_EXCLUSIVE_REGISTRANTS_ONLY = 5,
        PR_TYPE_EXCLUSIVE_ACCESS_REGISTRANTS_ONLY = 6,
        PR_TYPE_WRITE_EXCLUSIVE_ALL_REGISTRANTS = 7,
        PR_TYPE_EXCLUSIVE_ACCESS_ALL_REGISTRANTS = 8,
};

/** The fields of either CDB. */
struct pr_cdb {
        bool out;        /**< PERSISTENT RESERVE OUT */
        uint8_t action;  /**< SERVICE ACTION, byte 1 bits 4..0 */
        uint8_t scope;   /**< OUT: byte 2 bits 7..4 */
        uint8_t type;    /**< OUT: byte 2 bits 3..0 */
        uint32_t length; /**< IN: ALLOCATION LENGTH, bytes 7-8; OUT: PARAMETER LIST LENGTH, bytes 5-8 */
};

/**
 * Decode a CDB.
 * @return 0, or -EINVAL where the opcode is neither 5Eh nor 5Fh.
 */
int pr_cdb_decode(const uint8_t bytes[static PR_CDB_SIZE], struct pr_cdb *ret_cdb);

/** The two keys that every PERSISTENT RESERVE OUT parameter list begins with. */
struct pr_out_keys {
        uint64_t key;            /**< RESERVATION KEY */
        uint64_t action_key;     /**< SERVICE ACTION RESERVATION KEY */
};

enum { PR_OUT_KEYS_SIZE = 16 }; /**< both, at the begin of every parameter list */

/** False where the list is too short to hold both keys. */
bool pr_out_keys_decode(const uint8_t *list, size_t size, struct pr_out_keys *ret_keys);

/** "REGISTER", "READ KEYS", ... as SPC spells it; "service action" where there is none. */
const char *pr_action_name(const struct pr_cdb *cdb);

/** "WE", "EA", "WERO", "EARO", "WEAR", "EAAR"; "none" for 0; "type" where it is reserved. */
const char *pr_type_name(uint8_t type);

/** Whether RESERVE, RELEASE and their like look at SCOPE and TYPE for this service action. */
bool pr_action_has_type(uint8_t out_action);
