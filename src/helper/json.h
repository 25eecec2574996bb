/* SPDX-License-Identifier: BSD-2-Clause */
/* Writing a JSON document (RFC 8259) into memory. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** A document that grows. Starts as all zero; `text` is the caller's to free. */
struct json {
        char *text;
        size_t length, size;
        bool comma;  /**< the next value needs one before it */
        bool failed; /**< memory ran out; everything since was dropped */
};

/** Open an object or an array: '{' or '['. `key` is NULL in an array and at the top. */
void json_open(struct json *j, const char *key, char bracket);
/** Close it: '}' or ']'. */
void json_close(struct json *j, char bracket);

void json_number(struct json *j, const char *key, uint64_t value);
/** Microseconds as seconds with six decimals. */
void json_seconds(struct json *j, const char *key, int64_t us);
void json_string(struct json *j, const char *key, const char *value);
void json_null(struct json *j, const char *key);
