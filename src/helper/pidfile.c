/* SPDX-License-Identifier: BSD-2-Clause */
/* The file that says who we are: see pidfile.h. */
#include "helper/pidfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"

/* Whether the file that is locked is still the one at the path. */
static bool is_current(int fd, const struct owned_path *place)
{
        struct stat ours, there;

        return fstat(fd, &ours) == 0 &&
               fstatat(place->directory, place->name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
               ours.st_dev == there.st_dev && ours.st_ino == there.st_ino;
}

/*
 * Whether the process in the file is a zombie: one that has ended, and whose
 * lock lives as long as a command of its that hangs on a device.
 */
static bool is_zombies(int fd)
{
        char text[32] = "", path[64], state = 0;
        long pid;

        if (pread(fd, text, sizeof text - 1, 0) <= 0)
                return false;
        pid = strtol(text, NULL, 10);
        snprintf(path, sizeof path, "/proc/%ld/stat", pid);
        FILE *stat_file = pid > 0 ? fopen(path, "re") : NULL;
        if (!stat_file)
                return false;
        /* pid (name) state: the name is at most 15 bytes, and may hold anything */
        char line[128];
        char *end = fgets(line, sizeof line, stat_file) ? strrchr(line, ')') : NULL;
        if (end && end[1] == ' ')
                state = end[2];
        fclose(stat_file);
        return state == 'Z' || state == 'X';
}

/*
 * Remove it, unless another one is there by now. flock(2), which nobody else
 * uses here, keeps apart those who find the same zombie's: the second would
 * remove what the first has made.
 */
static bool remove_zombies(int fd, const struct owned_path *place)
{
        return flock(fd, LOCK_EX) == 0 &&
               (!is_current(fd, place) || unlinkat(place->directory, place->name, 0) == 0);
}

/* Open it, or make it and say so. */
static int open_or_make(const struct owned_path *place, bool *ret_made)
{
        const int how = O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC;
        int fd = openat(place->directory, place->name, how | O_EXCL, 0600);

        *ret_made = fd >= 0;
        return fd < 0 && errno == EEXIST ? openat(place->directory, place->name, how, 0600) : fd;
}

/*
 * An open file description lock conflicts with the process locks that others
 * take, and is not lost when some descriptor of the file is closed.
 */
static int lock(int fd, const char *path)
{
        struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

        if (fcntl(fd, F_OFD_SETLK, &whole) == 0)
                return 0;
        if (errno == EAGAIN || errno == EACCES)
                return -EAGAIN;
        int r = -errno;
        log_error("Cannot lock pid file '%s': %s", path, strerror(-r));
        return r;
}

static int open_locked(const char *path, const struct owned_path *place, bool *ret_made)
{
        for (;;) {
                cleanup_fd int fd = open_or_make(place, ret_made);
                if (fd < 0) {
                        int error = errno;
                        log_error("Could not create '%s': %s", path, strerror(error));
                        return -error;
                }
                int r = lock(fd, path);
                if (r == -EAGAIN) {
                        *ret_made = false; /* who holds it made it his */
                        if (is_zombies(fd) && remove_zombies(fd, place))
                                continue;
                        log_error("Cannot lock pid file '%s': another helper runs with it", path);
                }
                if (r < 0)
                        return r;
                if (is_current(fd, place))
                        return steal_fd(&fd);
        }
}

static int write_own(int fd, const char *path)
{
        char text[32];
        int length = snprintf(text, sizeof text, "%d\n", (int)getpid());

        errno = EIO; /* of a write that is cut short */
        if (ftruncate(fd, 0) == 0 && write(fd, text, (size_t)length) == length)
                return 0;
        int r = -errno;
        log_error("Could not write '%s': %s", path, strerror(-r));
        return r;
}

int pidfile_create(const char *path, struct owned_path *ret_owned)
{
        struct owned_path place = OWNED_PATH_NONE;
        bool made = false;
        int r = owned_path_init(&place, path);

        if (r < 0) {
                log_error("Could not create '%s': %s", path, strerror(-r));
                return r;
        }
        cleanup_fd int fd = open_locked(path, &place, &made);
        r = fd < 0 ? fd : write_own(fd, path);
        if (r == 0) {
                r = owned_path_pin(&place);
                if (r < 0)
                        log_error("Could not keep '%s': %s", path, strerror(-r));
        }
        if (r < 0) {
                if (made) /* what was there before may be anything, a device too */
                        (void)unlinkat(place.directory, place.name, 0);
                owned_path_close(&place);
                return r;
        }
        *ret_owned = place;
        return steal_fd(&fd);
}
