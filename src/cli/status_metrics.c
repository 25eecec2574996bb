/* SPDX-License-Identifier: BSD-2-Clause */
/* The helper's status as Prometheus' text format (version 0.0.4): see status.h. */
#include <stdio.h>
#include <string.h>

#include "cli/status.h"

enum {
        BOUND_FIRST_US = 64, /* the helper's buckets: each twice the one before */
        BOUND_LAST_US = BOUND_FIRST_US << 14,
};

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
        printf("pr_helper_%s %.15g\n", name, value);
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
        json_t *device;

        head(name, type, help);
        for_each(device, devices) {
                print_device(name, device, "");
                printf("%.15g\n", number(device, member));
        }
}

static void in_flight_metrics(const json_t *devices)
{
        json_t *device, *command;

        head("device_commands_in_flight", "gauge", "Commands that the device has not answered yet.");
        for_each(device, devices) {
                print_device("device_commands_in_flight", device, "");
                printf("%zu\n", json_array_size(json_object_get(device, "in_flight")));
        }
        head("device_oldest_command_seconds", "gauge", "Age of the oldest of them; 0 without any.");
        for_each(device, devices) {
                double oldest = 0;
                for_each(command, json_object_get(device, "in_flight"))
                        if (number(command, "seconds") > oldest)
                                oldest = number(command, "seconds");
                print_device("device_oldest_command_seconds", device, "");
                printf("%.15g\n", oldest);
        }
}

/* Commands in all buckets up to one. */
static double count_below(const json_t *buckets, json_int_t bound_us)
{
        double total = 0;
        json_t *bucket;

        for_each(bucket, buckets) {
                const json_t *below = json_object_get(bucket, "below_us");
                if (json_is_integer(below) && json_integer_value(below) <= bound_us)
                        total += number(bucket, "count");
        }
        return total;
}

/*
 * The helper leaves empty buckets out; Prometheus wants the same ones each time, each with all that
 * is below it.
 */
static void latency_metrics(const json_t *devices)
{
        json_t *device, *bucket;

        head("device_latency_seconds", "histogram", "How long commands took.");
        for_each(device, devices) {
                const json_t *buckets = json_object_get(device, "latency");
                double total = 0;
                for_each(bucket, buckets)
                        total += number(bucket, "count");
                for (json_int_t us = BOUND_FIRST_US; us <= BOUND_LAST_US; us *= 2) {
                        char bound[64];
                        snprintf(bound, sizeof bound, ",le=\"%.6f\"", (double)us / 1e6);
                        print_device("device_latency_seconds_bucket", device, bound);
                        printf("%.15g\n", count_below(buckets, us));
                }
                print_device("device_latency_seconds_bucket", device, ",le=\"+Inf\"");
                printf("%.15g\n", total);
                print_device("device_latency_seconds_sum", device, "");
                printf("%.15g\n", number(device, "latency_seconds"));
                print_device("device_latency_seconds_count", device, "");
                printf("%.15g\n", total);
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
        device_metric(devices, "device_errors_total", "counter", "Commands that failed on the way to the device.", "errors");
        in_flight_metrics(devices);
        latency_metrics(devices);
}
