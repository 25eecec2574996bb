/* SPDX-License-Identifier: BSD-2-Clause */
/* raw: any PERSISTENT RESERVE command in hexadecimal; what comes back is shown in hexadecimal and decoded. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/confirm.h"
#include "cli/disk.h"
#include "cli/raw_decode.h"
#include "cli/result.h"
#include "scsi/pr.h"

enum {
        CDB_MIN = 10,
        ROW = 16, /* bytes a line of a dump */
};

/* Hexadecimal digits in pairs; spaces, colons and commas between pairs. @return bytes, or -1 */
static long parse_hex(const char *text, uint8_t *ret_bytes, size_t size)
{
        size_t count = 0;

        for (const char *at = text; *at;) {
                char digits[3] = { at[0], at[1], '\0' };
                if (strchr(" :,\n", *at)) {
                        at++;
                        continue;
                }
                if (!isxdigit((unsigned char)at[0]) || !isxdigit((unsigned char)at[1]) || count == size)
                        return -1;
                ret_bytes[count++] = (uint8_t)strtoul(digits, NULL, 16);
                at += 2;
        }
        return (long)count;
}

struct raw {
        uint8_t cdb[PR_CDB_SIZE];
        size_t cdb_size;
        struct pr_cdb decoded;
        uint8_t data[UINT16_MAX]; /* the longest that PERSISTENT RESERVE IN can ask for */
};

static int parse_cdb(const char *text, struct raw *raw)
{
        long size = parse_hex(text, raw->cdb, sizeof raw->cdb);

        if (size < CDB_MIN) {
                message("raw: '%s' is no command: 10 to 16 bytes in hexadecimal, such as "
                        "5e000000000000002000", text);
                return CLI_SYNTAX;
        }
        raw->cdb_size = (size_t)size;
        if (pr_cdb_decode(raw->cdb, &raw->decoded) < 0) {
                message("raw: %02X is another command: 5E is PERSISTENT RESERVE IN, 5F is OUT",
                        raw->cdb[0]);
                return CLI_SYNTAX;
        }
        return 0;
}

static int parse_data(const char *text, struct raw *raw)
{
        if (!raw->decoded.out) {
                if (text)
                        message("raw: PERSISTENT RESERVE IN takes no data");
                return text ? CLI_SYNTAX : 0;
        }
        long size = parse_hex(text ? text : "", raw->data, sizeof raw->data);
        if (size < 0) {
                message("raw: '%s' is no parameter list: bytes in hexadecimal", text);
                return CLI_SYNTAX;
        }
        if ((uint32_t)size != raw->decoded.length) {
                message("raw: the command announces %u bytes of parameter list (its bytes 5 to 8), and "
                        "%ld are given", raw->decoded.length, size);
                return CLI_SYNTAX;
        }
        return 0;
}

/* As clear and preempt do. */
static int confirm_raw(const struct options *options, const struct pr_cdb *cdb)
{
        if (!cdb->out || (cdb->action != PR_OUT_CLEAR && cdb->action != PR_OUT_PREEMPT &&
                          cdb->action != PR_OUT_PREEMPT_AND_ABORT))
                return 0;
        return confirm(options, "this command removes registrations of other hosts");
}

/* Byte 7 of either format counts those that follow it (SPC-4 4.5.2, 4.5.3). */
static size_t sense_length(const struct prm_result *result)
{
        size_t length = 8u + result->sense_data[7];

        return length < sizeof result->sense_data ? length : sizeof result->sense_data;
}

/* The device's or the helper's own, and not made up for what was not sent. */
static bool has_sense(const struct prm_result *result)
{
        return result->status == PRM_CHECK_CONDITION && result->text[0] == '\0';
}

static json_t *hex_json(const uint8_t *bytes, size_t size)
{
        cleanup_free char *text = need_memory(calloc(2, size + 1));

        for (size_t i = 0; i < size; i++)
                snprintf(text + 2 * i, 3, "%02x", bytes[i]);
        return need_memory(json_string(text));
}

static void print_hex(const uint8_t *bytes, size_t size)
{
        for (size_t i = 0; i < size; i++)
                printf("%s%02x%s", i % ROW == 0 ? "  " : " ", bytes[i],
                       i % ROW == ROW - 1 || i + 1 == size ? "\n" : "");
}

static int print_json(const struct options *options, const struct raw *raw, const char *action,
                      const struct prm_result *result)
{
        static const struct view nothing = { NULL, NULL };
        json_t *document = need_memory(json_pack("{s:s, s:o}", "command", action, "device",
                                                 json_text(options->device)));

        json_object_update_new(document, result_json(result, raw->decoded.out));
        if (has_sense(result))
                json_object_set_new(document, "sense_data",
                                    hex_json(result->sense_data, sense_length(result)));
        if (!raw->decoded.out && result->status == PRM_GOOD) {
                json_object_set_new(document, "data", hex_json(raw->data, result->size));
                json_object_set_new(document, "decoded",
                                    raw_decode(raw->decoded.action, raw->data, result->size, NULL));
        }
        return view_print(&nothing, options, document);
}

static int print_text(const struct options *options, const struct raw *raw, const char *action,
                      const struct prm_result *result)
{
        const struct view *view;

        if (has_sense(result)) {
                printf("%s: %zu bytes of sense data:\n", action, sense_length(result));
                print_hex(result->sense_data, sense_length(result));
        } else if (result->status == PRM_GOOD) {
                printf("%s: GOOD\n", action);
        }
        if (raw->decoded.out || result->status != PRM_GOOD)
                return flush_output();

        printf("%u bytes%s\n", result->size, result->size > 0 ? ":" : "");
        print_hex(raw->data, result->size);
        json_t *document = raw_decode(raw->decoded.action, raw->data, result->size, &view);
        if (json_is_null(document)) {
                json_decref(document);
                return flush_output();
        }
        putchar('\n');
        return view_print(view, options, document);
}

int run_raw(const struct options *options)
{
        cleanup_free struct raw *raw = need_memory(calloc(1, sizeof *raw));
        cleanup_disk struct disk disk = DISK_CLOSED;
        struct prm_result result;
        int status = parse_cdb(options->cdb, raw);

        if (status == 0)
                status = parse_data(options->data, raw);
        if (status == 0)
                status = disk_open(options, raw->decoded.out, &disk);
        if (status == 0)
                status = confirm_raw(options, &raw->decoded);
        if (status != 0)
                return status;

        char action[64];
        snprintf(action, sizeof action, "%s", pr_action_name(&raw->decoded));
        if (strcmp(action, "service action") == 0)
                snprintf(action, sizeof action, "service action %02Xh", raw->decoded.action);
        int r = prm_command(&disk.nexus, raw->cdb, raw->cdb_size, raw->data, raw->decoded.length, &result);
        status = result_say(options, action, raw->decoded.out, r, &result);
        if (r < 0)
                return status;
        int printed = options->json ? print_json(options, raw, action, &result)
                                    : print_text(options, raw, action, &result);
        if (!raw->decoded.out)
                return status != CLI_GOOD ? status : printed;
        return result_end(options, action, status, printed);
}
