/* SPDX-License-Identifier: BSD-2-Clause */
/* Socket activation: see activation.h. */
#include "helper/activation.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"

enum { FIRST_FD = 3 }; /* SD_LISTEN_FDS_START */

static bool parse(const char *text, long *ret_number)
{
        char *end;

        if (!text || text[0] < '0' || text[0] > '9')
                return false;
        errno = 0;
        long number = strtol(text, &end, 10);
        if (*end != '\0' || errno != 0)
                return false;
        *ret_number = number;
        return true;
}

static int option(int fd, int name)
{
        int value = 0;
        socklen_t size = sizeof value;

        return getsockopt(fd, SOL_SOCKET, name, &value, &size) < 0 ? -1 : value;
}

static int check(int fd)
{
        if (option(fd, SO_DOMAIN) != AF_UNIX || option(fd, SO_TYPE) != SOCK_STREAM ||
            option(fd, SO_ACCEPTCONN) != 1) {
                log_error("Socket activation failed: file descriptor %d is no listening unix "
                          "stream socket", fd);
                return -ENOTSOCK;
        }
        int flags = fcntl(fd, F_GETFL);
        if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ||
            fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
                return -errno;
        return fd;
}

int activation_socket(void)
{
        const char *fds = getenv("LISTEN_FDS");
        long pid, count;
        int r = 0;

        if (!parse(getenv("LISTEN_PID"), &pid) || pid != getpid() || !fds)
                return 0;

        if (!parse(fds, &count)) {
                log_error("Socket activation failed: LISTEN_FDS is '%s', which is no number of "
                          "sockets", fds);
                r = -EINVAL;
        } else if (count > 1) {
                log_error("Socket activation with LISTEN_FDS > 1 is not supported");
                r = -EINVAL;
        } else if (count == 1) {
                r = check(FIRST_FD);
        }
        unsetenv("LISTEN_PID");
        unsetenv("LISTEN_FDS");
        unsetenv("LISTEN_FDNAMES");
        return r;
}
