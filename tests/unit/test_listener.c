/* SPDX-License-Identifier: BSD-2-Clause */
/* helper/listener: when a path may be taken, what is left alone, and what a new socket is like. */
#include <poll.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "fake_clock.h"
#include "listener_at.h"
#include "tap.h"

static int connect_to(const char *path)
{
        struct sockaddr_un address = address_of(path);
        int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        if (connect(sock, (struct sockaddr *)&address, sizeof address) < 0)
                close_fd(&sock);
        return sock;
}

static void test_fresh(void)
{
        struct owned_path owned;
        char before[512] = "", after[512] = "";
        struct stat st;
        int connected = 0, clients[100];

        need(getcwd(before, sizeof before) != NULL, "getcwd");
        int sock = open_at(temp_path("s"), &by_umask, &owned);
        ok(sock >= 0, "a fresh path");
        is_string(said, "", "nothing is said");
        ok((fcntl(sock, F_GETFL) & O_NONBLOCK) && (fcntl(sock, F_GETFD) & FD_CLOEXEC),
           "the socket does not block and is not handed on");
        ok(lstat(temp_path("s"), &st) == 0 && S_ISSOCK(st.st_mode), "the path is a socket");
        is_int(count_names(), 1, "and nothing else is left beside it");
        ok(owned_path_is_there(&owned), "it is pinned");
        need(getcwd(after, sizeof after) != NULL, "getcwd");
        is_string(after, before, "the working directory is what it was");

        for (int i = 0; i < 100; i++)
                connected += (clients[i] = connect_to(temp_path("s"))) >= 0;
        is_int(connected, 100, "a hundred clients are queued before the first is accepted");
        for (int i = 0; i < 100; i++)
                close_fd(&clients[i]);
        owned_path_remove(&owned);
        is_int(count_names(), 0, "it can be removed");
        owned_path_close(&owned);
        close(sock);
}

static void test_left_alone(void)
{
        struct owned_path owned;
        char line[512];
        int fd;

        write_file(temp_path("file"), "of somebody");
        is_int(open_at(temp_path("file"), &by_umask, &owned), -EEXIST, "a regular file is refused");
        snprintf(line, sizeof line, "test: %s exists and is no socket: it is left alone; remove it or "
                 "choose another path\n", temp_path("file"));
        is_string(said, line, "and why is said");
        fd = open(temp_path("file"), O_RDONLY | O_CLOEXEC);
        is_string(read_file(fd), "of somebody", "and it is left alone");
        close(fd);

        need(mkdir(temp_path("directory"), 0700) == 0, "mkdir");
        is_int(open_at(temp_path("directory"), &by_umask, &owned), -EEXIST, "a directory");
        need(mkfifo(temp_path("fifo"), 0600) == 0, "mkfifo");
        is_int(open_at(temp_path("fifo"), &by_umask, &owned), -EEXIST, "a fifo");
        close(bind_to(temp_path("stale"), SOCK_STREAM, true));
        need(symlink("stale", temp_path("link")) == 0, "symlink");
        is_int(open_at(temp_path("link"), &by_umask, &owned), -EEXIST, "a link to a stale socket");
        is_int(count_names(), 5, "all of them are still there, and nothing else");
        static const char *const names[] = { "file", "directory", "fifo", "link", "stale" };
        for (size_t i = 0; i < 5; i++)
                (void)remove(temp_path("%s", names[i]));
}

static void test_stale(void)
{
        static const struct {
                const char *what;
                int type;
                bool listening, open;
        } stale[] = {
                { "its process has ended", SOCK_STREAM, true, false },
                { "bound and not listening", SOCK_STREAM, false, true },
                { "a datagram socket", SOCK_DGRAM, false, true },
                { "listening, and nobody answers", SOCK_STREAM, true, true },
        };
        struct owned_path owned;

        for (size_t i = 0; i < sizeof stale / sizeof stale[0]; i++) {
                int other = bind_to(temp_path("x"), stale[i].type, stale[i].listening);
                if (!stale[i].open)
                        close_fd(&other);
                clock_step_ms = 3000; /* so that its two seconds are over */
                int sock = open_at(temp_path("x"), &by_umask, &owned);
                clock_step_ms = 0;
                ok(sock >= 0, "stale, %s: replaced", stale[i].what);
                is_string(said, "", "stale, %s: nothing is said", stale[i].what);
                int client = connect_to(temp_path("x"));
                int accepted = accept4(sock, NULL, NULL, SOCK_CLOEXEC);
                ok(client >= 0 && accepted >= 0, "stale, %s: clients reach us", stale[i].what);
                is_int(count_names(), 1, "stale, %s: nothing is left beside it", stale[i].what);
                close_fd(&client);
                close_fd(&accepted);
                close_fd(&other);
                owned_path_remove(&owned);
                owned_path_close(&owned);
                close_fd(&sock);
        }
}

