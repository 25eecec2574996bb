/* SPDX-License-Identifier: BSD-2-Clause */
/* wire, the rest: the handshake, replies to the byte, how long things may take, what is said. */
#include "wire/wire.h"

#include <sys/resource.h>

#include "fake_clock.h"
#include "tap.h"
#include "wire_script.h"

static void test_handshake(void)
{
        static const struct {
                const char *what;
                uint8_t bytes[4];
                struct piece pieces[5];
                int end;
        } cases[] = {
                { "no feature", { 0 }, { { 4, 0 } }, 0 },
                { "byte by byte", { 0 }, { { 1, 0 }, { 1, 0 }, { 1, 0 }, { 1, 0 } }, 0 },
                { "descriptors are ignored", { 0 }, { { 1, 1 }, { 3, 3 } }, 0 },
                { "closed before", { 0 }, { { .then = HALF_CLOSE } }, WIRE_END_CLOSED },
                { "closed within", { 0 }, { { 3, 0, HALF_CLOSE } }, WIRE_END_PARTIAL },
                { "its rest does not come", { 0 }, { { 3, 0 } }, WIRE_END_LATE },
        };
        int fds = count_fds();

        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                uint8_t word[4] = { 0xee, 0xee, 0xee, 0xee };

                begin(cases[i].bytes, cases[i].pieces, 5);
                is_int(wire_accept_features(script.server), cases[i].end, "handshake, %s",
                       cases[i].what);
                is_int(recv(script.client, word, 4, MSG_DONTWAIT), 4, "handshake, %s: a word",
                       cases[i].what);
                is_bytes(word, "\0\0\0\0", 4, "handshake, %s: no feature is offered",
                         cases[i].what);
                end();
                is_int(count_fds(), fds, "handshake, %s: nothing is left open", cases[i].what);
        }

        for (unsigned bit = 0; bit < 32; bit++) {
                uint8_t bytes[4] = { 0 };
                bytes[bit / 8] = (uint8_t)(1 << bit % 8);
                begin(bytes, &(struct piece){ .size = 4 }, 1);
                is_int(wire_accept_features(script.server), WIRE_END_FEATURES,
                       "feature bit %u of byte %u is refused", bit % 8, bit / 8);
                end();
        }
}

/* A descriptor that came with the feature word: nobody may keep it. */
static void test_ignored_descriptor(void)
{
        int ends[2], device = script.device;
        char byte;

        need(pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0, "pipe");
        script.device = ends[1];
        begin((const uint8_t[4]){ 0 }, &(struct piece){ .size = 4, .fds = 1 }, 1);
        close(ends[1]);
        is_int(wire_accept_features(script.server), 0, "a handshake with a descriptor");
        is_int(read(ends[0], &byte, 1), 0, "the descriptor is closed, not kept in flight");
        end();
        close(ends[0]);
        script.device = device;
}

/* Handshake and two requests at once: each gets its own bytes and its own descriptor. */
static void test_pipelined(void)
{
        static const uint8_t bytes[4 + 16 + 24 + 16] = {
                0, 0, 0, 0, [4] = 0x5f, 0x06, [12] = 24, [20] = 0xab, [44] = 0x5e, 0x03, [51] = 0x20,
        };
        static const struct piece pieces[] = { { 4, 0 }, { 40, 1 }, { 16, 1 } };
        struct wire_request request = { .fd = -1 };
        uint8_t list[24];

        begin(bytes, pieces, 3);
        (void)send_next();
        (void)send_next();
        is_int(wire_accept_features(script.server), 0, "pipelined: the handshake");
        is_int(wire_read_request(script.server, &request), 0, "pipelined: a request");
        is_bytes(request.bytes, bytes + 4, 16, "pipelined: its CDB");
        close_fd(&request.fd);
        is_int(wire_read_parameters(script.server, list, 24), 0, "pipelined: its list");
        is_bytes(list, bytes + 20, 24, "pipelined: all of it");
        is_int(wire_read_request(script.server, &request), 0, "pipelined: the next request");
        is_bytes(request.bytes, bytes + 44, 16, "pipelined: the next CDB");
        close_fd(&request.fd);
        is_int(script.polls, 0, "pipelined: nothing had to be waited for");
        end();
}

static void test_replies(void)
{
        static const struct {
                uint8_t status, sense_key;
                uint32_t size;
        } replies[] = { { 0x00, 0, 0 }, { 0x00, 0, 8 }, { 0x00, 0, 8192 }, { 0x02, 5, 0 }, { 0x18, 0, 0 } };
        uint8_t payload[PR_DATA_MAX];

        for (size_t i = 0; i < sizeof payload; i++)
                payload[i] = (uint8_t)(i * 31 + 7);
        for (size_t i = 0; i < sizeof replies / sizeof replies[0]; i++) {
                uint8_t want[104 + PR_DATA_MAX] = { 0 }, got[sizeof want + 1], sense[SENSE_SIZE] = { 0 };
                uint32_t size = replies[i].size;

                if (replies[i].sense_key)
                        scsi_sense_build(SENSE(replies[i].sense_key, 0x24, 0x01), sense);
                want[3] = replies[i].status;
                want[6] = (uint8_t)(size >> 8);
                want[7] = (uint8_t)size;
                memcpy(want + 8, sense, SENSE_SIZE);
                memcpy(want + 104, payload, size);
                struct wire_reply reply = { replies[i].status, sense, size ? payload : NULL, size };

                begin(NULL, &(struct piece){ 0 }, 1);
                is_int(wire_write_reply(script.server, &reply), 0, "reply %02x with %u bytes: written",
                       replies[i].status, size);
                is_int(recv(script.client, got, sizeof got, MSG_DONTWAIT), 104 + size,
                       "reply %02x with %u bytes: its size", replies[i].status, size);
                is_bytes(got, want, 104 + size, "reply %02x with %u bytes: every byte",
                         replies[i].status, size);
                end();
        }
}

