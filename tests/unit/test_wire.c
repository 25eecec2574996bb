/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wire, requests: framing whatever the splits, descriptors wherever they come,
 * every end of a connection, and no descriptor left behind.
 */
#include "wire/wire.h"

#include "tap.h"
#include "wire_script.h"

#define OUT_CDB 0x5f, 0x01, 0x05, 0, 0, 0, 0, 0, 24, 0, 0xaa, 0, 0, 0, 0, 0x55

/* A request and its parameter list. */
static const uint8_t request_bytes[40] = { OUT_CDB,
        1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24 };

static bool is_device(int fd)
{
        struct stat a, b;

        return fstat(fd, &a) == 0 && fstat(script.device, &b) == 0 && a.st_ino == b.st_ino &&
               a.st_dev == b.st_dev && (fcntl(fd, F_GETFD) & FD_CLOEXEC);
}

/* Whether the whole request comes through, sent like that, and leaves nothing behind. */
static bool reads_request(const struct piece *pieces, size_t count)
{
        int fds = count_fds();
        struct wire_request request = { .fd = -1 };
        uint8_t list[24] = { 0 };

        begin(request_bytes, pieces, count);
        bool right = wire_read_request(script.server, &request) == 0;
        right = right && memcmp(request.bytes, request_bytes, 16) == 0 && is_device(request.fd) &&
                request.cdb.out && request.cdb.action == 1 && request.cdb.length == 24;
        right = right && wire_read_parameters(script.server, list, 24) == 0 &&
                memcmp(list, request_bytes + 16, 24) == 0;
        close_fd(&request.fd);
        end();
        return right && count_fds() == fds;
}

/* The descriptor on byte `at`, alone in its piece. */
static void test_positions(void)
{
        for (size_t at = 0; at < 16; at++) {
                struct piece pieces[3], *p = pieces;
                if (at > 0)
                        *p++ = (struct piece){ .size = at };
                *p++ = (struct piece){ .size = 1, .fds = 1 };
                *p++ = (struct piece){ .size = 39 - at };
                ok(reads_request(pieces, (size_t)(p - pieces)), "descriptor on byte %zu", at);
        }
}

static void test_splits(void)
{
        struct piece pieces[PIECES_MAX];
        uint32_t random = 1;
        int wrong = 0;

        for (size_t at = 1; at < 40; at++) {
                const struct piece two[] = { { .size = at, .fds = 1 }, { .size = 40 - at } };
                wrong += !reads_request(two, 2);
        }
        is_int(wrong, 0, "split in two at any byte");

        for (int i = 0; i < 40; i++)
                pieces[i] = (struct piece){ .size = 1, .fds = i == 15 };
        ok(reads_request(pieces, 40), "byte by byte, the descriptor with the last of the CDB");
        ok(reads_request(&(struct piece){ .size = 40, .fds = 1 }, 1), "all in one write");

        for (int run = 0; run < 300; run++) {
                size_t count = 0, left = 40;
                while (left > 0) {
                        random = random * 1103515245 + 12345;
                        size_t size = 1 + (random >> 16) % 9;
                        size = size < left ? size : left;
                        pieces[count++] = (struct piece){ .size = size, .fds = left == 40 };
                        left -= size;
                }
                wrong += !reads_request(pieces, count);
        }
        is_int(wrong, 0, "split at random 300 times");
        struct piece late[] = { { .size = 16, .fds = 1 }, { .size = 10, .fds = 3 }, { .size = 14, .fds = 1 } };
        ok(reads_request(late, 3), "descriptors with the parameter list are closed and ignored");
}

