/* SPDX-License-Identifier: BSD-2-Clause */
/* Properties of a manager: text to names and values, held against what a class knows. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "prmanager.h"

/** What a class knows: a property's name, and whether it has to be given. */
struct property_rule {
        const char *name;
        bool required;
};

/** Borrowed from whoever gave them, or from `struct specification`. */
struct properties {
        const struct prm_property *list;
        size_t count;
};

/** "class,id=...,name=value" taken apart. Owns its members. */
struct specification {
        char *text;                 /**< what the others point into */
        const char *class_name, *id; /**< `id` is NULL where not given */
        struct prm_property *list;  /**< all but the id */
        size_t count;
};

int specification_parse(const char *text, struct specification *ret_specification,
                        struct prm_error *ret_error);
void specification_free(struct specification *specification);

/** -EINVAL where one is unknown, given twice, or missing; the error says which. */
int properties_check(const struct properties *properties, const struct property_rule *rules,
                     const char *class_name, struct prm_error *ret_error);

/** The value of a property, or NULL where it is not given. */
const char *properties_get(const struct properties *properties, const char *name);

/**
 * A property in seconds, as milliseconds; 0 is PRM_NO_TIMEOUT.
 * @param absent milliseconds where it is not given
 */
int properties_get_timeout(const struct properties *properties, const char *name, uint32_t absent,
                           uint32_t *ret_ms, struct prm_error *ret_error);

/** A property that is `on` or `off`, the latter where it is not given. */
int properties_get_switch(const struct properties *properties, const char *name, bool *ret_on,
                          struct prm_error *ret_error);

/** Write the text of an error, and return `error`. */
__attribute__((format(printf, 3, 4))) int error_set(struct prm_error *ret_error, int error,
                                                    const char *format, ...);
