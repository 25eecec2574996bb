/* SPDX-License-Identifier: BSD-2-Clause */
/* The file that says who we are: see pidfile.h. */
#include "helper/pidfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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
 * An open file description lock conflicts with the process locks that others
 * take, and is not lost when some descriptor of the file is closed.
 */
static int open_locked(const char *path, const struct owned_path *place)
{
        for (;;) {
                struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
                cleanup_fd int fd = openat(place->directory, place->name,
                                           O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
                if (fd < 0) {
                        int error = errno;
                        log_error("Could not create '%s': %s", path, strerror(error));
                        return -error;
                }
                if (fcntl(fd, F_OFD_SETLK, &lock) < 0) {
                        int error = errno;
                        bool held = error == EAGAIN || error == EACCES;
                        if (held && is_current(fd, place) && is_zombies(fd) &&
                            unlinkat(place->directory, place->name, 0) == 0)
                                continue;
                        if (held)
                                log_error("Cannot lock pid file '%s': another helper runs with it",
                                          path);
                        else
                                log_error("Cannot lock pid file '%s': %s", path, strerror(error));
                        return held ? -EAGAIN : -error;
                }
                if (is_current(fd, place))
                        return steal_fd(&fd);
        }
}

int pidfile_create(const char *path, struct owned_path *ret_owned)
{
        struct owned_path place = OWNED_PATH_NONE;
        char text[32];
        int r = owned_path_init(&place, path);

        if (r < 0) {
                log_error("Could not create '%s': %s", path, strerror(-r));
                return r;
        }
        cleanup_fd int fd = open_locked(path, &place);
        int length = snprintf(text, sizeof text, "%d\n", (int)getpid());
        if (fd < 0) {
                r = fd;
        } else if (ftruncate(fd, 0) < 0 || write(fd, text, (size_t)length) != length) {
                r = errno ? -errno : -EIO;
                log_error("Could not write '%s': %s", path, strerror(-r));
        } else {
                r = owned_path_pin(&place);
        }
        if (r < 0) {
                owned_path_close(&place);
                return r;
        }
        *ret_owned = place;
        return steal_fd(&fd);
}
