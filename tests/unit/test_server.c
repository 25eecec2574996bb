/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * helper/server: its end, while commands hang in their devices: each is told,
 * if only somebody reads the log, and if nobody does it ends in time. Who waits
 * for the next helper's room is not held up by the log.
 *
 * The server is a child whose stderr is a small pipe. Its time is made up: it
 * passes where somebody waits in vain.
 */
#include "helper/server.h"

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include "base/clock.h"
#include "base/log.h"
#include "fixture.h"
#include "helper/farewell.h"
#include "tap.h"
#include "wire/wire_client.h"

#define FILLER "filler"

enum {
        HANGING = 40,   /* commands */
        LIST = 24,      /* bytes of their parameter lists */
        QUEUE = 256,    /* lines that the log's queue takes */
        LATE_MS = 7     /* later than it should poll(2) comes back */
};

/* What the child says. */
enum word { WORD_FULL = 'f', WORD_WAITS = 'w', WORD_OVER = 'o' };

static atomic_llong now_ms = 1000000;
static bool serving, somebody_reads;
static int words[2];
static struct shared {
        int result;
        long long took_ms, over_ms; /* until clients are gone, and until all is over */
} *shared;

static void say(enum word word)
{
        char byte = (char)word;

        need(write(words[1], &byte, 1) == 1, "write");
}

/* In place of the C library's, as are the next two. */
int clock_gettime(clockid_t id, struct timespec *ret_now)
{
        long long now = atomic_load(&now_ms);

        if (id != CLOCK_MONOTONIC)
                return (int)syscall(SYS_clock_gettime, id, ret_now);
        *ret_now = (struct timespec){ .tv_sec = now / 1000, .tv_nsec = now % 1000 * 1000000 };
        return 0;
}

/* Who waits for the log. With a reader that takes as long as it takes. */
int pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *lock,
                           const struct timespec *deadline)
{
        long long deadline_ms = deadline->tv_sec * 1000LL + deadline->tv_nsec / 1000000;

        if (deadline_ms <= atomic_load(&now_ms))
                return ETIMEDOUT;
        say(WORD_WAITS);
        if (somebody_reads)
                return pthread_cond_wait(cond, lock);
        atomic_store(&now_ms, deadline_ms);
        return ETIMEDOUT;
}

int short_poll(struct pollfd *fds, nfds_t count, int timeout) __asm__("poll");

/* The server's thread waits for nothing that is not there yet, except for ever. */
int short_poll(struct pollfd *fds, nfds_t count, int timeout)
{
        bool short_one = serving && timeout > 0 && gettid() == getpid();
        struct timespec wait = { .tv_sec = timeout / 1000, .tv_nsec = timeout % 1000 * 1000000 };
        static const struct timespec none;
        int n = ppoll(fds, count, short_one ? &none : timeout < 0 ? NULL : &wait, NULL);

        if (n == 0 && short_one)
                atomic_fetch_add(&now_ms, timeout + LATE_MS);
        return n;
}

static bool pipe_is_full(void)
{
        struct pollfd out = { .fd = STDERR_FILENO, .events = POLLOUT };

        return poll(&out, 1, 0) == 0;
}

static int lines_in_pipe(void)
{
        int bytes = 0;

        (void)ioctl(STDERR_FILENO, FIONREAD, &bytes);
        return bytes / (int)strlen("name: " FILLER "\n");
}

/* Log until no line is taken: one is in the thread's hand, the pipe and the queue are full. */
static void *fill_log(void *unused)
{
        int count = 0;

        while (!pipe_is_full() || count != lines_in_pipe() + 1 + QUEUE) {
                if (log_reserve(0) == 0) {
                        log_reserved(LOG_NOTICE, FILLER);
                        count++;
                }
                sched_yield();
        }
        say(WORD_FULL);
        return unused;
}

/* A device that hangs. The last of them first takes care of the log, as nobody's thread. */
static void hang(const struct device *device, int fd, const struct pr_command *command,
                 struct pr_result *ret_result)
{
        pthread_t thread;

        (void)fd, (void)command, (void)ret_result;
        if (device->id == HANGING)
                need(pthread_create(&thread, NULL, fill_log, NULL) == 0, "pthread_create");
        for (;;)
                pause();
}

static void wwid(const struct device *device, char *ret_name, size_t size)
{
        snprintf(ret_name, size, "disk-%llu", (unsigned long long)device->id);
}

/* One after the other, each another disk. */
static void identify(const void *context, int fd, struct device *device)
{
        static const struct device_ops ops = { .kind = "test", .execute = hang, .wwid = wwid };
        static atomic_ullong count;

        (void)context, (void)fd;
        *device = (struct device){ .ops = &ops, .id = atomic_fetch_add(&count, 1) + 1 };
}

static int ready(void *unused)
{
        (void)unused;
        return 0;
}

