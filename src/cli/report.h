/* SPDX-License-Identifier: BSD-2-Clause */
/* What PERSISTENT RESERVE IN reports, as JSON and as it is shown: shared by the commands that read. */
#pragma once

#include "cli/disk.h"
#include "cli/host.h"
#include "cli/json.h"
#include "cli/view.h"

/** "0xa1" */
void format_key(uint64_t key, char ret_text[static 24]);
json_t *key_json(uint64_t key);

/** Whether every registrant holds a reservation of this type. */
bool is_all_registrants(unsigned type);

/** [{"key": "0xa1"}, ...] */
json_t *keys_json(const struct prm_keys *keys);

/** {"type": "write-exclusive", "type_code": 1, "scope": 0, "key": "0xa1"}, or null */
json_t *reservation_json(const struct prm_reservation *reservation);

/** The bits by name, "types" as an array. */
json_t *capabilities_json(const struct prm_capabilities *capabilities);

/** A row a registration; "host" is "this" where `ports` contain its initiator, else "unknown". */
json_t *registrants_json(const struct prm_full_status *status, const struct host_ports *ports);

/**
 * The same rows where only keys and reservation are known: initiator and port are null, and so is
 * the holder where several registrations have its key.
 */
json_t *registrants_from_keys(const struct prm_keys *keys, const struct prm_reservation *reservation);

/** The table of them; empty after the last. */
extern const struct table registrants_tables[];

/** "write-exclusive (WE), held by 0xa1"; "none" for an object {} */
void format_reservation(const json_t *value, char *ret_text, size_t size);

/** In words. */
void format_capabilities(const json_t *value, char *ret_text, size_t size);

/** A type's full name as its short one. */
void format_type(const json_t *value, char *ret_text, size_t size);

/**
 * A command that only reads: open the device, let `describe` fill the document, print it. Unit
 * attentions are noted and the commands that got them repeated: nothing was lost by asking.
 * @param describe returns the exit status; adds to `notes` what is to be told besides
 */
int read_and_print(const struct options *options, const struct view *view,
                   int (*describe)(const struct options *options, const struct disk *disk,
                                   json_t *notes, json_t *document));

/** Each of them sends one command, and says what went wrong. @return the exit status */
int fetch_keys(const struct options *options, const struct disk *disk, json_t *notes,
               struct prm_keys *ret_keys);
int fetch_reservation(const struct options *options, const struct disk *disk, json_t *notes,
                      struct prm_reservation *ret_reservation);
int fetch_capabilities(const struct options *options, const struct disk *disk, json_t *notes,
                       struct prm_capabilities *ret_capabilities);
int fetch_full_status(const struct options *options, const struct disk *disk, json_t *notes,
                      struct prm_full_status *ret_status);

/** The host's ports, from options->sysfs. */
struct host_ports read_host_ports(const struct options *options);

/** What is said of a list that was longer than what can be carried. */
extern const char truncated_words[];

/** Say it in `notes`. */
void note_truncated(json_t *notes, bool truncated);
