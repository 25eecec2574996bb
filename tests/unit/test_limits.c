/* SPDX-License-Identifier: BSD-2-Clause */
/* helper/limits: how many clients there may be, by what a made-up system allows. */
#include "helper/limits.h"

#include <stdarg.h>
#include <sys/resource.h>

#include "base/log.h"
#include "fixture.h"
#include "tap.h"

enum { FILES_MAX = 4, CLIENTS_MAX = 10000, COMMANDS = 16 };

#define PLENTY 1000000
#define NONE RLIM_INFINITY
#define THREADS "/proc/sys/kernel/threads-max"
#define GROUPS "/proc/self/cgroup"
#define PIDS(group) "/sys/fs/cgroup" group "/pids.max"

static struct system {
        rlim_t files, files_hard, processes;
        bool files_unknown, files_fixed;
        struct {
                const char *path, *text;
        } there[FILES_MAX]; /* and no other file */
} now;

static const struct system plenty = { .files = 1024, .files_hard = PLENTY, .processes = NONE };

/* In place of the C library's, as are the next two. */
int getrlimit(__rlimit_resource_t resource, struct rlimit *ret_limit)
{
        bool files = resource == RLIMIT_NOFILE;

        if (files && now.files_unknown) {
                errno = EPERM;
                return -1;
        }
        *ret_limit = files ? (struct rlimit){ now.files, now.files_hard } :
                             (struct rlimit){ now.processes, NONE };
        return 0;
}

int setrlimit(__rlimit_resource_t resource, const struct rlimit *limit)
{
        if (resource != RLIMIT_NOFILE || now.files_fixed || limit->rlim_max != now.files_hard) {
                errno = EPERM;
                return -1;
        }
        now.files = limit->rlim_cur;
        return 0;
}

int open(const char *path, int flags, ...)
{
        for (int i = 0; i < FILES_MAX && now.there[i].path; i++)
                if (strcmp(path, now.there[i].path) == 0 && (flags & O_ACCMODE) == O_RDONLY) {
                        size_t size = strlen(now.there[i].text);
                        int fd = memfd_create("file", MFD_CLOEXEC);
                        need(pwrite(fd, now.there[i].text, size, 0) == (ssize_t)size, "memfd");
                        return fd;
                }
        errno = ENOENT;
        return -1;
}

/* What is settled where that is asked for; commands are checked here. @return what is logged */
static const char *settle(const struct system *system, struct limits *limits)
{
        struct capture c = capture_begin(STDERR_FILENO);
        unsigned commands = limits->commands;

        now = *system;
        limits_settle(limits);
        const char *text = capture_end(&c);
        is_int(limits->commands, commands ? commands : COMMANDS, "commands");
        return text;
}

/* By default so many clients, of which one user may be so many. */
static void check(const char *what, const struct system *system, unsigned clients, unsigned of_one)
{
        struct limits limits = { 0, 0, 0 };
        const char *text = settle(system, &limits);

        is_int(limits.clients, clients, "%s: clients", what);
        is_int(limits.clients_per_user, of_one, "%s: of one user", what);
        is_string(text, "", "%s: no word about it", what);
}

static void test_descriptors(void)
{
        static const struct {
                rlim_t hard;
                unsigned clients, of_one;
        } cases[] = {
                { 0, 1, 1 },     { 64, 1, 1 },     { 66, 1, 1 },   { 67, 1, 1 },
                { 68, 2, 1 },    { 70, 3, 2 },     { 72, 4, 3 },   { 74, 5, 3 },
                { 76, 6, 4 },    { 78, 7, 5 },     { 79, 7, 5 },   { 80, 8, 6 },
                { 96, 16, 12 },  { 1024, 480, 360 },
                { 20062, 9999, 7499 }, { 20064, CLIENTS_MAX, 7500 }, { 20066, CLIENTS_MAX, 7500 },
                { RLIM_INFINITY, CLIENTS_MAX, 7500 },
        };
        struct system system = plenty;
        char what[64];

        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                system.files_hard = cases[i].hard;
                system.files = cases[i].hard / 2;
                snprintf(what, sizeof what, "%llu descriptors", (unsigned long long)cases[i].hard);
                check(what, &system, cases[i].clients, cases[i].of_one);
                ok(now.files == cases[i].hard, "%s: the limit is raised", what);
        }
        system = (struct system){ .files = 96, .files_hard = 1024, .processes = NONE, .files_fixed = true };
        check("descriptors that cannot be more", &system, 16, 12);
        system.files_unknown = true;
        check("descriptors that nobody knows", &system, 256, 192);
}

