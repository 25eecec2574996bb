/* SPDX-License-Identifier: BSD-2-Clause */
/* The daemon's options, one entry each: see options.h. */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "helper/devices.h"
#include "helper/options.h"

#define DEFAULT_SOCKET "/var/run/qemu-pr-helper.sock"
#define DEFAULT_PIDFILE "/var/run/qemu-pr-helper.pid"

enum {
        DEFAULT_TIMEOUT_S = 30,
        MAX_TIMEOUT_S = 86400,
        MAX_CLIENTS = 1000000,
};

/* A decimal number from `min` to `max`, the whole of `text`. */
static bool parse_number(const char *text, int base, unsigned long min, unsigned long max,
                         unsigned long *ret_number)
{
        char *end;

        errno = 0;
        unsigned long number = strtoul(text, &end, base);
        if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || number < min ||
            number > max)
                return false;
        *ret_number = number;
        return true;
}

/* A name, else a decimal id; (uid_t)-1 means "no change" to the kernel and is no id. */
static int parse_user(const char *text, uid_t *ret_user, gid_t *ret_group)
{
        unsigned long number;
        struct passwd *entry = getpwnam(text);

        if (!entry && parse_number(text, 10, 0, UINT32_MAX - 1, &number)) {
                *ret_user = (uid_t)number;
                entry = getpwuid(*ret_user);
        } else if (entry) {
                *ret_user = entry->pw_uid;
        } else {
                log_error("invalid user '%s'", text);
                return OPTIONS_ERROR;
        }
        if (ret_group)
                *ret_group = entry ? entry->pw_gid : (gid_t)*ret_user; /* and never root's */
        return 0;
}

static int parse_group(const char *text, gid_t *ret_group)
{
        unsigned long number;
        struct group *entry = getgrnam(text);

        if (entry) {
                *ret_group = entry->gr_gid;
        } else if (parse_number(text, 10, 0, UINT32_MAX - 1, &number)) {
                *ret_group = (gid_t)number;
        } else {
                log_error("invalid group '%s'", text);
                return OPTIONS_ERROR;
        }
        return 0;
}

static int apply_help(void *into, const char *value)
{
        (void)into, (void)value;
        return OPTIONS_HELP;
}

static int apply_version(void *into, const char *value)
{
        (void)into, (void)value;
        return OPTIONS_VERSION;
}

static int apply_daemon(void *into, const char *value)
{
        struct helper_options *options = into;

        (void)value;
        options->daemon = true;
        return 0;
}

static int apply_pidfile(void *into, const char *value)
{
        struct helper_options *options = into;

        options->pidfile = value;
        options->pidfile_given = true;
        return 0;
}

static int apply_socket(void *into, const char *value)
{
        struct helper_options *options = into;

        if (value[0] != '/') {
                log_error("socket path must be absolute");
                return OPTIONS_ERROR;
        }
        options->socket_path = value;
        options->socket_path_given = true;
        return 0;
}

static int apply_socket_mode(void *into, const char *value)
{
        struct helper_options *options = into;
        unsigned long mode;

        if (!parse_number(value, 8, 0, 0777, &mode)) {
                log_error("invalid socket mode '%s': an octal number up to 777, such as 660",
                          value);
                return OPTIONS_ERROR;
        }
        options->listener.mode = (int)mode;
        return 0;
}

static int apply_socket_owner(void *into, const char *value)
{
        struct helper_options *options = into;
        cleanup_free char *user = strdup(value);
        char *group = user ? strchr(user, ':') : NULL;
        int r = 0;

        if (!user) {
                log_error("%s", strerror(ENOMEM));
                return OPTIONS_ERROR;
        }
        if (group)
                *group++ = '\0';
        if (user[0] != '\0' || !group)
                r = parse_user(user, &options->listener.user, NULL);
        if (r == 0 && group)
                r = parse_group(group, &options->listener.group);
        return r;
}

static void warn(const char *message)
{
        log_warning("warning: %s", message);
}

static int apply_status_socket(void *into, const char *value)
{
        struct helper_options *options = into;

        options->status_socket = value;
        return 0;
}

static int apply_trace(void *into, const char *value)
{
        struct helper_options *options = into;
        char error[256];
        int r = trace_options_apply(&options->trace, value, error, sizeof error);

        if (r == TRACE_HELP) {
                for (size_t i = 0; i < options->trace.count; i++)
                        puts(options->trace.events[i].name);
                return OPTIONS_EXIT;
        }
        if (r < 0) {
                log_error("%s", error);
                return OPTIONS_ERROR;
        }
        return 0;
}

static int apply_user(void *into, const char *value)
{
        struct helper_options *options = into;

        options->set_user = true;
        return parse_user(value, &options->user, options->set_group ? NULL : &options->group);
}

static int apply_group(void *into, const char *value)
{
        struct helper_options *options = into;

        options->set_group = true;
        return parse_group(value, &options->group);
}

