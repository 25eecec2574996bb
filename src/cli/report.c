/* SPDX-License-Identifier: BSD-2-Clause */
/* Reports as JSON and as text: see report.h. */
#include "cli/report.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/cli.h"

void format_key(uint64_t key, char ret_text[static 24])
{
        snprintf(ret_text, 24, "%#" PRIx64, key);
}

json_t *key_json(uint64_t key)
{
        char text[24];

        format_key(key, text);
        return need_memory(json_string(text));
}

bool is_all_registrants(unsigned type)
{
        return type == PRM_WRITE_EXCLUSIVE_ALL_REGISTRANTS ||
               type == PRM_EXCLUSIVE_ACCESS_ALL_REGISTRANTS;
}

json_t *keys_json(const struct prm_keys *keys)
{
        json_t *rows = need_memory(json_array());

        for (size_t i = 0; i < keys->count; i++)
                json_array_append_new(rows, need_memory(json_pack("{s:o}", "key", key_json(keys->keys[i]))));
        return rows;
}

/* "write-exclusive", or "type 4" where the device has one that the standard has not. */
static json_t *type_json(unsigned type)
{
        const char *name = prm_type_name(type);

        return need_memory(name ? json_string(name) : json_sprintf("type %u", type));
}

json_t *reservation_json(const struct prm_reservation *reservation)
{
        if (!reservation->reserved)
                return json_null();
        return need_memory(json_pack("{s:o, s:i, s:i, s:o}", "type", type_json(reservation->type),
                                     "type_code", reservation->type, "scope", reservation->scope,
                                     "key", key_json(reservation->key)));
}

json_t *capabilities_json(const struct prm_capabilities *c)
{
        json_t *types = need_memory(json_array());

        for (unsigned type = 1; type < 16; type++)
                if (c->types >> type & 1)
                        json_array_append_new(types, type_json(type));
        return need_memory(json_pack(
                "{s:b, s:b, s:b, s:b, s:b, s:b, s:i, s:o}", "persist_through_power_loss",
                c->persist_through_power_loss, "persistence_active", c->persistence_active,
                "all_target_ports", c->all_target_ports, "specify_initiator_ports",
                c->specify_initiator_ports, "compatible_handling", c->compatible_handling,
                "replace_lost", c->replace_lost, "allow_commands", c->allow_commands, "types",
                c->type_mask_valid ? types : (json_decref(types), json_null())));
}

static json_t *initiator_json(const struct prm_registrant *registrant)
{
        char text[PRM_TRANSPORT_TEXT_SIZE];

        if (!registrant->initiator_known)
                return json_null();
        prm_transport_id_format(&registrant->initiator, text, sizeof text);
        return need_memory(json_string(text));
}

json_t *registrants_json(const struct prm_full_status *status, const struct host_ports *ports)
{
        json_t *rows = need_memory(json_array());

        for (size_t i = 0; i < status->count; i++) {
                const struct prm_registrant *r = &status->registrants[i];
                bool ours = r->initiator_known && host_ports_contain(ports, &r->initiator);
                json_t *port = r->all_target_ports ? json_string("all") : json_integer(r->target_port);
                json_array_append_new(
                        rows, need_memory(json_pack("{s:o, s:b, s:o, s:o, s:o, s:s}", "key",
                                                    key_json(r->key), "holder", r->holder, "type",
                                                    r->holder ? type_json(r->type) : json_null(),
                                                    "target_port", port, "initiator",
                                                    initiator_json(r), "host",
                                                    ours ? "this" : "unknown")));
        }
        return rows;
}

static size_t count_key(const struct prm_keys *keys, uint64_t key)
{
        size_t count = 0;

        for (size_t i = 0; i < keys->count; i++)
                count += keys->keys[i] == key;
        return count;
}

json_t *registrants_from_keys(const struct prm_keys *keys, const struct prm_reservation *reservation)
{
        bool all = is_all_registrants(reservation->type);
        json_t *rows = need_memory(json_array());

        for (size_t i = 0; i < keys->count; i++) {
                bool may = reservation->reserved && (all || reservation->key == keys->keys[i]);
                bool known = all || !may || count_key(keys, keys->keys[i]) == 1;
                json_array_append_new(
                        rows,
                        need_memory(json_pack("{s:o, s:o, s:o, s:n, s:n, s:s}", "key",
                                              key_json(keys->keys[i]), "holder",
                                              known ? json_boolean(may) : json_null(), "type",
                                              known && may ? type_json(reservation->type) : json_null(),
                                              "target_port", "initiator", "host", "unknown")));
        }
        return rows;
}

void format_type(const json_t *value, char *ret_text, size_t size)
{
        const char *name = json_string_value(value);
        enum prm_type type;

        if (name && prm_type_parse(name, &type) == 0)
                name = prm_type_short_name(type);
        snprintf(ret_text, size, "%s", name ? name : "?");
}

void format_reservation(const json_t *value, char *ret_text, size_t size)
{
        const char *key = json_string_value(json_object_get(value, "key"));
        const char *name = json_string_value(json_object_get(value, "type"));
        unsigned type = (unsigned)json_integer_value(json_object_get(value, "type_code"));
        const char *short_name = prm_type_short_name(type);

        snprintf(ret_text, size, "%s (%s), held by %s", name, short_name ? short_name : "reserved",
                 is_all_registrants(type) ? "all registrants" : key);
}

void format_capabilities(const json_t *value, char *ret_text, size_t size)
{
        static const struct {
                const char *member, *words;
        } all[] = {
                { "all_target_ports", ", registers all target ports" },
                { "specify_initiator_ports", ", registers other initiators" },
                { "compatible_handling", ", takes RESERVE(6) of registrants" },
                { "replace_lost", ", replaces lost reservations" },
        };
        bool persists = json_is_true(json_object_get(value, "persist_through_power_loss"));
        bool active = json_is_true(json_object_get(value, "persistence_active"));
        const json_t *types = json_object_get(value, "types");
        json_t *type;

        snprintf(ret_text, size, "%s power loss%s", persists ? "survives" : "does not survive",
                 !persists ? "" : active ? " (now on)" : " (now off)");
        for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
                if (json_is_true(json_object_get(value, all[i].member)))
                        snprintf(ret_text + strlen(ret_text), size - strlen(ret_text), "%s",
                                 all[i].words);
        if (json_array_size(types) > 0)
                snprintf(ret_text + strlen(ret_text), size - strlen(ret_text), ", types");
        for_each(type, types) {
                char name[64];
                format_type(type, name, sizeof name);
                snprintf(ret_text + strlen(ret_text), size - strlen(ret_text), " %s", name);
        }
}

static bool is_holder(const json_t *row)
{
        return json_is_true(json_object_get(row, "holder"));
}

static const struct column registrant_columns[] = {
        { "KEY", "key" },
        { "HOLDER", "holder" },
        { "TYPE", "type", .format = format_type },
        { "PORT", "target_port", COLUMN_RIGHT },
        { "INITIATOR", "initiator", COLUMN_WRAP },
        { "HOST", "host" },
        { 0 },
};

const struct table registrants_tables[] = {
        { "registrants", registrant_columns, .none = "Nobody is registered.", .strong = is_holder },
        { 0 },
};

struct host_ports read_host_ports(const struct options *options)
{
        cleanup_fd int sysfs = open(options->sysfs, O_PATH | O_DIRECTORY | O_CLOEXEC);

        return host_ports_read(sysfs);
}
