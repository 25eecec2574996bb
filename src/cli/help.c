/* SPDX-License-Identifier: BSD-2-Clause */
/* --help, from the tables: see options.h. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/commands.h"

enum { HELP_COLUMN = 26 };

static void print_entry(const struct cli_option *o)
{
        char left[64];
        int width = snprintf(left, sizeof left, "  %c%c%s--%s%s%s", o->letter ? '-' : ' ',
                             o->letter ? o->letter : ' ', o->letter ? ", " : "  ", o->name,
                             o->argument ? "=" : "", o->argument ? o->argument : "");
        const char *line = o->help;

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

/* Of commands that read and of those that write. */
static bool is_common(const struct cli_option *o)
{
        return option_is_for(o, COMMAND_SHOW) && option_is_for(o, COMMAND_CLEAR);
}

static void print_commands(void)
{
        puts("Usage: " CLI_NAME " [--helper=SOCKET | --direct] [--json] COMMAND [DEVICE] [OPTIONS]\n"
             "See who holds a disk by SCSI persistent reservations, and act on it.\n\nCommands:");
        for (const struct command *c = commands; c->name; c++)
                printf("  %-*s%s\n", HELP_COLUMN - 2, c->name, c->summary);
        puts("\nDEVICE is a block device or a link to one, an sg node, or a file with a simulated target.\n"
             "`" CLI_NAME " COMMAND --help' tells a command's options.\n\nOptions:");
        for (const struct cli_option *o = cli_options; o->name; o++)
                if (is_common(o))
                        print_entry(o);
}

static void print_columns(const struct view *view)
{
        putchar('\n');
        for (const struct table *t = view->tables; t && t->name; t++) {
                printf("Columns of %s:", t->name);
                for (const struct column *c = t->columns; c->name; c++)
                        printf(" %s", c->name);
                putchar('\n');
        }
}

static void print_command(const struct command *command)
{
        size_t index = (size_t)(command - commands);

        printf("Usage: " CLI_NAME " %s%s%s", command->name, command->operands[0] ? " " : "",
               command->operands);
        for (const struct cli_option *o = cli_options; o->name; o++)
                if (o->needs >> index & 1)
                        printf(" --%s=%s", o->name, o->argument);
        printf(" [OPTIONS]\n%c%s.\n\nOptions:\n", toupper(command->summary[0]), command->summary + 1);
        for (const struct cli_option *o = cli_options; o->name; o++)
                if (option_is_for(o, index))
                        print_entry(o);
        if (command_has_columns(command))
                print_columns(command->view);
}

void help_print(const struct command *command)
{
        if (command)
                print_command(command);
        else
                print_commands();
}
