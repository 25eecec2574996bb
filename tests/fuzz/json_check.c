/* SPDX-License-Identifier: BSD-2-Clause */
/* A checker of JSON that builds nothing: see json_check.h. ASCII only, as the writer promises. */
#include "json_check.h"

#include <stdint.h>
#include <string.h>

enum { DEPTH_MAX = 64 };

struct text {
        const char *at, *end;
        unsigned depth;
};

static bool value(struct text *t);

static bool take(struct text *t, char c)
{
        if (t->at >= t->end || *t->at != c)
                return false;
        t->at++;
        return true;
}

static bool word(struct text *t, const char *what)
{
        size_t size = strlen(what);

        if ((size_t)(t->end - t->at) < size || memcmp(t->at, what, size) != 0)
                return false;
        t->at += size;
        return true;
}

static bool is_hex(char c)
{
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool escape(struct text *t)
{
        if (t->at >= t->end)
                return false;
        char c = *t->at++;
        if (c != 'u')
                return strchr("\"\\/bfnrt", c) != NULL && c != '\0';
        for (int i = 0; i < 4; i++, t->at++)
                if (t->at >= t->end || !is_hex(*t->at))
                        return false;
        return true;
}

static bool string(struct text *t)
{
        if (!take(t, '"'))
                return false;
        while (t->at < t->end) {
                unsigned char c = (unsigned char)*t->at++;
                if (c == '"')
                        return true;
                if (c < 0x20 || c >= 0x7f || (c == '\\' && !escape(t)))
                        return false;
        }
        return false;
}

static bool digits(struct text *t)
{
        const char *from = t->at;

        while (t->at < t->end && *t->at >= '0' && *t->at <= '9')
                t->at++;
        return t->at > from;
}

static bool number(struct text *t)
{
        (void)take(t, '-');
        const char *from = t->at;
        if (!digits(t) || (*from == '0' && t->at > from + 1))
                return false;
        if (take(t, '.') && !digits(t))
                return false;
        if (take(t, 'e') || take(t, 'E')) {
                (void)(take(t, '+') || take(t, '-'));
                return digits(t);
        }
        return true;
}

static bool list(struct text *t, char end, bool named)
{
        if (++t->depth > DEPTH_MAX)
                return false;
        if (!take(t, end)) {
                do {
                        if (named && (!string(t) || !take(t, ':')))
                                return false;
                        if (!value(t))
                                return false;
                } while (take(t, ','));
                if (!take(t, end))
                        return false;
        }
        t->depth--;
        return true;
}

static bool value(struct text *t)
{
        if (t->at >= t->end)
                return false;
        switch (*t->at) {
        case '{':
                t->at++;
                return list(t, '}', true);
        case '[':
                t->at++;
                return list(t, ']', false);
        case '"':
                return string(t);
        case 'n':
                return word(t, "null");
        default:
                return number(t);
        }
}

bool json_is_valid(const char *text, size_t size)
{
        struct text t = { text, text + size, 0 };

        return value(&t) && t.at == t.end;
}
