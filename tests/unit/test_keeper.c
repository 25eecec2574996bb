/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * helper/keeper: the paths go when the serving process does, however it does,
 * and what the keeper is while it waits.
 */
#include "helper/keeper.h"

#include <cap-ng.h>
#include <dlfcn.h>
#include <poll.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/prctl.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "fixture.h"
#include "tap.h"

enum { LONG = 20000 }; /* milliseconds that nothing here takes */

static bool keeps_capabilities, has_no_filters;
static pid_t ends_first; /* the keeper's parent: not confined before it has ended */

/* In place of libcap-ng's. */
int capng_apply(capng_select_t set)
{
        int (*real)(capng_select_t);

        *(void **)&real = dlsym(RTLD_NEXT, "capng_apply");
        return keeps_capabilities ? 0 : real(set);
}

/* In place of libseccomp's. */
int seccomp_load(const scmp_filter_ctx filter)
{
        int (*real)(const scmp_filter_ctx);

        *(void **)&real = dlsym(RTLD_NEXT, "seccomp_load");
        while (ends_first && getppid() == ends_first)
                usleep(1000);
        return has_no_filters ? -ECANCELED : real(filter);
}

static struct owned_path own(const char *name)
{
        struct owned_path owned = OWNED_PATH_NONE;

        write_file(temp_path("%s", name), "x");
        need(owned_path_init(&owned, temp_path("%s", name)) == 0 && owned_path_pin(&owned) == 0, "own");
        return owned;
}

static bool exists(const char *name)
{
        return access(temp_path("%s", name), F_OK) == 0;
}

/*
 * Whether the one child there is ends by itself. Not with what status: what a
 * sanitizer wants to do then its filter does not let it do.
 */
static bool keeper_exits(void)
{
        int status = -1;

        return waitpid(-1, &status, 0) > 0 && WIFEXITED(status);
}

static void test_stop(void)
{
        struct owned_path owned[KEEPER_PATHS_MAX];
        int left = 0;

        for (int i = 0; i < KEEPER_PATHS_MAX; i++) {
                char name[16];
                snprintf(name, sizeof name, "p%d", i);
                owned[i] = own(name);
        }
        write_file(temp_path("other"), "x");
        int connection = keeper_start(owned, KEEPER_PATHS_MAX, true);
        ok(connection >= 0 && (fcntl(connection, F_GETFD) & FD_CLOEXEC), "a keeper of many paths");
        is_int(keeper_confirm(connection), 0, "which has only what it needs");
        for (int i = 0; i < KEEPER_PATHS_MAX; i++) {
                owned_path_close(&owned[i]);
                left += access(temp_path("p%d", i), F_OK) == 0;
        }
        is_int(left, KEEPER_PATHS_MAX, "they stay as long as we do");

        int64_t start = clock_ms();
        keeper_stop(connection, LONG);
        ok(clock_ms() - start < LONG, "it stops without being waited for in vain");
        left = 0;
        for (int i = 0; i < KEEPER_PATHS_MAX; i++)
                left += access(temp_path("p%d", i), F_OK) == 0;
        is_int(left, 0, "all of them are gone when keeper_stop() is back");
        ok(exists("other"), "and nothing else");
        ok(keeper_exits(), "it exits");
}

static void test_replaced(void)
{
        struct owned_path owned[] = { own("a"), own("b") };
        int connection = keeper_start(owned, 2, true);

        (void)unlink(temp_path("a"));
        write_file(temp_path("a"), "of somebody else");
        keeper_stop(connection, LONG);
        ok(exists("a") && !exists("b"), "what is not ours any more is left alone");
        (void)keeper_exits();
        owned_path_close(&owned[0]);
        owned_path_close(&owned[1]);
        (void)unlink(temp_path("a"));
}

/*
 * A serving process, in a process group of its own, is ended by a signal to
 * the group; 0 for its own exit. Its keeper becomes our child.
 */
static void test_ends(void)
{
        static const struct {
                const char *what;
                int number;
        } signals[] = {
                { "exit before it is confined", 0 }, { "exit", 0 }, { "SIGKILL", SIGKILL },
                { "SIGTERM", SIGTERM }, { "SIGINT", SIGINT }, { "SIGHUP", SIGHUP }, { "SIGQUIT", SIGQUIT },
        };

        for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
                struct owned_path owned = own("s");
                int started[2];
                char byte;

                need(pipe2(started, O_CLOEXEC) == 0, "pipe");
                fflush(NULL);
                pid_t server = fork();
                if (server == 0) {
                        (void)setpgid(0, 0);
                        (void)signal(signals[i].number, SIG_DFL); /* whatever we inherited */
                        ends_first = i == 0 ? getpid() : 0;
                        int connection = keeper_start(&owned, 1, true);
                        bool kept = connection >= 0 && (i == 0 || keeper_confirm(connection) == 0);
                        (void)!write(started[1], kept ? "x" : "", 1);
                        while (signals[i].number)
                                pause();
                        _exit(0);
                }
                ok(read(started[0], &byte, 1) == 1 && byte == 'x', "%s: a keeper", signals[i].what);
                if (signals[i].number == SIGKILL)
                        kill(server, SIGKILL);
                else if (signals[i].number)
                        kill(-server, signals[i].number);
                (void)waitpid(server, NULL, 0);
                ok(keeper_exits(), "%s: the keeper ends of itself", signals[i].what);
                ok(!exists("s"), "%s: the path is gone", signals[i].what);
                (void)unlink(temp_path("s"));
                owned_path_close(&owned);
                close(started[0]);
                close(started[1]);
        }
}

