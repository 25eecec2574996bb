/* SPDX-License-Identifier: BSD-2-Clause */
/* Opening the device and the way to it: see disk.h. */
#include "cli/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/cli.h"

void disk_close(struct disk *disk)
{
        close_fd(&disk->nexus.fd);
        prm_manager_unref(disk->nexus.manager);
        disk->nexus.manager = NULL;
}

static void describe_owner(const struct stat *st, const char *what, char *ret_text, size_t size)
{
        char owner[128];

        format_owner(st->st_uid, st->st_gid, owner, sizeof owner);
        snprintf(ret_text, size, "%s belongs to %s, mode %04o", what, owner, st->st_mode & 07777);
}

void describe_socket(const char *path, char *ret_text, size_t size)
{
        struct stat st;

        if (stat(path, &st) == 0)
                describe_owner(&st, "the socket", ret_text, size);
        else
                snprintf(ret_text, size, "a folder on the way to it is closed to you");
}

bool is_no_socket(const char *path)
{
        struct stat st;

        return stat(path, &st) == 0 && !S_ISSOCK(st.st_mode);
}

/* Why open(2) failed, and what to do about it. */
static int cannot_open(const char *path, bool writing, int error)
{
        struct stat st;
        char owner[256];

        if (error == EACCES && stat(path, &st) == 0) {
                describe_owner(&st, "the device", owner, sizeof owner);
                message("open %s for %s: permission denied: %s; join that group, or run this as root",
                        path, writing ? "writing" : "reading", owner);
        } else if (error == EPERM) {
                message("open %s for %s: %s: a container's device policy may be why", path,
                        writing ? "writing" : "reading", strerror(error));
        } else if (error == EROFS && writing) {
                message("open %s for writing: %s: PERSISTENT RESERVE OUT needs a device that can be "
                        "written", path, strerror(error));
        } else if (error == EISDIR) {
                message("%s is a directory; give a disk, such as /dev/disk/by-id/...", path);
        } else if (error == ENOENT) {
                message("open %s: there is no such device; `lsblk' and /dev/disk/by-id name those that "
                        "there are", path);
        } else if (error == ENXIO && stat(path, &st) == 0 && S_ISSOCK(st.st_mode)) {
                message("%s is no disk but a socket", path);
        } else {
                message("open %s: %s", path, strerror(error));
        }
        return CLI_FILE;
}

static int open_device(const char *path, bool writing, struct disk *disk)
{
        int flags = (writing ? O_RDWR : O_RDONLY) | O_NONBLOCK | O_CLOEXEC | O_NOCTTY;

        disk->path = path;
        disk->nexus.fd = open(path, flags);
        if (disk->nexus.fd < 0 || fstat(disk->nexus.fd, &disk->st) < 0)
                return cannot_open(path, writing, errno);
        if (S_ISDIR(disk->st.st_mode))
                return cannot_open(path, writing, EISDIR);
        if (!S_ISBLK(disk->st.st_mode) && !S_ISCHR(disk->st.st_mode) && !S_ISREG(disk->st.st_mode)) {
                message("%s is no disk, nor a file that a simulated target takes for one", path);
                return CLI_FILE;
        }
        return 0;
}

static int cannot_connect(const struct options *options, int error, const char *text)
{
        char owner[256];

        if (is_no_socket(options->helper)) {
                message("connect %s: it is no socket", options->helper);
                return CLI_FILE;
        }
        switch (error) {
        case EACCES:
                describe_socket(options->helper, owner, sizeof owner);
                message("connect %s: permission denied: %s; join that group, or run this as root",
                        options->helper, owner);
                break;
        case ENOENT:
                message("connect %s: there is no such socket: start qemu-pr-helper, name its socket "
                        "with --helper, or go without a helper, as root, with --direct", options->helper);
                break;
        case ECONNREFUSED:
                message("connect %s: nobody listens there any more: start qemu-pr-helper",
                        options->helper);
                break;
        case EPROTO:
                message("connect %s: what answers there takes no commands; the socket for them is that "
                        "of qemu-pr-helper's -k, not of its --status-socket", options->helper);
                return CLI_MALFORMED;
        case ETIMEDOUT:
                message("%s; nothing was sent", text);
                return CLI_TIMEOUT;
        default:
                message("%s", text);
        }
        return CLI_FILE;
}

static int open_manager(const struct options *options, struct prm_manager **ret_manager)
{
        char seconds[16];
        struct prm_property properties[3];
        struct prm_error error = { "" };
        size_t count = 0;

        if (!options->direct)
                properties[count++] = (struct prm_property){ "path", options->helper };
        if (options->allow_stacked)
                properties[count++] = (struct prm_property){ "allow-stacked", "on" };
        if (options->timeout_s > 0) {
                snprintf(seconds, sizeof seconds, "%u", options->timeout_s);
                properties[count++] = (struct prm_property){ "timeout", seconds };
        }
        int r = prm_manager_create(options->direct ? "pr-manager-direct" : "pr-manager-helper", NULL,
                                   properties, count, ret_manager, &error);
        if (r < 0) {
                message("%s", error.text);
                return r == -ENOMEM ? CLI_ERRNO + ENOMEM : CLI_SYNTAX;
        }
        r = prm_manager_connect(*ret_manager, &error);
        return r < 0 ? cannot_connect(options, -r, error.text) : 0;
}

int disk_open(const struct options *options, bool writing, struct disk *ret_disk)
{
        struct disk disk = DISK_CLOSED;
        int status = open_device(options->device, writing, &disk);

        if (status == 0)
                status = open_manager(options, &disk.nexus.manager);
        if (status != 0) {
                disk_close(&disk);
                return status;
        }
        *ret_disk = disk;
        return 0;
}
