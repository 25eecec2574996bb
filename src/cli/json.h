/* SPDX-License-Identifier: BSD-2-Clause */
/* jansson, and a loop over its arrays. */
#pragma once

#include <jansson.h>

/**
 * Each item of an array, which may be NULL, in order. `item` is a json_t * of the caller's, its place
 * is item_index. Stays right when the item is replaced.
 */
#define for_each(item, array) \
        for (size_t item##_index = 0; (item = json_array_get((array), item##_index)); item##_index++)
