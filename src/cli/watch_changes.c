/* SPDX-License-Identifier: BSD-2-Clause */
/* What changed between two looks at a device: see watch.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/report.h"
#include "cli/watch.h"

static int compare_keys(const void *a, const void *b)
{
        uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

        return (left > right) - (left < right);
}

struct snapshot snapshot_of(struct prm_keys *keys, const struct prm_reservation *reservation)
{
        struct snapshot snapshot = { .known = true, .keys = *keys, .reservation = *reservation };

        *keys = (struct prm_keys){ 0 };
        if (snapshot.keys.count > 1)
                qsort(snapshot.keys.keys, snapshot.keys.count, sizeof *snapshot.keys.keys, compare_keys);
        return snapshot;
}

void snapshot_free(struct snapshot *snapshot)
{
        if (snapshot->known)
                prm_keys_free(&snapshot->keys);
        *snapshot = (struct snapshot){ 0 };
}

/* The key at *at and how many registrations have it; *at goes to the next one. */
static size_t take_key(const struct prm_keys *keys, size_t *at, uint64_t *ret_key)
{
        size_t begin = *at;

        *ret_key = keys->keys[begin];
        while (*at < keys->count && keys->keys[*at] == *ret_key)
                (*at)++;
        return *at - begin;
}

/* Several nexuses may have the holder's key, and READ RESERVATION tells no more than that. */
static const char *holder_word(const struct prm_reservation *reservation, uint64_t key, size_t count)
{
        if (!reservation->reserved)
                return "no";
        if (is_all_registrants(reservation->type))
                return "yes";
        return reservation->key != key ? "no" : count > 1 ? "one of them" : "yes";
}

json_t *snapshot_json(const char *device, const struct snapshot *snapshot)
{
        json_t *rows = need_memory(json_array());

        for (size_t at = 0; at < snapshot->keys.count;) {
                uint64_t key;
                size_t count = take_key(&snapshot->keys, &at, &key);
                json_array_append_new(
                        rows, need_memory(json_pack("{s:o, s:I, s:s}", "key", key_json(key),
                                                    "registrations", (json_int_t)count, "holder",
                                                    holder_word(&snapshot->reservation, key, count))));
        }
        return need_memory(json_pack("{s:o, s:I, s:o, s:o, s:s?}", "device", json_text(device), "generation",
                                     (json_int_t)snapshot->reservation.generation, "reservation",
                                     reservation_json(&snapshot->reservation), "keys", rows, "note",
                                     snapshot->keys.truncated ? truncated_words : NULL));
}

static void add_event(json_t *events, json_t *event)
{
        json_array_append_new(events, need_memory(event));
}

static void add_key_event(json_t *events, uint64_t key, size_t before, size_t after)
{
        if (before != after)
                add_event(events, json_pack("{s:s, s:o, s:I}", "event",
                                            after > before ? "registered" : "unregistered", "key",
                                            key_json(key), "registrations", (json_int_t)after));
}

/* Both lists are sorted: walk them together. */
static void compare_key_lists(const struct prm_keys *before, const struct prm_keys *after, json_t *events)
{
        size_t b = 0, a = 0;

        while (b < before->count || a < after->count) {
                uint64_t key = b == before->count                                       ? after->keys[a]
                               : a == after->count || before->keys[b] <= after->keys[a] ? before->keys[b]
                                                                                        : after->keys[a];
                uint64_t taken;
                size_t had = b < before->count && before->keys[b] == key ? take_key(before, &b, &taken) : 0;
                size_t has = a < after->count && after->keys[a] == key ? take_key(after, &a, &taken) : 0;
                add_key_event(events, key, had, has);
        }
}

static bool same_reservation(const struct prm_reservation *a, const struct prm_reservation *b)
{
        return a->reserved == b->reserved && a->type == b->type && a->scope == b->scope && a->key == b->key;
}

static json_t *start_event(const struct snapshot *snapshot)
{
        json_t *keys = need_memory(json_array());

        for (size_t i = 0; i < snapshot->keys.count; i++)
                json_array_append_new(keys, key_json(snapshot->keys.keys[i]));
        return json_pack("{s:s, s:I, s:o, s:o}", "event", "start", "generation",
                         (json_int_t)snapshot->reservation.generation, "keys", keys, "reservation",
                         reservation_json(&snapshot->reservation));
}

