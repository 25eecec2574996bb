/* SPDX-License-Identifier: BSD-2-Clause */
/* PERSISTENT RESERVE IN and OUT, their CDBs and names: see pr.h. */
#include "scsi/pr.h"

#include <errno.h>

#include "base/bytes.h"

int pr_cdb_decode(const uint8_t bytes[static PR_CDB_SIZE], struct pr_cdb *ret_cdb)
{
        struct reader r = reader_over(bytes, PR_CDB_SIZE);
        uint8_t opcode = read_u8(&r);
        uint8_t action = read_u8(&r);
        uint8_t scope_type = read_u8(&r);

        if (opcode != PR_OPCODE_IN && opcode != PR_OPCODE_OUT)
                return -EINVAL;

        bool out = opcode == PR_OPCODE_OUT;
        (void)read_bytes(&r, out ? 2 : 4);
        *ret_cdb = (struct pr_cdb){
                .out = out,
                .action = action & 0x1f,
                .scope = out ? scope_type >> 4 : 0,
                .type = out ? scope_type & 0x0f : 0,
                .length = out ? read_be32(&r) : read_be16(&r),
        };
        return 0;
}

bool pr_out_keys_decode(const uint8_t *list, size_t size, struct pr_out_keys *ret_keys)
{
        struct reader r = reader_over(list, size);
        struct pr_out_keys keys = { .key = read_be64(&r) };

        keys.action_key = read_be64(&r);
        if (r.failed)
                return false;
        *ret_keys = keys;
        return true;
}

const char *pr_action_name(const struct pr_cdb *cdb)
{
        static const char *const in[] = {
                [PR_IN_READ_KEYS] = "READ KEYS",
                [PR_IN_READ_RESERVATION] = "READ RESERVATION",
                [PR_IN_REPORT_CAPABILITIES] = "REPORT CAPABILITIES",
                [PR_IN_READ_FULL_STATUS] = "READ FULL STATUS",
        };
        static const char *const out[] = {
                [PR_OUT_REGISTER] = "REGISTER",
                [PR_OUT_RESERVE] = "RESERVE",
                [PR_OUT_RELEASE] = "RELEASE",
                [PR_OUT_CLEAR] = "CLEAR",
                [PR_OUT_PREEMPT] = "PREEMPT",
                [PR_OUT_PREEMPT_AND_ABORT] = "PREEMPT AND ABORT",
                [PR_OUT_REGISTER_AND_IGNORE] = "REGISTER AND IGNORE EXISTING KEY",
                [PR_OUT_REGISTER_AND_MOVE] = "REGISTER AND MOVE",
                [PR_OUT_REPLACE_LOST] = "REPLACE LOST RESERVATION",
        };

        if (cdb->out && cdb->action < sizeof out / sizeof out[0])
                return out[cdb->action];
        if (!cdb->out && cdb->action < sizeof in / sizeof in[0])
                return in[cdb->action];
        return "service action";
}

const char *pr_type_name(uint8_t type)
{
        static const char *const names[] = {
                [PR_TYPE_NONE] = "none",
                [PR_TYPE_WRITE_EXCLUSIVE] = "WE",
                [PR_TYPE_EXCLUSIVE_ACCESS] = "EA",
                [PR_TYPE_WRITE_EXCLUSIVE_REGISTRANTS_ONLY] = "WERO",
                [PR_TYPE_EXCLUSIVE_ACCESS_REGISTRANTS_ONLY] = "EARO",
                [PR_TYPE_WRITE_EXCLUSIVE_ALL_REGISTRANTS] = "WEAR",
                [PR_TYPE_EXCLUSIVE_ACCESS_ALL_REGISTRANTS] = "EAAR",
        };

        if (type < sizeof names / sizeof names[0] && names[type])
                return names[type];
        return "type";
}

bool pr_action_has_type(uint8_t out_action)
{
        switch (out_action) {
        case PR_OUT_RESERVE:
        case PR_OUT_RELEASE:
        case PR_OUT_PREEMPT:
        case PR_OUT_PREEMPT_AND_ABORT:
        case PR_OUT_REPLACE_LOST:
                return true;
        default:
                return false;
        }
}
