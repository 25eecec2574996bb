/* SPDX-License-Identifier: BSD-2-Clause */
/* What is measured around requests: connections that are idle, and start-up. */
#include "load.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "connection.h"
#include "histogram.h"

enum {
        LOOK_NS = 20000,                    /* how often the socket is looked for */
        PATIENCE_NS = 2000000000,           /* for a program that never listens */
};

extern char **environ;

int load_idle(const struct load_options *options, const char *path)
{
        struct connection *connections = calloc(options->connections, sizeof *connections);
        struct request request;
        char byte;

        if (!connections)
                err(1, "connections");
        request_init(&request, options->device, options->action, options->length);
        int64_t start = now_ns();
        for (unsigned i = 0; i < options->connections; i++)
                connection_open(&connections[i], path);
        int64_t end = now_ns();
        printf("{\"connections\": %u, \"connected_in\": %.1f}\n", options->connections,
               (double)(end - start) / 1000);
        fflush(stdout);

        /* A request on each connection for each byte: idle clients have been busy once. */
        while (read(STDIN_FILENO, &byte, 1) == 1) {
                for (unsigned i = 0; i < options->connections; i++) {
                        connection_send(&connections[i], &request, now_ns());
                        while (!connection_receive(&connections[i]))
                                ;
                }
                printf("{\"requests\": %u}\n", options->connections);
                fflush(stdout);
        }
        return 0;
}

static pid_t start_program(char *const *program)
{
        posix_spawn_file_actions_t files;
        posix_spawnattr_t attributes;
        sigset_t none;
        pid_t pid;

        posix_spawn_file_actions_init(&files);
        for (int fd = 0; fd <= 2; fd++)
                posix_spawn_file_actions_addopen(&files, fd, "/dev/null", O_RDWR, 0);
        posix_spawnattr_init(&attributes);
        sigemptyset(&none);
        posix_spawnattr_setsigmask(&attributes, &none);
        posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
        int r = posix_spawn(&pid, program[0], &files, &attributes, program, environ);
        if (r != 0)
                errx(1, "%s cannot be started: error %d", program[0], r);
        posix_spawn_file_actions_destroy(&files);
        posix_spawnattr_destroy(&attributes);
        return pid;
}

/* Wait until the server at `path` says its feature word. @return when, or 0: it never did */
static int64_t wait_for_word(const char *path, int64_t deadline)
{
        static const struct timespec pause = { .tv_nsec = LOOK_NS };

        while (now_ns() < deadline) {
                uint8_t word[4];
                int sock = connection_try(path);
                if (sock >= 0) {
                        bool said = recv(sock, word, sizeof word, MSG_WAITALL) == sizeof word;
                        int64_t now = now_ns();
                        close(sock);
                        if (said)
                                return now;
                }
                nanosleep(&pause, NULL);
        }
        return 0;
}

int load_start(const struct load_options *options, const char *path, char *const *program)
{
        static struct histogram histogram;

        (void)prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
        for (unsigned i = 0; i <= options->starts; i++) {
                (void)unlink(path);
                int64_t start = now_ns();
                pid_t pid = start_program(program);
                int64_t end = wait_for_word(path, start + PATIENCE_NS);
                kill(pid, end ? SIGTERM : SIGKILL);
                while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
                        ;
                if (!end)
                        errx(1, "%s does not listen at %s", program[0], path);
                if (i > 0) /* the first one reads the program from the disk */
                        histogram_add(&histogram, end - start);
        }
        printf("{\"starts\": %u, \"p50\": %.1f, \"p10\": %.1f, \"p90\": %.1f}\n", options->starts,
               histogram_us(&histogram, 0.5), histogram_us(&histogram, 0.1),
               histogram_us(&histogram, 0.9));
        return 0;
}
