/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A helper out of a script: see server.h.
 *
 * At each connect: 1 and an errno, it fails; else a message, for a greeting. After
 * each whole request: a message. A message is a byte of flags, then what it is.
 */
#include "server.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "fuzz.h"
#include "wire/wire.h"

enum { SENT_MAX = 1 << 17 };

enum message { RAW = 1, CLOSE = 2, SILENT = 4, CUT = 8, SENSE = 16 };

static struct {
        struct reader script;
        int sock;
        uint8_t sent[SENT_MAX]; /* to this connection */
        size_t sent_size, read_size; /* of these, what the library has read */
        uint8_t request[PR_CDB_SIZE];
        size_t request_size, list_left;
        unsigned request_fds, requests;
} server = { .sock = -1 };

static void send_bytes(const void *bytes, size_t size)
{
        if (server.sent_size + size > SENT_MAX)
                return;
        ssize_t n = send(server.sock, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n <= 0)
                return;
        memcpy(server.sent + server.sent_size, bytes, (size_t)n);
        server.sent_size += (size_t)n;
}

/* A reply with its header right, and as much data as it says, or less. */
static void send_reply(struct reader *r, uint8_t flags)
{
        uint8_t bytes[WIRE_REPLY_HEADER_SIZE + PR_DATA_MAX] = { 0 };
        struct writer w = writer_over(bytes, sizeof bytes);
        uint8_t status = read_u8(r);
        size_t size = read_be16(r) % (PR_DATA_MAX + 1), given, sense = 0;
        const uint8_t *sense_bytes = flags & SENSE ? fuzz_bytes(r, read_u8(r) % SENSE_SIZE, &sense) : NULL;

        write_be32(&w, status);
        write_be32(&w, (uint32_t)size);
        write_bytes(&w, sense_bytes, sense);
        const uint8_t *data = fuzz_bytes(r, size > 0 ? read_be16(r) : 0, &given);
        given = given < size ? given : size;
        if (given > 0)
                memcpy(bytes + WIRE_REPLY_HEADER_SIZE, data, given);
        send_bytes(bytes, WIRE_REPLY_HEADER_SIZE + (flags & CUT ? given : size));
}

static void send_message(bool greeting)
{
        static const uint8_t no_features[4];
        struct reader *r = &server.script;
        uint8_t flags = read_u8(r);

        if (flags & RAW) {
                size_t size;
                const uint8_t *bytes = fuzz_bytes(r, read_u8(r), &size);
                send_bytes(bytes, size);
        } else if (greeting) {
                send_bytes(no_features, flags & SILENT ? 0 : 4);
        } else if (!(flags & SILENT)) {
                send_reply(r, flags);
        }
        if (flags & CLOSE)
                close_fd(&server.sock);
}

int connect(int sock, const struct sockaddr *address, socklen_t size)
{
        int ends[2];

        (void)address, (void)size;
        if (read_u8(&server.script) & 1) {
                errno = read_u8(&server.script) % 134;
                if (errno == EINTR || errno == 0)
                        errno = ECONNREFUSED;
                return -1;
        }
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
                abort();
        close_fd(&server.sock);
        server.sock = ends[0];
        server.sent_size = server.read_size = server.request_size = server.list_left = 0;
        fuzz_check(dup3(ends[1], sock, O_CLOEXEC) == sock, "dup3");
        close(ends[1]);
        send_message(true);
        return 0;
}

static void close_fds(struct msghdr *message)
{
        for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
                size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
                for (size_t i = 0; i < count; i++) {
                        int fd;
                        memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
                        close(fd);
                        server.request_fds++;
                }
        }
        fuzz_check(!(message->msg_flags & MSG_CTRUNC), "more descriptors than one");
}

