/* SPDX-License-Identifier: BSD-2-Clause */
/* What sysfs says about a block device: see sysfs.h. */
#include "device/sysfs.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "base/cleanup.h"

enum { DEPTH_MAX = 8 }; /* of devices stacked on devices; deeper is refused */

static int format_path(char *path, size_t size, const char *class, dev_t number, const char *rest)
{
        int n = snprintf(path, size, "dev/%s/%u:%u%s", class, major(number), minor(number), rest);

        return n > 0 && (size_t)n < size ? 0 : -ENAMETOOLONG;
}

/* Whether the symbolic link `path` ends in /scsi: the device's bus. */
static bool is_on_scsi_bus(int directory, const char *path)
{
        static const char end[] = "/scsi";
        char target[512];
        ssize_t size = readlinkat(directory, path, target, sizeof target);
        size_t length = sizeof end - 1;

        return size > (ssize_t)length && (size_t)size < sizeof target &&
               memcmp(target + (size_t)size - length, end, length) == 0;
}

static bool exists(int directory, const char *path)
{
        return faccessat(directory, path, F_OK, 0) == 0;
}

/* The first line of an attribute, printable; empty where there is none. False if nothing was read. */
static bool read_attribute(int directory, const char *path, char *ret_text, size_t size)
{
        cleanup_fd int fd = openat(directory, path, O_RDONLY | O_CLOEXEC);
        ssize_t n = fd < 0 ? -1 : read(fd, ret_text, size - 1);
        size_t length = n > 0 ? (size_t)n : 0;

        ret_text[length] = '\0';
        length = strcspn(ret_text, "\n");
        while (length > 0 && ret_text[length - 1] == ' ')
                length--;
        ret_text[length] = '\0';
        for (size_t i = 0; i < length; i++)
                if (!isgraph((unsigned char)ret_text[i]))
                        ret_text[i] = ret_text[i] == ' ' ? '_' : '?';
        return n > 0;
}

/* `node` is the directory of a block device. */
static enum sysfs_kind kind_of(int node)
{
        char uuid[160];

        if (exists(node, "partition"))
                return SYSFS_PARTITION;
        if (exists(node, "dm")) {
                /* Where there is none the kernel still says an empty line. */
                if (!read_attribute(node, "dm/uuid", uuid, sizeof uuid))
                        return SYSFS_UNKNOWN;
                return strncmp(uuid, "mpath-", 6) == 0 ? SYSFS_MULTIPATH : SYSFS_DM;
        }
        if (exists(node, "md"))
                return SYSFS_MD;
        if (exists(node, "loop"))
                return SYSFS_LOOP;
        return is_on_scsi_bus(node, "device/subsystem") ? SYSFS_SCSI : SYSFS_OTHER;
}

static int open_node(int sysfs, dev_t number)
{
        char path[64];

        if (format_path(path, sizeof path, "block", number, "") < 0)
                return -ENAMETOOLONG;
        int node = openat(sysfs, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        return node < 0 ? -errno : node;
}

enum sysfs_kind sysfs_kind(int sysfs, dev_t number)
{
        char path[64];

        /* The common case in one system call: only a whole disk has a `device`. */
        if (format_path(path, sizeof path, "block", number, "/device/subsystem") == 0 &&
            is_on_scsi_bus(sysfs, path))
                return SYSFS_SCSI;

        cleanup_fd int node = open_node(sysfs, number);
        return node < 0 ? SYSFS_UNKNOWN : kind_of(node);
}

static void close_directory(DIR **directory)
{
        if (*directory)
                closedir(*directory);
}

static enum sysfs_below below(int node, unsigned depth);

/* What the devices in slaves/ come to, together. */
static enum sysfs_below below_slaves(int node, unsigned depth)
{
        cleanup_fd int fd = openat(node, "slaves", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        __attribute__((cleanup(close_directory))) DIR *slaves = fd < 0 ? NULL : fdopendir(fd);
        enum sysfs_below all = SYSFS_BELOW_SCSI;
        bool any = false;

        if (!slaves)
                return SYSFS_BELOW_OTHER;
        (void)steal_fd(&fd);
        for (struct dirent *entry; errno = 0, (entry = readdir(slaves));) {
                if (entry->d_name[0] == '.')
                        continue;
                any = true;
                cleanup_fd int slave =
                        openat(dirfd(slaves), entry->d_name, O_PATH | O_DIRECTORY | O_CLOEXEC);
                enum sysfs_below one = slave < 0 ? SYSFS_BELOW_OTHER : below(slave, depth + 1);
                if (one == SYSFS_BELOW_MULTIPATH)
                        return one;
                if (one == SYSFS_BELOW_OTHER)
                        all = one;
        }
        return any && errno == 0 ? all : SYSFS_BELOW_OTHER;
}

/* `node` itself counts, so that a disk is below itself. */
static enum sysfs_below below(int node, unsigned depth)
{
        if (depth > DEPTH_MAX)
                return SYSFS_BELOW_OTHER;

        switch (kind_of(node)) {
        case SYSFS_SCSI:
                return SYSFS_BELOW_SCSI;
        case SYSFS_MULTIPATH:
                return SYSFS_BELOW_MULTIPATH;
        case SYSFS_DM:
                return below_slaves(node, depth);
        case SYSFS_PARTITION: {
                cleanup_fd int disk = openat(node, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
                return disk < 0 ? SYSFS_BELOW_OTHER : below(disk, depth + 1);
        }
        default:
                return SYSFS_BELOW_OTHER;
        }
}

enum sysfs_below sysfs_below(int sysfs, dev_t number)
{
        cleanup_fd int node = open_node(sysfs, number);

        return node < 0 ? SYSFS_BELOW_OTHER : below(node, 0);
}

void sysfs_wwid(int sysfs, dev_t number, int block, char *ret_name, size_t size)
{
        static const char *const attributes[] = { "/device/wwid", "/../device/wwid", "/dm/uuid" };
        const char *class = block ? "block" : "char";
        char path[64];

        ret_name[0] = '\0';
        for (size_t i = 0; i < sizeof attributes / sizeof attributes[0]; i++)
                if (format_path(path, sizeof path, class, number, attributes[i]) == 0 &&
                    read_attribute(sysfs, path, ret_name, size) && ret_name[0] != '\0')
                        return;
}
