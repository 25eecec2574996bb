/* SPDX-License-Identifier: BSD-2-Clause */
/* scsi/sense: fixed format to the byte, both formats read, and the names. */
#include "scsi/sense.h"

#include "tap.h"

static void test_build(void)
{
        static const struct scsi_sense senses[] = {
                SENSE_INVALID_OPCODE, SENSE_INVALID_FIELD_IN_CDB, SENSE_INTERNAL_TARGET_FAILURE,
                SENSE_LUN_COMMUNICATION_FAILURE, { 0x0f, 0xff, 0xfe },
        };

        for (size_t i = 0; i < sizeof senses / sizeof senses[0]; i++) {
                struct scsi_sense s = senses[i], back = { 0 };
                uint8_t got[SENSE_SIZE + 1], want[SENSE_SIZE + 1] = { 0 };

                memset(got, 0xa5, sizeof got);
                want[0] = 0x70; /* current error, fixed format, no VALID bit */
                want[2] = s.key;
                want[7] = 10; /* ADDITIONAL SENSE LENGTH: 18 bytes in all */
                want[12] = s.asc;
                want[13] = s.ascq;
                want[SENSE_SIZE] = 0xa5;
                scsi_sense_build(s, got);
                is_bytes(got, want, sizeof want, "build %x/%02x/%02x: all 96 bytes and no more",
                         s.key, s.asc, s.ascq);
                ok(scsi_sense_decode(got, SENSE_SIZE, &back) && back.key == s.key &&
                           back.asc == s.asc && back.ascq == s.ascq,
                   "build %x/%02x/%02x: reads back", s.key, s.asc, s.ascq);
        }
        is_int(SENSE_INVALID_OPCODE.key << 16 | SENSE_INVALID_OPCODE.asc << 8, 0x52000, "5/20/00");
        is_int(SENSE_INVALID_FIELD_IN_CDB.key << 16 | SENSE_INVALID_FIELD_IN_CDB.asc << 8, 0x52400,
               "5/24/00");
        is_int(SENSE_INTERNAL_TARGET_FAILURE.key << 16 | SENSE_INTERNAL_TARGET_FAILURE.asc << 8,
               0x44400, "4/44/00");
        is_int(SENSE_LUN_COMMUNICATION_FAILURE.key << 16 |
                       SENSE_LUN_COMMUNICATION_FAILURE.asc << 8, 0xb0800, "b/08/00");
}

static const struct {
        const char *what;
        uint8_t bytes[18];
        size_t size;
        bool valid;
        struct scsi_sense sense;
} decodes[] = {
        { "fixed", { 0x70, 0, 0x05, [7] = 10, [12] = 0x26, [13] = 0x04 }, 18, true,
          { 0x05, 0x26, 0x04 } },
        { "fixed, deferred, VALID, flags beside the key",
          { 0xf1, 0, 0xe6, [7] = 10, [12] = 0x2a, [13] = 0x05 }, 18, true, { 0x06, 0x2a, 0x05 } },
        { "fixed, cut after the qualifier", { 0x70, 0, 0x05, [12] = 0x26, [13] = 0x04 }, 14, true,
          { 0x05, 0x26, 0x04 } },
        { "fixed, cut before the qualifier", { 0x70, 0, 0x05, [12] = 0x26, [13] = 0x04 }, 13, false,
          { 0 } },
        { "descriptor", { 0x72, 0x06, 0x29, 0x07 }, 8, true, { 0x06, 0x29, 0x07 } },
        { "descriptor, deferred, high bits", { 0xf3, 0xfb, 0x08, 0x01 }, 4, true,
          { 0x0b, 0x08, 0x01 } },
        { "descriptor, cut", { 0x72, 0x06, 0x29, 0x07 }, 3, false, { 0 } },
        { "no sense at all", { 0 }, 18, false, { 0 } },
        { "vendor specific", { 0x7f, 5, 5, 5 }, 18, false, { 0 } },
        { "one less than fixed", { 0x6f, 5, 5, 5 }, 18, false, { 0 } },
        { "one more than descriptor", { 0x74, 5, 5, 5 }, 18, false, { 0 } },
        { "nothing", { 0x70 }, 0, false, { 0 } },
};

static void test_decode(void)
{
        for (size_t i = 0; i < sizeof decodes / sizeof decodes[0]; i++) {
                struct scsi_sense got = { 0xee, 0xee, 0xee };
                struct scsi_sense want = decodes[i].valid ? decodes[i].sense : got;

                is_int(scsi_sense_decode(decodes[i].bytes, decodes[i].size, &got), decodes[i].valid,
                       "decode %s: %s", decodes[i].what, decodes[i].valid ? "valid" : "refused");
                ok(got.key == want.key && got.asc == want.asc && got.ascq == want.ascq,
                   "decode %s: %s", decodes[i].what, decodes[i].valid ? "the codes" : "untouched");
        }
}

static const struct {
        uint8_t asc, ascq;
        const char *name;
} names[] = {
        { 0x00, 0x00, "no additional sense information" },
        { 0x00, 0x06, "I/O process terminated" },
        { 0x05, 0x00, "logical unit does not respond to selection" },
        { 0x08, 0x00, "logical unit communication failure" },
        { 0x11, 0x00, "unrecovered read error" },
        { 0x1a, 0x00, "parameter list length error" },
        { 0x20, 0x00, "invalid command operation code" },
        { 0x24, 0x00, "invalid field in CDB" },
        { 0x25, 0x00, "logical unit not supported" },
        { 0x26, 0x00, "invalid field in parameter list" },
        { 0x26, 0x04, "invalid release of persistent reservation" },
        { 0x27, 0x07, "space allocation failed write protect" },
        { 0x29, 0x00, "power on, reset, or bus device reset occurred" },
        { 0x29, 0x07, "I_T nexus loss occurred" },
        { 0x2a, 0x03, "reservations preempted" },
        { 0x2a, 0x04, "reservations released" },
        { 0x2a, 0x05, "registrations preempted" },
        { 0x2e, 0x02, "command timeout during processing" },
        { 0x2f, 0x02, "commands cleared by device server" },
        { 0x3a, 0x00, "medium not present" },
        { 0x44, 0x00, "internal target failure" },
        { 0x55, 0x04, "insufficient registration resources" },
};

static void test_names(void)
{
        static const uint8_t statuses[] = { 0x00, 0x02, 0x04, 0x08, 0x18, 0x28, 0x30, 0x40 };
        static const char *const status_names[] = {
                "GOOD", "CHECK CONDITION", "CONDITION MET", "BUSY",
                "RESERVATION CONFLICT", "TASK SET FULL", "ACA ACTIVE", "TASK ABORTED",
        };
        int unknown = 0;

        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
                is_string(scsi_sense_name(SENSE(0x05, names[i].asc, names[i].ascq)), names[i].name,
                          "sense %02x/%02x has its name", names[i].asc, names[i].ascq);
        ok(scsi_sense_name(SENSE(0x05, 0x20, 0x7f)) == NULL, "an unknown qualifier has none");
        ok(scsi_sense_name(SENSE(0x05, 0xfe, 0x00)) == NULL, "an unknown code has none");

        for (size_t i = 0; i < sizeof statuses; i++)
                is_string(scsi_status_name(statuses[i]), status_names[i], "status %02x has its name",
                          statuses[i]);
        for (unsigned status = 0; status < 256; status++)
                unknown += strcmp(scsi_status_name((uint8_t)status), "status") == 0;
        is_int(unknown, 256 - (int)sizeof statuses, "all other statuses are just \"status\"");
}

int main(void)
{
        test_build();
        test_decode();
        test_names();
        return done();
}