/* The one child that we have. */
static pid_t find_keeper(void)
{
        DIR *directory = opendir("/proc");
        pid_t found = -1;

        for (struct dirent *entry; directory && (entry = readdir(directory));) {
                char path[300], text[512] = "";
                snprintf(path, sizeof path, "/proc/%s/stat", entry->d_name);
                int fd = open(path, O_RDONLY | O_CLOEXEC), parent = 0;
                char *after = fd >= 0 && read(fd, text, sizeof text - 1) > 0 ? strrchr(text, ')') : NULL;
                if (after && sscanf(after, ") %*c %d", &parent) == 1 && parent == getpid())
                        found = atoi(entry->d_name);
                close_fd(&fd);
        }
        closedir(directory);
        return found;
}

/* A line of /proc/PID/status; valid until the next call. */
static const char *status_line(pid_t pid, const char *name)
{
        static char line[128];
        char path[64];

        snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        const char *at = fd >= 0 ? strstr(read_file(fd), name) : NULL;
        close_fd(&fd);
        snprintf(line, sizeof line, "%.*s", at ? (int)strcspn(at, "\n") : 0, at ? at : "");
        return line;
}

static void test_confinement(void)
{
        struct owned_path owned = own("c");
        int inherited[2];
        char byte;

        need(pipe2(inherited, O_CLOEXEC) == 0, "pipe");
        int connection = keeper_start(&owned, 1, true);
        close(inherited[1]);
        struct pollfd ended = { .fd = inherited[0], .events = POLLIN };
        ok(poll(&ended, 1, LONG) == 1 && read(inherited[0], &byte, 1) == 0,
           "it closes what it inherited: nobody waits for it in vain");
        close(inherited[0]);
        is_int(keeper_confirm(connection), 0, "it says that it is confined");

        pid_t keeper = find_keeper();
        is_string(status_line(keeper, "Name:"), "Name:\tpr-keeper", "it says who it is");
        is_string(status_line(keeper, "Seccomp:"), "Seccomp:\t2", "it has a filter");
        is_string(status_line(keeper, "NoNewPrivs:"), "NoNewPrivs:\t1", "no new privileges");
        const char *kept = geteuid() == 0 ? "CapPrm:\t0000000000000002" : "CapPrm:\t0000000000000000";
        is_string(status_line(keeper, "CapPrm:"), kept, "CAP_DAC_OVERRIDE at most");
        is_string(status_line(keeper, "CapInh:"), "CapInh:\t0000000000000000", "nothing to inherit");

        keeper_stop(connection, LONG);
        ok(!exists("c"), "with that it can still remove its path");
        (void)keeper_exits();
        owned_path_close(&owned);
}

/* One that has more than it needs says so, and still removes its path. */
static void check_refusal(int error, const char *what)
{
        struct owned_path owned = own("n");
        int connection = keeper_start(&owned, 1, true);

        is_int(keeper_confirm(connection), error, "%s: it says so", what);
        ok(exists("n"), "and keeps the path");
        keeper_stop(connection, LONG);
        ok(!exists("n"), "until it is stopped");
        ok(keeper_exits(), "with which it ends");
        owned_path_close(&owned);
}

static void test_not_confined(void)
{
        has_no_filters = true;
        check_refusal(-ECANCELED, "no filter");
        struct owned_path owned = own("n");
        int connection = keeper_start(&owned, 1, false);
        is_int(keeper_confirm(connection), 0, "no filter, and it is to have none");
        keeper_stop(connection, LONG);
        (void)keeper_exits();
        owned_path_close(&owned);
        has_no_filters = false;

        if (geteuid() != 0) {
                skip("a keeper that cannot drop capabilities", "has none");
                return;
        }
        keeps_capabilities = true;
        check_refusal(-EPERM, "all capabilities");
        keeps_capabilities = false;
}

/* Killed before it says a word. */
static void test_killed(void)
{
        struct owned_path owned = own("k");

        ends_first = getpid();
        int connection = keeper_start(&owned, 1, true);
        kill(find_keeper(), SIGKILL);
        is_int(keeper_confirm(connection), -EIO, "one that is killed is missed");
        ends_first = 0;
        (void)waitpid(-1, NULL, 0);
        keeper_stop(connection, LONG);
        owned_path_close(&owned);
        (void)unlink(temp_path("k"));
}

int main(void)
{
        if (under_valgrind()) {
                skip("the keeper", "its filter forbids what valgrind needs");
                return done();
        }
        (void)temp_directory();
        need(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0, "subreaper");
        int fds = count_fds();
        test_stop();
        test_replaced();
        test_ends();
        test_confinement();
        test_not_confined();
        test_killed();
        is_int(count_fds(), fds, "no descriptor is left open");
        remove_temp_directory();
        return done();
}
