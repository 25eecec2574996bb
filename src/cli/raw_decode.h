/* SPDX-License-Identifier: BSD-2-Clause */
/* What PERSISTENT RESERVE IN returned, decoded as it came: cut, or wrong, as it may be. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "cli/json.h"

struct view;

/**
 * @param action   enum pr_in_action
 * @param ret_view how it is shown, or NULL
 * @return a document as the typed commands have it, null where it cannot be decoded
 */
json_t *raw_decode(uint8_t action, const uint8_t *data, size_t size, const struct view **ret_view);
