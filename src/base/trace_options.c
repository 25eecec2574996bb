/* SPDX-License-Identifier: BSD-2-Clause */
/* What -T says: see trace.h. */
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/trace.h"

static bool is_pattern(const char *name)
{
        return strpbrk(name, "*?[") != NULL;
}

/* Switch every event that `pattern` matches. */
static void apply_pattern(struct trace_options *options, const char *pattern)
{
        bool enable = pattern[0] != '-';
        const char *name = enable ? pattern : pattern + 1;
        bool found = false;
        char message[256];

        for (size_t i = 0; i < options->count; i++) {
                if (fnmatch(name, options->events[i].name, 0) != 0)
                        continue;
                options->events[i].enabled = enable;
                found = true;
        }
        if (!found && !is_pattern(name) && options->warn) {
                snprintf(message, sizeof message, "trace event '%s' does not exist", name);
                options->warn(message);
        }
}

static bool is_help(const char *pattern)
{
        return strcmp(pattern, "help") == 0 || strcmp(pattern, "?") == 0;
}

static void close_file(FILE **file)
{
        if (*file)
                fclose(*file);
}

/* A name or a pattern a line; empty lines and those that begin with # are passed over. */
static int apply_file(struct trace_options *options, const char *path, char *ret_error, size_t size)
{
        __attribute__((cleanup(close_file))) FILE *file = fopen(path, "re");
        cleanup_free char *line = NULL;
        size_t room = 0;

        if (!file) {
                int error = errno;
                snprintf(ret_error, size, "%s: %s", path, strerror(error));
                return -error;
        }
        while (getline(&line, &room, file) >= 0) {
                char *name = line + strspn(line, " \t");
                name[strcspn(name, " \t\r\n")] = '\0';
                if (name[0] != '\0' && name[0] != '#')
                        apply_pattern(options, name);
        }
        return 0;
}

/*
 * Take the next item out of *rest: up to a comma that is not doubled, doubled
 * ones made single. False at the end.
 */
static bool next_item(char **rest, char **ret_item)
{
        char *from = *rest, *to = *rest;

        if (!from)
                return false;
        *ret_item = to;
        while (*from != '\0') {
                if (from[0] == ',' && from[1] != ',') {
                        *rest = from + 1;
                        *to = '\0';
                        return true;
                }
                if (from[0] == ',')
                        from++;
                *to++ = *from++;
        }
        *to = '\0';
        *rest = NULL;
        return true;
}

static int apply_item(struct trace_options *options, const char *key, const char *value,
                      char *ret_error, size_t size)
{
        if (strcmp(key, "enable") == 0) {
                if (is_help(value))
                        return TRACE_HELP;
                apply_pattern(options, value);
                return 0;
        }
        if (strcmp(key, "events") == 0)
                return apply_file(options, value, ret_error, size);
        if (strcmp(key, "file") == 0) {
                char *file = strdup(value);
                if (!file) {
                        snprintf(ret_error, size, "%s", strerror(ENOMEM));
                        return -ENOMEM;
                }
                free(options->file);
                options->file = file;
                return 0;
        }
        snprintf(ret_error, size, "Invalid parameter '%s'", key);
        return -EINVAL;
}

int trace_options_apply(struct trace_options *options, const char *argument, char *ret_error,
                        size_t error_size)
{
        cleanup_free char *copy = strdup(argument);
        char *rest = copy, *item;
        bool first = true;

        if (!copy) {
                snprintf(ret_error, error_size, "%s", strerror(ENOMEM));
                return -ENOMEM;
        }
        while (next_item(&rest, &item)) {
                char *equals = strchr(item, '=');
                int r = 0;
                if (item[0] == '\0') {
                        continue;
                } else if (equals) {
                        *equals = '\0';
                        r = apply_item(options, item, equals + 1, ret_error, error_size);
                } else if (first) {
                        r = apply_item(options, "enable", item, ret_error, error_size);
                } else {
                        r = apply_item(options, item, "on", ret_error, error_size);
                }
                if (r != 0)
                        return r;
                first = false;
        }
        return 0;
}
