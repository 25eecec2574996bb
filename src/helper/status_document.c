/* SPDX-License-Identifier: BSD-2-Clause */
/* What the status socket tells: see status_document.h, and STATUS in qemu-pr-helper(8). */
#include "helper/status_document.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/clock.h"
#include "helper/clients.h"
#include "helper/devices.h"

static void command_name(const struct pr_cdb *cdb, char *ret_name, size_t size)
{
        snprintf(ret_name, size, "PR %s %s", cdb->out ? "OUT" : "IN", pr_action_name(cdb));
}

static void device_name(const struct device_use *d, char *ret_name, size_t size)
{
        if (d->number != 0)
                snprintf(ret_name, size, "%u:%u", major(d->number), minor(d->number));
        else
                snprintf(ret_name, size, "%s", d->wwid);
}

static void add_client(const struct client_status *client, void *argument)
{
        struct json *j = argument;
        int64_t now = clock_us();
        char name[64];

        json_open(j, NULL, '{');
        json_number(j, "client", client->number);
        json_number(j, "pid", (uint64_t)client->pid);
        json_number(j, "uid", client->uid);
        json_seconds(j, "connected_seconds", now - client->connected_us);
        json_number(j, "commands", client->commands);
        if (client->commands > 0) {
                command_name(&client->last, name, sizeof name);
                json_string(j, "last_command", name);
                scsi_status_format(client->last_status, name, sizeof name);
                json_string(j, "last_status", name);
                json_seconds(j, "idle_seconds", now - client->last_us);
        }
        json_close(j, '}');
}

static void add_latency(struct json *j, const struct device_use *d)
{
        json_open(j, "latency", '[');
        for (unsigned i = 0; i < LATENCY_BUCKETS; i++) {
                if (d->latency[i] == 0)
                        continue;
                json_open(j, NULL, '{');
                if (i < LATENCY_BUCKETS - 1)
                        json_number(j, "below_us", UINT64_C(64) << i);
                else
                        json_null(j, "below_us");
                json_number(j, "count", d->latency[i]);
                json_close(j, '}');
        }
        json_close(j, ']');
}

static void add_device(struct json *j, const struct device_use *d, int64_t now)
{
        char name[DEVICE_WWID_SIZE];

        device_name(d, name, sizeof name);
        json_open(j, NULL, '{');
        json_string(j, "device", name);
        json_string(j, "wwid", d->wwid);
        json_number(j, "clients", d->user_count);
        json_number(j, "commands", d->commands);
        json_number(j, "conflicts", d->conflicts);
        json_number(j, "errors", d->errors);
        json_open(j, "in_flight", '[');
        for (const struct in_flight *f = d->in_flight; f; f = f->next) {
                command_name(&f->cdb, name, sizeof name);
                json_open(j, NULL, '{');
                json_number(j, "client", f->client.number);
                json_string(j, "command", name);
                json_seconds(j, "seconds", now - f->since_us);
                json_close(j, '}');
        }
        json_close(j, ']');
        add_latency(j, d);
        json_seconds(j, "latency_seconds", d->latency_us);
        json_close(j, '}');
}

/* Two programs that have registered through one nexus are one registrant to the disk. */
static void warn_of_shared_nexus(struct json *j, const struct device_use *d)
{
        const struct device_client *first = NULL;
        char name[DEVICE_WWID_SIZE], text[DEVICE_WWID_SIZE + 128];

        for (unsigned i = 0; i < d->user_count; i++) {
                const struct device_client *client = &d->users[i].client;
                if (!d->users[i].registered)
                        continue;
                if (first && first->pid != client->pid) {
                        device_name(d, name, sizeof name);
                        snprintf(text, sizeof text,
                                 "device %s: pids %d and %d have both registered; to the disk they "
                                 "are one initiator and cannot fence each other",
                                 name, (int)first->pid, (int)client->pid);
                        json_string(j, NULL, text);
                        return;
                }
                first = client;
        }
}

static void warn_of_hanging(struct json *j, const struct device_use *d, int64_t now,
                            unsigned timeout_ms)
{
        char name[DEVICE_WWID_SIZE], command[64], text[DEVICE_WWID_SIZE + 192];

        for (const struct in_flight *f = d->in_flight; f; f = f->next) {
                int64_t age = now - f->since_us;
                if (age <= (int64_t)timeout_ms * 1000)
                        continue;
                device_name(d, name, sizeof name);
                command_name(&f->cdb, command, sizeof command);
                snprintf(text, sizeof text,
                         "device %s: %s of client %u has not come back for %lld s, and its timeout "
                         "is %u s",
                         name, command, f->client.number, (long long)(age / 1000000), timeout_ms / 1000);
                json_string(j, NULL, text);
        }
}

void status_document(const struct status_options *options, int64_t started_us, struct json *j)
{
        struct device_use *devices = calloc(DEVICES_MAX, sizeof *devices);
        int count = devices ? devices_snapshot(devices, DEVICES_MAX) : -ENOMEM;
        int64_t now = clock_us();

        j->failed |= count < 0;
        json_open(j, NULL, '{');
        json_string(j, "version", PR_VERSION);
        json_number(j, "pid", (uint64_t)getpid());
        json_seconds(j, "uptime_seconds", now - started_us);
        json_open(j, "limits", '{');
        json_number(j, "clients", options->limits.clients);
        json_number(j, "clients_per_user", options->limits.clients_per_user);
        json_number(j, "commands", options->limits.commands);
        json_close(j, '}');
        json_open(j, "clients", '[');
        clients_each(add_client, j);
        json_close(j, ']');
        json_open(j, "devices", '[');
        for (int i = 0; i < count; i++)
                add_device(j, &devices[i], now);
        json_close(j, ']');
        json_open(j, "warnings", '[');
        for (int i = 0; i < count; i++) {
                warn_of_shared_nexus(j, &devices[i]);
                warn_of_hanging(j, &devices[i], now, options->timeout_ms);
        }
        json_close(j, ']');
        json_close(j, '}');
        devices_snapshot_free(devices, count);
        free(devices);
}