static uint8_t drained[104 + PR_DATA_MAX + 65536];
static size_t drained_size;

static ssize_t drain_some(void)
{
        ssize_t n = recv(script.client, drained + drained_size, 700, MSG_DONTWAIT);

        if (n > 0)
                drained_size += (size_t)n;
        return n;
}

/* A client that reads a little at a time, or not at all. */
static void test_slow_reader(void)
{
        uint8_t payload[PR_DATA_MAX], sense[SENSE_SIZE] = { 0 }, fill[256] = { 0 };
        struct wire_reply reply = { 0, sense, payload, sizeof payload };
        int small = 1;
        size_t filled = 0;

        for (size_t i = 0; i < sizeof payload; i++)
                payload[i] = (uint8_t)(i * 13 + i / 256);
        begin(NULL, &(struct piece){ 0 }, 1);
        (void)setsockopt(script.server, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
        for (ssize_t n; (n = send(script.server, fill, sizeof fill, MSG_DONTWAIT)) > 0;)
                filled += (size_t)n;
        script.drain = drain_some;
        is_int(wire_write_reply(script.server, &reply), 0, "a slow reader gets its reply");
        ok(script.polls > 2, "in several parts");
        while (drain_some() > 0)
                ;
        is_int(drained_size, filled + 104 + sizeof payload, "all of it");
        is_bytes(drained + filled + 104, payload, sizeof payload, "in order");

        while (send(script.server, fill, sizeof fill, MSG_DONTWAIT) > 0)
                ;
        script.drain = NULL;
        script.polls = 0;
        is_int(wire_write_reply(script.server, &reply), WIRE_END_LATE, "nobody reads: not for ever");
        ok(script.timeouts[1] <= WIRE_PATIENCE_MS && script.timeouts[1] > WIRE_PATIENCE_MS - 1000,
           "but for as long as is documented");
        close_fd(&script.client);
        is_int(wire_write_reply(script.server, &reply), -EPIPE, "nobody is there: EPIPE, no signal");
        end();
}

/* A byte every three seconds: each is progress, and yet the deadline stays. */
static void test_trickle(void)
{
        struct piece pieces[16];
        struct wire_request request;

        for (int i = 0; i < 16; i++)
                pieces[i] = (struct piece){ .size = 1, .fds = i == 0 };
        begin((const uint8_t[16]){ 0x5e }, pieces, 16);
        clock_step_ms = 3000;
        int r = wire_read_request(script.server, &request);
        clock_step_ms = 0;
        is_int(r, WIRE_END_LATE, "a trickle ends at its deadline");
        ok(script.polls >= 3 && script.polls <= 6, "after ten seconds in all (%d waits)", script.polls);
        int longer = 0;
        for (int i = 1; i < script.polls; i++)
                longer += script.timeouts[i] > script.timeouts[i - 1];
        is_int(longer, 0, "no wait is longer than the one before");
        end();
}

/* The kernel delivers bytes without the descriptor when there is no room for another one. */
static int at_the_limit(const void *unused)
{
        struct wire_request request = { .fd = -1 };
        struct rlimit limit = { 0 };
        struct msghdr message = { 0 };
        struct iovec part = { &(char){ 0 }, 1 };
        char control[CMSG_SPACE(sizeof(int))];
        static const struct piece pieces[] = { { 1, 1 }, { 16, 1 } };

        (void)unused;
        begin((const uint8_t[17]){ 0, 0x5e }, pieces, 2);
        (void)send_next();
        int highest = dup(0);
        close(highest);
        limit.rlim_cur = limit.rlim_max = (rlim_t)highest;
        if (highest < 0 || setrlimit(RLIMIT_NOFILE, &limit) < 0)
                return 77;
        message.msg_iov = &part;
        message.msg_iovlen = 1;
        message.msg_control = control;
        message.msg_controllen = sizeof control;
        if (recvmsg(script.server, &message, 0) != 1 || !(message.msg_flags & MSG_CTRUNC))
                return 77; /* no such limit here */
        return wire_read_request(script.server, &request);
}

static void test_limit(void)
{
        int r = run_child(at_the_limit, NULL);

        if (r == 77)
                skip("no room for a descriptor", "the limit has no effect here");
        else
                is_int(r, WIRE_END_CONTROL, "no room for a descriptor: it was lost on the way");
}

static void test_texts(void)
{
        for (int a = 0; a <= WIRE_END_CONTROL; a++) {
                ok(wire_end_text(a) && wire_end_text(a)[0] != '\0', "end %d has a text: %s", a,
                   wire_end_text(a));
                for (int b = 0; b < a; b++)
                        if (strcmp(wire_end_text(a), wire_end_text(b)) == 0)
                                ok(false, "ends %d and %d have different texts", a, b);
        }
        is_string(wire_end_text(-ENOMEM), "Cannot allocate memory", "an errno has its own text");
        is_string(wire_end_text(WIRE_END_CONTROL + 1), "unknown", "others have none");
}

int main(void)
{
        int fds;

        script.device = memfd_create("device", MFD_CLOEXEC);
        script.client = script.server = -1;
        fds = count_fds();
        test_handshake();
        test_ignored_descriptor();
        test_pipelined();
        test_replies();
        test_slow_reader();
        test_trickle();
        test_limit();
        test_texts();
        is_int(count_fds(), fds, "no descriptor is left open");
        close(script.device);
        return done();
}
