/* SPDX-License-Identifier: BSD-2-Clause */
/* helper/audit_line: what a line tells of a command and its result. */
#include "helper/audit_line.h"

#include <errno.h>
#include <sys/sysmacros.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "tap.h"

static const char *wwid_text;

static void wwid(const struct device *device, char *ret_name, size_t size)
{
        (void)device;
        snprintf(ret_name, size, "%s", wwid_text);
}

static const struct device_ops ops = { "test", NULL, wwid };
static const struct device disk = { .ops = &ops, .block = true };
static const struct audit peer = { .client = 3, .pid = 4711, .uid = 107 };

#define WHO "client=3 pid=4711 uid=107 device=8:16 wwid=naa.6001 "
#define KEYS " key=0xa1 action-key=0xb2"

struct line {
        const char *want;
        uint8_t opcode, action, scope_type;
        struct pr_result result;
        struct scsi_sense sense;
        uint8_t length; /* of the parameter list */
};

static const struct line lines[] = {
        { "PR OUT " WHO "REGISTER" KEYS ": GOOD", 0x5f, 0, 0x05, { .reached = true }, .length = 24 },
        { "PR OUT " WHO "RESERVE scope=0 type=WERO" KEYS ": GOOD", 0x5f, 1, 0x05,
          { .reached = true }, .length = 24 },
        { "PR OUT " WHO "RELEASE scope=15 type=EAAR" KEYS ": RESERVATION CONFLICT", 0x5f, 2, 0xf8,
          { .status = 0x18 }, .length = 24 },
        { "PR OUT " WHO "PREEMPT AND ABORT scope=0 type=WE" KEYS ": BUSY", 0x5f, 5, 0x01,
          { .status = 0x08 }, .length = 24 },
        { "PR OUT " WHO "PREEMPT scope=0 type=none" KEYS ": GOOD", 0x5f, 4, 0, { 0 }, .length = 24 },
        { "PR OUT " WHO "RESERVE scope=1 type=type 2" KEYS ": GOOD", 0x5f, 1, 0x12, { 0 }, .length = 24 },
        { "PR OUT " WHO "RESERVE scope=0 type=type 15" KEYS ": GOOD", 0x5f, 1, 0x0f, { 0 }, .length = 24 },
        { "PR OUT " WHO "CLEAR" KEYS ": GOOD", 0x5f, 3, 0x05, { 0 }, .length = 24 },
        { "PR OUT " WHO "service action 0x1f" KEYS ": GOOD", 0x5f, 0x1f, 0, { 0 }, .length = 24 },
        { "PR OUT " WHO "REGISTER" KEYS ": GOOD", 0x5f, 0, 0, { 0 }, .length = 16 },
        { "PR OUT " WHO "REGISTER: GOOD", 0x5f, 0, 0, { 0 }, .length = 15 },
        { "PR OUT " WHO "REGISTER: GOOD", 0x5f, 0, 0, { 0 }, .length = 0 },
        { "PR OUT " WHO "CLEAR" KEYS
          ": CHECK CONDITION 5/26/04 invalid release of persistent reservation",
          0x5f, 3, 0, { .status = 2 }, { 5, 0x26, 0x04 }, 24 },
        { "PR OUT " WHO "CLEAR" KEYS ": CHECK CONDITION b/fe/01", 0x5f, 3, 0, { .status = 2 },
          { 0x0b, 0xfe, 0x01 }, 24 },
        { "PR OUT " WHO "CLEAR" KEYS ": CHECK CONDITION", 0x5f, 3, 0, { .status = 2 }, .length = 24 },
        { "PR OUT " WHO "CLEAR" KEYS ": CHECK CONDITION b/00/06 I/O process terminated "
          "(SG_IO: Operation not permitted)",
          0x5f, 3, 0, { .status = 2, .error = EPERM }, { 0x0b, 0x00, 0x06 }, 24 },
        { "PR OUT " WHO "CLEAR" KEYS ": BUSY (host status 0x2, driver status 0)",
          0x5f, 3, 0, { .status = 8, .host = 2 }, .length = 24 },
        { "PR OUT " WHO "CLEAR" KEYS ": BUSY (host status 0, driver status 0x6)",
          0x5f, 3, 0, { .status = 8, .driver = 6 }, .length = 24 },
        { "PR OUT " WHO "CLEAR" KEYS ": status 0x22", 0x5f, 3, 0, { .status = 0x22 }, .length = 24 },
        { "PR OUT " WHO "RESERVE scope=0 type=WE" KEYS ": refused: no", 0x5f, 1, 1,
          { .status = 2, .refusal = "no" }, { 5, 0x20, 0 }, 24 },
        { "PR IN " WHO "READ FULL STATUS: refused: no", 0x5e, 3, 0,
          { .status = 2, .refusal = "no" }, { 5, 0x20, 0 }, 24 },
        { "PR IN " WHO "service action 0x4: refused: no", 0x5e, 4, 0,
          { .status = 2, .refusal = "no" }, { 5, 0x20, 0 }, 24 },
};

