/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * base/log_queue: a reader that does not read stops nobody, what was reserved
 * is never lost, what is lost is counted, and the order stays.
 *
 * Each case is a child whose stderr is a small pipe and that ends itself with
 * SIGKILL: the thread that writes has no end of its own.
 */
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/ioctl.h>

#include "base/clock.h"
#include "base/log.h"
#include "fixture.h"
#include "tap.h"

enum {
        LINES = 256,  /* that the queue takes */
        LONG = 20000, /* milliseconds that nothing here takes */
};

/*
 * In place of the C library's poll(2), whose header may have an inline one: a
 * second is a few milliseconds, so that what is done again each second is seen.
 */
int short_poll(struct pollfd *fds, nfds_t count, int timeout) __asm__("poll");

static atomic_int patience; /* how often the thread has waited a second in vain */

int short_poll(struct pollfd *fds, nfds_t count, int timeout)
{
        struct timespec wait = { .tv_nsec = (timeout < 3 ? timeout : 3) * 1000000 };
        int n = ppoll(fds, count, timeout < 0 ? NULL : &wait, NULL);

        if (n == 0 && timeout > 0 && count > 0 && fds->fd == STDERR_FILENO)
                atomic_fetch_add(&patience, 1);
        return n;
}

static struct {
        int reader;
        char text[1 << 18];
        size_t size;
} sink;

/* A child's report: what its lines came to is printed by the parent. */
struct report {
        int checks, failures;
};

static int result_pipe[2];

/* Read whatever is there. True where there was something. */
static bool drain_some(void)
{
        ssize_t n = read(sink.reader, sink.text + sink.size, sizeof sink.text - 1 - sink.size);

        if (n > 0)
                sink.size += (size_t)n;
        sink.text[sink.size] = '\0';
        return n > 0;
}

/* Read until everything was written. */
static void drain(void)
{
        while (log_flush(0) < 0) {
                struct pollfd ready = { .fd = sink.reader, .events = POLLIN };
                (void)poll(&ready, 1, 20);
                (void)drain_some();
        }
        while (drain_some())
                ;
}

/* The lines "line N" that the pipe holds. */
static int lines_in_pipe(void)
{
        int bytes = 0, count = 0, size = 0;

        (void)ioctl(sink.reader, FIONREAD, &bytes);
        while (size < bytes)
                size += snprintf(NULL, 0, "name: line %d\n", count++);
        return count;
}

/* The same, but at first only a little whenever the thread has waited for some seconds. */
static void drain_slowly(void)
{
        for (int i = 0; i < 4; i++) {
                int before = atomic_load(&patience);
                while (log_flush(0) < 0 && atomic_load(&patience) < before + 3)
                        (void)poll(NULL, 0, 1);
                (void)drain_some();
        }
        drain();
}

static bool pipe_is_full(void)
{
        struct pollfd out = { .fd = STDERR_FILENO, .events = POLLOUT };

        return poll(&out, 1, 0) == 0;
}

/*
 * Log numbered lines until none is taken: some are in the pipe, the thread
 * waits with one in its hand, `room` are in the queue. @return how many
 */
static int fill(int room)
{
        int64_t deadline = clock_ms() + LONG;
        int count = 0;

        while (!pipe_is_full() || count != lines_in_pipe() + 1 + room) {
                if (log_reserve(0) == 0)
                        log_reserved(LOG_NOTICE, "line %d", count++);
                need(clock_ms() < deadline, "a queue that fills");
        }
        return count;
}

/* How many lines "line N" there are, in order from 0; -1 where they are not. */
static int count_lines(void)
{
        int expected = 0, number;

        for (char *at = sink.text; (at = strstr(at, "line ")); at++) {
                if (sscanf(at, "line %d\n", &number) != 1 || number != expected)
                        return -1;
                expected++;
        }
        return expected;
}

static unsigned count_lost(void)
{
        unsigned all = 0, lost;

        for (char *at = sink.text; (at = strstr(at, "name: ")); at++)
                if (sscanf(at, "name: %u log lines were lost", &lost) == 1)
                        all += lost;
        return all;
}

static void test_full(void)
{
        int count = fill(LINES);

        ok(count > LINES, "a stuck pipe: the queue takes %d lines", count);
        is_int(log_reserve(0), -EAGAIN, "then no place can be reserved");
        int64_t start = clock_ms();
        is_int(log_reserve(30), -EAGAIN, "not by waiting for it either");
        ok(clock_ms() - start >= 29 && clock_ms() - start < LONG, "which takes as long as was said");
        is_int(log_flush(0), -ETIMEDOUT, "the queue cannot be flushed");
        start = clock_ms();
        for (int i = 0; i < 7; i++)
                log_notice("dropped");
        ok(clock_ms() - start < LONG, "logging does not wait");
        drain_slowly();
        is_int(count_lines(), count, "once it is read, however slowly, every line comes, in order");
        is_int(count_lost(), 7, "and how many were lost");
        ok(!strstr(sink.text, "dropped"), "which are those that came too late");
        is_int(log_reserve(0), 0, "there is room again");
        log_release();
        is_int(log_flush(0), 0, "and nothing to be flushed");
}

