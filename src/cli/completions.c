/* SPDX-License-Identifier: BSD-2-Clause */
/* Completions for bash, zsh and fish, from the tables: see options.h. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/commands.h"

/* The beginning of an option's help, up to what would make it long. */
static void print_brief(const struct cli_option *o)
{
        size_t length = strcspn(o->help, ",;:(\n");

        if (o->help[length - 1] == ' ')
                length--;
        printf("%.*s", (int)length, o->help);
}

static void print_types(const char *separator)
{
        const char *before = "";

        for (unsigned type = 1; type < 16; type++) {
                if (prm_type_name(type)) {
                        printf("%s%s", before, prm_type_name(type));
                        before = separator;
                }
        }
}

static const struct table *tables_of(const struct command *command)
{
        return command && command->view ? command->view->tables : NULL;
}

static void print_tables(const struct command *command)
{
        const char *before = "";

        for (const struct table *t = tables_of(command); t && t->name; t++) {
                printf("%s%s", before, t->name);
                before = " ";
        }
}

static bool has_column(const struct table *tables, const struct table *end, const char *name)
{
        for (const struct table *t = tables; t < end; t++)
                for (const struct column *c = t->columns; c->name; c++)
                        if (strcmp(c->name, name) == 0)
                                return true;
        return false;
}

/* The columns of all of a command's tables, each once. */
static void print_columns(const struct command *command)
{
        const struct table *tables = tables_of(command);
        const char *before = "";

        for (const struct table *t = tables; t && t->name; t++) {
                for (const struct column *c = t->columns; c->name; c++) {
                        if (has_column(tables, t, c->name))
                                continue;
                        printf("%s%s", before, c->name);
                        before = " ";
                }
        }
}

static void print_commands(const char *separator)
{
        for (const struct command *c = commands; c->name; c++)
                printf("%s%s", c == commands ? "" : separator, c->name);
}

/* ---- bash ---- */

/* A case of all options whose value is of this kind. @return whether there are any */
static bool bash_options_of(enum value_kind kind)
{
        bool any = false;

        for (const struct cli_option *o = cli_options; o->name; o++) {
                if (o->kind != kind || !o->argument)
                        continue;
                printf("%s--%s", any ? "|" : "    ", o->name);
                if (o->letter)
                        printf("|-%c", o->letter);
                any = true;
        }
        if (any)
                puts(")");
        return any;
}

static void bash_values(void)
{
        puts("    case $option in");
        if (bash_options_of(VALUE_TYPE)) {
                printf("        words=\"");
                print_types(" ");
                puts("\" ;;");
        }
        if (bash_options_of(VALUE_SHELL))
                puts("        words=\"bash zsh fish\" ;;");
        if (bash_options_of(VALUE_PATH))
                puts("        mapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n"
                     "        compopt -o filenames 2>/dev/null\n        return ;;");
        if (bash_options_of(VALUE_TABLE)) {
                printf("        words=\"");
                print_tables(&commands[COMMAND_STATUS]);
                puts("\" ;;");
        }
        if (bash_options_of(VALUE_COLUMNS)) {
                puts("        case $command in");
                for (const struct command *c = commands; c->name; c++) {
                        if (!command_has_columns(c))
                                continue;
                        printf("        %s) words=\"", c->name);
                        print_columns(c);
                        puts("\" ;;");
                }
                puts("        esac\n        before=${cur%\"${cur##*,}\"}\n        cur=${cur##*,}\n"
                     "        compopt -o nospace 2>/dev/null ;;");
        }
        if (bash_options_of(VALUE_ANY))
                puts("        return ;;");
        puts("    *)\n        option=\"\" ;;\n    esac");
}

static void print_bash(void)
{
        printf("# bash completion of pr-manager; made by `pr-manager --completions=bash`\n"
               "_pr_manager()\n{\n"
               "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
               "    local command=\"\" option=\"\" words=\"\" before=\"\" word\n\n"
               "    for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
               "        case $word in\n        ");
        print_commands("|");
        puts(")\n            command=$word\n            break ;;\n        esac\n    done\n"
             "    if [[ $cur == \"=\" ]]; then\n        option=$prev cur=\"\"\n"
             "    elif [[ $prev == \"=\" ]]; then\n        option=${COMP_WORDS[COMP_CWORD-2]}\n"
             "    elif [[ $prev == -* ]]; then\n        option=$prev\n    fi");
        bash_values();
        puts("    if [[ -z $option && $cur == -* ]]; then\n        case $command in");
        for (size_t i = 0; i <= COMMAND_COUNT; i++) {
                printf("        %s) words=\"", i < COMMAND_COUNT ? commands[i].name : "*");
                for (const struct cli_option *o = cli_options; o->name; o++) {
                        bool common = option_is_for(o, COMMAND_SHOW) && option_is_for(o, COMMAND_CLEAR);
                        if (i < COMMAND_COUNT ? option_is_for(o, i) : common)
                                printf("--%s%s ", o->name, o->argument ? "=" : "");
                }
                puts("\" ;;");
        }
        printf("        esac\n    elif [[ -z $option && -z $command ]]; then\n        words=\"");
        print_commands(" ");
        puts("\"\n    elif [[ -z $option ]]; then\n"
             "        mapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n"
             "        compopt -o filenames 2>/dev/null\n        return\n    fi\n"
             "    mapfile -t COMPREPLY < <(compgen -P \"$before\" -W \"$words\" -- \"$cur\")\n"
             "    if [[ ${COMPREPLY[0]} == *= ]]; then\n        compopt -o nospace 2>/dev/null\n    fi\n}\n"
             "complete -F _pr_manager pr-manager");
}

