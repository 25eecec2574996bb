/* SPDX-License-Identifier: BSD-2-Clause */
/* How much of everything clients may have: see limits.h. */
#include "helper/limits.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"

enum {
        RESERVED_FDS = 64,  /* for all that is no client */
        CLIENTS_MAX = 10000,
        COMMANDS_DEFAULT = 16,
};

/* A file of proc or sysfs, which one read(2) gives whole. False where there is none. */
static bool read_text(const char *path, char *ret_text, size_t size)
{
        cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t n = fd < 0 ? -1 : read(fd, ret_text, size - 1);

        if (n <= 0)
                return false;
        ret_text[n] = '\0';
        return true;
}

/* The number in such a file; ULONG_MAX where there is none, or "max". */
static unsigned long read_number(const char *path)
{
        char text[32], *end;

        if (!read_text(path, text, sizeof text))
                return ULONG_MAX;
        unsigned long number = strtoul(text, &end, 10);
        return end > text && *end == '\n' ? number : ULONG_MAX;
}

/* pids.max of our control group (version 2) and all above it. */
static unsigned long cgroup_pids(void)
{
        char groups[4096], path[4200];
        unsigned long least = ULONG_MAX;
        char *own = read_text("/proc/self/cgroup", groups, sizeof groups) ? strstr(groups, "0::") : NULL;

        if (!own || (own > groups && own[-1] != '\n'))
                return ULONG_MAX;
        own += strlen("0::");
        own[strcspn(own, "\n")] = '\0';
        for (char *slash = strrchr(own, '/'); slash; slash = strrchr(own, '/')) {
                snprintf(path, sizeof path, "/sys/fs/cgroup%s/pids.max", own);
                unsigned long pids = read_number(path);
                least = pids < least ? pids : least;
                *slash = '\0';
        }
        return least;
}

static unsigned long least(unsigned long a, unsigned long b)
{
        return a < b ? a : b;
}

/* Rounded down, but 1 at least. */
static unsigned long three_quarters(unsigned long n)
{
        return n > 1 ? n - n / 4 - (n % 4 > 0) : 1;
}

/* Three quarters of what the system lets us have of threads. */
static unsigned long thread_limit(void)
{
        struct rlimit processes = { .rlim_cur = RLIM_INFINITY };
        unsigned long threads = least(cgroup_pids(), read_number("/proc/sys/kernel/threads-max"));

        (void)getrlimit(RLIMIT_NPROC, &processes);
        if (processes.rlim_cur != RLIM_INFINITY)
                threads = least(threads, processes.rlim_cur);
        return threads == ULONG_MAX ? threads : three_quarters(threads);
}

static unsigned long descriptor_limit(void)
{
        struct rlimit files;

        if (getrlimit(RLIMIT_NOFILE, &files) < 0)
                return 256;
        files.rlim_cur = files.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &files);
        (void)getrlimit(RLIMIT_NOFILE, &files);
        return files.rlim_cur <= RESERVED_FDS + 2 ? 1 : (files.rlim_cur - RESERVED_FDS) / 2;
}

void limits_settle(struct limits *limits)
{
        unsigned long possible = least(descriptor_limit(), thread_limit());

        if (limits->clients == 0)
                limits->clients = (unsigned)least(possible, CLIENTS_MAX);
        if (limits->clients > possible) {
                log_warning("--max-clients is lowered from %u to %lu: a client takes two "
                            "descriptors and a thread, and there are no more",
                            limits->clients, possible);
                limits->clients = (unsigned)possible;
        }
        if (limits->clients_per_user == 0)
                limits->clients_per_user = (unsigned)three_quarters(limits->clients);
        if (limits->commands == 0)
                limits->commands = COMMANDS_DEFAULT;
}
