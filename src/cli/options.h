/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command line: the commands, and the one table of their options that
 * drives parsing, --help, the completions, and the test that holds the man
 * page to them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "prmanager.h"

#define DEFAULT_HELPER "/var/run/qemu-pr-helper.sock"
#define DEFAULT_STATUS_SOCKET "/run/qemu-pr-helper.status"
#define HELPER_VARIABLE "PR_MANAGER_HELPER"

struct view;
struct command;

/** What the command line says. Strings are argv's. */
struct options {
        const struct command *command;
        const char *device, *cdb, *data; /**< operands, NULL where not given */

        const char *helper;        /**< --helper's, else the environment's, else the default */
        const char *helper_given;  /**< --helper's */
        bool direct, allow_stacked;
        unsigned timeout_s;        /**< 0: what the way has by itself */
        bool json, no_headings;
        const char *output;        /**< columns, or NULL */
        const char *sysfs;
        bool help, version;
        const char *completions;   /**< a shell */

        uint64_t key, new_key, victim;
        bool new_key_given;
        unsigned type;             /**< enum prm_type */
        bool aptpl, all_target_ports, ignore_existing, unregister, abort, yes;
        struct prm_transport_id *initiators; /**< allocated */
        size_t initiator_count;
        unsigned target_port;
        unsigned interval_s;
        const char *status_socket;
        const char *table;
        bool prometheus;
};

struct command {
        const char *name;
        const char *operands;   /**< as --help has them */
        unsigned min, max;      /**< how many operands */
        const char *summary;    /**< one line */
        const char *conflict;   /**< what RESERVATION CONFLICT means to it, or NULL */
        const struct view *view;
        int (*run)(const struct options *options); /**< returns the exit status */
};

/** In the order of --help; a command's bit in cli_option.takes is its place. Ended by one without name. */
extern const struct command commands[];

/** What an option's value may be completed with. */
enum value_kind {
        VALUE_ANY,
        VALUE_PATH,
        VALUE_TYPE,
        VALUE_COLUMNS, /**< of the command's tables, separated by commas */
        VALUE_TABLE,   /**< of the command's tables */
        VALUE_SHELL,
};

/** One option. */
struct cli_option {
        const char *name;
        char letter;          /**< or '\0' */
        const char *argument; /**< what --help calls its value, or NULL where it takes none */
        enum value_kind kind;
        const char *help;     /**< lines separated by '\n' */
        /** Parse `value` into the member. @return 0, or CLI_SYNTAX after a message */
        int (*parse)(const struct cli_option *option, const char *value, void *member);
        size_t member;        /**< offset in struct options */
        uint32_t takes, needs, repeats; /**< bit n for the nth command; a value is given once unless repeats */
};

enum { EVERY_COMMAND = -1 };

/** Ended by one without name. */
extern const struct cli_option cli_options[];

/** Whether command `index` takes this option. */
bool option_is_for(const struct cli_option *option, size_t index);

/** Whether it has tables whose columns can be chosen. */
bool command_has_columns(const struct command *command);

/**
 * Parse argv, all of it.
 * @param ret_options filled; options_free() frees it
 * @return 0, or CLI_SYNTAX after a message
 */
int options_parse(int argc, char **argv, struct options *ret_options);

void options_free(struct options *options);

/** --help: of a command, or with NULL of all. */
void help_print(const struct command *command);

/** The completion for a shell, to stdout. @return 0, or CLI_SYNTAX after a message */
int completions_print(const char *shell);
