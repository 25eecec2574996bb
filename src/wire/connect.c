/* SPDX-License-Identifier: BSD-2-Clause */
/* The client's half of the protocol up to the first command: see wire_client.h. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/descriptor.h"
#include "wire/stream.h"
#include "wire/wire_client.h"

const char *wire_fault_text(int result)
{
        static const char *const texts[] = {
                [0] = "all is well",
                [WIRE_FAULT_CLOSED] = "the helper closed the connection",
                [WIRE_FAULT_LATE] = "the helper did not answer in time",
                [WIRE_FAULT_FEATURES] = "no helper: it offers features that the protocol does not have",
                [WIRE_FAULT_UNASKED] = "the helper sent something without having been asked",
                [WIRE_FAULT_STATUS] = "the helper's reply has a status that is none",
                [WIRE_FAULT_SIZE] = "the helper's reply has more data than was asked for",
                [WIRE_FAULT_PAYLOAD] = "the helper's reply has data where none is allowed",
        };

        if (result < 0)
                return strerrordesc_np(-result);
        return (size_t)result < sizeof texts / sizeof texts[0] ? texts[result] : "unknown";
}

int wire_fault_errno(int result)
{
        switch (result) {
        case WIRE_FAULT_CLOSED:
                return -ECONNRESET;
        case WIRE_FAULT_LATE:
                return -ETIMEDOUT;
        default:
                return result > 0 ? -EPROTO : result;
        }
}

/* connect(2) waits for room in the backlog as long as sending may take (unix(7)). */
static int limit_connect(int sock, int64_t deadline)
{
        int left = clock_left(deadline);
        struct timeval limit = { .tv_sec = left / 1000, .tv_usec = left % 1000 * 1000 };

        if (deadline == WIRE_NO_DEADLINE)
                return 0;
        if (left == 0)
                return WIRE_FAULT_LATE;
        return setsockopt(sock, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) < 0 ? -errno : 0;
}

int wire_connect(const char *path, int64_t deadline, int *ret_sock)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        cleanup_fd int sock = descriptor_move(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));

        if (sock < 0)
                return -errno;
        if (strlen(path) >= sizeof address.sun_path)
                return -ENAMETOOLONG;
        memcpy(address.sun_path, path, strlen(path));

        do {
                int r = limit_connect(sock, deadline);
                if (r != 0)
                        return r;
                if (connect(sock, (const struct sockaddr *)&address, sizeof address) == 0) {
                        *ret_sock = steal_fd(&sock);
                        return 0;
                }
        } while (errno == EINTR);
        return errno == EAGAIN ? WIRE_FAULT_LATE : -errno;
}

int wire_request_features(int sock, int64_t deadline)
{
        uint8_t word[4];
        int r = stream_receive(sock, word, sizeof word, deadline);

        if (r != 0)
                return r;
        struct reader reader = reader_over(word, sizeof word);
        if (read_be32(&reader) & ~(uint32_t)WIRE_SUPPORTED_FEATURES)
                return WIRE_FAULT_FEATURES;

        bool begun;
        struct writer w = writer_over(word, sizeof word);
        struct iovec part = { .iov_base = word, .iov_len = sizeof word };
        write_be32(&w, 0);
        return stream_send(sock, &part, 1, -1, deadline, &begun);
}

int wire_check_idle(int sock)
{
        uint8_t byte;
        ssize_t got = recv(sock, &byte, sizeof byte, MSG_PEEK | MSG_DONTWAIT);

        if (got > 0)
                return WIRE_FAULT_UNASKED;
        if (got == 0 || errno == ECONNRESET)
                return WIRE_FAULT_CLOSED;
        return errno == EAGAIN || errno == EINTR ? 0 : -errno;
}
