/* SPDX-License-Identifier: BSD-2-Clause */
/* Closing connections of clients: see farewell.h. */
#include "helper/farewell.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/thread.h"

enum {
        PATIENCE_US = 10000,
        THREADS_MAX = 24, /* their descriptors are among those that limits.c keeps back */
};

static atomic_uint threads;

static void interrupt(int signal_number)
{
        (void)signal_number;
}

int farewell_init(void)
{
        /* The next one is timed when this one was taken: while all threads block it there is none. */
        static const struct itimerval again = { { 0, PATIENCE_US }, { 0, PATIENCE_US } };
        static const struct sigaction action = { .sa_handler = interrupt };
        sigset_t alarm;

        sigemptyset(&alarm);
        sigaddset(&alarm, SIGALRM);
        if (sigprocmask(SIG_BLOCK, &alarm, NULL) < 0 || sigaction(SIGALRM, &action, NULL) < 0 ||
            setitimer(ITIMER_REAL, &again, NULL) < 0)
                return -errno;
        return 0;
}

void farewell_close(int fd)
{
        sigset_t alarm;

        sigemptyset(&alarm);
        sigaddset(&alarm, SIGALRM);
        (void)pthread_sigmask(SIG_UNBLOCK, &alarm, NULL);
        close(fd);
        (void)pthread_sigmask(SIG_BLOCK, &alarm, NULL);
}

static void *run(void *fd)
{
        farewell_close((int)(intptr_t)fd);
        atomic_fetch_sub(&threads, 1);
        return NULL;
}

bool farewell(int fd)
{
        bool room = atomic_fetch_add(&threads, 1) < THREADS_MAX;

        if (room && thread_start(run, (void *)(intptr_t)fd) == 0)
                return true;
        atomic_fetch_sub(&threads, 1);
        return false;
}
