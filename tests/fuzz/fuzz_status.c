/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The status document: JSON whatever clients do and whatever devices are
 * called.
 *
 * Input: 80h: strings and numbers for the writer itself. Else what happens at
 * devices, of which the document tells then.
 */
#include "fuzz.h"
#include "helper/clients.h"
#include "helper/status_document.h"
#include "json_check.h"
#include "scsi/sense.h"

#include "helper/devices.c" /* for its table, which is empty again after each input */

enum { EVENTS_MAX = 200, DEVICES = 8, TOKENS = 64, DEPTH = 16 };

/* Clients as the input has them, in place of clients.c's. */
static struct client_status clients[16];
static size_t client_count;

void clients_each(void (*each)(const struct client_status *, void *), void *argument)
{
        for (size_t i = 0; i < client_count; i++)
                each(&clients[i], argument);
}

static char *wwids[DEVICES];

static void wwid(const struct device *device, char *ret_name, size_t size)
{
        snprintf(ret_name, size, "%s", wwids[device->id % DEVICES]);
}

static void check(struct json *j)
{
        fuzz_check(!j->failed, "out of memory");
        fuzz_check(json_is_valid(j->text, j->length), "no JSON: %.*s", (int)j->length, j->text);
}

/* The last string of the document means what was put in. */
static void check_string(const struct json *j, const char *text)
{
        const char *at = j->text + j->length - 1;
        size_t length = strlen(text);

        for (size_t i = length; i-- > 0;) {
                unsigned char c = (unsigned char)text[i];
                char escaped[8];
                int n = c == '"' || c == '\\'    ? snprintf(escaped, sizeof escaped, "\\%c", c) :
                        c < 0x20 || c >= 0x7f    ? snprintf(escaped, sizeof escaped, "\\u%04x", c) :
                                                   snprintf(escaped, sizeof escaped, "%c", c);
                at -= n;
                fuzz_check(at > j->text && memcmp(at, escaped, (size_t)n) == 0, "byte %zu of '%s'", i, text);
        }
}

static void write_values(struct reader *r)
{
        struct json j = { 0 };
        char open[DEPTH + 1] = "[";
        int depth = 1;

        json_open(&j, NULL, '[');
        while (r->left > 0 && !r->failed) {
                uint8_t op = read_u8(r);
                bool object = open[depth - 1] == '{';
                char *key = object ? fuzz_text(r, op >> 4) : NULL;
                char *text = NULL;
                switch (op & 7) {
                case 0:
                case 1:
                        if (depth < DEPTH)
                                json_open(&j, key, open[depth++] = op & 1 ? '{' : '[');
                        break;
                case 2:
                        if (depth > 1)
                                json_close(&j, open[--depth] == '{' ? '}' : ']');
                        break;
                case 3:
                        json_number(&j, key, read_be64(r));
                        break;
                case 4: /* a duration, which is none below 0 */
                        json_seconds(&j, key, (int64_t)(read_be64(r) >> 1));
                        break;
                case 5:
                        json_null(&j, key);
                        break;
                default:
                        text = fuzz_text(r, read_u8(r));
                        json_string(&j, key, text);
                        check_string(&j, text);
                }
                free(key);
                free(text);
        }
        while (depth-- > 0)
                json_close(&j, open[depth] == '{' ? '}' : ']');
        check(&j);
        free(j.text);
}

static void take_clients(struct reader *r)
{
        client_count = read_u8(r) % 16;
        for (size_t i = 0; i < client_count; i++) {
                uint8_t byte = read_u8(r);
                int64_t now = clock_us();
                clients[i] = (struct client_status){
                        .number = (unsigned)i + 1,
                        .pid = (pid_t)(read_be16(r) * 100000u),
                        .uid = byte & 1 ? (uid_t)-1 : byte,
                        .connected_us = now - read_be32(r),
                        .commands = byte & 2 ? read_be64(r) : 0,
                        .last = { .out = byte & 4, .action = byte >> 3 },
                        .last_status = read_u8(r),
                        .last_us = now - read_be16(r),
                };
        }
}

/* One thing that happens: a command begins, ends, or a client leaves. */
static void happen(struct reader *r, struct devices_token *tokens, unsigned *count)
{
        static const struct device_ops ops = { .kind = "fuzz", .wwid = wwid };
        uint8_t op = read_u8(r), list[24] = { 0 };
        struct device device = { .ops = &ops, .id = op % DEVICES };
        struct pr_command command = { .data = list, .cdb = { .out = op & 0x40, .length = 24 } };
        struct pr_result result = { .reached = true };
        struct device_client client = { .number = 1 + (op >> 3 & 7), .pid = 7 + (op >> 3 & 7), .uid = op & 2 };

        command.cdb.action = read_u8(r) & 0x1f;
        device.number = op & 1 ? (dev_t)read_be16(r) : 0;
        if (op & 0x80 && *count < TOKENS) {
                if (devices_begin(&device, &client, &command, &tokens[*count]) == 0)
                        tokens[(*count)++].command.since_us -= read_be32(r);
        } else if (*count > 0) {
                list[15] = op & 0x20;
                result.status = read_u8(r);
                result.host = op & 2;
                devices_end(&tokens[--*count], &command, &result);
        } else {
                devices_forget_client(client.number);
        }
}

static void tell(struct reader *r)
{
        struct status_options options = { .listener = -1, .limits = { .clients = read_be16(r), .commands = 16 },
                                          .timeout_ms = (unsigned)read_be16(r) };
        struct devices_token tokens[TOKENS];
        unsigned count = 0;
        struct json j = { 0 };

        for (size_t i = 0; i < DEVICES; i++)
                wwids[i] = fuzz_text(r, read_u8(r) % 160);
        take_clients(r);
        for (int i = 0; i < EVENTS_MAX && r->left > 0 && !r->failed; i++)
                happen(r, tokens, &count);
        status_document(&options, clock_us() - read_be16(r), &j);
        check(&j);
        free(j.text);
        while (count > 0)
                devices_end(&tokens[--count], &(struct pr_command){ 0 }, &(struct pr_result){ 0 });
        while (table.idle.first)
                forget(table.idle.first);
        for (size_t i = 0; i < DEVICES; i++)
                free(wwids[i]);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
        (void)argc, (void)argv;
        devices_init(DEVICE_COMMANDS_MAX);
        return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct reader r = reader_over(data, size);

        if (read_u8(&r) & 0x80)
                write_values(&r);
        else
                tell(&r);
        return 0;
}
