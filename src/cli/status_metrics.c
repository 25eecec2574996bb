/* SPDX-License-Identifier: BSD-2-Clause */
/* The helper's status as Prometheus' text format (version 0.0.4): see status.h. */
#include <stdio.h>
#include <string.h>

#include "cli/status.h"

static double number(const json_t *object, const char *name)
{
        return json_number_value(json_object_get(object, name));
}

static void head(const char *name, const char *type, const char *help)
{
        printf("# HELP pr_helper_%s %s\n# TYPE pr_helper_%s %s\n", name, help, name, type);
}

static void gauge(const char *name, const char *help, double value)
{
        head(name, "gauge", help);
        printf("pr_helper_%s %.17g\n", name, value);
}

/* A label's value: backslash and quote are escaped, what is not printable ASCII is replaced. */
static void print_label(const json_t *text)
{
        const char *at = json_string_value(text);

        for (; at && *at; at++) {
                if (*at == '\\' || *at == '"')
                        putchar('\\');
                putchar(*at >= ' ' && *at <= '~' ? *at : '?');
        }
}

static void print_device(const char *name, const json_t *device, const char *more)
{
        printf("pr_helper_%s{device=\"", name);
        print_label(json_object_get(device, "device"));
        fputs("\",wwid=\"", stdout);
        print_label(json_object_get(device, "wwid"));
        printf("\"%s} ", more);
}

/* A metric that is a member of every device. */
static void device_metric(const json_t *devices, const char *name, const char *type, const char *help,
                          const char *member)
{
        size_t index;
        json_t *device;

        head(name, type, help);
        json_array_foreach(devices, index, device) {
                print_device(name, device, "");
                printf("%.17g\n", number(device, member));
        }
}

static void in_flight_metrics(const json_t *devices)
{
        size_t index, inner;
        json_t *device, *command;

        head("device_commands_in_flight", "gauge", "Commands that the device has not answered yet.");
        json_array_foreach(devices, index, device) {
                print_device("device_commands_in_flight", device, "");
                printf("%zu\n", json_array_size(json_object_get(device, "in_flight")));
        }
        head("device_oldest_command_seconds", "gauge", "Age of the oldest of them; 0 without any.");
        json_array_foreach(devices, index, device) {
                double oldest = 0;
                json_array_foreach(json_object_get(device, "in_flight"), inner, command)
                        if (number(command, "seconds") > oldest)
                                oldest = number(command, "seconds");
                print_device("device_oldest_command_seconds", device, "");
                printf("%.17g\n", oldest);
        }
}

/* Buckets come one by one and are told as Prometheus wants them: all that is below. There is no sum. */
static void latency_metrics(const json_t *devices)
{
        size_t index, inner;
        json_t *device, *bucket;

        head("device_latency_seconds", "histogram", "How long commands took.");
        json_array_foreach(devices, index, device) {
                double total = 0;
                json_array_foreach(json_object_get(device, "latency"), inner, bucket) {
                        const json_t *below = json_object_get(bucket, "below_us");
                        char more[64];
                        total += number(bucket, "count");
                        if (!json_is_integer(below))
                                continue;
                        snprintf(more, sizeof more, ",le=\"%.6f\"", json_number_value(below) / 1e6);
                        print_device("device_latency_seconds_bucket", device, more);
                        printf("%.17g\n", total);
                }
                print_device("device_latency_seconds_bucket", device, ",le=\"+Inf\"");
                printf("%.17g\n", total);
                print_device("device_latency_seconds_count", device, "");
                printf("%.17g\n", total);
        }
}

void status_print_metrics(const json_t *document)
{
        const json_t *devices = json_object_get(document, "devices");

        head("info", "gauge", "The helper's version.");
        fputs("pr_helper_info{version=\"", stdout);
        print_label(json_object_get(document, "version"));
        puts("\"} 1");
        gauge("uptime_seconds", "How long the helper has been running.", number(document, "uptime_seconds"));
        gauge("clients", "Connected clients.", (double)json_array_size(json_object_get(document, "clients")));
        gauge("clients_limit", "How many clients may connect.",
              number(json_object_get(document, "limits"), "clients"));
        gauge("warnings", "What the helper finds wrong; pr-manager status tells it in words.",
              (double)json_array_size(json_object_get(document, "warnings")));
        device_metric(devices, "device_clients", "gauge", "Clients that use the device.", "clients");
        device_metric(devices, "device_commands_total", "counter", "Commands that were sent.", "commands");
        device_metric(devices, "device_conflicts_total", "counter",
                      "Commands that ended with RESERVATION CONFLICT.", "conflicts");
        device_metric(devices, "device_errors_total", "counter", "Commands that failed otherwise.", "errors");
        in_flight_metrics(devices);
        latency_metrics(devices);
}