/* A helper in a child, until its standard input ends: how it greets is the number of writes. */
static pid_t start_helper(int listener, int writes, int *ret_end)
{
        int ends[2];

        need(pipe2(ends, O_CLOEXEC) == 0, "pipe");
        fflush(NULL);
        pid_t child = fork();
        need(child >= 0, "fork");
        if (child == 0) {
                struct pollfd wait[] = { { ends[0], POLLIN, 0 }, { listener, POLLIN, 0 } };
                close(ends[1]);
                while (poll(wait, 2, -1) > 0 && !wait[0].revents) {
                        int sock = accept(listener, NULL, NULL);
                        for (int i = 0; i < writes; i++)
                                (void)send(sock, "\0\0\0\0", (size_t)(4 / writes), MSG_NOSIGNAL);
                        if (writes == 0)
                                close(sock);
                }
                _exit(0);
        }
        close(ends[0]);
        *ret_end = ends[1];
        return child;
}

static void test_live(void)
{
        static const struct {
                const char *what;
                int writes;
        } greetings[] = {
                { "at once", 1 }, { "byte by byte", 4 }, { "by turning newcomers away", 0 },
        };
        struct owned_path owned;
        char line[512];

        for (size_t i = 0; i < sizeof greetings / sizeof greetings[0]; i++) {
                int end, listener = bind_to(temp_path("live"), SOCK_STREAM, true);
                pid_t helper = start_helper(listener, greetings[i].writes, &end);

                is_int(open_at(temp_path("live"), &by_umask, &owned), -EADDRINUSE,
                       "a helper that answers %s is in use", greetings[i].what);
                snprintf(line, sizeof line, "test: %s is in use by another helper\n", temp_path("live"));
                is_string(said, line, "and that is said");
                int client = connect_to(temp_path("live"));
                ok(client >= 0, "it still has its path");
                is_int(count_names(), 1, "and nothing is left beside it");
                close_fd(&client);
                close(end);
                (void)waitpid(helper, NULL, 0);
                close(listener);
                (void)unlink(temp_path("live"));
        }
}

/* A socket that we may not connect to may be anybody's. */
static int open_forbidden(const void *path)
{
        struct owned_path owned = OWNED_PATH_NONE;

        if (geteuid() == 0 && setresuid(65534, 65534, 65534) < 0)
                return 77;
        return listener_open(path, &by_umask, &owned) == -EACCES ? 0 : 1;
}

static void test_forbidden(void)
{
        char path[256];
        int listener;

        snprintf(path, sizeof path, "%s", temp_path("forbidden"));
        listener = bind_to(path, SOCK_STREAM, true);
        need(chmod(path, 0) == 0 && chmod(temp_directory(), 0777) == 0, "chmod");
        struct capture c = capture_begin(STDERR_FILENO);
        int r = run_child(open_forbidden, path);
        const char *text = capture_end(&c);
        is_int(r, 0, "a socket that cannot be connected to is refused");
        ok(strstr(text, "cannot be told: Permission denied"), "and says why");
        is_int(count_names(), 1, "and left alone");
        close(listener);
        (void)unlink(path);
        (void)chmod(temp_directory(), 0700);
}

static void test_paths(void)
{
        enum { LONGEST = 107 };
        struct owned_path owned;
        char path[LONGEST + 2], want[64];

        for (int length = LONGEST; length <= LONGEST + 1; length++) {
                memset(path, 'n', sizeof path);
                memcpy(path, temp_path("%s", ""), strlen(temp_path("%s", "")));
                path[length] = '\0';
                int sock = open_at(path, &by_umask, &owned);
                if (length == LONGEST) {
                        int client = connect_to(path);
                        ok(sock >= 0 && client >= 0, "a path of %d bytes", length);
                        close_fd(&client);
                        close_fd(&sock);
                        owned_path_remove(&owned);
                        owned_path_close(&owned);
                } else {
                        is_int(sock, -ENAMETOOLONG, "a path of %d bytes is too long", length);
                        snprintf(want, sizeof want, "too long: %d bytes, and at most %d", length, LONGEST);
                        ok(strstr(said, want), "and says so: %.*s", (int)strcspn(said, "\n"), said);
                }
        }
        is_int(open_at(temp_path("no/directory"), &by_umask, &owned), -ENOENT, "no such directory");
        ok(strstr(said, "Failed to bind socket to ") && strstr(said, ": No such file"), "says so");
        is_int(open_at("/", &by_umask, &owned), -EISDIR, "no name");
        is_int(count_names(), 0, "nothing is left of all that");
}

int main(void)
{
        struct capture c = capture_begin(STDERR_FILENO);

        log_open("test");
        (void)capture_end(&c);
        (void)temp_directory();
        int fds = count_fds();
        test_fresh();
        test_left_alone();
        test_stale();
        test_live();
        test_forbidden();
        test_paths();
        is_int(count_fds(), fds, "no descriptor is left open");
        remove_temp_directory();
        return done();
}
