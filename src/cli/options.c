/* SPDX-License-Identifier: BSD-2-Clause */
/* Parsing by the table: see options.h. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/commands.h"

enum {
        OPTIONS_MAX = 40,
        LONG_ONLY = 256, /* getopt's value of an option without a letter: this and its place */
};

/* Which options were given, and which more than once: a bit for each place in cli_options. */
struct given {
        uint64_t once, again;
};

static int try_help(const struct command *command)
{
        message("try `" CLI_NAME "%s%s --help'", command ? " " : "", command ? command->name : "");
        return CLI_SYNTAX;
}

static int find_letter(int value)
{
        if (value >= LONG_ONLY)
                return value - LONG_ONLY;
        for (int i = 0; cli_options[i].name; i++)
                if (cli_options[i].letter == value)
                        return i;
        return -1;
}

/* Names that begin as the word does, where no option has all of it. */
static void no_such_option(const char *word)
{
        char names[512] = "";
        size_t size = 0;

        for (const struct cli_option *o = cli_options; o->name; o++)
                if (strncmp(o->name, word + 2, strcspn(word + 2, "=")) == 0 && size < sizeof names)
                        size += (size_t)snprintf(names + size, sizeof names - size, " --%s", o->name);
        message(size > 0 ? "ambiguous option '%s':%s" : "unknown option '%s'%s", word, names);
}

/* What getopt stumbled over, in our words. */
static int unknown_option(int value, char *const *argv)
{
        const char *word = argv[optind - 1];

        if (value == ':')
                message("option '%s' needs a value", word);
        else if (optopt == 0)
                no_such_option(word);
        else if (optopt >= LONG_ONLY || strncmp(word, "--", 2) == 0)
                message("option '%.*s' takes no value", (int)strcspn(word, "="), word);
        else
                message("unknown option '-%c'", optopt);
        return try_help(NULL);
}

static int parse_options(int argc, char **argv, struct options *options, struct given *ret_given)
{
        struct option long_options[OPTIONS_MAX + 1] = { 0 };
        char letters[2 * OPTIONS_MAX + 2] = ":", *at = letters + 1;

        for (int i = 0; i < OPTIONS_MAX && cli_options[i].name; i++) {
                const struct cli_option *o = &cli_options[i];
                long_options[i] = (struct option){
                        .name = o->name,
                        .has_arg = o->argument ? required_argument : no_argument,
                        .val = o->letter ? o->letter : LONG_ONLY + i,
                };
                if (o->letter) {
                        *at++ = o->letter;
                        if (o->argument)
                                *at++ = ':';
                }
        }
        for (*ret_given = (struct given){ 0 }, opterr = 0;;) {
                int value = getopt_long(argc, argv, letters, long_options, NULL);
                if (value == -1)
                        return 0;
                int i = value == '?' || value == ':' ? -1 : find_letter(value);
                if (i < 0)
                        return unknown_option(value, argv);
                const struct cli_option *o = &cli_options[i];
                if (o->parse(o, optarg, (char *)options + o->member) != 0)
                        return CLI_SYNTAX;
                ret_given->again |= ret_given->once & (uint64_t)1 << i;
                ret_given->once |= (uint64_t)1 << i;
        }
}

static int find_command(const char *name, const struct command **ret_command)
{
        for (const struct command *c = commands; c->name; c++) {
                if (strcmp(c->name, name) == 0) {
                        *ret_command = c;
                        return 0;
                }
        }
        message("there is no command '%s'", name);
        return try_help(NULL);
}

/* The command got options that it takes, each as often as it may, and all that it needs. */
static int check_options(const struct command *command, struct given given)
{
        size_t index = (size_t)(command - commands);

        for (int i = 0; cli_options[i].name; i++) {
                const struct cli_option *o = &cli_options[i];
                bool is_for = option_is_for(o, index);
                bool too_often = (given.again >> i & 1) && o->argument && !(o->repeats >> index & 1);
                if ((given.once >> i & 1) && (!is_for || too_often)) {
                        message("%s: --%s %s", command->name, o->name,
                                is_for ? "may be given once" : "is not for this command");
                        return try_help(command);
                }
        }
        for (int i = 0; cli_options[i].name; i++) {
                const struct cli_option *o = &cli_options[i];
                if (!(given.once >> i & 1) && (o->needs >> index & 1)) {
                        message("%s: --%s=%s is missing", command->name, o->name, o->argument);
                        return try_help(command);
                }
        }
        return 0;
}

