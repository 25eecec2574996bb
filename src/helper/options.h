/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command line. One table of options drives parsing, --help and the test
 * that holds the man page to it; a program may add a table of its own.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/trace.h"
#include "helper/limits.h"
#include "helper/listener.h"

/** What the daemon's own options say. Strings are argv's. */
struct helper_options {
        const char *program;      /**< its name, for messages */
        const char *socket_path;  /**< default or -k; absolute */
        bool socket_path_given;
        const char *pidfile;      /**< default or -f */
        bool pidfile_given;
        bool daemon;
        bool quiet, verbose;
        bool set_user, set_group;
        uid_t user;
        gid_t group;
        struct listener_options listener; /**< --socket-mode, --socket-owner */
        const char *status_socket; /**< or NULL */
        struct limits limits;     /**< 0 where not given */
        unsigned timeout_ms;      /**< for a command on a device */
        bool allow_stacked;
        bool no_sandbox;
        struct trace_options trace;
};

/** One option: its names, what --help says, and what it does. */
struct option_entry {
        const char *name;
        char letter;          /**< or '\0' */
        const char *argument; /**< what --help calls its argument, or NULL where it takes none */
        const char *help;     /**< lines separated by '\n' */
        /** @return 0 or one of the OPTIONS_ below */
        int (*apply)(void *into, const char *value);
};

/** A table of options, ended by an entry without a name, and what they fill. */
struct option_table {
        const struct option_entry *entries;
        void *into;
};

enum {
        OPTIONS_EXIT = 1, /**< all was said: exit 0 */
        OPTIONS_ERROR,    /**< it was logged what is wrong: exit 1 */
        OPTIONS_HELP,     /**< --help was asked for */
        OPTIONS_VERSION,  /**< --version was asked for */
};

/** The daemon's options. */
extern const struct option_entry helper_option_entries[];

/** Defaults, for a program of this name. */
void helper_options_init(struct helper_options *options, const char *program);

/**
 * Parse argv by these tables, ended by one without entries.
 * @return 0 or one of the above
 */
int options_parse(int argc, char **argv, const struct option_table *tables);

/** The whole of --help, to stdout. */
void options_print_help(const char *argv0, const char *summary, const struct option_table *tables);
