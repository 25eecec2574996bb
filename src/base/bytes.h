/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Big-endian bytes, read and written within bounds.
 *
 * Both ends remember their first error, so that a parser reads straight down
 * and asks once, at the end, whether everything was there.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** A cursor over bytes that somebody else owns. */
struct reader {
        const uint8_t *at;
        size_t left;
        bool failed; /**< something was read that was not there; all reads since gave 0 */
};

static inline struct reader reader_over(const void *bytes, size_t size)
{
        return (struct reader){ .at = bytes, .left = size };
}

uint8_t read_u8(struct reader *r);
uint16_t read_be16(struct reader *r);
uint32_t read_be32(struct reader *r);
uint64_t read_be64(struct reader *r);

/** The next `size` bytes in place, or NULL (and failed) where fewer are left. */
const uint8_t *read_bytes(struct reader *r, size_t size);

/** True when nothing failed and nothing is left over. */
static inline bool reader_finished(const struct reader *r)
{
        return !r->failed && r->left == 0;
}

/**
 * A cursor that writes into a caller's buffer and goes on counting when it is
 * full: `length` is what the whole would take, the buffer holds its beginning.
 * That is how SCSI truncates data to an allocation length (SPC-4 4.2.5.6).
 */
struct writer {
        uint8_t *to;
        size_t size;
        size_t length;
};

static inline struct writer writer_over(void *buffer, size_t size)
{
        return (struct writer){ .to = buffer, .size = size };
}

void write_u8(struct writer *w, uint8_t value);
void write_be16(struct writer *w, uint16_t value);
void write_be32(struct writer *w, uint32_t value);
void write_be64(struct writer *w, uint64_t value);
void write_bytes(struct writer *w, const void *bytes, size_t size);
void write_zeros(struct writer *w, size_t count);
