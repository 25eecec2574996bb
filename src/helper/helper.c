/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The daemon's life, in this order: options, trace, devices, listen,
 * daemonize, pidfile, keeper, privileges and sandbox, serve. See helper.h.
 */
#include "helper/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/standard_fds.h"
#include "helper/activation.h"
#include "helper/confine.h"
#include "helper/daemonize.h"
#include "helper/events.h"
#include "helper/farewell.h"
#include "helper/keeper.h"
#include "helper/listener.h"
#include "helper/pidfile.h"
#include "helper/privileges.h"

enum {
        KEEPER_MS = 2000, /* for the paths to go, at the end */
        FLUSH_MS = 2000,  /* for the log to be written, at the end */
        LOG_MS = 500,     /* of what is left of the end, kept for that */
};

/* What has been set up so far. */
struct helper {
        const struct helper_program *program;
        struct helper_options options;
        struct helper_endpoint places[ENDPOINTS_MAX];
        struct endpoint endpoints[ENDPOINTS_MAX];
        size_t endpoint_count;
        struct owned_path paths[KEEPER_PATHS_MAX];
        size_t path_count;
        struct background background; /* with -d, until we are ready */
        int pidfile; /* holds the lock */
        int keeper;
        int status; /* the status socket, listening */
        const char *eperm_cause;
        int64_t until_ms; /* when the end has to be over, once it has begun */
};

static int parse_options(struct helper *helper, int argc, char **argv)
{
        struct option_table tables[] = {
                { helper_option_entries, &helper->options },
                helper->program->options,
                { NULL, NULL },
        };
        int r = options_parse(argc, argv, tables);

        if (r == OPTIONS_HELP)
                options_print_help(argv[0], helper->program->summary, tables);
        else if (r == OPTIONS_VERSION)
                printf("%s (pr-manager) %s\n", helper->program->name, PR_VERSION);
        if (helper->options.quiet)
                log_set_level(LOG_WARNING);
        else if (helper->options.verbose)
                log_set_level(LOG_INFO);
        return r;
}

static int open_trace(const struct helper *helper)
{
        int r = trace_open(&helper->options.trace);

        if (r < 0)
                log_error("Error opening logfile %s: %s", helper->options.trace.file, strerror(-r));
        return r;
}

/* The one socket that a service manager passed, or none. */
static int use_activation(struct helper *helper, int fd)
{
        if (helper->options.socket_path_given) {
                log_error("Unix socket can't be set when using socket activation");
                return -EINVAL;
        }
        if (helper->endpoint_count != 1) {
                log_error("Socket activation passes one socket, and there are %zu to serve",
                          helper->endpoint_count);
                return -EINVAL;
        }
        helper->endpoints[0].listener = fd;
        helper->endpoints[0].activated = true;
        TRACE(EVENT_LISTEN, "fd=%d activated", fd);
        return 0;
}

/* Each socket and the pidfile need a path of their own. */
static int check_is_free(const struct helper *helper, const char *path)
{
        struct owned_path place = OWNED_PATH_NONE;
        bool taken = false;

        if (owned_path_init(&place, path) < 0)
                return 0; /* whoever makes it says why not */
        for (size_t i = 0; i < helper->path_count; i++)
                taken |= owned_path_same(&place, &helper->paths[i]);
        owned_path_close(&place);
        if (taken)
                log_error("'%s' is named twice: each socket and the pid file need a path of their own",
                          path);
        return taken ? -EEXIST : 0;
}

static int listen_at(struct helper *helper, const char *path, const struct listener_options *how)
{
        int fd = check_is_free(helper, path);

        if (fd == 0)
                fd = listener_open(path, how, &helper->paths[helper->path_count]);
        if (fd < 0)
                return fd;
        helper->path_count++;
        TRACE(EVENT_LISTEN, "fd=%d path=%s", fd, path);
        return fd;
}

/* The status socket is root's, or whoever's who starts us, and nobody else's. */
static int listen_status(struct helper *helper)
{
        static const struct listener_options private = {
                .mode = 0600, .user = (uid_t)-1, .group = (gid_t)-1 };

        if (!helper->options.status_socket)
                return 0;
        helper->status = listen_at(helper, helper->options.status_socket, &private);
        return helper->status < 0 ? helper->status : 0;
}

static int listen_all(struct helper *helper)
{
        int fd = activation_socket();

        if (fd < 0)
                return fd;
        if (fd > 0)
                return use_activation(helper, fd);
        for (size_t i = 0; i < helper->endpoint_count; i++) {
                fd = listen_at(helper, helper->places[i].path, &helper->options.listener);
                if (fd < 0)
                        return fd;
                helper->endpoints[i].listener = fd;
        }
        return 0;
}

/* Devices are ready first, so that nobody connects to what cannot serve. */
static int start_devices(struct helper *helper)
{
        int n = helper->program->start(&helper->options, helper->places);

        if (n < 0)
                return n;
        helper->endpoint_count = (size_t)n;
        for (size_t i = 0; i < helper->endpoint_count; i++)
                helper->endpoints[i].source = helper->places[i].source;
        return 0;
}

static int go_background(struct helper *helper)
{
        if (!helper->options.daemon)
                return 0;
        int r = log_use_syslog();
        if (r == 0)
                log_warning("there is no syslog at /dev/log: nothing is logged until there is");
        if (r >= 0)
                r = daemonize(&helper->background);
        if (r < 0)
                log_error("cannot run in the background: %s", strerror(-r));
        return r;
}

