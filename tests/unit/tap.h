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

__attribute__((format(printf, 4, 0))) static inline bool tap_verdict(bool passed, const char *file,
                                                                      int line, const char *what,
                                                                      va_list args)
{
        tap_count++;
        printf("%s %d - ", passed ? "ok" : "not ok", tap_count);
        vprintf(what, args);
        printf("\n");
        if (!passed) {
                tap_failures++;
                printf("# failed at %s:%d\n", file, line);
        }
        fflush(stdout);
        return passed;
}

__attribute__((format(printf, 4, 5))) static inline bool tap_line(bool passed, const char *file,
                                                                   int line, const char *what, ...)
{
        va_list args;

        va_start(args, what);
        tap_verdict(passed, file, line, what, args);
        va_end(args);
        return passed;
}

__attribute__((format(printf, 5, 6))) static inline bool tap_int(long long got, long long want,
                                                                  const char *file, int line,
                                                                  const char *what, ...)
{
        va_list args;

        va_start(args, what);
        bool passed = tap_verdict(got == want, file, line, what, args);
        va_end(args);
        if (!passed)
                printf("# got %lld (%#llx), want %lld (%#llx)\n", got, (unsigned long long)got, want,
                       (unsigned long long)want);
        return passed;
}

__attribute__((format(printf, 5, 6))) static inline bool tap_string(const char *got,
                                                                     const char *want,
                                                                     const char *file, int line,
                                                                     const char *what, ...)
{
        va_list args;

        va_start(args, what);
        bool passed = tap_verdict(got && strcmp(got, want) == 0, file, line, what, args);
        va_end(args);
        if (!passed)
                printf("# got \"%s\", want \"%s\"\n", got ? got : "(null)", want);
        return passed;
}

__attribute__((format(printf, 6, 7))) static inline bool tap_bytes(const void *got, const void *want,
                                                                    size_t size, const char *file,
                                                                    int line, const char *what, ...)
{
        const unsigned char *g = got, *w = want;
        va_list args;

        va_start(args, what);
        bool passed = tap_verdict(memcmp(g, w, size) == 0, file, line, what, args);
        va_end(args);
        for (size_t i = 0; !passed && i < size; i++)
                if (g[i] != w[i])
                        printf("# byte %zu: got %02x, want %02x\n", i, g[i], w[i]);
        return passed;
}

#define ok(condition, ...) tap_line((condition), __FILE__, __LINE__, __VA_ARGS__)

/** Equal integers; both are printed when they differ. */
#define is_int(got, want, ...) \
        tap_int((long long)(got), (long long)(want), __FILE__, __LINE__, __VA_ARGS__)

#define is_string(got, want, ...) tap_string((got), (want), __FILE__, __LINE__, __VA_ARGS__)

/** Equal bytes; those that differ are printed in hex. */
#define is_bytes(got, want, size, ...) \
        tap_bytes((got), (want), (size), __FILE__, __LINE__, __VA_ARGS__)

/** What cannot be tested here, and why. */
static inline void skip(const char *what, const char *why)
{
        printf("ok %d - %s # SKIP %s\n", ++tap_count, what, why);
}

static inline int done(void)
{
        printf("1..%d\n", tap_count);
        return tap_failures > 0;
}
