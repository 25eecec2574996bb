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
        { "DEVICE", "device" },
        { "WWID", "wwid", COLUMN_WRAP },
        { "CLIENTS", "clients", COLUMN_RIGHT },
        { "COMMANDS", "commands", COLUMN_RIGHT },
        { "CONFLICTS", "conflicts", COLUMN_RIGHT },
        { "ERRORS", "errors", COLUMN_RIGHT },
        { "IN-FLIGHT", "commands_in_flight", COLUMN_RIGHT },
        { 0 },
};

static const struct column command_columns[] = {
        { "DEVICE", "device" },
        { "CLIENT", "client", COLUMN_RIGHT },
        { "COMMAND", "command" },
        { "AGE", "seconds", COLUMN_RIGHT, format_seconds },
        { 0 },
};

static const struct column latency_columns[] = {
        { "DEVICE", "device" },
        { "TOOK", "below_us", COLUMN_RIGHT, format_microseconds },
        { "COMMANDS", "count", COLUMN_RIGHT },
        { "SHARE", "share", .format = format_bar },
        { 0 },
};

static const struct column warning_columns[] = { { "WARNING", "text", COLUMN_WRAP }, { 0 } };

const struct view status_view = {
        .fields = (const struct field[]){
                { "Helper", "version" },
                { "Process", "pid" },
                { "Running for", "uptime_seconds", format_seconds },
                { "Clients", "connected" },
                { "At most", "limits.clients" },
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
        size_t i, j;

        json_array_foreach(devices, i, device) {
                json_array_foreach(json_object_get(device, "in_flight"), j, inner) {
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
        size_t i, j;

        json_array_foreach(devices, i, device) {
                const json_t *buckets = json_object_get(device, "latency");
                double total = 0;
                json_array_foreach(buckets, j, bucket)
                        total += json_number_value(json_object_get(bucket, "count"));
                json_array_foreach(buckets, j, bucket) {
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
        size_t index;

        json_array_foreach(devices, index, device)
                json_object_set_new(device, "commands_in_flight",
                                    json_integer((json_int_t)json_array_size(
                                            json_object_get(device, "in_flight"))));
        json_array_foreach(json_object_get(document, "warnings"), index, warning)
                json_array_append_new(warnings, need_memory(json_pack("{s:O}", "text", warning)));
        json_object_set_new(document, "connected", json_integer((json_int_t)json_array_size(
                                                           json_object_get(document, "clients"))));
        json_object_set_new(document, "commands", command_rows(devices));
        json_object_set_new(document, "latency", latency_rows(devices));
        json_object_set_new(document, "warnings", warnings);
}

/*
 * The document as it came, which is JSON: only what a terminal might obey is written as JSON's
 * escape, and outside of ASCII that is all, and can be in strings only.
 */
static void print_as_it_came(const char *text, size_t size)
{
        for (size_t i = 0; i < size;) {
                unsigned char c = (unsigned char)text[i];
                unsigned length = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
                unsigned long point = length == 1 ? c : c & (0xffu >> (length + 1));
                for (unsigned k = 1; k < length && i + k < size; k++)
                        point = point << 6 | ((unsigned char)text[i + k] & 0x3f);
                i += length;
                if (point < 0x7f)
                        putchar((int)point);
                else if (point < 0x10000)
                        printf("\\u%04lx", point);
                else
                        printf("\\u%04lx\\u%04lx", 0xd800 + ((point - 0x10000) >> 10),
                               0xdc00 + ((point - 0x10000) & 0x3ff));
        }
        if (size > 0 && text[size - 1] != '\n')
                putchar('\n');
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
                print_as_it_came(text, size);
        if (options->prometheus || (options->json && !options->table)) {
                json_decref(document);
                return flush_output();
        }
        prepare(document);
        return view_print(&status_view, options, document);
}
