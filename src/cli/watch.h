/* SPDX-License-Identifier: BSD-2-Clause */
/* What watch knows of a device at one moment, and what changed between two. */
#pragma once

#include <stdbool.h>

#include "cli/json.h"
#include "prmanager.h"

/** Keys and reservation. Zero: nothing known yet. */
struct snapshot {
        bool known;
        struct prm_keys keys; /**< sorted */
        struct prm_reservation reservation;
};

/** Take over what was read. */
struct snapshot snapshot_of(struct prm_keys *keys, const struct prm_reservation *reservation);

void snapshot_free(struct snapshot *snapshot);

/** The document of watch_view: "generation", "reservation", "keys", and "note" where those are not all. */
json_t *snapshot_json(const char *device, const struct snapshot *snapshot);

/**
 * Append to `events` what changed: objects with "event" ("start", "registered", "unregistered",
 * "reservation", "generation", "truncated", "whole") and what belongs to it. `before` may be one that is not known.
 */
void snapshot_compare(const struct snapshot *before, const struct snapshot *after, json_t *events);

/** An event in words, as one line of any length, allocated. */
char *event_text(const json_t *event);
