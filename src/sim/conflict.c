/* SPDX-License-Identifier: BSD-2-Clause */
/* Which commands a reservation lets through: see conflict.h. */
#include "sim/conflict.h"

#include "base/bytes.h"
#include "scsi/pr.h"
#include "scsi/pr_type.h"

/* How a command fares with those who neither hold the reservation nor share in it. */
enum kind {
        ALWAYS, /* allowed under every type */
        READS,  /* allowed under the write exclusive types */
        WRITES, /* conflicts under every type; whatever has no row below */
        PR_OUT,
        LEGACY, /* RESERVE and RELEASE of SPC-2 */
        START_STOP,
        PREVENT_ALLOW,
};

enum {
        ANY = -1, /* no service action */
        OPCODE_VARIABLE_LENGTH = 0x7f,
};

static const struct command {
        uint8_t opcode;
        int16_t action;
        enum kind kind;
} commands[] = {
        { 0x00, ANY, ALWAYS },  /* TEST UNIT READY */
        { 0x03, ANY, ALWAYS },  /* REQUEST SENSE */
        { 0x12, ANY, ALWAYS },  /* INQUIRY */
        { 0x25, ANY, ALWAYS },  /* READ CAPACITY(10) */
        { 0x4d, ANY, ALWAYS },  /* LOG SENSE */
        { 0x5e, ANY, ALWAYS },  /* PERSISTENT RESERVE IN */
        { 0x84, ANY, ALWAYS },  /* RECEIVE COPY RESULTS and its kin */
        { 0x86, ANY, ALWAYS },  /* ACCESS CONTROL IN */
        { 0x87, ANY, ALWAYS },  /* ACCESS CONTROL OUT */
        { 0x9e, 0x10, ALWAYS }, /* READ CAPACITY(16) */
        { 0x9e, 0x13, ALWAYS }, /* REPORT REFERRALS */
        { 0xa0, ANY, ALWAYS },  /* REPORT LUNS */
        { 0xa3, 0x05, ALWAYS }, /* REPORT IDENTIFYING INFORMATION */
        { 0xa3, 0x0a, ALWAYS }, /* REPORT TARGET PORT GROUPS */
        { 0xa3, 0x0b, ALWAYS }, /* REPORT ALIASES */
        { 0xa3, 0x0e, ALWAYS }, /* REPORT PRIORITY */
        { 0xa3, 0x0f, ALWAYS }, /* REPORT TIMESTAMP */
        { 0xab, 0x01, ALWAYS }, /* READ MEDIA SERIAL NUMBER */

        { 0x08, ANY, READS },                       /* READ(6) */
        { 0x28, ANY, READS },                       /* READ(10) */
        { 0xa8, ANY, READS },                       /* READ(12) */
        { 0x88, ANY, READS },                       /* READ(16) */
        { OPCODE_VARIABLE_LENGTH, 0x0009, READS },  /* READ(32) */
        { 0x3e, ANY, READS },                       /* READ LONG(10) */
        { 0x9e, 0x11, READS },                      /* READ LONG(16) */
        { 0x37, ANY, READS },                       /* READ DEFECT DATA(10) */
        { 0xb7, ANY, READS },                       /* READ DEFECT DATA(12) */
        { 0x2f, ANY, READS },                       /* VERIFY(10) */
        { 0xaf, ANY, READS },                       /* VERIFY(12) */
        { 0x8f, ANY, READS },                       /* VERIFY(16) */
        { OPCODE_VARIABLE_LENGTH, 0x000a, READS },  /* VERIFY(32) */
        { 0x34, ANY, READS },                       /* PRE-FETCH(10) */
        { 0x90, ANY, READS },                       /* PRE-FETCH(16) */
        { 0x9e, 0x12, READS },                      /* GET LBA STATUS */
        { 0x1a, ANY, READS },                       /* MODE SENSE(6) */
        { 0x5a, ANY, READS },                       /* MODE SENSE(10) */
        { 0x3c, ANY, READS },                       /* READ BUFFER */
        { 0x8c, ANY, READS },                       /* READ ATTRIBUTE */
        { 0x1c, ANY, READS },                       /* RECEIVE DIAGNOSTIC RESULTS */
        { 0xa2, ANY, READS },                       /* SECURITY PROTOCOL IN */
        { 0xa3, 0x0c, READS },                      /* REPORT SUPPORTED OPERATION CODES */
        { 0xa3, 0x0d, READS },                      /* REPORT SUPPORTED TASK MANAGEMENT FUNCTIONS */
        { 0xa3, 0x10, READS },                      /* MANAGEMENT PROTOCOL IN */

        { 0x5f, ANY, PR_OUT },
        { 0x16, ANY, LEGACY }, /* RESERVE(6) */
        { 0x17, ANY, LEGACY }, /* RELEASE(6) */
        { 0x56, ANY, LEGACY }, /* RESERVE(10) */
        { 0x57, ANY, LEGACY }, /* RELEASE(10) */
        { 0x1b, ANY, START_STOP },
        { 0x1e, ANY, PREVENT_ALLOW },
};

