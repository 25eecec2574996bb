/* SPDX-License-Identifier: BSD-2-Clause */
/* The listening socket and its path: see listener.h. */
#include "helper/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"

enum {
        ALIVE_MS = 2000, /* a helper that lives sends its feature word in this time */
        TRIES = 5,       /* at a path that others change at the same time */
};

static int set_address(struct sockaddr_un *ret_address, const char *path)
{
        *ret_address = (struct sockaddr_un){ .sun_family = AF_UNIX };
        if (strlen(path) >= sizeof ret_address->sun_path)
                return -ENAMETOOLONG;
        strcpy(ret_address->sun_path, path);
        return 0;
}

/* 1 where a helper answers at `path`, 0 where nobody does, -errno where that cannot be told. */
static int is_live(const char *path)
{
        struct timeval patience = { .tv_sec = ALIVE_MS / 1000 };
        int64_t deadline = clock_ms() + ALIVE_MS;
        struct sockaddr_un address;
        uint8_t word[4];
        size_t got = 0;
        cleanup_fd int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        if (sock < 0 || setsockopt(sock, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) < 0)
                return -errno;
        int r = set_address(&address, path);
        if (r < 0)
                return r;
        if (connect(sock, (const struct sockaddr *)&address, sizeof address) < 0) {
                bool dead = errno == ECONNREFUSED || errno == EAGAIN || errno == ENOENT ||
                            errno == EPROTOTYPE;
                return dead ? 0 : -errno;
        }
        while (got < sizeof word) {
                struct timeval left = { .tv_sec = clock_left(deadline) / 1000,
                                        .tv_usec = clock_left(deadline) % 1000 * 1000 + 1 };
                (void)setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &left, sizeof left);
                ssize_t n = recv(sock, word + got, sizeof word - got, 0);
                if (n < 0)
                        return 0;
                if (n == 0) /* it is at its limit and turns newcomers away: somebody is there */
                        return 1;
                got += (size_t)n;
        }
        return 1;
}

/*
 * Whether the path can be taken: 0 where nothing is there, 1 where a stale
 * socket is, which is pinned.
 */
