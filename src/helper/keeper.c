/* SPDX-License-Identifier: BSD-2-Clause */
/* The keeper, a child that removes our paths when we are gone: see keeper.h. */
#include "helper/keeper.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <poll.h>
#include <seccomp.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "helper/privileges.h"

enum { RETRY_MS = 100 };

static int compare(const void *a, const void *b)
{
        return *(const int *)a - *(const int *)b;
}

/* Close every descriptor but these: others are waited for by who passed them to us. */
static void close_all_but(int *kept, size_t count)
{
        unsigned from = 0;

        qsort(kept, count, sizeof *kept, compare);
        for (size_t i = 0; i < count; i++) {
                if ((unsigned)kept[i] > from)
                        (void)close_range(from, (unsigned)kept[i] - 1, 0);
                from = (unsigned)kept[i] + 1;
        }
        (void)close_range(from, ~0U, 0);
}

/* All that is left to do. What is not on the list fails with EPERM, and the kernel's audit tells it. */
static int confine_calls(void)
{
        static const int calls[] = {
                SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(fstat), SCMP_SYS(newfstatat), SCMP_SYS(fstatat64),
                SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(unlinkat), SCMP_SYS(exit_group),
                SCMP_SYS(rt_sigreturn),
        };
        scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
        int r = filter ? seccomp_attr_set(filter, SCMP_FLTATR_CTL_LOG, 1) : -ENOMEM;

        if (r == 0)
                r = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
        for (size_t i = 0; r == 0 && i < sizeof calls / sizeof calls[0]; i++)
                r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0);
        if (r == 0)
                r = seccomp_load(filter);
        if (filter)
                seccomp_release(filter);
        return r;
}

/* Only the end of the connection is the end of the helper; an error is not, and may last. */
static void wait_for_end(int connection)
{
        char byte;

        while (read(connection, &byte, 1) != 0)
                (void)poll(NULL, 0, RETRY_MS);
}

__attribute__((noreturn)) static void keep(int connection, const struct owned_path *paths,
                                           size_t count, bool sandbox)
{
        int kept[2 * KEEPER_PATHS_MAX + 1] = { connection };
        size_t n = 1;

        (void)prctl(PR_SET_NAME, "pr-keeper");
        (void)!chdir("/");
        for (size_t i = 0; i < count; i++) {
                kept[n++] = paths[i].directory;
                kept[n++] = paths[i].inode;
        }
        close_all_but(kept, n);
        (void)setgroups(0, NULL);
        int r = privileges_keep(CAP_DAC_OVERRIDE); /* for unlinkat(2) in somebody else's directory */
        if (r == 0 && sandbox)
                r = confine_calls();
        uint8_t error = (uint8_t)-r;
        if (write(connection, &error, 1) == 1) /* else they serve nobody, or are gone */
                wait_for_end(connection);
        for (size_t i = 0; i < count; i++)
                owned_path_remove(&paths[i]);
        _exit(r < 0);
}

int keeper_start(const struct owned_path *paths, size_t count, bool sandbox)
{
        int ends[2];
        sigset_t all, before;

        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
                return -errno;
        cleanup_fd int ours = ends[0];
        cleanup_fd int theirs = ends[1];

        /* From its first moment on no signal ends it: it ends when there is nothing left to do. */
        sigfillset(&all);
        sigprocmask(SIG_SETMASK, &all, &before);
        pid_t child = fork();
        if (child == 0)
                keep(theirs, paths, count, sandbox);
        int r = child < 0 ? -errno : 0;
        sigprocmask(SIG_SETMASK, &before, NULL);
        return r < 0 ? r : steal_fd(&ours);
}

int keeper_confirm(int connection)
{
        uint8_t error = EIO; /* unless it says what */

        while (read(connection, &error, 1) < 0)
                if (errno != EINTR)
                        return -errno;
        return -error;
}

void keeper_stop(int connection, int timeout_ms)
{
        struct pollfd gone = { .fd = connection }; /* POLLHUP: the other end closes when the keeper exits */

        (void)shutdown(connection, SHUT_WR);
        (void)poll(&gone, 1, timeout_ms);
        close(connection);
}