static void compare_known(const struct snapshot *before, const struct snapshot *after, json_t *events)
{
        size_t had = json_array_size(events);

        compare_key_lists(&before->keys, &after->keys, events);
        if (!same_reservation(&before->reservation, &after->reservation))
                add_event(events, json_pack("{s:s, s:o, s:o}", "event", "reservation", "before",
                                            reservation_json(&before->reservation), "after",
                                            reservation_json(&after->reservation)));
        if (json_array_size(events) == had &&
            before->reservation.generation != after->reservation.generation)
                add_event(events, json_pack("{s:s, s:I, s:I}", "event", "generation", "before",
                                            (json_int_t)before->reservation.generation, "after",
                                            (json_int_t)after->reservation.generation));
}

void snapshot_compare(const struct snapshot *before, const struct snapshot *after, json_t *events)
{
        bool was_truncated = before->known && before->keys.truncated;

        if (before->known)
                compare_known(before, after, events);
        else
                add_event(events, start_event(after));
        if (after->keys.truncated != was_truncated)
                add_event(events, json_pack("{s:s, s:s}", "event", was_truncated ? "whole" : "truncated", "text",
                                            was_truncated ? "all registrations fit into an answer again"
                                                          : truncated_words));
}

/* Shorter than format_reservation(): it is for a line. */
static void format_brief(const json_t *reservation, char *ret_text, size_t size)
{
        const char *key = json_string_value(json_object_get(reservation, "key"));
        unsigned type = (unsigned)json_integer_value(json_object_get(reservation, "type_code"));
        char name[64];

        if (!key) {
                snprintf(ret_text, size, "none");
                return;
        }
        format_type(json_object_get(reservation, "type"), name, sizeof name);
        snprintf(ret_text, size, "%s held by %s", name, is_all_registrants(type) ? "all" : key);
}

static void print_start(const json_t *event, FILE *to)
{
        const json_t *keys = json_object_get(event, "keys");
        char reservation[128];
        json_t *key;

        fprintf(to, "generation %lld, keys", (long long)json_integer_value(json_object_get(event, "generation")));
        for_each(key, keys)
                fprintf(to, " %s", json_string_value(key));
        format_brief(json_object_get(event, "reservation"), reservation, sizeof reservation);
        fprintf(to, "%s, reservation %s", json_array_size(keys) == 0 ? " none" : "", reservation);
}

static void print_key_event(const json_t *event, const char *name, FILE *to)
{
        const char *key = json_string_value(json_object_get(event, "key"));
        json_int_t count = json_integer_value(json_object_get(event, "registrations"));
        bool plain = count == (strcmp(name, "registered") == 0 ? 1 : 0);

        fprintf(to, "%s %s", key, name);
        if (!plain)
                fprintf(to, ", now %lld times", (long long)count);
}

static void print_event(const json_t *event, FILE *to)
{
        const char *name = json_string_value(json_object_get(event, "event"));
        const json_t *before = json_object_get(event, "before"), *after = json_object_get(event, "after");
        const char *text = json_string_value(json_object_get(event, "text"));
        char was[128], is[128];

        if (strcmp(name, "start") == 0) {
                print_start(event, to);
        } else if (strcmp(name, "registered") == 0 || strcmp(name, "unregistered") == 0) {
                print_key_event(event, name, to);
        } else if (strcmp(name, "reservation") == 0) {
                format_brief(before, was, sizeof was);
                format_brief(after, is, sizeof is);
                fprintf(to, "reservation %s, was %s", is, was);
        } else if (strcmp(name, "generation") == 0) {
                fprintf(to, "generation %lld, was %lld: registrations changed and are as before",
                        (long long)json_integer_value(after), (long long)json_integer_value(before));
        } else {
                fputs(text ? text : name, to);
        }
}

char *event_text(const json_t *event)
{
        char *text = NULL;
        size_t size;
        FILE *memory = need_memory(open_memstream(&text, &size));

        print_event(event, memory);
        fclose(memory);
        return need_memory(text);
}
