/* SPDX-License-Identifier: BSD-2-Clause */
/* base/bytes: what is read is what is there, and nothing is touched beyond the end. */
#include "base/bytes.h"

#include "tap.h"

static const uint8_t data[16] = {
        0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef,
        0xfe, 0xdc, 0xba, 0x98, 0x76, 0x54, 0x32, 0x10,
};

static uint64_t read_any(struct reader *r, size_t size)
{
        switch (size) {
        case 1:
                return read_u8(r);
        case 2:
                return read_be16(r);
        case 4:
                return read_be32(r);
        default:
                return read_be64(r);
        }
}

static void write_any(struct writer *w, uint64_t value, size_t size)
{
        switch (size) {
        case 1:
                write_u8(w, (uint8_t)value);
                return;
        case 2:
                write_be16(w, (uint16_t)value);
                return;
        case 4:
                write_be32(w, (uint32_t)value);
                return;
        default:
                write_be64(w, value);
        }
}

static const struct {
        size_t size;
        uint64_t value; /* of data's first bytes */
} widths[] = {
        { 1, 0x01 },
        { 2, 0x0123 },
        { 4, 0x01234567 },
        { 8, 0x0123456789abcdef },
};

static void test_read(void)
{
        for (size_t i = 0; i < sizeof widths / sizeof widths[0]; i++) {
                size_t size = widths[i].size;
                struct reader r = reader_over(data, size);

                is_int(read_any(&r, size), widths[i].value, "read %zu bytes, big-endian", size);
                ok(reader_finished(&r), "read %zu: finished", size);
                is_int(read_any(&r, size), 0, "read %zu beyond the end gives 0", size);
                ok(r.failed && !reader_finished(&r), "read %zu beyond the end fails", size);

                r = reader_over(data, size - 1);
                is_int(read_any(&r, size), 0, "read %zu of %zu gives 0", size, size - 1);
                ok(r.failed, "read %zu of %zu fails", size, size - 1);
                is_int(read_u8(&r), 0, "read %zu of %zu: all reads since give 0", size, size - 1);
        }

        struct reader all = reader_over(data, sizeof data);
        ok(!reader_finished(&all), "a reader with something left is not finished");
        is_int(read_u8(&all), 0x01, "in a row: u8");
        is_int(read_be16(&all), 0x2345, "in a row: be16, not aligned");
        is_int(read_be32(&all), 0x6789abcd, "in a row: be32, not aligned");
        ok(read_be64(&all) == 0xeffedcba98765432, "in a row: be64, with the highest bit set");
        is_int(all.left, 1, "in a row: one byte is left");
}

static void test_read_bytes(void)
{
        struct reader r = reader_over(data, sizeof data);

        ok(read_bytes(&r, 4) == data, "bytes are read in place");
        ok(read_bytes(&r, 0) == data + 4, "no bytes can be read");
        ok(read_bytes(&r, 13) == NULL, "one more than there are: none");
        ok(r.failed, "one more than there are: failed");
        ok(read_bytes(&r, 1) == NULL, "no bytes after a failure, though they are there");
        ok(read_bytes(&r, 0) == NULL, "not even zero of them");

        r = reader_over(data, sizeof data);
        ok(read_bytes(&r, SIZE_MAX) == NULL, "a size that would wrap around");
        r = reader_over(NULL, 0);
        ok(reader_finished(&r), "a reader over nothing is finished");
        is_int(read_u8(&r), 0, "a reader over nothing reads 0");
        ok(!reader_finished(&r), "and has failed then");
}

static void test_write(void)
{
        static const uint64_t value = 0x8123456789abcdef;

        for (size_t i = 0; i < sizeof widths / sizeof widths[0]; i++) {
                size_t size = widths[i].size;
                uint8_t buffer[16], want[16];

                for (size_t room = 0; room <= size + 1; room++) {
                        memset(buffer, 0x5a, sizeof buffer);
                        memset(want, 0x5a, sizeof want);
                        for (size_t k = 0; k < size && k < room; k++)
                                want[k] = (uint8_t)(value >> (8 * (size - 1 - k)));
                        struct writer w = writer_over(buffer, room);
                        write_any(&w, value, size);
                        is_bytes(buffer, want, sizeof want, "write %zu bytes into %zu", size, room);
                        is_int(w.length, size, "write %zu bytes into %zu: all counted", size, room);
                }
        }
}

static void test_write_bytes(void)
{
        uint8_t buffer[8];
        struct writer w = writer_over(buffer, sizeof buffer);

        memset(buffer, 0xff, sizeof buffer);
        write_bytes(&w, data, 3);
        write_bytes(&w, NULL, 0);
        write_zeros(&w, 2);
        is_int(w.length, 5, "bytes and zeros are counted");
        is_bytes(buffer, ((const uint8_t[]){ 0x01, 0x23, 0x45, 0, 0, 0xff, 0xff, 0xff }), 8,
                 "bytes, then zeros, and the rest untouched");
        write_bytes(&w, data, 16);
        is_int(w.length, 21, "the count goes on beyond the end");
        is_bytes(buffer + 5, data, 3, "what fits is written");
        write_be32(&w, 0xffffffff);
        write_zeros(&w, 100);
        is_int(w.length, 125, "and on");
        is_bytes(buffer + 5, data, 3, "nothing more is written once it is full");

        w = writer_over(NULL, 0);
        write_be64(&w, 1);
        write_zeros(&w, 3);
        is_int(w.length, 11, "a writer without a buffer only counts");
}

int main(void)
{
        test_read();
        test_read_bytes();
        test_write();
        test_write_bytes();
        return done();
}