/* ---- zsh ---- */

static void zsh_option(const struct cli_option *o, const struct command *command)
{
        printf("            '*--%s%s[", o->name, o->argument ? "=" : "");
        print_brief(o);
        putchar(']');
        if (!o->argument) {
                puts("' \\");
                return;
        }
        printf(":%s:", o->argument);
        switch (o->kind) {
        case VALUE_TYPE:
                putchar('(');
                print_types(" ");
                putchar(')');
                break;
        case VALUE_SHELL:
                printf("(bash zsh fish)");
                break;
        case VALUE_PATH:
                printf("_files");
                break;
        case VALUE_TABLE:
                putchar('(');
                print_tables(command);
                putchar(')');
                break;
        case VALUE_COLUMNS:
                printf("_values -s , column ");
                print_columns(command);
                break;
        default:
                putchar(' ');
        }
        puts("' \\");
}

static void print_zsh(void)
{
        puts("#compdef pr-manager\n# made by `pr-manager --completions=zsh`\n\n_pr-manager() {\n"
             "    local curcontext=$curcontext state line\n    local -a commands\n    commands=(");
        for (const struct command *c = commands; c->name; c++)
                printf("        '%s:%s'\n", c->name, c->summary);
        puts("    )\n    _arguments -C \\");
        for (const struct cli_option *o = cli_options; o->name; o++)
                if (option_is_for(o, COMMAND_SHOW) && option_is_for(o, COMMAND_CLEAR))
                        zsh_option(o, NULL);
        puts("            '1:command:->command' '*::argument:->argument'\n    case $state in\n"
             "    command)\n        _describe command commands ;;\n    argument)\n"
             "        case $line[1] in");
        for (size_t i = 0; i < COMMAND_COUNT; i++) {
                printf("        %s)\n            _arguments \\\n", commands[i].name);
                for (const struct cli_option *o = cli_options; o->name; o++)
                        if (option_is_for(o, i))
                                zsh_option(o, &commands[i]);
                puts(commands[i].max > 0 ? "            '1:device:_files' ;;" : "            && return ;;");
        }
        puts("        esac ;;\n    esac\n}\n\n_pr-manager \"$@\"");
}

/* ---- fish ---- */

static void fish_option(const struct cli_option *o, const struct command *command, size_t index)
{
        printf("complete -c pr-manager -n '__fish_seen_subcommand_from %s' -l %s", command->name, o->name);
        if (o->letter)
                printf(" -s %c", o->letter);
        if (o->argument)
                printf(o->kind == VALUE_PATH ? " -r -F" : " -x");
        if (o->kind == VALUE_TYPE || o->kind == VALUE_SHELL || o->kind == VALUE_TABLE) {
                printf(" -a '");
                if (o->kind == VALUE_TYPE)
                        print_types(" ");
                else if (o->kind == VALUE_TABLE)
                        print_tables(command);
                else
                        printf("bash zsh fish");
                putchar('\'');
        } else if (o->kind == VALUE_COLUMNS) {
                printf(" -a '(__fish_append , ");
                print_columns(&commands[index]);
                printf(")'");
        }
        printf(" -d '");
        print_brief(o);
        puts("'");
}

static void print_fish(void)
{
        puts("# fish completion of pr-manager; made by `pr-manager --completions=fish`\n"
             "complete -c pr-manager -f");
        for (const struct command *c = commands; c->name; c++)
                printf("complete -c pr-manager -n __fish_use_subcommand -a %s -d '%s'\n", c->name,
                       c->summary);
        for (const struct cli_option *o = cli_options; o->name; o++) {
                if (!option_is_for(o, COMMAND_SHOW) || !option_is_for(o, COMMAND_CLEAR))
                        continue;
                printf("complete -c pr-manager -n __fish_use_subcommand -l %s%s%s -d '", o->name,
                       !o->argument ? "" : o->kind == VALUE_PATH ? " -r -F" : " -x",
                       o->kind == VALUE_SHELL ? " -a 'bash zsh fish'" : "");
                print_brief(o);
                puts("'");
        }
        for (size_t i = 0; i < COMMAND_COUNT; i++) {
                for (const struct cli_option *o = cli_options; o->name; o++)
                        if (option_is_for(o, i))
                                fish_option(o, &commands[i], i);
                if (commands[i].max > 0)
                        printf("complete -c pr-manager -n '__fish_seen_subcommand_from %s' -F\n",
                               commands[i].name);
        }
}

int completions_print(const char *shell)
{
        if (strcmp(shell, "bash") == 0)
                print_bash();
        else if (strcmp(shell, "zsh") == 0)
                print_zsh();
        else if (strcmp(shell, "fish") == 0)
                print_fish();
        else {
                message("there are completions for bash, zsh and fish, not for '%s'", shell);
                return CLI_SYNTAX;
        }
        return 0;
}