static int examine(const char *path, const struct owned_path *place, struct owned_path *ret_stale)
{
        struct owned_path stale = *place;
        struct stat st;

        if (fstatat(place->directory, place->name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
                int error = errno;
                if (error == ENOENT)
                        return 0;
                log_error("%s: %s", path, strerror(error));
                return -error;
        }
        if (!S_ISSOCK(st.st_mode)) {
                log_error("%s exists and is no socket: it is left alone; remove it or choose "
                          "another path", path);
                return -EEXIST;
        }

        int r = owned_path_pin(&stale);
        if (r == -ENOENT)
                return 0;
        if (r < 0) {
                log_error("%s: %s", path, strerror(-r));
                return r;
        }
        r = is_live(path);
        if (r > 0) {
                log_error("%s is in use by another helper", path);
                r = -EADDRINUSE;
        } else if (r < 0) {
                log_error("%s is a socket, and whether a helper uses it cannot be told: %s", path,
                          strerror(-r));
        } else {
                ret_stale->inode = steal_fd(&stale.inode);
                r = 1;
        }
        close_fd(&stale.inode);
        return r;
}

/*
 * bind(2) in a directory: the address has no room for every path, and follows no descriptor.
 *
 * Linux gives the new path the mode of the socket's own inode, less the umask. So the mode is
 * right from the start and no chmod(2) of a path is needed, which somebody who may write in the
 * directory could lead to another file. No thread is there yet that the umask would matter to.
 */
static int bind_at(int sock, int directory, const char *name, int mode)
{
        cleanup_fd int here = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
        struct sockaddr_un address;
        mode_t mask = 0;
        int r = set_address(&address, name);

        if (r < 0)
                return r;
        if (mode >= 0 && fchmod(sock, (mode_t)mode) < 0)
                return -errno;
        if (fchdir(directory) < 0)
                return -errno;
        if (mode >= 0)
                mask = umask(0);
        r = bind(sock, (const struct sockaddr *)&address, sizeof address) < 0 ? -errno : 0;
        if (mode >= 0)
                (void)umask(mask);
        if (here < 0 || fchdir(here) < 0)
                (void)!chdir("/");
        return r;
}

/*
 * Give the socket to its owner. What has the name now is pinned first and
 * looked at: whoever may write in the directory may have put another file there.
 */
static int give_away(int directory, const char *name, const struct listener_options *options)
{
        bool given = options->user != (uid_t)-1 || options->group != (gid_t)-1;
        struct stat st;

        if (!given && options->mode < 0)
                return 0;
        cleanup_fd int inode = openat(directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        if (inode < 0 || fstat(inode, &st) < 0) {
                int error = errno;
                log_error("cannot look at the socket that was made: %s", strerror(error));
                return -error;
        }
        if (!S_ISSOCK(st.st_mode) || (given && (st.st_uid != geteuid() || st.st_nlink != 1))) {
                log_error("somebody has put something else in the place of the socket that was made");
                return -EEXIST;
        }
        if (options->mode >= 0 && (st.st_mode & 07777) != (mode_t)options->mode) {
                log_error("cannot set the mode of --socket-mode: the directory's default ACL makes "
                          "it %o", st.st_mode & 07777);
                return -EACCES;
        }
        if (given && fchownat(inode, "", options->user, options->group, AT_EMPTY_PATH) < 0) {
                int error = errno;
                log_error("cannot give the socket to the owner of --socket-owner: %s",
                          strerror(error));
                return -error;
        }
        return 0;
}

/* The owner, and then listen: before that nobody can connect, whatever the mode. */
static int prepare(int sock, int directory, const char *name, const struct listener_options *options)
{
        int r = give_away(directory, name, options);

        if (r == 0 && listen(sock, INT_MAX) < 0) { /* the kernel makes it somaxconn */
                r = -errno;
                log_error("cannot listen: %s", strerror(-r));
        }
        return r;
}

/*
 * Put our socket in the place of a stale one. The two are exchanged, so that
 * what was there can be looked at when nobody can change it any more: if
 * somebody else's socket was, it gets its place back.
 */
static int replace(const char *temporary, const struct owned_path *place, int stale)
{
        struct owned_path was = { .directory = place->directory, .inode = stale };

        strcpy(was.name, temporary);
        if (renameat2(place->directory, temporary, place->directory, place->name,
                      RENAME_EXCHANGE) < 0)
                return errno == ENOENT ? -EEXIST : -errno;
        if (owned_path_is_there(&was))
                return 0;
        if (renameat2(place->directory, temporary, place->directory, place->name,
                      RENAME_EXCHANGE) < 0)
                return -errno;
        return -EEXIST;
}

/* Give the listening socket its name, unless somebody is there. */
static int publish(const char *path, const char *temporary, struct owned_path *place)
{
        int r = -EEXIST;

        for (int i = 0; i < TRIES && r == -EEXIST; i++) {
                struct owned_path stale = OWNED_PATH_NONE;
                r = examine(path, place, &stale);
                if (r < 0)
                        return r;
                if (r == 0)
                        r = linkat(place->directory, temporary, place->directory, place->name,
                                   0) < 0 ? -errno : 0;
                else
                        r = replace(temporary, place, stale.inode);
                close_fd(&stale.inode);
        }
        bool published = r == 0;
        if (published)
                r = owned_path_pin(place);
        if (r < 0) {
                log_error("Failed to bind socket to %s: %s", path, strerror(-r));
                if (published) /* and nobody will keep it */
                        (void)unlinkat(place->directory, place->name, 0);
        }
        return r;
}

int listener_open(const char *path, const struct listener_options *options,
                  struct owned_path *ret_owned)
{
        struct sockaddr_un address;
        struct owned_path place = OWNED_PATH_NONE;
        char temporary[40];
        uint64_t number = 0;

        if (set_address(&address, path) < 0) {
                log_error("socket path is too long: %zu bytes, and at most %zu are possible: '%s'",
                          strlen(path), sizeof address.sun_path - 1, path);
                return -ENAMETOOLONG;
        }
        int r = owned_path_init(&place, path);
        if (r < 0) {
                log_error("Failed to bind socket to %s: %s", path, strerror(-r));
                return r;
        }

        cleanup_fd int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        (void)!getrandom(&number, sizeof number, GRND_NONBLOCK);
        snprintf(temporary, sizeof temporary, ".pr-helper.%016" PRIx64, number);
        r = sock < 0 ? -errno : bind_at(sock, place.directory, temporary, options->mode);
        if (r < 0) {
                log_error("Failed to bind socket to %s: %s", path, strerror(-r));
        } else {
                r = prepare(sock, place.directory, temporary, options);
                if (r == 0)
                        r = publish(path, temporary, &place);
                (void)unlinkat(place.directory, temporary, 0);
        }
        if (r < 0) {
                owned_path_close(&place);
                return r;
        }
        *ret_owned = place;
        return steal_fd(&sock);
}
