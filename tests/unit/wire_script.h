/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A scripted client for the tests of wire/.
 *
 * poll(2) is ours: each time the code under test has to wait it sends the next
 * piece. So there is no second thread, and a time-out takes no time.
 */
#pragma once

#include <poll.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "fixture.h"

enum { PIECES_MAX = 64 };

/* What the client does next: bytes, descriptors with them, and then perhaps the end. */
struct piece {
        size_t size;
        int fds;
        enum { STAY, CLOSE, HALF_CLOSE } then;
};

static struct {
        int client, server, device;
        const uint8_t *bytes; /* what is left to be sent */
        struct piece pieces[PIECES_MAX + 1];
        size_t next;
        int polls;
        int timeouts[PIECES_MAX]; /* that it was called with */
        ssize_t (*drain)(void);   /* instead: the client reads; 0: it does no longer */
} script;

static inline void send_piece(const struct piece *piece)
{
        union {
                struct cmsghdr header;
                char space[CMSG_SPACE(4 * sizeof(int))];
        } control = { 0 };
        struct iovec part = { .iov_base = (void *)script.bytes, .iov_len = piece->size };
        struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
        size_t fds = (size_t)piece->fds;

        if (fds > 0) {
                message.msg_control = &control;
                message.msg_controllen = CMSG_SPACE(fds * sizeof(int));
                control.header.cmsg_level = SOL_SOCKET;
                control.header.cmsg_type = SCM_RIGHTS;
                control.header.cmsg_len = CMSG_LEN(fds * sizeof(int));
                for (size_t i = 0; i < fds; i++)
                        memcpy(CMSG_DATA(&control.header) + i * sizeof(int), &script.device,
                               sizeof(int));
        }
        if (piece->size > 0)
                need(sendmsg(script.client, &message, MSG_NOSIGNAL) == (ssize_t)piece->size, "sendmsg");
        script.bytes += piece->size;
        if (piece->then == CLOSE)
                close_fd(&script.client);
        else if (piece->then == HALF_CLOSE)
                (void)shutdown(script.client, SHUT_WR);
}

static inline bool send_next(void)
{
        const struct piece *piece = &script.pieces[script.next];

        if (piece->size == 0 && piece->then == STAY)
                return false;
        script.next++;
        send_piece(piece);
        return true;
}

/* In place of the C library's poll(2), whose header may have an inline one. */
int script_poll(struct pollfd *fds, nfds_t count, int timeout) __asm__("poll");

int script_poll(struct pollfd *fds, nfds_t count, int timeout)
{
        (void)fds, (void)count;
        if (script.polls < PIECES_MAX)
                script.timeouts[script.polls] = timeout;
        if (script.polls++ == 0) {
                errno = EINTR; /* that may happen, and means nothing */
                return -1;
        }
        if (timeout <= 0)
                return 0;
        return script.drain ? script.drain() > 0 : send_next();
}

/* A connection; the first piece is there already. */
static inline void begin(const uint8_t *bytes, const struct piece *pieces, size_t count)
{
        int ends[2];

        need(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0, "socketpair");
        script.client = ends[0];
        script.server = ends[1];
        script.bytes = bytes;
        memset(script.pieces, 0, sizeof script.pieces);
        memcpy(script.pieces, pieces, count * sizeof *pieces);
        script.next = 0;
        script.polls = 0;
        script.drain = NULL;
        (void)send_next();
}

static inline void end(void)
{
        close_fd(&script.client);
        close_fd(&script.server);
}
