/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * helper/options and the daemon's table: what each option does, what is said
 * when it cannot be, and that --help tells of all of them.
 */
#include "helper/options.h"

#include <getopt.h>
#include <grp.h>
#include <pwd.h>

#include "base/log.h"
#include "fixture.h"
#include "tap.h"

enum { ARGS_MAX = 8 };

static struct helper_options options;
static struct trace_event events[] = { { "one", false }, { "two", false } };

static int apply_own(void *into, const char *value)
{
        *(const char **)into = value;
        return 0;
}

/* A program's own table, beside the daemon's. */
static const struct option_entry own_entries[] = {
        { "own-option", '\0', "WHAT", "of this program alone", apply_own },
        { 0 },
};
static const char *own;
static const struct option_table tables[] = {
        { helper_option_entries, &options },
        { own_entries, &own },
        { NULL, NULL },
};

/* Parse; what was said on stderr comes back, and on stdout with it. */
static const char *parse(const char *const *args, int *ret_result)
{
        char *argv[ARGS_MAX + 2] = { (char *)"/x/argv0" };
        int argc = 1;

        for (; args[argc - 1]; argc++)
                argv[argc] = (char *)args[argc - 1];
        optind = 0;
        own = NULL;
        helper_options_init(&options, "qemu-pr-helper");
        options.trace.events = events;
        options.trace.count = sizeof events / sizeof events[0];
        struct capture c = capture_begin(STDERR_FILENO);
        *ret_result = options_parse(argc, argv, tables);
        return capture_end(&c);
}

#define TRY "qemu-pr-helper: Try `/x/argv0 --help' for more information.\n"
#define SAYS "qemu-pr-helper: "

static const struct {
        const char *args[ARGS_MAX];
        int r;
        const char *says;
} cases[] = {
        { { NULL }, 0, "" },
        { { "-h" }, OPTIONS_HELP, "" },
        { { "--help", "--bogus" }, OPTIONS_HELP, "" },
        { { "-V" }, OPTIONS_VERSION, "" },
        { { "--version" }, OPTIONS_VERSION, "" },
        { { "-x" }, OPTIONS_ERROR, "/x/argv0: invalid option -- 'x'\n" TRY },
        { { "--bogus" }, OPTIONS_ERROR, "/x/argv0: unrecognized option '--bogus'\n" TRY },
        { { "-k" }, OPTIONS_ERROR, "/x/argv0: option requires an argument -- 'k'\n" TRY },
        { { "--timeout" }, OPTIONS_ERROR, "/x/argv0: option '--timeout' requires an argument\n" TRY },
        { { "--daemon=1" }, OPTIONS_ERROR,
          "/x/argv0: option '--daemon' doesn't allow an argument\n" TRY },
        { { "-k", "relative" }, OPTIONS_ERROR, SAYS "socket path must be absolute\n" },
        { { "-k", "" }, OPTIONS_ERROR, SAYS "socket path must be absolute\n" },
        { { "-u", "no such user" }, OPTIONS_ERROR, SAYS "invalid user 'no such user'\n" },
        { { "-u", "" }, OPTIONS_ERROR, SAYS "invalid user ''\n" },
        { { "-u", "-1" }, OPTIONS_ERROR, SAYS "invalid user '-1'\n" },
        { { "-u", "4294967295" }, OPTIONS_ERROR, SAYS "invalid user '4294967295'\n" },
        { { "-u", "99999999999999999999" }, OPTIONS_ERROR, SAYS "invalid user '99999999999999999999'\n" },
        { { "-u", "12x" }, OPTIONS_ERROR, SAYS "invalid user '12x'\n" },
        { { "-g", "no such group" }, OPTIONS_ERROR, SAYS "invalid group 'no such group'\n" },
        { { "-g", "4294967295" }, OPTIONS_ERROR, SAYS "invalid group '4294967295'\n" },
        { { "--timeout=0" }, OPTIONS_ERROR, SAYS "invalid timeout '0': whole seconds from 1 to 86400\n" },
        { { "--timeout=86401" }, OPTIONS_ERROR,
          SAYS "invalid timeout '86401': whole seconds from 1 to 86400\n" },
        { { "--timeout=1.5" }, OPTIONS_ERROR,
          SAYS "invalid timeout '1.5': whole seconds from 1 to 86400\n" },
        { { "--timeout=-1" }, OPTIONS_ERROR, SAYS "invalid timeout '-1': whole seconds from 1 to 86400\n" },
        { { "--timeout= 5" }, OPTIONS_ERROR, SAYS "invalid timeout ' 5': whole seconds from 1 to 86400\n" },
        { { "--socket-mode=8" }, OPTIONS_ERROR,
          SAYS "invalid socket mode '8': an octal number up to 777, such as 660\n" },
        { { "--socket-mode=1000" }, OPTIONS_ERROR,
          SAYS "invalid socket mode '1000': an octal number up to 777, such as 660\n" },
        { { "--socket-owner=no such user" }, OPTIONS_ERROR, SAYS "invalid user 'no such user'\n" },
        { { "--socket-owner=" }, OPTIONS_ERROR, SAYS "invalid user ''\n" },
        { { "--socket-owner=0:no such group" }, OPTIONS_ERROR, SAYS "invalid group 'no such group'\n" },
        { { "--max-clients=0" }, OPTIONS_ERROR,
          SAYS "invalid number of clients '0': a number from 1 to 1000000\n" },
        { { "--max-clients-per-user=1000001" }, OPTIONS_ERROR,
          SAYS "invalid number of clients '1000001': a number from 1 to 1000000\n" },
        { { "-T", "foo=1" }, OPTIONS_ERROR, SAYS "Invalid parameter 'foo'\n" },
        { { "-T", "events=/nonexistent" }, OPTIONS_ERROR, SAYS "/nonexistent: No such file or directory\n" },
        { { "-T", "three" }, 0, SAYS "warning: trace event 'three' does not exist\n" },
        { { "word" }, 0, SAYS "argument 'word' is ignored: there are only options\n" },
};