/* Take what the client sent; its feature word comes first on each connection. */
static ssize_t take(uint8_t *bytes, size_t size)
{
        union {
                struct cmsghdr alignment;
                char space[CMSG_SPACE(sizeof(int))];
        } control;
        struct iovec part = { .iov_base = bytes, .iov_len = size };
        struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control,
                                  .msg_controllen = sizeof control };
        ssize_t n = recvmsg(server.sock, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

        if (n > 0)
                close_fds(&message);
        return n;
}


static void take_request(void)
{
        uint8_t rest[PR_DATA_MAX];
        struct pr_cdb cdb;

        while (server.sock >= 0) {
                bool head = server.request_size < PR_CDB_SIZE;
                ssize_t n = head ? take(server.request + server.request_size, PR_CDB_SIZE - server.request_size) :
                                   take(rest, server.list_left);
                if (n <= 0)
                        return;
                if (head) {
                        server.request_size += (size_t)n;
                        if (server.request_size < PR_CDB_SIZE)
                                continue;
                        fuzz_check(pr_cdb_decode(server.request, &cdb) == 0, "no PERSISTENT RESERVE");
                        fuzz_check(cdb.length <= PR_DATA_MAX, "%u bytes", cdb.length);
                        fuzz_check(server.request_fds == 1, "%u descriptors", server.request_fds);
                        server.list_left = cdb.out ? cdb.length : 0;
                } else {
                        server.list_left -= (size_t)n;
                }
                if (server.list_left == 0) {
                        server.request_size = server.request_fds = 0;
                        server.requests++;
                        send_message(false);
                }
        }
}

/* In place of the C library's: what is sent is taken at once, and answered. */
ssize_t sendmsg(int sock, const struct msghdr *message, int flags)
{
        static const uint8_t zero[4];
        uint8_t word[4];
        ssize_t n = syscall(SYS_sendmsg, sock, message, flags);
        int saved = errno;

        if (n == 4 && message->msg_iov->iov_len == 4) {
                if (server.sock >= 0 && take(word, sizeof word) == sizeof word)
                        fuzz_check(memcmp(word, zero, sizeof word) == 0, "features are requested");
        } else if (n > 0) {
                take_request();
        }
        errno = saved;
        return n;
}

/* What the library reads. */
ssize_t recv(int sock, void *bytes, size_t size, int flags)
{
        ssize_t n = recvfrom(sock, bytes, size, flags, NULL, NULL);

        if (n > 0 && !(flags & MSG_PEEK))
                server.read_size += (size_t)n;
        return n;
}

int poll(struct pollfd *fds, nfds_t count, int timeout)
{
        static const struct timespec now;

        (void)timeout;
        return ppoll(fds, count, &now, NULL);
}

int clock_nanosleep(clockid_t clock, int flags, const struct timespec *time, struct timespec *left)
{
        (void)clock, (void)flags, (void)time, (void)left;
        return 0;
}

void server_reset(struct reader script)
{
        server.script = script;
        server.requests = 0;
}

unsigned server_requests(void)
{
        unsigned requests = server.requests;

        server.requests = 0;
        return requests;
}

void server_check_reply(uint8_t status, uint32_t size, const uint8_t *data)
{
        size_t whole = WIRE_REPLY_HEADER_SIZE + size;
        struct reader r = reader_over(server.sent, server.sent_size);

        fuzz_check(server.read_size >= 4 + whole, "not read: %zu bytes", server.read_size);
        (void)read_bytes(&r, server.read_size - whole);
        uint32_t sent_status = read_be32(&r), sent_size = read_be32(&r);
        (void)read_bytes(&r, SENSE_SIZE);
        const uint8_t *payload = read_bytes(&r, sent_size);
        fuzz_check(!r.failed, "a reply that was not sent");
        fuzz_check(sent_status == status, "status %#x of %#x", status, sent_status);
        fuzz_check(sent_size == size, "%u bytes of %u", size, sent_size);
        fuzz_check(!data || size == 0 || memcmp(payload, data, size) == 0, "data");
}

void server_end(void)
{
        close_fd(&server.sock);
        server.request_fds = 0;
}