static int take_operands(const struct command *command, char **operands, unsigned count,
                         struct options *options)
{
        const char **const members[] = { &options->device, &options->cdb, &options->data };

        if (count < command->min) {
                message("%s: %s", command->name,
                        count == 0 ? "the device is missing" : "the command in hexadecimal is missing");
                return try_help(command);
        }
        if (count > command->max) {
                message("%s: '%s' is one argument too many", command->name, operands[command->max]);
                return try_help(command);
        }
        if (count > 0 && operands[0][0] == '\0') {
                message("%s: the device is empty", command->name);
                return try_help(command);
        }
        for (unsigned i = 0; i < count; i++)
                *members[i] = operands[i];
        return 0;
}

/* Options that are sound each by itself, but not together. */
static int check_together(const struct options *options)
{
        const char *wrong = NULL;

        if (options->direct && options->helper_given)
                wrong = "--helper and --direct are two ways to the device: give one";
        else if (options->allow_stacked && !options->direct)
                wrong = "--allow-stacked goes with --direct; a helper has an option of that name itself";
        else if (options->prometheus && (options->json || options->output || options->no_headings ||
                                         options->table))
                wrong = "--prometheus is a format of its own: leave --json, --table, --output and "
                        "--noheadings away";
        else if (options->ignore_existing && options->key != 0)
                wrong = "--ignore-existing does not look at --key: give one or the other";
        else if (options->ignore_existing && options->initiator_count > 0)
                wrong = "--initiator registers ports that are not registered yet: it does not go with "
                        "--ignore-existing";
        else if (options->command == &commands[COMMAND_REGISTER] && options->key != 0 &&
                 options->initiator_count > 0)
                wrong = "register: --initiator registers this nexus too, where it is not registered yet: "
                        "it does not go with --key";
        else if (options->command == &commands[COMMAND_REGISTER] && options->new_key == 0 &&
                 options->initiator_count > 0)
                wrong = "register: --new-key=0 unregisters this nexus, and --initiator registers others: "
                        "give one or the other";
        if (!wrong)
                return 0;
        message("%s", wrong);
        return CLI_SYNTAX;
}

static void set_defaults(struct options *options)
{
        const char *helper = getenv(HELPER_VARIABLE);

        *options = (struct options){
                .helper = helper && helper[0] != '\0' ? helper : DEFAULT_HELPER,
                .sysfs = "/sys",
                .interval_s = 5,
                .status_socket = DEFAULT_STATUS_SOCKET,
        };
}

int options_parse(int argc, char **argv, struct options *ret_options)
{
        struct given given;

        set_defaults(ret_options);
        if (parse_options(argc, argv, ret_options, &given) != 0)
                return CLI_SYNTAX;
        if (ret_options->helper_given)
                ret_options->helper = ret_options->helper_given;
        if (optind < argc && find_command(argv[optind++], &ret_options->command) != 0)
                return CLI_SYNTAX;

        const struct command *command = ret_options->command;
        if (ret_options->help || ret_options->version || ret_options->completions)
                return 0;
        if (!command) {
                message("which command?");
                return try_help(NULL);
        }
        if (take_operands(command, argv + optind, (unsigned)(argc - optind), ret_options) != 0 ||
            check_options(command, given) != 0 || check_together(ret_options) != 0)
                return CLI_SYNTAX;
        return command->view ? view_check(command->view, ret_options) : 0;
}

void options_free(struct options *options)
{
        free(options->initiators);
        options->initiators = NULL;
        options->initiator_count = 0;
}
