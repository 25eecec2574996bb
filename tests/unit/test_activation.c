/* SPDX-License-Identifier: BSD-2-Clause */
/* helper/activation: every environment that a service manager, or somebody else, may leave behind. */
#include "helper/activation.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/log.h"
#include "fixture.h"
#include "tap.h"

enum socket_kind { LISTENING, CONNECTED, DATAGRAM, SEQPACKET, INTERNET, REGULAR, NOTHING };

struct environment {
        const char *what;
        const char *pid; /* "us": our own; NULL: not set */
        const char *fds;
        enum socket_kind third; /* what descriptor 3 is */
        int r;
        const char *says; /* a part of it */
};

static const struct environment environments[] = {
        { "nothing is set", NULL, NULL, LISTENING, 0, "" },
        { "one socket", "us", "1", LISTENING, 3, "" },
        { "for somebody else", "1", "1", LISTENING, 0, "" },
        { "for somebody else, whatever the number", "1", "-7", LISTENING, 0, "" },
        { "LISTEN_PID alone", "us", NULL, LISTENING, 0, "" },
        { "LISTEN_FDS alone", NULL, "1", LISTENING, 0, "" },
        { "LISTEN_PID is no number", "us too", "1", LISTENING, 0, "" },
        { "LISTEN_PID is empty", "", "1", LISTENING, 0, "" },
        { "no sockets", "us", "0", LISTENING, 0, "" },
        { "two sockets", "us", "2", LISTENING, -EINVAL,
          "Socket activation with LISTEN_FDS > 1 is not supported\n" },
        { "a negative number", "us", "-1", LISTENING, -EINVAL, "LISTEN_FDS is '-1'" },
        { "a huge number", "us", "99999999999999999999", LISTENING, -EINVAL, "LISTEN_FDS is '99999999" },
        { "2^32 + 1, which is no 1", "us", "4294967297", LISTENING, -EINVAL, "LISTEN_FDS" },
        { "no number", "us", "one", LISTENING, -EINVAL, "LISTEN_FDS is 'one'" },
        { "more than a number", "us", "1 ", LISTENING, -EINVAL, "LISTEN_FDS is '1 '" },
        { "a sign", "us", "+1", LISTENING, -EINVAL, "LISTEN_FDS is '+1'" },
        { "empty", "us", "", LISTENING, -EINVAL, "LISTEN_FDS is ''" },
        { "a socket that does not listen", "us", "1", CONNECTED, -ENOTSOCK, "file descriptor 3 is no" },
        { "a datagram socket", "us", "1", DATAGRAM, -ENOTSOCK, "file descriptor 3 is no" },
        { "a seqpacket socket", "us", "1", SEQPACKET, -ENOTSOCK, "file descriptor 3 is no" },
        { "an internet socket", "us", "1", INTERNET, -ENOTSOCK, "file descriptor 3 is no" },
        { "a regular file", "us", "1", REGULAR, -ENOTSOCK, "file descriptor 3 is no" },
        { "no descriptor 3", "us", "1", NOTHING, -ENOTSOCK, "file descriptor 3 is no" },
};

static int make_socket(enum socket_kind kind)
{
        static const struct sockaddr_un any = { .sun_family = AF_UNIX };
        static const int types[] = { SOCK_STREAM, SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET, SOCK_STREAM };
        int ends[2];

        if (kind == NOTHING)
                return -1;
        if (kind == REGULAR)
                return memfd_create("file", 0);
        if (kind == CONNECTED)
                return socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0 ? ends[0] : -1;
        int fd = socket(kind == INTERNET ? AF_INET : AF_UNIX, types[kind], 0);
        if (kind == INTERNET) { /* at a free port of this machine alone, if it has such a thing */
                const struct sockaddr_in local = { .sin_family = AF_INET,
                                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
                if (bind(fd, (const struct sockaddr *)&local, sizeof local) == 0)
                        (void)listen(fd, 1);
                return fd;
        }
        need(bind(fd, (const struct sockaddr *)&any, sizeof any.sun_family) == 0, "bind");
        if (kind != DATAGRAM)
                need(listen(fd, 1) == 0, "listen");
        return fd;
}

static void set(const char *name, const char *value)
{
        if (value)
                setenv(name, value, 1);
        else
                unsetenv(name);
}

/* What a child found. Its exit status is the number of the check that failed. */
static int activate(const void *argument)
{
        const struct environment *e = argument;
        char pid[32];
        int fd = make_socket(e->third);

        if (fd >= 0 && fd != 3) {
                if (dup2(fd, 3) != 3)
                        return 1;
                close(fd);
        } else if (fd < 0) {
                close(3);
        }
        snprintf(pid, sizeof pid, "%d%s", (int)getpid(), e->pid && e->pid[0] == 'u' ? e->pid + 2 : "");
        set("LISTEN_PID", e->pid && e->pid[0] == 'u' ? pid : e->pid);
        set("LISTEN_FDS", e->fds);
        set("LISTEN_FDNAMES", "name");
        if (activation_socket() != e->r)
                return 2;
        if (e->r == 3 && (!(fcntl(3, F_GETFL) & O_NONBLOCK) || !(fcntl(3, F_GETFD) & FD_CLOEXEC)))
                return 3;
        if (e->r == 0 && fd >= 0 && fcntl(3, F_GETFD) < 0)
                return 4; /* it was not ours to close */
        bool ours = e->pid && e->fds && strcmp(e->pid, "us") == 0;
        if (ours && (getenv("LISTEN_PID") || getenv("LISTEN_FDS") || getenv("LISTEN_FDNAMES")))
                return 5;
        if (ours && activation_socket() != 0)
                return 6; /* what was taken once is gone */
        return 0;
}

int main(void)
{
        log_open("test");
        for (size_t i = 0; i < sizeof environments / sizeof environments[0]; i++) {
                const struct environment *e = &environments[i];
                struct capture c = capture_begin(STDERR_FILENO);
                int r = run_child(activate, e);
                const char *says = capture_end(&c);

                is_int(r, 0, "%s: 0, or the number of the check that failed", e->what);
                if (e->says[0] == '\0')
                        is_string(says, "", "%s: nothing is said", e->what);
                else
                        ok(strstr(says, e->says) != NULL, "%s: says why: %.*s", e->what,
                           (int)strcspn(says, "\n"), says);
        }
        return done();
}