static void test_cases(void)
{
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                char line[64] = "";
                int r;

                for (const char *const *a = cases[i].args; *a; a++)
                        snprintf(line + strlen(line), sizeof line - strlen(line), " %s", *a);
                const char *says = parse(cases[i].args, &r);
                is_int(r, cases[i].r, "options%s: result", line);
                is_string(says, cases[i].says, "options%s: what is said", line);
        }
}

static void test_defaults(void)
{
        int r;

        is_string(parse((const char *[]){ NULL }, &r), "", "no options");
        is_string(options.program, "qemu-pr-helper", "default program");
        is_string(options.socket_path, "/var/run/qemu-pr-helper.sock", "default socket");
        is_string(options.pidfile, "/var/run/qemu-pr-helper.pid", "default pidfile");
        ok(!options.socket_path_given && !options.pidfile_given && !options.daemon &&
                   !options.quiet && !options.verbose && !options.set_user && !options.set_group &&
                   !options.allow_stacked && !options.no_sandbox, "nothing is on");
        ok(options.limits.clients == 0 && options.limits.clients_per_user == 0 &&
                   options.limits.commands == 0, "no limit was given");
        is_int(options.listener.mode, -1, "default socket mode: by umask");
        ok(options.listener.user == (uid_t)-1 && options.listener.group == (gid_t)-1,
           "default socket owner: left as it is");
        is_int(options.timeout_ms, 30000, "default timeout");
        ok(!options.status_socket, "no status socket");
        ok(!options.trace.file && !events[0].enabled, "no trace");
}

static void test_values(void)
{
        int r;

        is_string(parse((const char *[]){ "-dqv", "-k", "/a/b", "-f", "c", "--allow-stacked",
                                          "--timeout=86400", NULL }, &r), "", "many at once");
        ok(r == 0 && options.daemon && options.quiet && options.verbose && options.allow_stacked,
           "flags");
        ok(options.socket_path_given && options.pidfile_given, "paths were given");
        is_string(options.socket_path, "/a/b", "-k");
        is_string(options.pidfile, "c", "-f may be relative");
        is_int(options.timeout_ms, 86400000, "--timeout is in seconds");
        (void)parse((const char *[]){ "--socket=/c", "--pidfile=/d", "--daemon", "--quiet", "--verbose",
                                      "--own-option=x", "--status-socket=/e", NULL }, &r);
        ok(r == 0 && options.daemon && options.quiet && options.verbose, "long flags");
        is_string(options.socket_path, "/c", "--socket");
        is_string(options.pidfile, "/d", "--pidfile");
        is_string(options.status_socket, "/e", "--status-socket");
        is_string(own, "x", "an option of the program's own table");
        (void)parse((const char *[]){ "--max-clients=7", "--max-clients-per-user=6", "--max-commands=5",
                                      "--no-sandbox", NULL }, &r);
        ok(r == 0 && options.limits.clients == 7 && options.limits.clients_per_user == 6 &&
                   options.limits.commands == 5, "limits");
        ok(options.no_sandbox, "--no-sandbox");
        (void)parse((const char *[]){ "--max-commands=1000000", NULL }, &r);
        is_int(r, OPTIONS_ERROR, "more commands than are counted");
        (void)parse((const char *[]){ "-k", "/a", "-k", "/b", "--timeout=1", NULL }, &r);
        is_string(options.socket_path, "/b", "the last one counts");
        is_int(options.timeout_ms, 1000, "the shortest timeout");

        static const struct {
                const char *text;
                int mode;
        } modes[] = { { "0", 0 }, { "660", 0660 }, { "0777", 0777 }, { "007", 7 } };
        for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
                (void)parse((const char *[]){ "--socket-mode", modes[i].text, NULL }, &r);
                is_int(r == 0 ? options.listener.mode : -2, modes[i].mode, "--socket-mode %s",
                       modes[i].text);
        }
}

