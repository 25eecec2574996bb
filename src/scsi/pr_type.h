/* SPDX-License-Identifier: BSD-2-Clause */
/* What follows from a persistent reservation's type alone (SPC-4 6.15.3.4). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "scsi/pr.h"

enum {
        /** All six types, bit n for type n: also how REPORT CAPABILITIES counts them. */
        PR_TYPES_ALL = 1 << PR_TYPE_WRITE_EXCLUSIVE |
                       1 << PR_TYPE_EXCLUSIVE_ACCESS |
                       1 << PR_TYPE_WRITE_EXCLUSIVE_REGISTRANTS_ONLY |
                       1 << PR_TYPE_EXCLUSIVE_ACCESS_REGISTRANTS_ONLY |
                       1 << PR_TYPE_WRITE_EXCLUSIVE_ALL_REGISTRANTS |
                       1 << PR_TYPE_EXCLUSIVE_ACCESS_ALL_REGISTRANTS,
};

/** One of the six; `type` is a nibble of a CDB or of a descriptor. */
static inline bool pr_type_valid(uint8_t type)
{
        return type < 16 && (PR_TYPES_ALL >> type & 1);
}

/** Every registrant holds the reservation. */
static inline bool pr_type_all_registrants(uint8_t type)
{
        return type == PR_TYPE_WRITE_EXCLUSIVE_ALL_REGISTRANTS ||
               type == PR_TYPE_EXCLUSIVE_ACCESS_ALL_REGISTRANTS;
}

/** One registrant holds it, and all of them have access. */
static inline bool pr_type_registrants_only(uint8_t type)
{
        return type == PR_TYPE_WRITE_EXCLUSIVE_REGISTRANTS_ONLY ||
               type == PR_TYPE_EXCLUSIVE_ACCESS_REGISTRANTS_ONLY;
}

/** Everybody else may still read. */
static inline bool pr_type_write_exclusive(uint8_t type)
{
        return type == PR_TYPE_WRITE_EXCLUSIVE ||
               type == PR_TYPE_WRITE_EXCLUSIVE_REGISTRANTS_ONLY ||
               type == PR_TYPE_WRITE_EXCLUSIVE_ALL_REGISTRANTS;
}