static void test_reserved(void)
{
        enum { PLACES = 40 };
        int kept = 0, dropped = 0;

        for (int i = 0; i < PLACES; i++)
                kept += log_reserve(0) == 0;
        is_int(kept, PLACES, "places are reserved");
        int count = fill(LINES);
        for (int i = 0; i < 300; i++)
                log_error("dropped");
        for (int i = 0; i < PLACES; i++)
                log_reserved(LOG_NOTICE, "line %d", count + i);
        is_int(log_reserve(0), -EAGAIN, "they are used up");
        drain();
        is_int(count_lines(), count + PLACES, "a full queue loses none of them");
        is_int(count_lost(), 300, "but all that had no place");
        for (char *at = sink.text; (at = strstr(at, "dropped")); at++)
                dropped++;
        is_int(dropped, 0, "and they take no reserved place");
}

static void test_release(void)
{
        int count = 0, again = 0;

        while (log_reserve(0) == 0)
                count++;
        is_int(count, LOG_RESERVED_MAX, "all places can be reserved");
        log_notice("line 0");
        is_int(log_flush(LONG), 0, "which is in no other line's way");
        for (int i = 0; i < count; i++)
                log_release();
        while (log_reserve(0) == 0)
                again++;
        is_int(again, count, "given back they can be reserved again");
        log_reserved(LOG_NOTICE, "line 1");
        while (--again > 0)
                log_release();
        drain();
        is_int(count_lost(), 0, "none is lost");
        is_int(count_lines(), 2, "each comes");
}

/* Many lines with a reader that keeps up: nothing is lost, whoever writes. */
static void test_stream(void)
{
        int count = 2000;
        char text[2 * LOG_LINE_MAX];

        memset(text, 'x', sizeof text - 1);
        text[sizeof text - 1] = '\0';
        log_notice("%s", text);
        for (int i = 0; i < count; i++) {
                while (log_reserve(0) < 0)
                        (void)drain_some();
                log_reserved(LOG_NOTICE, "line %d", i);
        }
        drain();
        is_int(count_lines(), count, "%d lines through a queue of 256", count);
        is_int(count_lost(), 0, "none is lost");
        is_int(strcspn(sink.text, "\n"), strlen("name: ") + LOG_LINE_MAX - 1, "a long one is cut");
}

/* The reader goes away: nobody is left who could take a line, and nobody waits for that. */
static void test_gone(void)
{
        (void)fill(LINES);
        close(sink.reader);
        is_int(log_flush(LONG), 0, "without a reader everything is as good as written");
        is_int(log_reserve(0), 0, "there is room");
        log_reserved(LOG_NOTICE, "nobody reads this");
        is_int(log_flush(LONG), 0, "and so it stays");
}

/* Somebody who reads after all. */
static pid_t start_reader(void)
{
        pid_t child = fork();

        need(child >= 0, "fork");
        while (child == 0) {
                struct pollfd ready = { .fd = sink.reader, .events = POLLIN };
                if (poll(&ready, 1, -1) == 1 && !drain_some())
                        _exit(0);
                sink.size = 0;
        }
        return child;
}

static void test_waiting(void)
{
        (void)fill(LINES);
        pid_t reader = start_reader();
        is_int(log_reserve(LONG), 0, "who waits for a place gets it when there is one");
        log_release();
        is_int(log_flush(LONG), 0, "who waits for all to be written sees it");
        kill(reader, SIGKILL);
        (void)waitpid(reader, NULL, 0);
}

static void test_owners(void)
{
        log_set_owner(1);
        (void)fill(LINES / 4 * 3);
        is_int(log_reserve(0), -EAGAIN, "an owner's lines take three quarters of the places");
        log_set_owner(2);
        is_int(log_reserve(0), 0, "another's find room");
        log_release();
}

static void run_case(void (*body)(void))
{
        struct report report = { tap_count, tap_failures };
        int ends[2];

        need(pipe2(result_pipe, O_CLOEXEC) == 0, "pipe");
        fflush(NULL);
        pid_t child = fork();
        need(child >= 0, "fork");
        if (child == 0) {
                need(pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0, "pipe");
                (void)fcntl(ends[1], F_SETPIPE_SZ, 4096);
                (void)fcntl(ends[1], F_SETFL, 0);
                (void)dup2(ends[1], STDERR_FILENO);
                sink.reader = ends[0];
                need(log_start() == 0, "log_start");
                body();
                report = (struct report){ tap_count, tap_failures };
                need(write(result_pipe[1], &report, sizeof report) == sizeof report, "write");
                kill(getpid(), SIGKILL);
        }
        close(result_pipe[1]);
        bool ended = read(result_pipe[0], &report, sizeof report) == sizeof report;
        close(result_pipe[0]);
        (void)waitpid(child, NULL, 0);
        tap_count = report.checks;
        tap_failures = report.failures;
        if (!ended)
                ok(false, "a case came to its end");
}

int main(void)
{
        struct capture c = capture_begin(STDERR_FILENO);

        log_open("name"); /* with a file as stderr: no syslog */
        (void)capture_end(&c);
        signal(SIGPIPE, SIG_IGN);
        run_case(test_full);
        run_case(test_owners);
        run_case(test_reserved);
        run_case(test_release);
        run_case(test_stream);
        run_case(test_waiting);
        run_case(test_gone);
        return done();
}