static int write_pidfile(struct helper *helper)
{
        if (!helper->options.daemon && !helper->options.pidfile_given)
                return 0;
        int fd = check_is_free(helper, helper->options.pidfile);
        if (fd == 0)
                fd = pidfile_create(helper->options.pidfile, &helper->paths[helper->path_count]);
        if (fd < 0)
                return fd;
        helper->path_count++;
        helper->pidfile = fd;
        return 0;
}

static int keeper_failed(int error)
{
        log_error("cannot start the process that removes the socket at the end: %s", strerror(-error));
        return error;
}

static int start_keeper(struct helper *helper)
{
        int r = privileges_bound();

        if (r < 0 || helper->path_count == 0)
                return r;
        int fd = keeper_start(helper->paths, helper->path_count, !helper->options.no_sandbox);
        if (fd < 0)
                return keeper_failed(fd);
        helper->keeper = fd;
        for (size_t i = 0; i < helper->path_count; i++)
                owned_path_close(&helper->paths[i]);
        helper->path_count = 0;
        return 0;
}

/* It gives up what it does not need while we do. */
static int confirm_keeper(struct helper *helper)
{
        int r = helper->keeper < 0 ? 0 : keeper_confirm(helper->keeper);

        return r < 0 ? keeper_failed(r) : 0;
}

static int ready(void *argument)
{
        struct helper *helper = argument;

        if (!helper->options.daemon)
                return 0;
        int r = daemonize_ready(&helper->background);
        if (r == 0)
                log_leave_stderr();
        return r;
}

/* Privileges, then everything else that serving does not take. Nothing is opened from here on. */
static int give_up(struct helper *helper)
{
        int r = privileges_drop(&helper->options, helper->program->rawio);

        if (r == 0 && helper->program->check)
                r = helper->program->check();
        if (r < 0)
                return r;
        helper->eperm_cause = privileges_explain_eperm();
        limits_settle(&helper->options.limits);
        r = farewell_init();
        if (r < 0) {
                log_error("cannot time how long closing takes: %s", strerror(-r));
                return r;
        }
        if (helper->options.daemon)
                (void)!chdir("/");
        if (helper->options.no_sandbox) {
                log_warning("running without its sandbox: for debugging only");
                return 0;
        }
        return confine(helper->program->folder ? helper->program->folder() : -1);
}

static int serve(struct helper *helper)
{
        sigset_t signals;

        sigemptyset(&signals);
        sigaddset(&signals, SIGTERM);
        sigaddset(&signals, SIGINT);
        sigaddset(&signals, SIGHUP);
        struct server_options server = {
                .endpoints = helper->endpoints,
                .count = helper->endpoint_count,
                .signals = &signals,
                .eperm_cause = helper->eperm_cause,
                .status_listener = helper->status,
                .timeout_ms = helper->options.timeout_ms,
                .limits = helper->options.limits,
        };
        int r = server_run(&server, ready, helper, &helper->until_ms);
        if (r < 0)
                log_error("cannot serve: %s", strerror(-r));
        return r;
}

static int run(struct helper *helper)
{
        int r = open_trace(helper);

        if (r == 0)
                r = start_devices(helper);
        if (r == 0)
                r = listen_all(helper);
        if (r == 0)
                r = listen_status(helper);
        if (r == 0)
                r = go_background(helper);
        if (r == 0)
                r = write_pidfile(helper);
        if (r == 0)
                r = start_keeper(helper);
        if (r == 0)
                r = give_up(helper);
        if (r == 0)
                r = confirm_keeper(helper);
        return r == 0 ? serve(helper) : r;
}

/* From here on a signal that would end us waits until there is something to end. */
static void block_signals(void)
{
        sigset_t signals;

        signal(SIGPIPE, SIG_IGN);
        sigemptyset(&signals);
        sigaddset(&signals, SIGTERM);
        sigaddset(&signals, SIGINT);
        sigaddset(&signals, SIGHUP);
        sigprocmask(SIG_BLOCK, &signals, NULL);
}

static int least(int a, int b)
{
        return a < b ? a : b;
}

/* What the next helper needs is given up first, and then the log is waited for: it may take nothing. */
static void end(struct helper *helper, bool left_behind)
{
        for (size_t i = 0; i < helper->path_count; i++)
                owned_path_remove(&helper->paths[i]); /* nobody keeps them yet */
        close_fd(&helper->pidfile); /* threads on a device that hangs would keep the lock */
        if (helper->keeper >= 0)
                keeper_stop(helper->keeper, least(KEEPER_MS, clock_left(helper->until_ms - LOG_MS)));
        if (left_behind)
                server_tell_left(helper->until_ms);
        (void)log_flush(least(FLUSH_MS, clock_left(helper->until_ms)));
}

int helper_main(int argc, char **argv, const struct helper_program *program)
{
        static struct helper helper;

        int r = standard_fds_fill(O_RDWR);
        block_signals();
        log_open(program->name);
        if (r < 0) {
                log_error("cannot open /dev/null: %s", strerror(-r));
                return 1;
        }
        helper.program = program;
        helper.background = BACKGROUND_NONE;
        helper.until_ms = INT64_MAX;
        helper.pidfile = helper.keeper = helper.status = -1;
        helper_options_init(&helper.options, program->name);
        helper.options.trace.events = helper_events;
        helper.options.trace.count = EVENT_COUNT;

        r = parse_options(&helper, argc, argv);
        if (r != 0)
                return r == OPTIONS_ERROR;

        r = run(&helper);
        end(&helper, r > 0);
        if (r > 0)
                _exit(0); /* threads are still on their devices, and exit(3) would wait for locks */
        return r < 0;
}
