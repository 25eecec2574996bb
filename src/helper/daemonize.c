/* SPDX-License-Identifier: BSD-2-Clause */
/* Into the background: see daemonize.h. */
#include "helper/daemonize.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"

enum { RETRY_MS = 100 };

/* False where the other end is closed. An error is no end: the other side may have been told. */
static bool read_word(int fd)
{
        ssize_t n;
        char word;

        while ((n = read(fd, &word, 1)) < 0)
                (void)poll(NULL, 0, RETRY_MS);
        return n == 1;
}

/*
 * Whoever waits here may be interrupted until the child is told that it may
 * serve, and not any more after: exit status and daemon never contradict.
 */
__attribute__((noreturn)) static void wait_for_child(int fd)
{
        sigset_t mask;

        sigemptyset(&mask);
        sigprocmask(SIG_SETMASK, &mask, NULL);
        bool ready = read_word(fd);
        sigfillset(&mask);
        sigprocmask(SIG_SETMASK, &mask, NULL);
        _exit(ready && write(fd, "", 1) == 1 ? 0 : 1);
}

int daemonize(struct background *ret_background)
{
        int ends[2];

        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
                return -errno;
        cleanup_fd int parent = ends[0];
        cleanup_fd int ours = ends[1];
        cleanup_fd int null = open("/dev/null", O_RDWR | O_CLOEXEC);

        if (null < 0)
                return -errno;

        pid_t child = fork();
        if (child < 0)
                return -errno;
        if (child > 0) {
                close_fd(&ours);
                wait_for_child(parent);
        }
        (void)setsid();
        *ret_background = (struct background){ .parent = steal_fd(&ours), .null = steal_fd(&null) };
        return 0;
}

int daemonize_ready(struct background *background)
{
        cleanup_fd int parent = steal_fd(&background->parent);
        cleanup_fd int null = steal_fd(&background->null);

        if (write(parent, "", 1) != 1 || !read_word(parent))
                return -EPIPE; /* which is still to be said where people read it */
        for (int standard = 0; standard <= STDERR_FILENO; standard++)
                (void)dup2(null, standard);
        return 0;
}
