/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Socket activation out of any environment and with anything as descriptor 3:
 * what is taken is what sd_listen_fds(3) describes and nothing else.
 *
 * Input: what descriptor 3 is; which variables there are; their sizes and texts.
 */
#include "helper/activation.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "fuzz.h"
#include "quiet_log.h"

enum kind { CLOSED, LISTENING, CONNECTED, DATAGRAM, SEQPACKET, INTERNET, NULL_DEVICE, UNBOUND, KINDS };

static int kinds[KINDS], others;

static int listening(int domain, int type)
{
        int fd = socket(domain, type | SOCK_CLOEXEC, 0);
        sa_family_t address = AF_UNIX; /* no name: the kernel gives an abstract one */

        if (domain == AF_UNIX && fd >= 0)
                (void)bind(fd, (struct sockaddr *)&address, sizeof address);
        (void)listen(fd, 1);
        return fd;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
        int ends[2];

        (void)argc, (void)argv;
        quiet_log_any = true;
        others = fcntl(3, F_DUPFD_CLOEXEC, 10);
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
                abort();
        kinds[CLOSED] = -1;
        kinds[LISTENING] = listening(AF_UNIX, SOCK_STREAM);
        kinds[CONNECTED] = ends[0];
        kinds[DATAGRAM] = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        kinds[SEQPACKET] = listening(AF_UNIX, SOCK_SEQPACKET);
        kinds[INTERNET] = listening(AF_INET, SOCK_STREAM);
        kinds[NULL_DEVICE] = open("/dev/null", O_RDWR | O_CLOEXEC);
        kinds[UNBOUND] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        for (int i = 0; i < KINDS; i++)
                if (kinds[i] >= 0 && kinds[i] < 10)
                        kinds[i] = fcntl(kinds[i], F_DUPFD_CLOEXEC, 10);
        return 0;
}

/* A decimal number without sign, space or overflow; nothing else is one. */
static bool is_number(const char *text, long long *ret_number)
{
        unsigned __int128 number = 0;

        if (!text || text[0] == '\0')
                return false;
        for (; *text != '\0'; text++) {
                if (*text < '0' || *text > '9')
                        return false;
                number = number * 10 + (unsigned)(*text - '0');
                if (number > INT64_MAX)
                        return false;
        }
        *ret_number = (long long)number;
        return true;
}

static void set(const char *name, const char *text)
{
        if (text ? setenv(name, text, 1) : unsetenv(name))
                abort();
}

static int expected(const char *pid, const char *fds, enum kind kind)
{
        long long number, count;

        if (!is_number(pid, &number) || number != getpid() || !fds)
                return 0;
        if (!is_number(fds, &count) || count > 1)
                return -EINVAL;
        return count == 0 ? 0 : kind == LISTENING ? 3 : -ENOTSOCK;
}

static void check(const char *pid, const char *fds, enum kind kind)
{
        int want = expected(pid, fds, kind);
        int got = activation_socket();
        bool ours = getenv("LISTEN_PID") == NULL;

        fuzz_check(got == want, "%d, not %d: LISTEN_PID='%s' LISTEN_FDS='%s' kind %d", got, want,
                   pid ? pid : "(none)", fds ? fds : "(none)", kind);
        fuzz_check(got == 0 || (ours && !getenv("LISTEN_FDS") && !getenv("LISTEN_FDNAMES")),
                   "left in the environment");
        if (got == 3)
                fuzz_check((fcntl(3, F_GETFL) & O_NONBLOCK) && (fcntl(3, F_GETFD) & FD_CLOEXEC), "flags");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct reader r = reader_over(data, size);
        enum kind kind = read_u8(&r) % KINDS;
        uint8_t has = read_u8(&r);
        char own[16];
        char *pid = fuzz_text(&r, read_u8(&r)), *fds = fuzz_text(&r, read_u8(&r));
        char *names = fuzz_text(&r, read_u8(&r));

        snprintf(own, sizeof own, "%d", (int)getpid());
        const char *pid_text = has & 1 ? own : has & 2 ? pid : NULL;
        const char *fds_text = has & 4 ? NULL : fds;
        set("LISTEN_PID", pid_text);
        set("LISTEN_FDS", fds_text);
        set("LISTEN_FDNAMES", has & 8 ? names : NULL);
        if (kind == CLOSED)
                (void)close(3);
        else if (dup2(kinds[kind], 3) < 0 || fcntl(3, F_SETFL, 0) < 0)
                abort();

        struct fuzz_fds before = fuzz_fds_look();
        check(pid_text, fds_text, kind);
        fuzz_fds_check(&before);

        if (others >= 0)
                (void)dup2(others, 3);
        else
                (void)close(3);
        free(pid);
        free(fds);
        free(names);
        return 0;
}
