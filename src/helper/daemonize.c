/* SPDX-License-Identifier: BSD-2-Clause */
/* Into the background: see daemonize.h. */
#include "helper/daemonize.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "base/cleanup.h"

static void wait_for_child(int fd)
{
        sigset_t none;
        char word;
        ssize_t n;

        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL); /* whoever waits here may be interrupted */
        do
                n = read(fd, &word, 1);
        while (n < 0 && errno == EINTR);
        _exit(n == 1 ? 0 : 1);
}

int daemonize(void)
{
        int ends[2];

        if (pipe2(ends, O_CLOEXEC) < 0)
                return -errno;
        cleanup_fd int reader = ends[0];
        cleanup_fd int writer = ends[1];

        pid_t child = fork();
        if (child < 0)
                return -errno;
        if (child > 0) {
                close_fd(&writer);
                wait_for_child(reader);
        }
        (void)setsid();
        return steal_fd(&writer);
}

void daemonize_ready(int fd)
{
        int null = open("/dev/null", O_RDWR | O_CLOEXEC);

        (void)!chdir("/");
        for (int standard = 0; null >= 0 && standard <= 2; standard++)
                (void)dup2(null, standard);
        if (null > 2)
                close(null);
        (void)!write(fd, "", 1);
        close(fd);
}
