/* SPDX-License-Identifier: BSD-2-Clause */
/* Listeners at paths in the test's directory: what they say, what else is there. */
#pragma once

#include <sys/socket.h>
#include <sys/un.h>

#include "fixture.h"
#include "helper/listener.h"

static const struct listener_options by_umask = { -1, (uid_t)-1, (gid_t)-1 };
static char said[1024];

/* listener_open(); what it says is in `said`. */
static inline int open_at(const char *path, const struct listener_options *options, struct owned_path *ret_owned)
{
        struct capture c = capture_begin(STDERR_FILENO);

        *ret_owned = OWNED_PATH_NONE;
        int sock = listener_open(path, options, ret_owned);
        snprintf(said, sizeof said, "%.1000s", capture_end(&c));
        return sock;
}

static inline struct sockaddr_un address_of(const char *path)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };

        memcpy(address.sun_path, path, strnlen(path, sizeof address.sun_path));
        return address;
}

/* Somebody's socket at a path. */
static inline int bind_to(const char *path, int type, bool listening)
{
        struct sockaddr_un address = address_of(path);
        int sock = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

        need(bind(sock, (struct sockaddr *)&address, sizeof address) == 0, "bind");
        need(!listening || listen(sock, 8) == 0, "listen");
        return sock;
}

/* The names in the temporary directory, that of a half-made socket among them. */
static inline int count_names(void)
{
        DIR *directory = opendir(temp_directory());
        int count = -2;

        while (readdir(directory))
                count++;
        closedir(directory);
        return count;
}
