/* SPDX-License-Identifier: BSD-2-Clause */
/* Parsing by table, and --help: see options.h. The tables' own entries: helper_options.c. */
#include "helper/options.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"

enum {
        OPTIONS_MAX = 64,
        LONG_ONLY = 256,   /* getopt's value of an option without a letter: this and its index */
        HELP_COLUMN = 28,
};

/* All tables as one list. */
struct option_list {
        const struct option_entry *entries[OPTIONS_MAX];
        void *into[OPTIONS_MAX];
        int count;
};

static struct option_list flatten(const struct option_table *tables)
{
        struct option_list list = { .count = 0 };

        for (; tables->entries; tables++) {
                for (const struct option_entry *e = tables->entries;
                     e->name && list.count < OPTIONS_MAX; e++) {
                        list.entries[list.count] = e;
                        list.into[list.count++] = tables->into;
                }
        }
        return list;
}

static int find(const struct option_list *list, int value)
{
        if (value >= LONG_ONLY)
                return value - LONG_ONLY;
        for (int i = 0; i < list->count; i++)
                if (list->entries[i]->letter == value)
                        return i;
        return -1;
}

int options_parse(int argc, char **argv, const struct option_table *tables)
{
        struct option_list list = flatten(tables);
        struct option long_options[OPTIONS_MAX + 1] = { 0 };
        char letters[2 * OPTIONS_MAX + 1], *at = letters;

        for (int i = 0; i < list.count; i++) {
                const struct option_entry *e = list.entries[i];
                long_options[i] = (struct option){
                        .name = e->name,
                        .has_arg = e->argument ? required_argument : no_argument,
                        .val = e->letter ? e->letter : LONG_ONLY + i,
                };
                if (e->letter) {
                        *at++ = e->letter;
                        if (e->argument)
                                *at++ = ':';
                }
        }
        *at = '\0';

        for (;;) {
                int value = getopt_long(argc, argv, letters, long_options, NULL);
                if (value == -1)
                        break;
                int i = value == '?' ? -1 : find(&list, value);
                if (i < 0) {
                        log_error("Try `%s --help' for more information.", argv[0]);
                        return OPTIONS_ERROR;
                }
                int r = list.entries[i]->apply(list.into[i], optarg);
                if (r != 0)
                        return r;
        }
        for (; optind < argc; optind++)
                log_warning("argument '%s' is ignored: there are only options", argv[optind]);
        return 0;
}

static void print_entry(const struct option_entry *e)
{
        char left[64];
        int width = snprintf(left, sizeof left, "  %c%c%s--%s%s%s", e->letter ? '-' : ' ',
                             e->letter ? e->letter : ' ', e->letter ? ", " : "  ", e->name,
                             e->argument ? (e->argument[0] == '[' ? " " : "=") : "",
                             e->argument ? e->argument : "");
        const char *line = e->help;

        fputs(left, stdout);
        if (width >= HELP_COLUMN) {
                putchar('\n');
                width = 0;
        }
        for (;;) {
                size_t length = strcspn(line, "\n");
                printf("%*s%.*s\n", HELP_COLUMN - width, "", (int)length, line);
                if (line[length] == '\0')
                        return;
                line += length + 1;
                width = 0;
        }
}

void options_print_help(const char *argv0, const char *summary, const struct option_table *tables)
{
        struct option_list list = flatten(tables);

        printf("Usage: %s [OPTIONS]\n%s\n\n", argv0, summary);
        for (int i = 0; i < list.count; i++)
                print_entry(list.entries[i]);
}
