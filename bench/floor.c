/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The floor: the least server that speaks the helper protocol. Nobody should
 * run it for anything but to measure what the protocol costs by itself.
 *
 * One thread a connection; a request is recvmsg, ioctl, close, sendmsg. It
 * checks nothing: not who asks, not what the descriptor is, not the lengths
 * of what comes, not whether a reply could be sent.
 *
 *     floor SOCKET
 */
#include <err.h>
#include <pthread.h>
#include <scsi/sg.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { HEADER = 104, DATA_MAX = 8192, STACK = 64 * 1024, TIMEOUT_MS = 30000 };

/* The CDB and the descriptor that comes with it. -1 at the end. */
static int receive(int sock, uint8_t *cdb)
{
        union {
                struct cmsghdr header;
                char space[CMSG_SPACE(sizeof(int))];
        } control;
        struct iovec part = { .iov_base = cdb, .iov_len = 16 };
        struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control,
                                  .msg_controllen = sizeof control };
        int fd = -1;

        if (recvmsg(sock, &message, MSG_CMSG_CLOEXEC) == 16 && message.msg_controllen > 0)
                memcpy(&fd, CMSG_DATA(&control.header), sizeof fd);
        return fd;
}

static void put_be32(uint8_t *at, uint32_t value)
{
        const uint8_t bytes[] = { (uint8_t)(value >> 24), (uint8_t)(value >> 16),
                                  (uint8_t)(value >> 8), (uint8_t)value };

        memcpy(at, bytes, sizeof bytes);
}

/* Run the command and write the reply. */
static void answer(int sock, int fd, uint8_t *cdb, uint8_t *data)
{
        uint8_t header[HEADER] = { 0 };
        uint32_t length = (uint32_t)cdb[7] << 8 | cdb[8];
        struct sg_io_hdr io = {
                .interface_id = 'S', .dxfer_direction = SG_DXFER_FROM_DEV,
                .cmd_len = 16, .cmdp = cdb, .mx_sb_len = HEADER - 8, .sbp = header + 8,
                .dxfer_len = length, .dxferp = data, .timeout = TIMEOUT_MS,
        };

        if (cdb[0] == 0x5f) {
                io.dxfer_direction = SG_DXFER_TO_DEV;
                io.dxfer_len = length = (uint32_t)cdb[5] << 24 | (uint32_t)cdb[6] << 16 | length;
                (void)!recv(sock, data, length > DATA_MAX ? DATA_MAX : length, MSG_WAITALL);
        }
        uint32_t status = length <= DATA_MAX && ioctl(fd, SG_IO, &io) == 0 ? io.status : 2;
        uint32_t size = status == 0 && cdb[0] == 0x5e ? length - (uint32_t)io.resid : 0;
        close(fd);

        put_be32(header, status);
        put_be32(header + 4, size);
        struct iovec parts[] = {
                { .iov_base = header, .iov_len = sizeof header },
                { .iov_base = data, .iov_len = size },
        };
        struct msghdr message = { .msg_iov = parts, .msg_iovlen = size > 0 ? 2 : 1 };
        (void)!sendmsg(sock, &message, MSG_NOSIGNAL);
}

static void *serve(void *argument)
{
        /* A page more: LIO's READ FULL STATUS may write past the allocation length. */
        _Alignas(4096) uint8_t data[DATA_MAX + 4096];
        int sock = (int)(intptr_t)argument;
        uint8_t word[4] = { 0 }, cdb[16];
        int fd;

        (void)!send(sock, word, sizeof word, MSG_NOSIGNAL);
        (void)!recv(sock, word, sizeof word, MSG_WAITALL);
        while ((fd = receive(sock, cdb)) >= 0)
                answer(sock, fd, cdb, data);
        close(sock);
        return NULL;
}

int main(int argc, char **argv)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        pthread_attr_t attributes;
        pthread_t thread;

        if (argc != 2 || strlen(argv[1]) >= sizeof address.sun_path)
                errx(2, "usage: floor SOCKET");
        strcpy(address.sun_path, argv[1]);
        if (bind(listener, (const struct sockaddr *)&address, sizeof address) < 0 ||
            listen(listener, 4096) < 0)
                err(1, "%s", argv[1]);
        pthread_attr_init(&attributes);
        pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
        pthread_attr_setstacksize(&attributes, STACK);
        for (;;) {
                int sock = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
                if (sock >= 0 &&
                    pthread_create(&thread, &attributes, serve, (void *)(intptr_t)sock) != 0)
                        close(sock);
        }
}
