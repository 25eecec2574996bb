/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A main for harnesses that are not built with libFuzzer: runs every file that
 * is named, or standard input where none is. Under AFL++ it stays for many
 * inputs.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "fuzz.h"

enum { INPUT_MAX = 1 << 20 };

#ifdef __AFL_HAVE_MANUAL_CONTROL
#define MORE() __AFL_LOOP(10000)
#else
#define MORE() (!ran++)
#endif

__attribute__((weak)) int LLVMFuzzerInitialize(int *argc, char ***argv)
{
        (void)argc, (void)argv;
        return 0;
}

/* Not by stdio, which remembers that a file ended. */
static size_t read_all(int fd, uint8_t *bytes, size_t size)
{
        size_t got = 0;
        ssize_t n;

        while (got < size && (n = read(fd, bytes + got, size - got)) > 0)
                got += (size_t)n;
        return got;
}

/* The file is closed before: a harness may want its descriptor. */
static void run(int fd)
{
        static uint8_t bytes[INPUT_MAX];
        size_t size = read_all(fd, bytes, sizeof bytes);
        uint8_t *copy = fuzz_copy(bytes, size);

        if (fd != STDIN_FILENO)
                close(fd);
        (void)LLVMFuzzerTestOneInput(copy, size);
        free(copy);
}

static int run_file(const char *path)
{
        int fd = open(path, O_RDONLY | O_CLOEXEC);

        if (fd < 0) {
                fprintf(stderr, "%s: %s\n", path, strerror(errno));
                return 1;
        }
        run(fd);
        return 0;
}

int main(int argc, char **argv)
{
        int failed = 0, ran = 0;

        (void)ran;
        (void)LLVMFuzzerInitialize(&argc, &argv);
        for (int i = 1; i < argc; i++)
                failed |= run_file(argv[i]);
        if (argc == 1)
                while (MORE())
                        run(STDIN_FILENO);
        return failed;
}
