/* SPDX-License-Identifier: BSD-2-Clause */
/* A path that we made and have to remove: see owned_path.h. */
#include "helper/owned_path.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

int owned_path_init(struct owned_path *ret_path, const char *path)
{
        struct owned_path owned = OWNED_PATH_NONE;
        const char *slash = strrchr(path, '/');
        const char *name = slash ? slash + 1 : path;
        cleanup_free char *copy = strdup(path);

        if (!copy)
                return -ENOMEM;
        if (name[0] == '\0')
                return -EISDIR;
        if (strlen(name) > NAME_MAX)
                return -ENAMETOOLONG;
        strcpy(owned.name, name);
        owned.directory = open(dirname(copy), O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (owned.directory < 0)
                return -errno;
        *ret_path = owned;
        return 0;
}

bool owned_path_same(const struct owned_path *a, const struct owned_path *b)
{
        struct stat one, other;

        return strcmp(a->name, b->name) == 0 && fstat(a->directory, &one) == 0 &&
               fstat(b->directory, &other) == 0 && one.st_dev == other.st_dev &&
               one.st_ino == other.st_ino;
}

int owned_path_pin(struct owned_path *path)
{
        path->inode = openat(path->directory, path->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        return path->inode < 0 ? -errno : 0;
}

bool owned_path_is_there(const struct owned_path *path)
{
        struct stat ours, there;

        return path->inode >= 0 && fstat(path->inode, &ours) == 0 &&
               fstatat(path->directory, path->name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
               ours.st_dev == there.st_dev && ours.st_ino == there.st_ino;
}

void owned_path_remove(const struct owned_path *path)
{
        if (owned_path_is_there(path))
                (void)unlinkat(path->directory, path->name, 0);
}

void owned_path_close(struct owned_path *path)
{
        close_fd(&path->inode);
        close_fd(&path->directory);
}
