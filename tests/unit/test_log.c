/* SPDX-License-Identifier: BSD-2-Clause */
/* base/log without its thread: levels, what a line looks like, the journal's prefixes. */
#include "base/log.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "fixture.h"
#include "tap.h"

static void test_levels(void)
{
        static const struct {
                int level;
                const char *want;
        } levels[] = {
                { LOG_ERR, "name: error\n" },
                { LOG_WARNING, "name: error\nname: warning\n" },
                { LOG_NOTICE, "name: error\nname: warning\nname: notice\n" },
                { LOG_INFO, "name: error\nname: warning\nname: notice\nname: info\n" },
        };

        for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++) {
                struct capture c = capture_begin(STDERR_FILENO);
                log_set_level(levels[i].level);
                log_error("error");
                log_warning("warning");
                log_notice("notice");
                log_info("info");
                is_string(capture_end(&c), levels[i].want, "up to priority %d", levels[i].level);
        }
        struct capture c = capture_begin(STDERR_FILENO);
        log_set_level(LOG_ERR);
        log_reserved(LOG_NOTICE, "a %s of %d", "line", 2);
        is_string(capture_end(&c), "name: a line of 2\n", "a reserved line is written at any level");
        log_set_level(LOG_NOTICE);
}

static void test_long(void)
{
        char text[2 * LOG_LINE_MAX];
        struct capture c = capture_begin(STDERR_FILENO);

        memset(text, 'x', sizeof text - 1);
        text[sizeof text - 1] = '\0';
        log_notice("%s", text);
        log_notice("%.*s", LOG_LINE_MAX - 1, text);
        log_notice("after");
        const char *got = capture_end(&c);
        size_t length = strcspn(got, "\n");
        is_int(length, strlen("name: ") + LOG_LINE_MAX - 1, "a long line is cut");
        is_int(strcspn(got + length + 1, "\n"), length, "the longest that is not cut");
        is_string(got + 2 * (length + 1), "name: after\n", "the next line is whole");
}

/* Each in a child: log_open() looks at the environment and at stderr once. */
static int in_journal(const void *argument)
{
        const char *format = argument;
        struct stat st;
        char stream[64];

        need(fstat(STDERR_FILENO, &st) == 0, "fstat");
        snprintf(stream, sizeof stream, "%llu:%llu%s", (unsigned long long)st.st_dev,
                 (unsigned long long)st.st_ino, format[0] == '=' ? format + 1 : "");
        setenv("JOURNAL_STREAM", format[0] == '=' ? stream : format, 1);
        log_open("name");
        log_error("error");
        log_notice("notice");
        return 0;
}

static void test_journal(void)
{
        static const struct {
                const char *what, *stream, *want;
        } streams[] = {
                { "the journal", "=", "<3>error\n<5>notice\n" },
                { "another inode", "=0", "name: error\nname: notice\n" },
                { "more than the journal", "=x", "name: error\nname: notice\n" },
                { "another stream", "1:1", "name: error\nname: notice\n" },
                { "nothing", "", "name: error\nname: notice\n" },
                { "nonsense", "x:y", "name: error\nname: notice\n" },
        };

        for (size_t i = 0; i < sizeof streams / sizeof streams[0]; i++) {
                struct capture c = capture_begin(STDERR_FILENO);
                int r = run_child(in_journal, streams[i].stream);
                is_string(capture_end(&c), streams[i].want, "JOURNAL_STREAM is %s", streams[i].what);
                is_int(r, 0, "JOURNAL_STREAM is %s: no harm done", streams[i].what);
        }
}

/* Nobody reads stderr any more, or it was never open: no error, no signal, no waiting. */
static int write_to_nobody(const void *argument)
{
        int ends[2];

        if (argument) {
                close(STDERR_FILENO);
        } else {
                need(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0, "socketpair");
                (void)dup2(ends[0], STDERR_FILENO);
                close(ends[0]);
                close(ends[1]);
        }
        signal(SIGPIPE, SIG_IGN);
        for (int i = 0; i < 1000; i++) {
                log_error("line %d", i);
                log_reserved(LOG_NOTICE, "line %d", i);
        }
        return log_reserve(0) == 0 && log_flush(0) == 0 ? 0 : 1;
}

/* stderr is a file that takes 14 bytes, and then, unlike a reader that went away, takes more. */
static int write_to_full_file(const void *argument)
{
        struct rlimit limit;

        (void)argument;
        signal(SIGXFSZ, SIG_IGN);
        need(getrlimit(RLIMIT_FSIZE, &limit) == 0, "getrlimit");
        rlim_t room = limit.rlim_cur;
        limit.rlim_cur = 14;
        need(setrlimit(RLIMIT_FSIZE, &limit) == 0, "setrlimit");
        log_error("one");
        log_error("two");
        log_error("three");
        limit.rlim_cur = room;
        need(setrlimit(RLIMIT_FSIZE, &limit) == 0, "setrlimit");
        log_error("four");
        log_error("five");
        return 0;
}

/* In place of the C library's: a pipe for which the kernel has no memory just now. */
static bool no_memory;

ssize_t write(int fd, const void *bytes, size_t size)
{
        if (!no_memory)
                return syscall(SYS_write, fd, bytes, size);
        no_memory = false;
        errno = ENOMEM;
        return -1;
}

static int write_without_memory(const void *argument)
{
        int ends[2];
        char got[64] = "";

        (void)argument;
        need(pipe2(ends, O_NONBLOCK) == 0 && dup2(ends[1], STDERR_FILENO) >= 0, "a pipe");
        log_open("name");
        no_memory = true;
        log_error("one");
        log_error("two");
        need(read(ends[0], got, sizeof got - 1) > 0, "read");
        return strcmp(got, "name: two\n") != 0;
}

static void test_full(void)
{
        struct capture c = capture_begin(STDERR_FILENO);
        int r = run_child(write_to_full_file, NULL);

        is_string(capture_end(&c), "name: one\nname\nname: four\nname: five\n",
                  "a full disk: lines are lost at the start, and those after are whole");
        is_int(r, 0, "it is no harm to the start");
}

int main(void)
{
        unsetenv("JOURNAL_STREAM");
        struct capture c = capture_begin(STDERR_FILENO);
        log_open("name"); /* with a file as stderr: no syslog */
        (void)capture_end(&c);
        int fds = count_fds();
        test_levels();
        test_long();
        test_journal();
        test_full();
        is_int(run_child(write_without_memory, NULL), 0, "no memory for a moment is not the end of a pipe");
        is_int(run_child(write_to_nobody, NULL), 0, "a reader that went away is no error");
        is_int(run_child(write_to_nobody, ""), 0, "nor is a closed stderr");
        is_int(count_fds(), fds, "no descriptor is left open");
        return done();
}
