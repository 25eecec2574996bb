/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the harnesses share. Each is one program with libFuzzer's entry point,
 * LLVMFuzzerTestOneInput(); main.c calls the same one with files and standard
 * input, for AFL++ and for replaying the corpus.
 *
 * An input is read as a script by base/bytes: past its end everything is zero.
 */
#pragma once

#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

/** A broken promise: say which and end the way a fuzzer takes notice of. */
#define fuzz_check(condition, ...)                                                       \
        do {                                                                             \
                if (!(condition)) {                                                      \
                        fprintf(stderr, "%s:%d: broken: %s: ", __FILE__, __LINE__, #condition); \
                        fprintf(stderr, __VA_ARGS__);                                    \
                        fputc('\n', stderr);                                             \
                        abort();                                                         \
                }                                                                        \
        } while (0)

/** The next `size` bytes, or as many as there are. */
static inline const uint8_t *fuzz_bytes(struct reader *r, size_t size, size_t *ret_size)
{
        *ret_size = r->failed ? 0 : size < r->left ? size : r->left;
        return read_bytes(r, *ret_size);
}

/** A copy that ends where its memory ends, so that no read past it goes unnoticed. */
static inline uint8_t *fuzz_copy(const uint8_t *bytes, size_t size)
{
        uint8_t *copy = malloc(size ? size : 1);

        if (!copy)
                abort();
        if (size > 0)
                memcpy(copy, bytes, size);
        return copy;
}

/** The next `size` bytes as text: a NUL ends it. The caller's to free. */
static inline char *fuzz_text(struct reader *r, size_t size)
{
        size_t got;
        const uint8_t *bytes = fuzz_bytes(r, size, &got);
        char *text = malloc(got + 1);

        if (!text)
                abort();
        if (got > 0)
                memcpy(text, bytes, got);
        text[got] = '\0';
        return text;
}

enum { FUZZ_FDS = 192 }; /* descriptors that are looked at */

/** Which descriptors are open. */
struct fuzz_fds {
        bool open[FUZZ_FDS];
};

static inline struct fuzz_fds fuzz_fds_look(void)
{
        struct pollfd polled[FUZZ_FDS];
        struct fuzz_fds fds;

        for (int i = 0; i < FUZZ_FDS; i++)
                polled[i] = (struct pollfd){ .fd = i };
        (void)poll(polled, FUZZ_FDS, 0);
        for (int i = 0; i < FUZZ_FDS; i++)
                fds.open[i] = !(polled[i].revents & POLLNVAL);
        return fds;
}

/** The same ones as before, none leaked, none closed that was not ours. */
static inline void fuzz_fds_check(const struct fuzz_fds *before)
{
        struct fuzz_fds now = fuzz_fds_look();

        for (int i = 0; i < FUZZ_FDS; i++)
                fuzz_check(now.open[i] == before->open[i], "descriptor %d was %s", i,
                           now.open[i] ? "leaked" : "closed");
}