static enum kind kind_of(uint8_t opcode, int action)
{
        for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
                if (commands[i].opcode == opcode && (commands[i].action == ANY || commands[i].action == action))
                        return commands[i].kind;
        return WRITES;
}

/* START STOP UNIT that starts and asks for no power condition, and PREVENT 0, always pass (SBC-3). */
static enum kind kind_decode(const uint8_t *cdb, size_t cdb_size, int *ret_action)
{
        struct reader r = reader_over(cdb, cdb_size);
        uint8_t opcode = read_u8(&r);
        uint8_t byte1 = read_u8(&r);
        (void)read_bytes(&r, 2);
        uint8_t byte4 = read_u8(&r);

        *ret_action = byte1 & 0x1f;
        if (opcode == OPCODE_VARIABLE_LENGTH) {
                (void)read_bytes(&r, 3);
                *ret_action = read_be16(&r);
        }

        enum kind kind = kind_of(opcode, *ret_action);
        if (kind == START_STOP)
                kind = (byte4 & 0x01) && (byte4 & 0xf0) == 0 ? ALWAYS : WRITES;
        if (kind == PREVENT_ALLOW)
                kind = (byte4 & 0x03) == 0 ? ALWAYS : WRITES;
        return r.failed ? WRITES : kind;
}

/* PERSISTENT RESERVE OUT under somebody else's reservation (table 66). */
static bool out_allowed(int action, bool registered)
{
        switch (action) {
        case PR_OUT_REGISTER:
        case PR_OUT_REGISTER_AND_IGNORE:
                return true;
        case PR_OUT_CLEAR:
        case PR_OUT_PREEMPT:
        case PR_OUT_PREEMPT_AND_ABORT:
        case PR_OUT_RELEASE:
        case PR_OUT_REPLACE_LOST:
                return registered;
        default:
                return false;
        }
}

enum conflict_verdict conflict_check(const struct engine_config *config, const struct engine_pr *pr,
                                     struct engine_nexus nexus, const uint8_t *cdb, size_t cdb_size)
{
        int action;
        enum kind kind = kind_decode(cdb, cdb_size, &action);
        bool reserved = pr->type != PR_TYPE_NONE;
        bool registered = engine_registration_of(pr, nexus);
        bool holder = engine_is_holder(pr, nexus);
        bool shares = holder || (registered && pr_type_registrants_only(pr->type));

        if (kind == LEGACY) {
                if (config->crh && shares)
                        return CONFLICT_IGNORED;
                return pr->count > 0 ? CONFLICT_RESERVED : CONFLICT_ALLOWED;
        }
        if (!reserved || holder || kind == ALWAYS)
                return CONFLICT_ALLOWED;
        if (kind == PR_OUT)
                return out_allowed(action, registered) ? CONFLICT_ALLOWED : CONFLICT_RESERVED;
        if (shares || (kind == READS && pr_type_write_exclusive(pr->type)))
                return CONFLICT_ALLOWED;
        return CONFLICT_RESERVED;
}
