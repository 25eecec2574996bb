/* SPDX-License-Identifier: BSD-2-Clause */
/* The client's half of the helper protocol: see connection.h. */
#include "connection.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

int64_t now_ns(void)
{
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void request_init(struct request *ret_request, const char *path, unsigned action, unsigned length)
{
        int fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);

        if (fd < 0)
                fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
        if (fd < 0)
                err(1, "%s", path);
        *ret_request = (struct request){
                .cdb = { [0] = 0x5e, [1] = (uint8_t)action, [7] = (uint8_t)(length >> 8),
                         [8] = (uint8_t)length },
                .fd = fd,
        };
}

int connection_try(const char *path)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        if (sock < 0)
                return -1;
        if (strlen(path) >= sizeof address.sun_path)
                errx(1, "%s: too long", path);
        strcpy(address.sun_path, path);
        while (connect(sock, (const struct sockaddr *)&address, sizeof address) < 0) {
                if (errno != EINTR) {
                        int saved = errno;
                        close(sock);
                        errno = saved;
                        return -1;
                }
        }
        return sock;
}

void connection_open(struct connection *connection, const char *path)
{
        static const uint8_t no_features[4];
        uint8_t word[4];

        *connection = (struct connection){ .sock = connection_try(path) };
        if (connection->sock < 0)
                err(1, "connect to %s", path);
        if (recv(connection->sock, word, sizeof word, MSG_WAITALL) != sizeof word)
                errx(1, "%s: no feature word", path);
        if (send(connection->sock, no_features, sizeof no_features, MSG_NOSIGNAL) !=
            sizeof no_features)
                err(1, "send");
}

void connection_send(struct connection *connection, const struct request *request, int64_t now)
{
        union {
                struct cmsghdr header;
                char space[CMSG_SPACE(sizeof(int))];
        } control = { .header = { .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS,
                                  .cmsg_len = CMSG_LEN(sizeof(int)) } };
        struct iovec part = { .iov_base = (void *)request->cdb, .iov_len = sizeof request->cdb };
        struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control,
                                  .msg_controllen = sizeof control };

        memcpy(CMSG_DATA(&control.header), &request->fd, sizeof request->fd);
        connection->sent_ns = now;
        connection->got = 0;
        /* A socket with nothing under way has room for 16 bytes. */
        if (sendmsg(connection->sock, &message, MSG_NOSIGNAL) != sizeof request->cdb)
                err(1, "send");
}

static uint32_t be32(const uint8_t *bytes)
{
        return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 |
               bytes[3];
}

bool connection_receive(struct connection *connection)
{
        static uint8_t bytes[REPLY_HEADER + DATA_MAX];
        ssize_t n = recv(connection->sock, bytes, sizeof bytes, 0);

        if (n <= 0) {
                if (n < 0 && (errno == EAGAIN || errno == EINTR))
                        return false;
                errx(1, "the server hung up");
        }
        for (uint32_t i = 0; i < n && connection->got + i < sizeof connection->head; i++)
                connection->head[connection->got + i] = bytes[i];
        connection->got += (uint32_t)n;
        if (connection->got < REPLY_HEADER)
                return false;

        uint32_t size = be32(connection->head + 4);
        if (size > DATA_MAX || connection->got > REPLY_HEADER + size)
                errx(1, "the reply is no reply");
        return connection->got == REPLY_HEADER + size;
}

uint32_t connection_status(const struct connection *connection)
{
        return be32(connection->head);
}
