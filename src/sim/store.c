/* SPDX-License-Identifier: BSD-2-Clause */
/* What survives a power loss, in files: see store.h. */
#include "sim/store.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

/* Header, and registrations of the longest kind. */
enum { FILE_SIZE_MAX = 64 + ENGINE_REGISTRATIONS_MAX * (11 + TRANSPORTID_SIZE_MAX) };

#define TEMPORARY "temporary"

int store_open(const char *path)
{
        if (mkdir(path, 0700) < 0 && errno != EEXIST)
                return -errno;
        cleanup_fd int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (folder < 0)
                return -errno;
        if (flock(folder, LOCK_EX | LOCK_NB) < 0)
                return errno == EWOULDBLOCK ? -EBUSY : -errno;
        return steal_fd(&folder);
}

void store_name(const struct lu_id *id, char ret_name[static STORE_NAME_SIZE])
{
        snprintf(ret_name, STORE_NAME_SIZE, "%" PRIu32 ".%" PRIu32 "-%" PRIu64 "-%" PRId64 ".%09" PRIu32,
                 id->device_major, id->device_minor, id->inode, id->born_s, id->born_ns);
}

static ssize_t read_whole(int fd, uint8_t *bytes, size_t size)
{
        size_t got = 0;

        while (got < size) {
                ssize_t n = read(fd, bytes + got, size - got);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                if (n == 0)
                        break;
                got += (size_t)n;
        }
        return (ssize_t)got;
}

static int write_whole(int fd, const uint8_t *bytes, size_t size)
{
        while (size > 0) {
                ssize_t n = write(fd, bytes, size);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                bytes += n;
                size -= (size_t)n;
        }
        return 0;
}

int store_read(int folder, const struct lu_id *id, uint8_t **ret_bytes, size_t *ret_size)
{
        char name[STORE_NAME_SIZE];

        store_name(id, name);
        cleanup_fd int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
                return errno == ENOENT ? 0 : -errno;
        cleanup_free uint8_t *bytes = malloc(FILE_SIZE_MAX + 1);
        if (!bytes)
                return -ENOMEM;
        ssize_t size = read_whole(fd, bytes, FILE_SIZE_MAX + 1);
        if (size < 0)
                return (int)size;
        *ret_bytes = bytes;
        *ret_size = (size_t)size; /* one byte too long is no valid file: store_decode() will say so */
        bytes = NULL;
        return 1;
}

int store_write(int folder, const struct lu_id *id, const struct initiator_list *initiators,
                const struct engine_pr *pr)
{
        char name[STORE_NAME_SIZE], temporary[STORE_NAME_SIZE + sizeof TEMPORARY + 1];
        cleanup_free uint8_t *bytes = malloc(FILE_SIZE_MAX);

        if (!bytes)
                return -ENOMEM;
        size_t size = store_encode(id, initiators, pr, bytes, FILE_SIZE_MAX);
        if (size == 0)
                return -EFBIG;

        store_name(id, name);
        snprintf(temporary, sizeof temporary, "%s.%s", name, TEMPORARY);
        cleanup_fd int fd = openat(folder, temporary,
                                   O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd < 0)
                return -errno;
        int r = write_whole(fd, bytes, size);
        if (r == 0 && fsync(fd) < 0)
                r = -errno;
        if (r == 0 && renameat(folder, temporary, folder, name) < 0)
                r = -errno;
        if (r < 0) {
                (void)unlinkat(folder, temporary, 0);
                return r;
        }
        return fsync(folder) < 0 ? -errno : 0;
}

int store_erase(int folder, const struct lu_id *id)
{
        char name[STORE_NAME_SIZE];

        store_name(id, name);
        if (unlinkat(folder, name, 0) < 0 && errno != ENOENT)
                return -errno;
        return fsync(folder) < 0 ? -errno : 0;
}