/* In the child. */
static void run_server(int listener)
{
        struct endpoint endpoint = { .listener = listener, .source = { .identify = identify } };
        sigset_t signals;
        struct server_options options = {
                .endpoints = &endpoint,
                .count = 1,
                .signals = &signals,
                .eperm_cause = "",
                .status_listener = -1,
                .limits = { 1000, 1000, 96 },
        };

        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        sigemptyset(&signals);
        sigaddset(&signals, SIGTERM);
        sigprocmask(SIG_BLOCK, &signals, NULL);
        need(farewell_init() == 0, "farewell_init");
        int64_t until_ms = 0;
        long long start = atomic_load(&now_ms);
        serving = true;
        shared->result = server_run(&options, ready, NULL, &until_ms);
        shared->took_ms = atomic_load(&now_ms) - start;
        server_tell_left(until_ms);
        shared->over_ms = atomic_load(&now_ms) - start;
        if (somebody_reads)
                (void)log_flush(1);
        close(STDERR_FILENO);
        say(WORD_OVER);
        for (;;) /* to be killed: valgrind would find the memory of threads that hang */
                pause();
}

/* A client whose command hangs, of which the server is to tell by this key. */
static int send_command(const struct sockaddr_un *address, socklen_t size, uint8_t key)
{
        static const uint8_t bytes[PR_CDB_SIZE] = { 0x5f, [8] = LIST };
        const uint8_t list[LIST] = { 0xaa, [7] = key };
        bool begun;
        int disk = open("/dev/null", O_RDWR | O_CLOEXEC);
        int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        need(disk >= 0 && connect(sock, (const struct sockaddr *)address, size) == 0, "connect");
        need(wire_request_features(sock, WIRE_NO_DEADLINE) == 0, "handshake");
        need(wire_send_request(sock, bytes, disk, list, LIST, WIRE_NO_DEADLINE, &begun) == 0, "send");
        close(disk);
        return sock;
}

static void wait_for(enum word word)
{
        char byte = 0;

        while (byte != (char)word)
                need(read(words[0], &byte, 1) == 1, "a word from the child");
}

/* All that comes until the end. */
static const char *read_log(int log)
{
        static char text[1 << 17];
        size_t size = 0;

        for (ssize_t n; (n = read(log, text + size, sizeof text - 1 - size)) > 0;)
                size += (size_t)n;
        text[size] = '\0';
        return text;
}

/* Let commands hang in a server, and end it when its log is full. @return what it logged, if read */
static const char *end_hanging(bool reads)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        socklen_t size = sizeof address;
        int log[2], socks[HANGING];
        int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        const char *text = "";

        need(bind(listener, (struct sockaddr *)&address, sizeof address.sun_family) == 0 &&
             listen(listener, HANGING) == 0 &&
             getsockname(listener, (struct sockaddr *)&address, &size) == 0, "listener");
        shared->result = -1;
        need(pipe2(log, O_CLOEXEC) == 0 && pipe2(words, O_CLOEXEC) == 0, "pipe");
        (void)fcntl(log[1], F_SETPIPE_SZ, 4096);
        fflush(NULL);
        pid_t child = fork();
        need(child >= 0, "fork");
        if (child == 0) {
                somebody_reads = reads;
                need(dup2(log[1], STDERR_FILENO) == STDERR_FILENO, "dup2");
                close(log[1]);
                run_server(listener);
        }
        close(log[1]);
        close(words[1]);
        close(listener);

        for (int i = 0; i < HANGING; i++)
                socks[i] = send_command(&address, size, (uint8_t)(i + 1));
        wait_for(WORD_FULL);
        kill(child, SIGTERM);
        if (reads) {
                wait_for(WORD_WAITS);
                text = read_log(log[0]);
        }
        wait_for(WORD_OVER);
        kill(child, SIGKILL);
        need(waitpid(child, NULL, 0) == child, "waitpid");
        for (int i = 0; i < HANGING; i++)
                close(socks[i]);
        close(log[0]);
        close(words[0]);
        return text;
}

static void test_told(void)
{
        const char *log = end_hanging(true);
        int told = 0, lines = 0;

        is_int(shared->result, 1, "commands that hang are left behind");
        for (int i = 0; i < HANGING; i++) {
                char key[64];
                snprintf(key, sizeof key, "key=0xaa000000000000%02x ", (unsigned)i + 1);
                told += strstr(log, key) != NULL;
        }
        for (const char *at = log; (at = strstr(at, ": has not come back for 8 s\n")); at++)
                lines++;
        is_int(told, HANGING, "each is told, though other lines filled the log");
        is_int(lines, HANGING, "with a line of its own");
}

static void test_untold(void)
{
        (void)end_hanging(false);
        is_int(shared->result, 1, "commands that hang, and a log that nobody reads");
        ok(shared->took_ms >= SERVER_PATIENCE_MS && shared->took_ms <= SERVER_PATIENCE_MS + LATE_MS,
           "the log holds up nobody but itself");
        ok(shared->over_ms >= shared->took_ms && shared->over_ms <= SERVER_END_MS,
           "and not for longer than the end may take");
}

int main(void)
{
        struct capture c = capture_begin(STDERR_FILENO);

        log_open("name"); /* with a file as stderr: no syslog */
        (void)capture_end(&c);
        shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        need(shared != MAP_FAILED, "mmap");
        test_told();
        test_untold();
        return done();
}
