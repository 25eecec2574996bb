/* SPDX-License-Identifier: BSD-2-Clause */
/* status: what the helper is doing, from the document that its status socket gives. */
#include "cli/status.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/cli.h"
#include "cli/commands.h"

enum { BAR_WIDTH = 32 };

/* "0.5 s", "12 s", "3 min 5 s", "2 h 7 min", "12 d 3 h" */
static void format_seconds(const json_t *value, char *ret_text, size_t size)
{
        double seconds = json_number_value(value);
        unsigned long long whole = seconds < 1e15 ? (unsigned long long)seconds : 0;

        if (seconds < 10)
                snprintf(ret_text, size, "%.1f s", seconds);
        else if (whole < 60)
                snprintf(ret_text, size, "%llu s", whole);
        else if (whole < 3600)
                snprintf(ret_text, size, "%llu min %llu s", whole / 60, whole % 60);
        else if (whole < 86400)
                snprintf(ret_text, size, "%llu h %llu min", whole / 3600, whole / 60 % 60);
        else
                snprintf(ret_text, size, "%llu d %llu h", whole / 86400, whole / 3600 % 24);
}

static void format_microseconds(const json_t *value, char *ret_text, size_t size)
{
        double us = json_number_value(value);

        if (us < 1000)
                snprintf(ret_text, size, "< %.0f us", us);
        else if (us < 1e6)
                snprintf(ret_text, size, "< %.4g ms", us / 1e3);
        else
                snprintf(ret_text, size, "< %.4g s", us / 1e6);
}

static void format_bar(const json_t *value, char *ret_text, size_t size)
{
        int length = (int)(json_number_value(value) * BAR_WIDTH + 0.5);

        snprintf(ret_text, size, "%.*s", length > 0 ? length : 1, "################################");
}

static const struct column client_columns[] = {
        { "CLIENT", "client", COLUMN_RIGHT },
        { "PID", "pid", COLUMN_RIGHT },
        { "UID", "uid", COLUMN_RIGHT },
        { "CONNECTED", "connected_seconds", COLUMN_RIGHT, format_seconds },
        { "IDLE", "idle_seconds", COLUMN_RIGHT, format_seconds },
        { "COMMANDS", "commands", COLUMN_RIGHT },
        { "LAST-COMMAND", "last_command" },
        { "LAST-STATUS", "last_status", COLUMN_WRAP },
        { 0 },
};

static const struct column device_columns[] = {
        { "DEVICE", "device", COLUMN_WRAP },
        { "WWID", "wwid", COLUMN_WRAP },
        { "CLIENTS", "clients", COLUMN_RIGHT },
        { "COMMANDS", "commands", COLUMN_RIGHT },
        { "CONFLICTS", "conflicts", COLUMN_RIGHT },
        { "ERRORS", "errors", COLUMN_RIGHT },
        { "IN-FLIGHT", "commands_in_flight", COLUMN_RIGHT },
        { 0 },
};

static const struct column command_columns[] = {
        { "DEVICE", "device", COLUMN_WRAP },
        { "CLIENT", "client", COLUMN_RIGHT },
        { "COMMAND", "command" },
        { "AGE", "seconds", COLUMN_RIGHT, format_seconds },
        { 0 },
};

static const struct column latency_columns[] = {
        { "DEVICE", "device", COLUMN_WRAP },
        { "TOOK", "below_us", COLUMN_RIGHT, format_microseconds, "longer" },
        { "COMMANDS", "count", COLUMN_RIGHT },
        { "SHARE", "share", .format = format_bar },
        { 0 },
};

static const struct column warning_columns[] = { { "WARNING", "text", COLUMN_FOLD }, { 0 } };

const struct view status_view = {
        .fields = (const struct field[]){
                { "Helper", "version" },
                { "Process", "pid" },
                { "Running for", "uptime_seconds", format_seconds },
                { "Clients", "connected" },
                { 0 } },
        .tables = (const struct table[]){
                { "warnings", warning_columns },
                { "clients", client_columns, "Clients", "No client is connected." },
                { "devices", device_columns, "Devices", "No device is in use." },
                { "commands", command_columns, "Commands in flight" },
                { "latency", latency_columns, "How long commands took" },
                { 0 } },
};

/* The commands in flight of all devices, each with its device's name. */
static json_t *command_rows(const json_t *devices)
{
        json_t *rows = need_memory(json_array()), *device, *inner;

        for_each(device, devices) {
                for_each(inner, json_object_get(device, "in_flight")) {
                        json_t *row = need_memory(json_copy(inner));
                        json_object_set(row, "device", json_object_get(device, "device"));
                        json_array_append_new(rows, row);
                }
        }
        return rows;
}

/* Without empty buckets, and with each one's share of its device's commands. */
static json_t *latency_rows(const json_t *devices)
{
        json_t *rows = need_memory(json_array()), *device, *bucket;

        for_each(device, devices) {
                const json_t *buckets = json_object_get(device, "latency");
                double total = 0;
                for_each(bucket, buckets)
                        total += json_number_value(json_object_get(bucket, "count"));
                for_each(bucket, buckets) {
                        double count = json_number_value(json_object_get(bucket, "count"));
                        if (count <= 0)
                                continue;
                        json_t *row = need_memory(json_copy(bucket));
                        json_object_set(row, "device", json_object_get(device, "device"));
                        json_object_set_new(row, "share", json_real(count / total));
                        json_array_append_new(rows, row);
                }
        }
        return rows;
}

/* The document with what the tables need besides. */
static void prepare(json_t *document)
{
        json_t *devices = json_object_get(document, "devices"), *device;
        json_t *warnings = need_memory(json_array()), *warning;

        for_each(device, devices)
                json_object_set_new(device, "commands_in_flight",
                                    json_integer((json_int_t)json_array_size(
                                            json_object_get(device, "in_flight"))));
        for_each(warning, json_object_get(document, "warnings"))
                json_array_append_new(warnings, need_memory(json_pack("{s:O}", "text", warning)));
        json_object_set_new(document, "connected",
                            json_sprintf("%zu of at most %lld",
                                         json_array_size(json_object_get(document, "clients")),
                                         (long long)json_integer_value(
                                                 view_member(document, "limits.clients"))));
        json_object_set_new(document, "commands", command_rows(devices));
        json_object_set_new(document, "latency", latency_rows(devices));
        json_object_set_new(document, "warnings", warnings);
}

int run_status(const struct options *options)
{
        cleanup_free char *text = NULL;
        size_t size = 0;
        json_error_t error;
        int status = status_fetch(options->status_socket, &text, &size);

        if (status != 0)
                return status;
        json_t *document = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);
        if (!document) {
                message("%s: this is no helper's status: %s", options->status_socket,
                        size == 0 ? "nothing came" : error.text);
                return CLI_MALFORMED;
        }
        status = status_check(options->status_socket, document);
        if (status != 0) {
                json_decref(document);
                return status;
        }
        if (options->prometheus)
                status_print_metrics(document);
        else if (options->json && !options->table)
                put_json(text, stdout);
        if (options->prometheus || (options->json && !options->table)) {
                json_decref(document);
                return flush_output();
        }
        prepare(document);
        return view_print(&status_view, options, document);
}
