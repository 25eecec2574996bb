/* SPDX-License-Identifier: BSD-2-Clause */
/* Writing a JSON document into memory: see json.h. */
#include "helper/json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void put(struct json *j, const char *text, size_t length)
{
        if (!j->failed && j->length + length > j->size) {
                size_t size = 2 * (j->length + length) + 1024;
                char *grown = realloc(j->text, size);
                j->failed = !grown;
                if (grown) {
                        j->text = grown;
                        j->size = size;
                }
        }
        if (j->failed)
                return;
        memcpy(j->text + j->length, text, length);
        j->length += length;
}

/* Control characters are escaped, and so is every byte beyond ASCII: it may be no UTF-8. */
static void put_string(struct json *j, const char *text)
{
        char escape[8];

        put(j, "\"", 1);
        for (; *text != '\0'; text++) {
                unsigned char c = (unsigned char)*text;
                if (c == '"' || c == '\\') {
                        escape[0] = '\\';
                        escape[1] = (char)c;
                        put(j, escape, 2);
                } else if (c < 0x20 || c >= 0x7f) {
                        put(j, escape, (size_t)snprintf(escape, sizeof escape, "\\u%04x", c));
                } else {
                        put(j, text, 1);
                }
        }
        put(j, "\"", 1);
}

static void begin_value(struct json *j, const char *key)
{
        if (j->comma)
                put(j, ",", 1);
        j->comma = true;
        if (key) {
                put_string(j, key);
                put(j, ":", 1);
        }
}

void json_open(struct json *j, const char *key, char bracket)
{
        begin_value(j, key);
        put(j, &bracket, 1);
        j->comma = false;
}

void json_close(struct json *j, char bracket)
{
        put(j, &bracket, 1);
        j->comma = true;
}

void json_number(struct json *j, const char *key, uint64_t value)
{
        char text[24];
        int length = snprintf(text, sizeof text, "%" PRIu64, value);

        begin_value(j, key);
        put(j, text, (size_t)length);
}

void json_seconds(struct json *j, const char *key, int64_t us)
{
        char text[32];
        int64_t since = us < 0 ? 0 : us; /* what began after the clock was read */
        int length = snprintf(text, sizeof text, "%" PRId64 ".%06d", since / 1000000,
                              (int)(since % 1000000));

        begin_value(j, key);
        put(j, text, (size_t)length);
}

void json_string(struct json *j, const char *key, const char *value)
{
        begin_value(j, key);
        put_string(j, value);
}

void json_null(struct json *j, const char *key)
{
        begin_value(j, key);
        put(j, "null", 4);
}
