/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All of a message or none of it: see transfer.h.
 *
 * The common case is one system call: the message is there, or room for it is.
 * Only when it is not does poll(2) come in, with a deadline.
 */
#include "wire/transfer.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "wire/wire.h"

/* Room for two: one is right, the second shows that there are too many. */
enum { CONTROL_FDS = 2 };

/* Keep the first descriptor in *fd, close any other; say what was wrong with them. */
static int collect_fds(struct msghdr *message, int *fd)
{
        int r = message->msg_flags & MSG_CTRUNC ? WIRE_END_CONTROL : 0;

        for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
                if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
                        continue;
                size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
                for (size_t i = 0; i < count; i++) {
                        int received;
                        memcpy(&received, CMSG_DATA(c) + i * sizeof received, sizeof received);
                        if (*fd < 0) {
                                *fd = received;
                        } else {
                                close(received);
                                r = r ? r : WIRE_END_FDS;
                        }
                }
        }
        return r;
}

/* recvmsg(2); *ret_end is what has to end the connection in spite of success. */
static ssize_t receive_some(int sock, void *bytes, size_t size, int flags, int *fd, int *ret_end)
{
        union {
                struct cmsghdr alignment;
                char space[CMSG_SPACE(CONTROL_FDS * sizeof(int))];
        } control;
        struct iovec part = { .iov_base = bytes, .iov_len = size };
        struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };

        if (!fd)
                return recv(sock, bytes, size, flags);

        message.msg_control = &control;
        message.msg_controllen = sizeof control;
        ssize_t got = recvmsg(sock, &message, flags | MSG_CMSG_CLOEXEC);
        if (got >= 0)
                *ret_end = collect_fds(&message, fd);
        return got;
}

/* Wait until `sock` is ready; a deadline of 0 is set by the first call. */
static int wait_ready(int sock, short events, int64_t *deadline)
{
        struct pollfd ready = { .fd = sock, .events = events };

        if (*deadline == 0)
                *deadline = clock_ms() + WIRE_PATIENCE_MS;
        int n = poll(&ready, 1, clock_left(*deadline));
        if (n == 0)
                return WIRE_END_LATE;
        return n < 0 && errno != EINTR ? -errno : 0;
}

int transfer_receive(int sock, void *bytes, size_t size, bool patient, int *ret_fd)
{
        uint8_t *at = bytes;
        size_t left = size;
        int64_t deadline = 0;

        if (ret_fd)
                *ret_fd = -1;

        while (left > 0) {
                bool wait = patient && left == size;
                int end = 0;
                ssize_t got = receive_some(sock, at, left, wait ? 0 : MSG_DONTWAIT, ret_fd, &end);
                if (end != 0)
                        return end;
                if (got == 0)
                        return left == size ? WIRE_END_CLOSED : WIRE_END_PARTIAL;
                if (got > 0) {
                        at += got;
                        left -= (size_t)got;
                } else if (errno == EAGAIN) {
                        int r = wait_ready(sock, POLLIN, &deadline);
                        if (r != 0)
                                return r;
                } else if (errno != EINTR) {
                        return -errno;
                }
        }
        return 0;
}

void transfer_advance(struct msghdr *message, size_t done)
{
        while (message->msg_iovlen > 0 && done >= message->msg_iov->iov_len) {
                done -= message->msg_iov->iov_len;
                message->msg_iov++;
                message->msg_iovlen--;
        }
        if (message->msg_iovlen > 0) {
                message->msg_iov->iov_base = (char *)message->msg_iov->iov_base + done;
                message->msg_iov->iov_len -= done;
        }
}

int transfer_send(int sock, struct iovec *parts, size_t count)
{
        struct msghdr message = { .msg_iov = parts, .msg_iovlen = count };
        int64_t deadline = 0;

        for (transfer_advance(&message, 0); message.msg_iovlen > 0;) {
                ssize_t sent = sendmsg(sock, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
                if (sent >= 0) {
                        transfer_advance(&message, (size_t)sent);
                } else if (errno == EAGAIN) {
                        int r = wait_ready(sock, POLLOUT, &deadline);
                        if (r != 0)
                                return r;
                } else if (errno != EINTR) {
                        return -errno;
                }
        }
        return 0;
}
