/* SPDX-License-Identifier: BSD-2-Clause */
/* The helper's status document: fetched, checked, shown. */
#pragma once

#include <stddef.h>

#include "cli/json.h"

/**
 * Read the document that the helper writes to whoever connects.
 * @param ret_text its bytes, NUL-terminated, to be freed
 * @return 0, or the exit status after a message
 */
int status_fetch(const char *path, char **ret_text, size_t *ret_size);

/**
 * Whether it is such a document: members that are known have their type, and no list is longer than
 * a helper's. Unknown members and missing ones are fine: versions differ.
 * @return 0, or CLI_MALFORMED after a message
 */
int status_check(const char *path, const json_t *document);

/** Prometheus' text format, to stdout. */
void status_print_metrics(const json_t *document);