static int apply_quiet(void *into, const char *value)
{
        struct helper_options *options = into;

        (void)value;
        options->quiet = true;
        return 0;
}

static int apply_verbose(void *into, const char *value)
{
        struct helper_options *options = into;

        (void)value;
        options->verbose = true;
        return 0;
}

static int apply_timeout(void *into, const char *value)
{
        struct helper_options *options = into;
        unsigned long seconds;

        if (!parse_number(value, 10, 1, MAX_TIMEOUT_S, &seconds)) {
                log_error("invalid timeout '%s': whole seconds from 1 to %d", value, MAX_TIMEOUT_S);
                return OPTIONS_ERROR;
        }
        options->timeout_ms = (unsigned)seconds * 1000;
        return 0;
}

static int apply_no_sandbox(void *into, const char *value)
{
        struct helper_options *options = into;

        (void)value;
        options->no_sandbox = true;
        return 0;
}

/* A limit of its own kind, from 1 on. */
static int parse_limit(const char *what, const char *value, unsigned max, unsigned *ret_limit)
{
        unsigned long number;

        if (!parse_number(value, 10, 1, max, &number)) {
                log_error("invalid %s '%s': a number from 1 to %u", what, value, max);
                return OPTIONS_ERROR;
        }
        *ret_limit = (unsigned)number;
        return 0;
}

static int apply_max_clients(void *into, const char *value)
{
        struct helper_options *options = into;

        return parse_limit("number of clients", value, MAX_CLIENTS, &options->limits.clients);
}

static int apply_max_clients_per_user(void *into, const char *value)
{
        struct helper_options *options = into;

        return parse_limit("number of clients", value, MAX_CLIENTS,
                           &options->limits.clients_per_user);
}

static int apply_max_commands(void *into, const char *value)
{
        struct helper_options *options = into;

        return parse_limit("number of commands", value, DEVICE_COMMANDS_MAX,
                           &options->limits.commands);
}

static int apply_allow_stacked(void *into, const char *value)
{
        struct helper_options *options = into;

        (void)value;
        options->allow_stacked = true;
        return 0;
}

const struct option_entry helper_option_entries[] = {
        { "help", 'h', NULL, "show this help and exit", apply_help },
        { "version", 'V', NULL, "show the version and exit", apply_version },
        { "daemon", 'd', NULL, "run in the background", apply_daemon },
        { "pidfile", 'f', "PATH",
          "write the process id there, and lock it;\n"
          "with -d: '" DEFAULT_PIDFILE "' unless given", apply_pidfile },
        { "socket", 'k', "PATH",
          "listen on this unix socket\n(default '" DEFAULT_SOCKET "')", apply_socket },
        { "socket-mode", '\0', "OCTAL", "the socket's permissions (default: by umask)",
          apply_socket_mode },
        { "socket-owner", '\0', "USER[:GROUP]", "the socket's owner (default: who starts it)",
          apply_socket_owner },
        { "user", 'u', "USER", "user to drop privileges to, with its group", apply_user },
        { "group", 'g', "GROUP", "group to drop privileges to", apply_group },
        { "timeout", '\0', "SECONDS", "how long a device has for a command (default 30)",
          apply_timeout },
        { "allow-stacked", '\0', NULL,
          "serve partitions and device-mapper volumes on SCSI\n"
          "disks, whose reservations hold the whole disk", apply_allow_stacked },
        { "max-clients", '\0', "NUMBER",
          "connections at a time (default: what descriptors and\n"
          "threads allow, at most 10000)", apply_max_clients },
        { "max-clients-per-user", '\0', "NUMBER",
          "of one user (default: three quarters of that)", apply_max_clients_per_user },
        { "max-commands", '\0', "NUMBER",
          "of one user at a time on one device (default 16)", apply_max_commands },
        { "status-socket", '\0', "PATH",
          "tell there what the helper is doing, as JSON, to\n"
          "root and whoever starts it; see pr-manager status", apply_status_socket },
        { "no-sandbox", '\0', NULL, "do without seccomp and Landlock, for debugging",
          apply_no_sandbox },
        { "trace", 'T', "[[enable=]PATTERN][,events=FILE][,file=FILE]",
          "switch trace events on, may be given many times;\n"
          "'-T help' lists them", apply_trace },
        { "quiet", 'q', NULL, "only warnings, errors, and the commands that reach\n"
          "a device", apply_quiet },
        { "verbose", 'v', NULL, "clients coming and going too", apply_verbose },
        { 0 },
};

void helper_options_init(struct helper_options *options, const char *program)
{
        *options = (struct helper_options){
                .program = program,
                .socket_path = DEFAULT_SOCKET,
                .pidfile = DEFAULT_PIDFILE,
                .listener = { .mode = -1, .user = (uid_t)-1, .group = (gid_t)-1 },
                .group = (gid_t)-1,
                .timeout_ms = DEFAULT_TIMEOUT_S * 1000,
                .trace = { .warn = warn },
        };
}
