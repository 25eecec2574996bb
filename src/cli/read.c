/* SPDX-License-Identifier: BSD-2-Clause */
/* read-keys, read-reservation, read-full-status and report-capabilities: a command each. */
#include <stdio.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/report.h"

static void format_allow_commands(const json_t *value, char *ret_text, size_t size)
{
        json_int_t code = json_integer_value(value);

        snprintf(ret_text, size, "%lld (%s)", (long long)code,
                 code == 0   ? "the device does not say which"
                 : code == 1 ? "TEST UNIT READY; of others the device does not say"
                             : "see table 208 of SPC-4");
}

static void format_types(const json_t *value, char *ret_text, size_t size)
{
        size_t length = 0;
        json_t *type;

        ret_text[0] = '\0';
        for_each(type, value) {
                char name[64];
                format_type(type, name, sizeof name);
                length += (size_t)snprintf(ret_text + length, size - length, "%s%s",
                                           type_index > 0 ? " " : "", name);
        }
}

static const struct column key_columns[] = { { "KEY", "key" }, { 0 } };
static const struct table keys_tables[] = {
        { "keys", key_columns, .none = "Nobody is registered." }, { 0 } };
static const struct field generation_fields[] = { { "Generation", "generation" }, { 0 } };

const struct view keys_view = { generation_fields, keys_tables };
const struct view full_status_view = { generation_fields, registrants_tables };

const struct view reservation_view = { .fields = (const struct field[]){
        { "Generation", "generation" },
        { "Reservation", "reservation", format_reservation, "none" },
        { 0 } } };

const struct view capabilities_view = { .fields = (const struct field[]){
        { "Survives power loss", "persist_through_power_loss" },
        { "Which is now on", "persistence_active" },
        { "Registers all target ports", "all_target_ports" },
        { "Registers other initiators", "specify_initiator_ports" },
        { "Takes RESERVE(6) of registrants", "compatible_handling" },
        { "Replaces lost reservations", "replace_lost" },
        { "Types", "types", format_types, "the device does not say" },
        { "Allowed commands", "allow_commands", format_allow_commands },
        { 0 } } };

static int describe_keys(const struct options *options, const struct disk *disk, json_t *notes,
                         json_t *document)
{
        struct prm_keys keys;
        int status = fetch_keys(options, disk, notes, &keys);

        if (status != 0)
                return status;
        json_object_set_new(document, "generation", json_integer(keys.generation));
        json_object_set_new(document, "keys", keys_json(&keys));
        prm_keys_free(&keys);
        return 0;
}

static int describe_reservation(const struct options *options, const struct disk *disk, json_t *notes,
                                json_t *document)
{
        struct prm_reservation reservation;
        int status = fetch_reservation(options, disk, notes, &reservation);

        if (status != 0)
                return status;
        json_object_set_new(document, "generation", json_integer(reservation.generation));
        json_object_set_new(document, "reservation", reservation_json(&reservation));
        return 0;
}

static int describe_full_status(const struct options *options, const struct disk *disk, json_t *notes,
                                json_t *document)
{
        struct prm_full_status full;
        int status = fetch_full_status(options, disk, notes, &full);

        if (status != 0)
                return status;
        struct host_ports ports = read_host_ports(options);
        json_object_set_new(document, "generation", json_integer(full.generation));
        json_object_set_new(document, "registrants", registrants_json(&full, &ports));
        host_ports_free(&ports);
        prm_full_status_free(&full);
        return 0;
}

static int describe_capabilities(const struct options *options, const struct disk *disk,
                                 json_t *notes, json_t *document)
{
        struct prm_capabilities capabilities;
        int status = fetch_capabilities(options, disk, notes, &capabilities);

        if (status != 0)
                return status;
        json_object_update_new(document, capabilities_json(&capabilities));
        return 0;
}

int run_read_keys(const struct options *options)
{
        return read_and_print(options, &keys_view, describe_keys);
}

int run_read_reservation(const struct options *options)
{
        return read_and_print(options, &reservation_view, describe_reservation);
}

int run_read_full_status(const struct options *options)
{
        return read_and_print(options, &full_status_view, describe_full_status);
}

int run_report_capabilities(const struct options *options)
{
        return read_and_print(options, &capabilities_view, describe_capabilities);
}
