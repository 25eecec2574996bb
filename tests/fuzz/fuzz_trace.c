/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * -T's argument and the file that events= names.
 *
 * Input: flags, the size of the argument, the argument, and the rest is the
 * file `e` in an empty folder, which is where the options are applied. A slash
 * becomes an underscore: nothing outside of the folder is opened.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/trace.h"
#include "fuzz.h"

static struct trace_event events[] = { { "listen", false }, { "client_connect", false },
                                       { "client_close", false }, { "a", false } };
enum { EVENTS = sizeof events / sizeof events[0], ERROR_SIZE = 64 };

static char folder[] = "/tmp/pr-fuzz.XXXXXX";
static int inside, outside, file;
static unsigned warnings;

static void warn(const char *message)
{
        fuzz_check(message[0] != '\0', "an empty warning");
        warnings++;
}

static void remove_folder(void)
{
        (void)unlinkat(inside, "e", 0);
        (void)rmdir(folder);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
        (void)argc, (void)argv;
        if (!mkdtemp(folder))
                abort();
        inside = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        outside = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        file = openat(inside, "e", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (inside < 0 || outside < 0 || file < 0)
                abort();
        atexit(remove_folder);
        return 0;
}

static void check(int r, const char *argument, const char *error, const struct trace_options *options)
{
        fuzz_check(r == 0 || r == TRACE_HELP || r < 0, "returned %d for '%s'", r, argument);
        if (r < 0)
                fuzz_check(memchr(error, '\0', ERROR_SIZE) && error[0] != '\0', "no reason for %d", r);
        else
                fuzz_check(error[0] == '\1', "a reason for %d", r);
        fuzz_check(!options->file || strstr(argument, "file"), "a file of nowhere");
        if (r == 0 && argument[0] != '\0' && !strpbrk(argument, ",=*?[-"))
                for (size_t i = 0; i < EVENTS; i++)
                        fuzz_check(!(strcmp(argument, events[i].name) == 0) || events[i].enabled,
                                   "'%s' is off", argument);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct trace_options options = { .events = events, .count = EVENTS };
        struct reader r = reader_over(data, size);
        uint8_t flags = read_u8(&r);
        char error[ERROR_SIZE] = "\1";

        options.warn = flags & 1 ? warn : NULL;
        for (size_t i = 0; i < EVENTS; i++)
                events[i].enabled = flags & 2;
        char *argument = fuzz_text(&r, read_u8(&r));
        for (char *c = argument; *c != '\0'; c++)
                *c = *c == '/' ? '_' : *c;
        size_t rest;
        const uint8_t *content = fuzz_bytes(&r, r.left, &rest);
        if (ftruncate(file, 0) < 0 || (rest > 0 && pwrite(file, content, rest, 0) != (ssize_t)rest) ||
            fchdir(inside) < 0)
                abort();
        struct fuzz_fds before = fuzz_fds_look();
        int applied = trace_options_apply(&options, argument, error, sizeof error);
        fuzz_fds_check(&before);
        if (fchdir(outside) < 0)
                abort();
        check(applied, argument, error, &options);

        fuzz_check(trace_options_apply(&options, "-*", error, sizeof error) == 0, "-*");
        for (size_t i = 0; i < EVENTS; i++)
                fuzz_check(!events[i].enabled, "'%s' is on after -*", events[i].name);
        free(options.file);
        free(argument);
        return 0;
}
