/* SPDX-License-Identifier: BSD-2-Clause */
/* Properties of a manager: see properties.h. */
#include "manager/properties.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int error_set(struct prm_error *ret_error, int error, const char *format, ...)
{
        va_list args;

        va_start(args, format);
        vsnprintf(ret_error->text, sizeof ret_error->text, format, args);
        va_end(args);
        return error;
}

/* Cut the next part off *rest, up to a comma that stands alone; `,,` becomes one in place. */
static char *next_part(char **rest)
{
        char *part = *rest;
        char *to = part;
        char *from = part;

        while (*from && (*from != ',' || from[1] == ',')) {
                from += *from == ',';
                *to++ = *from++;
        }
        *rest = *from ? from + 1 : NULL;
        *to = '\0';
        return part;
}

static int add_part(struct specification *s, char *part, struct prm_error *ret_error)
{
        char *value = strchr(part, '=');

        if (*part == '\0' || value == part)
                return error_set(ret_error, -EINVAL, "a property without a name in '%s'", part);
        if (!value)
                return error_set(ret_error, -EINVAL, "property '%s' has no value", part);
        *value++ = '\0';

        if (strcmp(part, "id") != 0) {
                s->list[s->count++] = (struct prm_property){ part, value };
                return 0;
        }
        if (s->id)
                return error_set(ret_error, -EINVAL, "property 'id' is given twice");
        s->id = value;
        return 0;
}

int specification_parse(const char *text, struct specification *ret_specification,
                        struct prm_error *ret_error)
{
        struct specification s = { .text = strdup(text) };
        size_t commas = 0;

        for (const char *c = text; *c; c++)
                commas += *c == ',';
        s.list = calloc(commas + 1, sizeof *s.list);
        if (!s.text || !s.list) {
                specification_free(&s);
                return error_set(ret_error, -ENOMEM, "out of memory");
        }

        char *rest = s.text;
        s.class_name = next_part(&rest);
        while (rest) {
                int r = add_part(&s, next_part(&rest), ret_error);
                if (r < 0) {
                        specification_free(&s);
                        return r;
                }
        }
        *ret_specification = s;
        return 0;
}

void specification_free(struct specification *specification)
{
        free(specification->text);
        free(specification->list);
}

static bool known(const struct property_rule *rules, const char *name)
{
        while (rules->name && strcmp(rules->name, name) != 0)
                rules++;
        return rules->name;
}

int properties_check(const struct properties *properties, const struct property_rule *rules,
                     const char *class_name, struct prm_error *ret_error)
{
        for (size_t i = 0; i < properties->count; i++) {
                const struct prm_property *property = &properties->list[i];
                if (!property->name || !known(rules, property->name))
                        return error_set(ret_error, -EINVAL, "%s has no property '%s'", class_name,
                                         property->name ? property->name : "");
                if (!property->value)
                        return error_set(ret_error, -EINVAL, "property '%s' has no value", property->name);
                for (size_t other = 0; other < i; other++)
                        if (strcmp(properties->list[other].name, property->name) == 0)
                                return error_set(ret_error, -EINVAL, "property '%s' is given twice",
                                                 property->name);
        }
        for (; rules->name; rules++)
                if (rules->required && !properties_get(properties, rules->name))
                        return error_set(ret_error, -EINVAL, "%s needs the property '%s'", class_name,
                                         rules->name);
        return 0;
}

const char *properties_get(const struct properties *properties, const char *name)
{
        for (size_t i = 0; i < properties->count; i++)
                if (strcmp(properties->list[i].name, name) == 0)
                        return properties->list[i].value;
        return NULL;
}

int properties_get_timeout(const struct properties *properties, const char *name, uint32_t absent,
                           uint32_t *ret_ms, struct prm_error *ret_error)
{
        enum { SECONDS_MAX = 24 * 60 * 60 };
        const char *value = properties_get(properties, name);
        uint32_t seconds = 0;

        if (!value) {
                *ret_ms = absent;
                return 0;
        }
        for (const char *c = value; *c || c == value; c++) {
                if (*c < '0' || *c > '9' || seconds > SECONDS_MAX)
                        return error_set(ret_error, -EINVAL, "property '%s': '%s' is no number of seconds",
                                         name, value);
                seconds = seconds * 10 + (uint32_t)(*c - '0');
        }
        if (seconds > SECONDS_MAX)
                return error_set(ret_error, -EINVAL, "property '%s': '%s' is above %d seconds", name, value,
                                 SECONDS_MAX);
        *ret_ms = seconds == 0 ? PRM_NO_TIMEOUT : seconds * 1000;
        return 0;
}

int properties_get_switch(const struct properties *properties, const char *name, bool *ret_on,
                          struct prm_error *ret_error)
{
        const char *value = properties_get(properties, name);

        if (value && strcmp(value, "on") != 0 && strcmp(value, "off") != 0)
                return error_set(ret_error, -EINVAL, "property '%s': '%s' is neither 'on' nor 'off'", name,
                                 value);
        *ret_on = value && strcmp(value, "on") == 0;
        return 0;
}