static void test_owners(void)
{
        int r;

        (void)parse((const char *[]){ "--socket-owner=12:34", NULL }, &r);
        ok(r == 0 && options.listener.user == 12 && options.listener.group == 34, "USER:GROUP by number");
        (void)parse((const char *[]){ "--socket-owner=12", NULL }, &r);
        ok(r == 0 && options.listener.user == 12 && options.listener.group == (gid_t)-1, "USER alone");
        (void)parse((const char *[]){ "--socket-owner=:34", NULL }, &r);
        ok(r == 0 && options.listener.user == (uid_t)-1 && options.listener.group == 34, "GROUP alone");
        (void)parse((const char *[]){ "--socket-owner=root:root", NULL }, &r);
        ok(r == 0 && options.listener.user == 0 && options.listener.group == 0, "by name");
        ok(!options.set_user && !options.set_group, "--socket-owner drops no privileges");

        const struct passwd *daemon_user = getpwnam("daemon");
        gid_t group = daemon_user ? daemon_user->pw_gid : 0;
        uid_t user = daemon_user ? daemon_user->pw_uid : 0;
        if (!daemon_user) {
                skip("-u by name", "there is no user \"daemon\"");
                return;
        }
        (void)parse((const char *[]){ "-u", "daemon", NULL }, &r);
        ok(r == 0 && options.set_user && options.user == user && options.group == group,
           "-u by name takes the user's group too");
        (void)parse((const char *[]){ "-u", "daemon", "-g", "54321", NULL }, &r);
        ok(r == 0 && options.set_group && options.user == user && options.group == 54321,
           "-u and then -g");
        (void)parse((const char *[]){ "-g", "54321", "-u", "daemon", NULL }, &r);
        ok(r == 0 && options.user == user && options.group == 54321, "-g and then -u");
        (void)parse((const char *[]){ "-u", "4294967294", NULL }, &r);
        ok(r == 0 && options.user == 4294967294, "the highest id");
        is_int(options.group, 4294967294, "of no user that is known: the group of that number, not root's");
}

static void test_trace_help(void)
{
        int r;
        struct capture c = capture_begin(STDOUT_FILENO);
        (void)parse((const char *[]){ "-T", "help", "--bogus", NULL }, &r);
        is_string(capture_end(&c), "one\ntwo\n", "-T help lists every event on stdout");
        is_int(r, OPTIONS_EXIT, "and ends there");
        (void)parse((const char *[]){ "-T", "one", "--trace=file=/x", NULL }, &r);
        ok(r == 0 && events[0].enabled && !events[1].enabled, "-T switches an event");
        is_string(options.trace.file, "/x", "-T many times");
        free(options.trace.file);
}

static void test_table(void)
{
        struct capture c = capture_begin(STDOUT_FILENO);
        options_print_help("/x/argv0", "A summary.", tables);
        const char *help = capture_end(&c);
        size_t longest = 0;

        ok(strncmp(help, "Usage: /x/argv0 [OPTIONS]\nA summary.\n", 37) == 0, "--help: its head");
        ok(strstr(help, "/var/run/qemu-pr-helper.sock") && strstr(help, "/var/run/qemu-pr-helper.pid"),
           "--help: the default paths");
        for (const struct option_entry *e = helper_option_entries; e->name; e++) {
                char left[80];
                int same = 0;
                snprintf(left, sizeof left, "%s%c%s--%s%s%s", e->letter ? "\n  -" : "\n     ",
                         e->letter ? e->letter : ' ', e->letter ? ", " : "", e->name,
                         e->argument ? (e->argument[0] == '[' ? " " : "=") : "",
                         e->argument ? e->argument : "");
                ok(e->help && e->help[0] && e->apply, "--%s: has help and does something", e->name);
                ok(strstr(help, left) != NULL, "--%s: is in --help", e->name);
                for (const struct option_entry *o = helper_option_entries; o->name; o++)
                        same += strcmp(e->name, o->name) == 0 || (e->letter && e->letter == o->letter);
                is_int(same, 1, "--%s: names and letters are its own", e->name);
        }
        ok(strstr(help, "--own-option=WHAT") != NULL, "--help: the program's own table too");
        for (const char *line = help; *line; line += strcspn(line, "\n") + 1)
                longest = strcspn(line, "\n") > longest ? strcspn(line, "\n") : longest;
        ok(longest <= 80, "--help: no line is longer than a terminal (%zu)", longest);
}

int main(void)
{
        log_open("qemu-pr-helper");
        test_cases();
        test_defaults();
        test_values();
        test_owners();
        test_trace_help();
        test_table();
        return done();
}
