/* SPDX-License-Identifier: BSD-2-Clause */
/* All of a message or none of it, by a deadline: see stream.h. */
#include "wire/stream.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "wire/transfer.h"
#include "wire/wire_client.h"

/* Wait until `sock` is ready or hung up. */
static int wait_ready(int sock, short events, int64_t deadline)
{
        struct pollfd ready = { .fd = sock, .events = events };
        int n = poll(&ready, 1, clock_left(deadline));

        if (n == 0)
                return WIRE_FAULT_LATE;
        return n < 0 && errno != EINTR ? -errno : 0;
}

/* errno after a call on the socket: a connection that is gone is the same however it shows. */
static int stream_errno(void)
{
        return errno == EPIPE || errno == ECONNRESET ? WIRE_FAULT_CLOSED : -errno;
}

int stream_receive(int sock, void *bytes, size_t size, int64_t deadline)
{
        uint8_t *at = bytes;

        while (size > 0) {
                ssize_t got = recv(sock, at, size, MSG_DONTWAIT);
                if (got == 0)
                        return WIRE_FAULT_CLOSED;
                if (got > 0) {
                        at += got;
                        size -= (size_t)got;
                } else if (errno == EAGAIN) {
                        int r = wait_ready(sock, POLLIN, deadline);
                        if (r != 0)
                                return r;
                } else if (errno != EINTR) {
                        return stream_errno();
                }
        }
        return 0;
}

/* The union aligns what CMSG_FIRSTHDR() looks at. */
union descriptor {
        struct cmsghdr alignment;
        char space[CMSG_SPACE(sizeof(int))];
};

static void attach(struct msghdr *message, union descriptor *control, int fd)
{
        memset(control, 0, sizeof *control);
        message->msg_control = control;
        message->msg_controllen = sizeof *control;

        struct cmsghdr *header = CMSG_FIRSTHDR(message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof fd);
        memcpy(CMSG_DATA(header), &fd, sizeof fd);
}

int stream_send(int sock, struct iovec *parts, size_t count, int fd, int64_t deadline,
                bool *ret_begun)
{
        struct msghdr message = { .msg_iov = parts, .msg_iovlen = count };
        union descriptor control;

        *ret_begun = false;
        if (fd >= 0)
                attach(&message, &control, fd);

        for (transfer_advance(&message, 0); message.msg_iovlen > 0;) {
                ssize_t sent = sendmsg(sock, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
                if (sent >= 0) {
                        *ret_begun = true;
                        message.msg_control = NULL;
                        message.msg_controllen = 0;
                        transfer_advance(&message, (size_t)sent);
                } else if (errno == EAGAIN) {
                        int r = wait_ready(sock, POLLOUT, deadline);
                        if (r != 0)
                                return r;
                } else if (errno != EINTR) {
                        return stream_errno();
                }
        }
        return 0;
}
