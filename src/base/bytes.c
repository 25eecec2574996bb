/* SPDX-License-Identifier: BSD-2-Clause */
/* Big-endian bytes, read and written within bounds: see bytes.h. */
#include "base/bytes.h"

#include <endian.h>
#include <string.h>

const uint8_t *read_bytes(struct reader *r, size_t size)
{
        if (r->failed || size > r->left) {
                r->failed = true;
                return NULL;
        }
        const uint8_t *bytes = r->at;
        r->at += size;
        r->left -= size;
        return bytes;
}

static uint64_t read_be(struct reader *r, size_t size)
{
        const uint8_t *bytes = read_bytes(r, size);
        uint64_t value = 0;

        for (size_t i = 0; bytes && i < size; i++)
                value = value << 8 | bytes[i];
        return value;
}

uint8_t read_u8(struct reader *r)
{
        return (uint8_t)read_be(r, 1);
}

uint16_t read_be16(struct reader *r)
{
        return (uint16_t)read_be(r, 2);
}

uint32_t read_be32(struct reader *r)
{
        return (uint32_t)read_be(r, 4);
}

uint64_t read_be64(struct reader *r)
{
        return read_be(r, 8);
}

void write_bytes(struct writer *w, const void *bytes, size_t size)
{
        size_t room = w->length < w->size ? w->size - w->length : 0;
        size_t fits = size < room ? size : room;

        if (fits > 0)
                memcpy(w->to + w->length, bytes, fits);
        w->length += size;
}

void write_u8(struct writer *w, uint8_t value)
{
        write_bytes(w, &value, sizeof value);
}

void write_be16(struct writer *w, uint16_t value)
{
        uint16_t bytes = htobe16(value);

        write_bytes(w, &bytes, sizeof bytes);
}

void write_be32(struct writer *w, uint32_t value)
{
        uint32_t bytes = htobe32(value);

        write_bytes(w, &bytes, sizeof bytes);
}

void write_be64(struct writer *w, uint64_t value)
{
        uint64_t bytes = htobe64(value);

        write_bytes(w, &bytes, sizeof bytes);
}

void write_zeros(struct writer *w, size_t count)
{
        while (count-- > 0)
                write_u8(w, 0);
}
