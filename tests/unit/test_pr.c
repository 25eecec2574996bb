/* SPDX-License-Identifier: BSD-2-Clause */
/* scsi/pr: both CDBs field by field, the two keys of a parameter list, and every name. */
#include "scsi/pr.h"

#include <errno.h>

#include "tap.h"

static const struct {
        const char *what;
        uint8_t bytes[PR_CDB_SIZE];
        struct pr_cdb cdb;
} cdbs[] = {
        { "IN, zero", { 0x5e }, { .out = false } },
        { "IN, READ FULL STATUS, 8192 bytes",
          { 0x5e, 0x03, 0, 0, 0, 0, 0, 0x20, 0x00 }, { .action = 3, .length = 8192 } },
        { "IN, length is bytes 7-8 alone",
          { 0x5e, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0x12, 0x34, 0xff, 0xff },
          { .action = 0, .length = 0x1234 } },
        { "IN, the longest length", { 0x5e, 0x00, [7] = 0xff, [8] = 0xff }, { .length = 0xffff } },
        { "IN, service action is five bits", { 0x5e, 0xff }, { .action = 0x1f } },
        { "IN, reserved bits of byte 1", { 0x5e, 0xe1 }, { .action = 1 } },
        { "OUT, zero", { 0x5f }, { .out = true } },
        { "OUT, RESERVE WERO, 24 bytes",
          { 0x5f, 0x01, 0x05, 0, 0, 0, 0, 0, 24 },
          { .out = true, .action = 1, .type = 5, .length = 24 } },
        { "OUT, scope and type", { 0x5f, 0x05, 0xa8 },
          { .out = true, .action = 5, .scope = 0xa, .type = 8 } },
        { "OUT, service action is five bits", { 0x5f, 0xe6 }, { .out = true, .action = 6 } },
        { "OUT, length is bytes 5-8", { 0x5f, 0, 0, 0xff, 0xff, 0x12, 0x34, 0x56, 0x78, 0xff, 0xff },
          { .out = true, .length = 0x12345678 } },
        { "OUT, length with byte 5 alone is over the limit", { 0x5f, [5] = 0x01, [8] = 24 },
          { .out = true, .length = 0x01000018 } },
        { "OUT, length with byte 6 alone is over the limit", { 0x5f, [6] = 0x01, [8] = 24 },
          { .out = true, .length = 0x00010018 } },
        { "OUT, the longest length", { 0x5f, [5] = 0xff, 0xff, 0xff, 0xff },
          { .out = true, .length = 0xffffffff } },
        { "OUT, CONTROL and what the protocol adds are not looked at",
          { 0x5f, 0x02, [9] = 1, 2, 3, 4, 5, 6, 7 }, { .out = true, .action = 2 } },
};

static void test_cdb(void)
{
        for (size_t i = 0; i < sizeof cdbs / sizeof cdbs[0]; i++) {
                const struct pr_cdb *want = &cdbs[i].cdb;
                struct pr_cdb got = { true, 0xee, 0xee, 0xee, 0xeeeeeeee };

                is_int(pr_cdb_decode(cdbs[i].bytes, &got), 0, "%s: decoded", cdbs[i].what);
                is_int(got.out, want->out, "%s: opcode", cdbs[i].what);
                is_int(got.action, want->action, "%s: service action", cdbs[i].what);
                is_int(got.scope, want->scope, "%s: scope", cdbs[i].what);
                is_int(got.type, want->type, "%s: type", cdbs[i].what);
                is_int(got.length, want->length, "%s: length", cdbs[i].what);
        }
}

static void test_opcode(void)
{
        int accepted = 0, touched = 0;

        for (unsigned opcode = 0; opcode < 256; opcode++) {
                uint8_t bytes[PR_CDB_SIZE] = { (uint8_t)opcode, 0x01, 0x05, [8] = 24 };
                struct pr_cdb cdb = { .length = 0xeeeeeeee };
                int r = pr_cdb_decode(bytes, &cdb);

                accepted += r == 0;
                touched += r != 0 && cdb.length != 0xeeeeeeee;
                if (r != 0 && r != -EINVAL)
                        ok(false, "opcode %02x: refused with -EINVAL", opcode);
        }
        is_int(accepted, 2, "two opcodes of 256 are accepted");
        is_int(touched, 0, "the others leave the result untouched");
}

static void test_keys(void)
{
        static const uint8_t list[PR_OUT_BASIC_SIZE] = {
                0x81, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88,
                0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff, 0x01, [20] = 0x01,
        };
        struct pr_out_keys keys = { 0 };

        ok(pr_out_keys_decode(list, sizeof list, &keys), "a parameter list has keys");
        ok(keys.key == 0x8122334455667788, "RESERVATION KEY is bytes 0-7");
        ok(keys.action_key == 0x99aabbccddeeff01, "SERVICE ACTION RESERVATION KEY is bytes 8-15");
        keys = (struct pr_out_keys){ 0 };
        ok(pr_out_keys_decode(list, 16, &keys), "16 bytes suffice");
        ok(keys.action_key == 0x99aabbccddeeff01, "and have both keys");

        for (size_t size = 0; size < 16; size++) {
                keys = (struct pr_out_keys){ 1, 2 };
                ok(!pr_out_keys_decode(list, size, &keys), "%zu bytes do not suffice", size);
                ok(keys.key == 1 && keys.action_key == 2, "%zu bytes: result untouched", size);
        }
        ok(!pr_out_keys_decode(NULL, 0, &keys), "no list, no keys");
}

static void test_action_names(void)
{
        static const char *const in[32] = {
                "READ KEYS", "READ RESERVATION", "REPORT CAPABILITIES", "READ FULL STATUS",
        };
        static const char *const out[32] = {
                "REGISTER", "RESERVE", "RELEASE", "CLEAR", "PREEMPT", "PREEMPT AND ABORT",
                "REGISTER AND IGNORE EXISTING KEY", "REGISTER AND MOVE", "REPLACE LOST RESERVATION",
        };

        for (uint8_t action = 0; action < 32; action++) {
                struct pr_cdb cdb = { .out = false, .action = action };
                is_string(pr_action_name(&cdb), in[action] ? in[action] : "service action",
                          "IN %02x has its name", action);
                cdb.out = true;
                is_string(pr_action_name(&cdb), out[action] ? out[action] : "service action",
                          "OUT %02x has its name", action);
        }
        struct pr_cdb cdb = { .out = true, .action = 0xff };
        is_string(pr_action_name(&cdb), "service action", "an action beyond five bits has none");
}

static void test_type_names(void)
{
        static const char *const types[16] = {
                "none", "WE", NULL, "EA", NULL, "WERO", "EARO", "WEAR", "EAAR",
        };

        for (unsigned type = 0; type < 256; type++) {
                const char *want = type < 16 && types[type] ? types[type] : "type";
                if (type < 16 || strcmp(pr_type_name((uint8_t)type), want) != 0)
                        is_string(pr_type_name((uint8_t)type), want, "type %x has its name", type);
        }
        for (unsigned action = 0; action < 32; action++) {
                bool want = action == PR_OUT_RESERVE || action == PR_OUT_RELEASE ||
                            action == PR_OUT_PREEMPT || action == PR_OUT_PREEMPT_AND_ABORT ||
                            action == PR_OUT_REPLACE_LOST;
                is_int(pr_action_has_type((uint8_t)action), want, "OUT %02x: type %s", action,
                       want ? "matters" : "is ignored");
        }
}

int main(void)
{
        test_cdb();
        test_opcode();
        test_keys();
        test_action_names();
        test_type_names();
        return done();
}