static void test_threads(void)
{
        static const struct {
                const char *what;
                struct system system;
                unsigned clients, of_one;
        } cases[] = {
                { "threads of the system",
                  { .processes = NONE, .there = { { THREADS, "1000\n" } } }, 750, 562 },
                { "processes of the user", { .processes = 100 }, 75, 56 },
                { "the less of both, the system's",
                  { .processes = 100, .there = { { THREADS, "8\n" } } }, 6, 4 },
                { "the less of both, the user's",
                  { .processes = 7, .there = { { THREADS, "8\n" } } }, 5, 3 },
                { "two threads", { .processes = 2 }, 1, 1 },
                { "one thread", { .processes = 1 }, 1, 1 },
                { "no thread", { .processes = 0 }, 1, 1 },
                { "more than are taken", { .processes = 13336 }, CLIENTS_MAX, 7500 },
                { "almost no limit", { .processes = NONE - 1 }, CLIENTS_MAX, 7500 },
                { "the own control group",
                  { .processes = NONE, .there = { { GROUPS, "0::/a/b\n" }, { PIDS("/a/b"), "40\n" },
                                                  { PIDS("/a"), "max\n" } } }, 30, 22 },
                { "the one above it",
                  { .processes = NONE, .there = { { GROUPS, "0::/a/b\n" }, { PIDS("/a/b"), "40\n" },
                                                  { PIDS("/a"), "20\n" } } }, 15, 11 },
                { "the one above it, and none of its own",
                  { .processes = NONE, .there = { { GROUPS, "0::/a/b\n" }, { PIDS("/a"), "20\n" } } },
                  15, 11 },
                { "neither has one",
                  { .processes = NONE, .there = { { GROUPS, "0::/a/b\n" }, { PIDS("/a/b"), "max\n" },
                                                  { PIDS("/a"), "max\n" } } }, CLIENTS_MAX, 7500 },
                { "beside version 1",
                  { .processes = NONE, .there = { { GROUPS, "8:pids:/c\n0::/a\n" },
                                                  { PIDS("/a"), "20\n" }, { PIDS("/c"), "8\n" } } },
                  15, 11 },
                { "version 1 alone",
                  { .processes = NONE, .there = { { GROUPS, "10:pids:/a\n" }, { PIDS("/a"), "8\n" } } },
                  CLIENTS_MAX, 7500 },
                { "the topmost control group", { .processes = NONE, .there = { { GROUPS, "0::/\n" } } },
                  CLIENTS_MAX, 7500 },
                { "the least of all",
                  { .processes = 30, .there = { { GROUPS, "0::/a\n" }, { PIDS("/a"), "20\n" },
                                                { THREADS, "40\n" } } }, 15, 11 },
                { "what is no number",
                  { .processes = NONE, .there = { { GROUPS, "0::/a\n" }, { PIDS("/a"), "\n" },
                                                  { THREADS, "many\n" } } }, CLIENTS_MAX, 7500 },
                { "half a number, and nothing",
                  { .processes = NONE, .there = { { GROUPS, "" }, { THREADS, "12" } } },
                  CLIENTS_MAX, 7500 },
        };

        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                struct system system = cases[i].system;
                system.files_hard = PLENTY;
                check(cases[i].what, &system, cases[i].clients, cases[i].of_one);
        }
}

static void test_least(void)
{
        struct system system = { .files_hard = 96, .processes = 100 };

        check("fewer descriptors than threads", &system, 16, 12);
        system.processes = 20;
        check("fewer threads than descriptors", &system, 15, 11);
}

static void test_asked(void)
{
        static const struct {
                struct limits asked;
                unsigned clients, of_one;
                const char *text;
        } cases[] = {
                { { 1, 0, 0 }, 1, 1, "" },
                { { 2, 0, 0 }, 2, 1, "" },
                { { 3, 0, 0 }, 3, 2, "" },
                { { 4, 0, 0 }, 4, 3, "" },
                { { 7, 0, 5 }, 7, 5, "" },
                { { 7, 7, 0 }, 7, 7, "" },
                { { 0, 3, 0 }, 480, 3, "" },
                { { 480, 0, 0 }, 480, 360, "" },
                { { 481, 0, 3 }, 480, 360,
                  "name: --max-clients is lowered from 481 to 480: a client takes two "
                  "descriptors and a thread, and there are no more\n" },
                { { 9999, 400, 0 }, 480, 400,
                  "name: --max-clients is lowered from 9999 to 480: a client takes two "
                  "descriptors and a thread, and there are no more\n" },
        };
        const struct system system = { .files_hard = 1024, .processes = NONE };

        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                struct limits limits = cases[i].asked;
                const char *text = settle(&system, &limits);
                is_string(text, cases[i].text, "%u clients are asked for", cases[i].asked.clients);
                is_int(limits.clients, cases[i].clients, "so many are possible");
                is_int(limits.clients_per_user, cases[i].of_one, "and so many of one user");
        }

        struct limits many = { 2 * CLIENTS_MAX, 0, 0 };
        is_string(settle(&plenty, &many), "", "who asks gets more than the default's most");
        is_int(many.clients, 2 * CLIENTS_MAX, "twice as many");

        const struct system none = { .files_hard = 1024, .processes = 0 };
        struct limits few = { 5, 0, 0 };
        ok(strstr(settle(&none, &few), "from 5 to 1:"), "no thread, and 5 clients are asked for");
        is_int(few.clients, 1, "there is always room for one");
}

int main(void)
{
        struct capture c = capture_begin(STDERR_FILENO);

        log_open("name"); /* with a file as stderr: no syslog */
        (void)capture_end(&c);
        int fds = count_fds();
        test_descriptors();
        test_threads();
        test_least();
        test_asked();
        is_int(count_fds(), fds, "no descriptor is left open");
        return done();
}
