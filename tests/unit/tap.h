/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The Test Anything Protocol in one page: ok(condition, "what is true", ...)
 * prints a line, done() the plan and the exit status.
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static int tap_count, tap_failures;

__attribute__((format(printf, 4, 5))) static inline bool tap_line(bool passed, const char *file,
                                                                   int line, const char *what, ...)
{
        va_list args;

        tap_count++;
        printf("%s %d - ", passed ? "ok" : "not ok", tap_count);
        va_start(args, what);
        vprintf(what, args);
        va_end(args);
        printf("\n");
        if (!passed) {
                tap_failures++;
                printf("# failed at %s:%d\n", file, line);
        }
        fflush(stdout);
        return passed;
}

#define ok(condition, ...) tap_line((condition), __FILE__, __LINE__, __VA_ARGS__)

/** Equal integers; both are printed when they differ. */
#define is_int(got, want, ...)                                                          \
        do {                                                                            \
                long long tap_got = (long long)(got), tap_want = (long long)(want);     \
                if (!ok(tap_got == tap_want, __VA_ARGS__))                              \
                        printf("# got %lld (%#llx), want %lld (%#llx)\n", tap_got,      \
                               (unsigned long long)tap_got, tap_want,                   \
                               (unsigned long long)tap_want);                           \
        } while (0)

#define is_string(got, want, ...)                                                       \
        do {                                                                            \
                const char *tap_got = (got), *tap_want = (want);                        \
                if (!ok(tap_got && strcmp(tap_got, tap_want) == 0, __VA_ARGS__))        \
                        printf("# got \"%s\", want \"%s\"\n", tap_got ? tap_got : "(null)", tap_want); \
        } while (0)

/** Equal bytes; both are printed in hex when they differ. */
#define is_bytes(got, want, size, ...)                                                  \
        do {                                                                            \
                const unsigned char *tap_got = (const void *)(got);                     \
                const unsigned char *tap_want = (const void *)(want);                   \
                size_t tap_size = (size);                                               \
                if (!ok(memcmp(tap_got, tap_want, tap_size) == 0, __VA_ARGS__)) {       \
                        for (size_t i = 0; i < tap_size; i++)                           \
                                if (tap_got[i] != tap_want[i])                          \
                                        printf("# byte %zu: got %02x, want %02x\n", i,  \
                                               tap_got[i], tap_want[i]);                \
                }                                                                       \
        } while (0)

static inline int done(void)
{
        printf("1..%d\n", tap_count);
        return tap_failures > 0;
}
