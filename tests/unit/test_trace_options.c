/* SPDX-License-Identifier: BSD-2-Clause */
/* base/trace_options: what -T switches, what it warns of and what it refuses. */
#include "base/trace.h"

#include "fixture.h"
#include "tap.h"

static struct trace_event events[] = {
        { "client_close", false }, { "client_connect", false }, { "device_complete", false },
        { "device_submit", false }, { "helper_listen", false },
};

enum { COUNT = sizeof events / sizeof events[0] };

static char warned[256];

static void warn(const char *message)
{
        strncat(warned, message, sizeof warned - strlen(warned) - 1);
        strncat(warned, ";", sizeof warned - strlen(warned) - 1);
}

/* The events that are on, as letters a to e in their order. */
static const char *enabled(void)
{
        static char letters[COUNT + 1];
        char *at = letters;

        for (int i = 0; i < COUNT; i++)
                if (events[i].enabled)
                        *at++ = (char)('a' + i);
        *at = '\0';
        return letters;
}

static int apply(struct trace_options *options, const char *before, const char *argument, char *error,
                 size_t size)
{
        for (int i = 0; i < COUNT; i++)
                events[i].enabled = strchr(before, 'a' + i) != NULL;
        warned[0] = '\0';
        snprintf(error, size, "none");
        return trace_options_apply(options, argument, error, size);
}

static const struct {
        const char *argument;
        const char *before, *after; /* what is on */
        int r;
        const char *error;  /* or NULL */
        const char *warned; /* a warning, or NULL */
} cases[] = {
        { "client_close", "", "a", 0, NULL, NULL },
        { "client_close", "c", "ac", 0, NULL, NULL },
        { "enable=client_close", "", "a", 0, NULL, NULL },
        { "*", "", "abcde", 0, NULL, NULL },
        { "client_*", "", "ab", 0, NULL, NULL },
        { "*_c*", "", "abc", 0, NULL, NULL },
        { "device_??????", "", "d", 0, NULL, NULL },
        { "[ch]*", "", "abe", 0, NULL, NULL },
        { "-client_*", "abcde", "cde", 0, NULL, NULL },
        { "-client_close", "abcde", "bcde", 0, NULL, NULL },
        { "enable=-*", "abcde", "", 0, NULL, NULL },
        { "enable=*,enable=-device_*", "", "abe", 0, NULL, NULL },
        { "client_close,enable=helper_listen", "", "ae", 0, NULL, NULL },
        { "", "b", "b", 0, NULL, NULL },
        { "client_close,", "", "a", 0, NULL, NULL },
        { "CLIENT_CLOSE", "", "", 0, NULL, "'CLIENT_CLOSE'" },
        { "client", "", "", 0, NULL, "'client'" },
        { "-nothing", "a", "a", 0, NULL, "'nothing'" },
        { "nothing_*", "a", "a", 0, NULL, NULL },
        { "a,,b", "", "", 0, NULL, "'a,b'" },
        { "a,,b,enable=client_close", "", "a", 0, NULL, "'a,b'" },
        { ",,", "", "", 0, NULL, "','" },
        { "help", "b", "b", TRACE_HELP, NULL, NULL },
        { "?", "b", "b", TRACE_HELP, NULL, NULL },
        { "enable=help", "b", "b", TRACE_HELP, NULL, NULL },
        { "enable=?", "", "", TRACE_HELP, NULL, NULL },
        { "foo=bar", "", "", -EINVAL, "Invalid parameter 'foo'", NULL },
        { "client_close,foo=1", "", "a", -EINVAL, "Invalid parameter 'foo'", NULL },
        { "client_close,helper_listen", "", "a", -EINVAL, "Invalid parameter 'helper_listen'", NULL },
        { "=x", "", "", -EINVAL, "Invalid parameter ''", NULL },
        { "enables=client_close", "", "", -EINVAL, "Invalid parameter 'enables'", NULL },
};

static void test_cases(void)
{
        struct trace_options options = { .events = events, .count = COUNT, .warn = warn };
        char error[64];

        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                const char *argument = cases[i].argument;
                int r = apply(&options, cases[i].before, argument, error, sizeof error);

                is_int(r, cases[i].r, "-T '%s': result", argument);
                is_string(enabled(), cases[i].after, "-T '%s': what is on then", argument);
                is_string(error, cases[i].error ? cases[i].error : "none", "-T '%s': error", argument);
                if (cases[i].warned)
                        ok(strstr(warned, cases[i].warned) != NULL, "-T '%s': warns: %s", argument,
                           warned);
                else
                        is_string(warned, "", "-T '%s': no warning", argument);
        }
        ok(options.file == NULL, "no file was asked for");

        options.warn = NULL;
        is_int(apply(&options, "", "nothing", error, sizeof error), 0, "nobody to warn is no error");
        options = (struct trace_options){ .warn = warn };
        is_int(apply(&options, "", "*", error, sizeof error), 0, "no events at all");
}

static void test_events_file(void)
{
        struct trace_options options = { .events = events, .count = COUNT, .warn = warn };
        char error[128], argument[512], want[1024];
        const char *path = temp_path("events");

        write_file(path, "# comment\n\n   \t\nclient_close\r\n  device_*\nhelper_listen\n"
                         "-device_submit\nno_such\n#client_connect");
        snprintf(argument, sizeof argument, "events=%s", path);
        is_int(apply(&options, "", argument, error, sizeof error), 0, "events=FILE: read");
        is_string(enabled(), "ace", "events=FILE: names, patterns, what is switched off again");
        ok(strstr(warned, "'no_such'") != NULL, "events=FILE: warns of unknown names");
        ok(strchr(warned, ';') == warned + strlen(warned) - 1, "events=FILE: and of nothing else: %s",
           warned);

        write_file(path, "client_close");
        snprintf(argument, sizeof argument, "device_submit,events=%s", path);
        is_int(apply(&options, "", argument, error, sizeof error), 0, "events=FILE after a pattern");
        is_string(enabled(), "ad", "both count; the last line needs no newline");

        write_file(path, "");
        is_int(apply(&options, "b", argument + strlen("device_submit,"), error, sizeof error), 0,
               "an empty file");
        is_string(enabled(), "b", "switches nothing");

        snprintf(argument, sizeof argument, "events=%s", temp_path("missing"));
        is_int(apply(&options, "", argument, error, sizeof error), -ENOENT, "a missing file");
        snprintf(want, sizeof want, "%s: No such file or directory", argument + strlen("events="));
        is_string(error, want, "is named");
}

static void test_file(void)
{
        struct trace_options options = { .events = events, .count = COUNT, .warn = warn };
        char error[64];

        is_int(apply(&options, "", "file=/a/b", error, sizeof error), 0, "file=FILE");
        is_string(options.file, "/a/b", "its name");
        is_int(apply(&options, "", "client_close,file=/c,,d", error, sizeof error), 0,
               "file=FILE again, with a comma in it");
        is_string(options.file, "/c,d", "the last one counts, the comma is one");
        is_string(enabled(), "a", "and the pattern before it");
        is_int(apply(&options, "", "file=/e=f", error, sizeof error), 0, "file=FILE with '='");
        is_string(options.file, "/e=f", "belongs to the name");
        is_int(apply(&options, "", "file", error, sizeof error), 0, "\"file\" alone is a pattern");
        ok(strstr(warned, "'file'") != NULL, "of no event");
        free(options.file);
}

int main(void)
{
        int fds = count_fds();

        test_cases();
        test_events_file();
        test_file();
        is_int(count_fds(), fds, "no descriptor is left open");
        remove_temp_directory();
        return done();
}
