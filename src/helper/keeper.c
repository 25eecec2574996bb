/* SPDX-License-Identifier: BSD-2-Clause */
/* The keeper, a child that removes our paths when we are gone: see keeper.h. */
#include "helper/keeper.h"

#include <cap-ng.h>
#include <errno.h>
#include <grp.h>
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

/* What unlinkat(2) in somebody else's directory takes, where we have it. */
static int drop_capabilities(void)
{
        capng_get_caps_process();
        int has = capng_have_capability(CAPNG_PERMITTED, CAP_DAC_OVERRIDE);
        int setpcap = capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP);
        capng_clear(CAPNG_SELECT_ALL);
        if (has)
                (void)capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, CAP_DAC_OVERRIDE);
        if (setpcap) /* without it libcap-ng complains to syslog */
                (void)capng_apply(CAPNG_SELECT_BOUNDS);
        (void)capng_apply(CAPNG_SELECT_CAPS);
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
                return -errno;
        return privileges_verify(has ? CAP_DAC_OVERRIDE : -1);
}

/* All that is left to do. What is not on the list fails with EPERM. */
static int confine_calls(void)
{
        static const int calls[] = {
                SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(fstat), SCMP_SYS(newfstatat), SCMP_SYS(fstatat64),
                SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(unlinkat), SCMP_SYS(exit_group),
                SCMP_SYS(rt_sigreturn),
        };
        scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
        int r = filter ? 0 : -ENOMEM;

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
        int r = drop_capabilities();
        if (r == 0 && sandbox)
                r = confine_calls();
        uint8_t error = (uint8_t)-r;
        if (write(connection, &error, 1) != 1 || r < 0)
                _exit(1);

        wait_for_end(connection);
        for (size_t i = 0; i < count; i++)
                owned_path_remove(&paths[i]);
        _exit(0);
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
        uint8_t error = EIO; /* unless it says what */
        pid_t child = fork();
        if (child == 0)
                keep(theirs, paths, count, sandbox);
        close_fd(&theirs);
        int r = child < 0 ? -errno : read(ours, &error, 1) < 0 ? -errno : -error;
        sigprocmask(SIG_SETMASK, &before, NULL);
        return r < 0 ? r : steal_fd(&ours);
}

void keeper_stop(int connection, int timeout_ms)
{
        struct pollfd gone = { .fd = connection, .events = POLLIN };

        (void)shutdown(connection, SHUT_WR);
        (void)poll(&gone, 1, timeout_ms); /* the other end closes when the keeper exits */
        close(connection);
}
