/* SPDX-License-Identifier: BSD-2-Clause */
/* base/trace: what a trace line looks like and where it goes. */
#include "base/trace.h"

#include <time.h>

#include "base/log.h"
#include "fixture.h"
#include "tap.h"

static int evaluated;

static int argument(void)
{
        return ++evaluated;
}

/* "PID@SECONDS.MICROSECONDS:NAME TEXT\n", of the time between two looks at the clock. */
static void test_line(void)
{
        struct trace_event event = { "test_event", true };
        struct timespec before, after;
        struct capture c = capture_begin(STDERR_FILENO);
        long long seconds;
        char micros[16], rest[64], colon;
        int pid;

        clock_gettime(CLOCK_REALTIME, &before);
        trace(&event, "a=%d b=%s", argument(), "two words");
        clock_gettime(CLOCK_REALTIME, &after);
        const char *text = capture_end(&c);
        int n = sscanf(text, "%d@%lld.%15[0-9]%c%63[^\n]", &pid, &seconds, micros, &colon, rest);
        is_int(n, 5, "a line has the form of QEMU's log");
        is_int(pid, getpid(), "process id");
        long long then = seconds * 1000000 + atoi(micros);
        ok(then >= before.tv_sec * 1000000LL + before.tv_nsec / 1000 &&
                   then <= after.tv_sec * 1000000LL + after.tv_nsec / 1000, "seconds and microseconds");
        is_int(strlen(micros), 6, "microseconds have six digits");
        ok(colon == ':', "a colon");
        is_string(rest, "test_event a=1 b=two words", "name and text");
        is_int(text[strlen(text) - 1], '\n', "and a newline");
        ok(strchr(text, '\n') == text + strlen(text) - 1, "one line");
}

static void test_disabled(void)
{
        struct trace_event event = { "test_event", false };
        struct capture c = capture_begin(STDERR_FILENO);

        evaluated = 0;
        trace(&event, "%d", argument());
        is_string(capture_end(&c), "", "a disabled event writes nothing");
        is_int(evaluated, 0, "and evaluates nothing");
}

static void test_long_line(void)
{
        struct trace_event event = { "test_event", true };
        char text[2000];

        memset(text, 'x', sizeof text - 1);
        text[sizeof text - 1] = '\0';
        struct capture c = capture_begin(STDERR_FILENO);
        trace(&event, "%s", text);
        const char *got = capture_end(&c);
        ok(strlen(got) <= LOG_LINE_MAX + 1 && got[strlen(got) - 1] == '\n', "a long line is cut");
        ok(strstr(got, ":test_event xxxxxxxxxxxxxxxx") != NULL, "and is still a line");
}

static void test_file(void)
{
        struct trace_event event = { "test_event", true };
        char path[256];
        struct trace_options options = { .file = path };
        struct stat st;

        struct trace_options none = { .file = NULL };
        is_int(trace_open(&none), 0, "no file: nothing to open");

        snprintf(path, sizeof path, "%s", temp_path("missing/trace"));
        is_int(trace_open(&options), -ENOENT, "a file that cannot be opened is an error");

        snprintf(path, sizeof path, "%s", temp_path("trace"));
        write_file(path, "before\n");
        struct capture c = capture_begin(STDERR_FILENO);
        is_int(trace_open(&options), 0, "a file is opened");
        trace(&event, "to the %s", "file");
        log_message(LOG_ERR, "a message");
        trace(&event, "again");
        const char *text = capture_end(&c);
        ok(strstr(text, "test_event") == NULL && strstr(text, "a message") != NULL,
           "then stderr has the messages and not the trace");

        int fd = open(path, O_RDONLY | O_CLOEXEC);
        text = read_file(fd);
        close(fd);
        ok(strncmp(text, "before\n", 7) == 0, "what was in the file stays");
        ok(strstr(text, ":test_event to the file\n") && strstr(text, ":test_event again\n") &&
                   !strstr(text, "message"), "the trace is in the file");

        int fds = count_fds();
        snprintf(path, sizeof path, "%s", temp_path("another"));
        is_int(trace_open(&options), 0, "another file");
        is_int(count_fds(), fds, "takes the place of the first");
        ok(stat(path, &st) == 0 && (st.st_mode & 0027) == 0, "and is not for everybody");
}

int main(void)
{
        log_open("test");
        test_line();
        test_disabled();
        test_long_line();
        test_file();
        remove_temp_directory();
        return done();
}