static const struct {
        const char *what;
        uint8_t bytes[16];
        struct piece pieces[4];
        int end;
} ends[] = {
        { "closed before the first byte", { 0 }, { { .then = CLOSE } }, WIRE_END_CLOSED },
        { "closed within the CDB", { OUT_CDB }, { { 15, 1, CLOSE } }, WIRE_END_PARTIAL },
        { "closed within the CDB, later", { OUT_CDB }, { { 1, 0 }, { 3, 1 }, { .then = CLOSE } },
          WIRE_END_PARTIAL },
        { "the rest does not come", { OUT_CDB }, { { 15, 1 } }, WIRE_END_LATE },
        { "the rest does not come, no descriptor", { OUT_CDB }, { { 1, 0 } }, WIRE_END_LATE },
        { "no descriptor", { OUT_CDB }, { { 16, 0 } }, WIRE_END_NO_FD },
        { "no descriptor and another opcode", { 0x12 }, { { 16, 0 } }, WIRE_END_NO_FD },
        { "another opcode", { 0x12 }, { { 16, 1 } }, WIRE_END_OPCODE },
        { "one opcode below", { 0x5d }, { { 16, 1 } }, WIRE_END_OPCODE },
        { "one opcode above", { 0x60 }, { { 16, 1 } }, WIRE_END_OPCODE },
        { "two descriptors", { OUT_CDB }, { { 16, 2 } }, WIRE_END_FDS },
        { "two descriptors on two bytes", { OUT_CDB }, { { 8, 1 }, { 8, 1 } }, WIRE_END_FDS },
        { "two descriptors in one of two pieces", { OUT_CDB }, { { 8, 0 }, { 8, 2 } }, WIRE_END_FDS },
        { "one and then two", { OUT_CDB }, { { 8, 1 }, { 8, 2 } }, WIRE_END_FDS },
        { "three descriptors", { OUT_CDB }, { { 16, 3 } }, WIRE_END_CONTROL },
        { "one and then three", { OUT_CDB }, { { 8, 1 }, { 8, 3 } }, WIRE_END_CONTROL },
        { "IN, 8193 bytes", { 0x5e, [7] = 0x20, [8] = 1 }, { { 16, 1 } }, WIRE_END_LENGTH },
        { "IN, 65535 bytes", { 0x5e, [7] = 0xff, [8] = 0xff }, { { 16, 1 } }, WIRE_END_LENGTH },
        { "OUT, 8193 bytes", { 0x5f, [7] = 0x20, [8] = 1 }, { { 16, 1 } }, WIRE_END_LENGTH },
        { "OUT, byte 5 of the length", { 0x5f, [5] = 1, [8] = 24 }, { { 16, 1 } }, WIRE_END_LENGTH },
        { "OUT, byte 6 of the length", { 0x5f, [6] = 1, [8] = 24 }, { { 16, 1 } }, WIRE_END_LENGTH },
        { "IN, 8192 bytes", { 0x5e, [7] = 0x20 }, { { 16, 1 } }, 0 },
        { "OUT, 8192 bytes", { 0x5f, [7] = 0x20 }, { { 16, 1 } }, 0 },
        { "IN, bytes 5 and 6 are no length", { 0x5e, [5] = 0xff, [6] = 0xff }, { { 16, 1 } }, 0 },
};

static void test_ends(void)
{
        int fds = count_fds();

        for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
                struct wire_request request;
                uint8_t untouched[sizeof request];

                memset(&request, 0xee, sizeof request);
                memcpy(untouched, &request, sizeof request);
                begin(ends[i].bytes, ends[i].pieces, 4);
                int r = wire_read_request(script.server, &request);
                is_int(r, ends[i].end, "%s: %s", ends[i].what, wire_end_text(ends[i].end));
                if (r == 0)
                        close(request.fd);
                else
                        ok(memcmp(&request, untouched, sizeof request) == 0, "%s: result untouched",
                           ends[i].what);
                end();
                is_int(count_fds(), fds, "%s: every descriptor is closed", ends[i].what);
        }

        struct wire_request request;
        is_int(wire_read_request(-1, &request), -EBADF, "an errno comes back as such");
}

static void test_parameters(void)
{
        static const struct {
                const char *what;
                struct piece pieces[3];
                int end;
        } lists[] = {
                { "whole", { { 24, 0 } }, 0 },
                { "closed before it", { { .then = CLOSE } }, WIRE_END_PARTIAL },
                { "closed within", { { 23, 0, CLOSE } }, WIRE_END_PARTIAL },
                { "it does not come", { { 0 } }, WIRE_END_LATE },
                { "its rest does not come", { { 23, 0 } }, WIRE_END_LATE },
                { "descriptors with it", { { 4, 2 }, { 20, 3 } }, 0 },
        };
        int fds = count_fds();

        for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
                uint8_t list[24];
                begin(request_bytes + 16, lists[i].pieces, 3);
                is_int(wire_read_parameters(script.server, list, 24), lists[i].end,
                       "parameter list, %s", lists[i].what);
                end();
                is_int(count_fds(), fds, "parameter list, %s: nothing is left open", lists[i].what);
        }
        begin(NULL, &(struct piece){ 0 }, 1);
        is_int(wire_read_parameters(script.server, NULL, 0), 0, "a list of no bytes");
        is_int(script.polls, 0, "is not waited for");
        end();
}

int main(void)
{
        script.device = memfd_create("device", MFD_CLOEXEC);
        script.client = script.server = -1;
        test_positions();
        test_splits();
        test_ends();
        test_parameters();
        close(script.device);
        return done();
}
