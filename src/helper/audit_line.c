/* SPDX-License-Identifier: BSD-2-Clause */
/* What an audit line says: see audit_line.h. */
#include "helper/audit_line.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "base/clock.h"

struct text {
        char *at;
        size_t left;
};

__attribute__((format(printf, 2, 3))) static void add(struct text *t, const char *format, ...)
{
        va_list args;

        va_start(args, format);
        int n = vsnprintf(t->at, t->left, format, args);
        va_end(args);
        size_t length = n < 0 ? 0 : (size_t)n < t->left ? (size_t)n : t->left - 1;
        t->at += length;
        t->left -= length;
}

static void add_client(struct text *t, const struct pr_cdb *cdb, unsigned number, pid_t pid,
                       uid_t uid)
{
        add(t, "PR %s client=%u pid=%d uid=%u", cdb->out ? "OUT" : "IN", number, (int)pid,
            (unsigned)uid);
}

static void add_device(struct text *t, dev_t number, const char *wwid)
{
        if (number != 0)
                add(t, " device=%u:%u", major(number), minor(number));
        if (wwid[0] != '\0')
                add(t, " wwid=%s", wwid);
}

static void add_command(struct text *t, const struct pr_command *command)
{
        const struct pr_cdb *cdb = &command->cdb;
        struct pr_out_keys keys;

        add(t, " %s", pr_action_name(cdb));
        if (strcmp(pr_action_name(cdb), "service action") == 0)
                add(t, " %#x", cdb->action);
        if (!cdb->out)
                return;
        if (pr_action_has_type(cdb->action)) {
                add(t, " scope=%u type=%s", cdb->scope, pr_type_name(cdb->type));
                if (strcmp(pr_type_name(cdb->type), "type") == 0)
                        add(t, " %u", cdb->type);
        }
        if (pr_out_keys_decode(command->data, cdb->length, &keys))
                add(t, " key=%#" PRIx64 " action-key=%#" PRIx64, keys.key, keys.action_key);
}

static void add_result(struct text *t, const struct pr_result *result)
{
        struct scsi_sense sense;
        char status[32];

        if (result->refusal) {
                add(t, ": refused: %s", result->refusal);
                return;
        }
        scsi_status_format(result->status, status, sizeof status);
        add(t, ": %s", status);
        if (result->status == SCSI_CHECK_CONDITION &&
            scsi_sense_decode(result->sense, SENSE_SIZE, &sense)) {
                const char *name = scsi_sense_name(sense);
                add(t, " %x/%02x/%02x", sense.key, sense.asc, sense.ascq);
                if (name)
                        add(t, " %s", name);
        }
        if (result->error != 0)
                add(t, " (SG_IO: %s)", strerrordesc_np(result->error));
        else if (pr_result_is_lost(result))
                add(t, " (host status %#x, driver status %#x)", result->host, result->driver);
}

void audit_line(const struct audit *audit, const struct device *device,
                const struct pr_command *command, const struct pr_result *result, char *ret_text,
                size_t size)
{
        struct text t = { .at = ret_text, .left = size };
        char wwid[160];

        device->ops->wwid(device, wwid, sizeof wwid);
        add_client(&t, &command->cdb, audit->client, audit->pid, audit->uid);
        add_device(&t, device->number, wwid);
        add_command(&t, command);
        add_result(&t, result);
}

void audit_line_in_flight(const struct device_use *device, const struct in_flight *f,
                          char *ret_text, size_t size)
{
        struct text t = { .at = ret_text, .left = size };
        uint8_t keys[PR_OUT_KEYS_SIZE];

        memcpy(keys, f->keys, sizeof keys);
        add_client(&t, &f->cdb, f->client.number, f->client.pid, f->client.uid);
        add_device(&t, device->number, device->wwid);
        add_command(&t, &(struct pr_command){ .cdb = f->cdb, .data = keys });
        add(&t, ": has not come back for %lld s", (long long)(clock_us() - f->since_us) / 1000000);
}