/* The command of a line, as a client would have sent it. */
static void make_line(const struct line *line, const struct device *device, char *text, size_t size)
{
        uint8_t bytes[PR_CDB_SIZE] = { line->opcode, line->action, line->scope_type, [8] = line->length };
        uint8_t list[24];
        struct writer w = writer_over(list, sizeof list);
        struct pr_command command = { .bytes = bytes, .data = list };
        struct pr_result result = line->result;

        write_be64(&w, 0xa1);
        write_be64(&w, 0xb2);
        write_zeros(&w, 8);
        (void)pr_cdb_decode(bytes, &command.cdb);
        if (line->sense.key)
                scsi_sense_build(line->sense, result.sense);
        memset(text, 'z', size);
        audit_line(&peer, device, &command, &result, text, size);
}

static void test_lines(void)
{
        struct device device = disk;
        char text[512];

        wwid_text = "naa.6001";
        device.number = makedev(8, 16);
        for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
                make_line(&lines[i], &device, text, sizeof text);
                is_string(text, lines[i].want, "%s", lines[i].want);
        }
}

/* A command that hangs when the helper ends has the line that it would have had, without a result. */
static void test_in_flight(void)
{
        struct device_use device = { .number = makedev(8, 16), .wwid = "naa.6001" };
        struct in_flight f = {
                .client = { .number = 3, .pid = 4711, .uid = 107 },
                .cdb = { .out = true, .action = 1, .type = 5, .length = 24 },
                .keys = { [7] = 0xa1, [15] = 0xb2 },
        };
        char text[512];

        f.since_us = clock_us() - 9000000;
        audit_line_in_flight(&device, &f, text, sizeof text);
        is_string(text, "PR OUT " WHO "RESERVE scope=0 type=WERO" KEYS ": has not come back for 9 s",
                  "PR OUT");
        f.cdb.length = 15;
        audit_line_in_flight(&device, &f, text, sizeof text);
        is_string(text, "PR OUT " WHO "RESERVE scope=0 type=WERO: has not come back for 9 s",
                  "without keys");
        f.cdb = (struct pr_cdb){ .length = 8192 };
        audit_line_in_flight(&device, &f, text, sizeof text);
        is_string(text, "PR IN " WHO "READ KEYS: has not come back for 9 s", "PR IN");
}

/* A key of 0 means something: it unregisters. */
static void test_zero_keys(void)
{
        uint8_t bytes[PR_CDB_SIZE] = { 0x5f, [8] = 24 }, list[24] = { 0 };
        struct pr_command command = { .bytes = bytes, .data = list };
        struct pr_result result = { .reached = true };
        char text[512];

        wwid_text = "";
        (void)pr_cdb_decode(bytes, &command.cdb);
        audit_line(&peer, &disk, &command, &result, text, sizeof text);
        is_string(text, "PR OUT client=3 pid=4711 uid=107 REGISTER key=0 action-key=0: GOOD",
                  "keys of 0 are written");
}

static void test_device(void)
{
        struct device device = disk;
        char text[512];

        wwid_text = "";
        make_line(&lines[0], &device, text, sizeof text);
        is_string(text, "PR OUT client=3 pid=4711 uid=107 REGISTER" KEYS ": GOOD",
                  "neither a number nor a name");
        device.number = makedev(253, 1048575);
        make_line(&lines[0], &device, text, sizeof text);
        is_string(text, "PR OUT client=3 pid=4711 uid=107 device=253:1048575 REGISTER" KEYS ": GOOD",
                  "no name");
        device_init_refused(&device, "no");
        make_line(&lines[0], &device, text, sizeof text);
        is_string(text, "PR OUT client=3 pid=4711 uid=107 REGISTER" KEYS ": GOOD", "a refused device");
}

/* Whatever the room, the line is cut and ends within it. */
static void test_room(void)
{
        struct device device = disk;
        char whole[512], text[512];
        int wrong = 0;

        wwid_text = "naa.6001";
        device.number = makedev(8, 16);
        make_line(&lines[1], &device, whole, sizeof whole);
        for (size_t size = 1; size <= strlen(whole) + 2; size++) {
                size_t length = size <= strlen(whole) ? size - 1 : strlen(whole);
                memset(text, 'y', sizeof text);
                make_line(&lines[1], &device, text, size);
                if (strlen(text) != length || memcmp(text, whole, length) != 0)
                        wrong++;
                for (size_t i = size; i < sizeof text; i++)
                        wrong += text[i] != 'y';
        }
        is_int(wrong, 0, "a line is cut at any room, and no byte beyond it is written");
}

int main(void)
{
        test_lines();
        test_in_flight();
        test_zero_keys();
        test_device();
        test_room();
        return done();
}
