/* SPDX-License-Identifier: BSD-2-Clause */
/* Descriptors of every kind: see kinds.h. */
#include "kinds.h"

#include <sys/socket.h>
#include <sys/sysmacros.h>

#include "fake_sysfs.h"
#include "fuzz.h"

enum { FIRST_FD = 20 }; /* out of the way of those that come and go */

static struct {
        int fd;
        ino_t inode;
} devices[KINDS];

static const struct {
        enum kind same_file; /* as this kind, by other flags */
        int flags;           /* of open(2), 0: the memory file itself */
        mode_t type;
        unsigned major, minor;
} descriptions[] = {
        [KIND_SG] = { KIND_SG, 0, S_IFCHR, 21, 0 },
        [KIND_SG_READ] = { KIND_SG, O_RDONLY, S_IFCHR, 21, 0 },
        [KIND_SG_PATH] = { KIND_SG, O_PATH, S_IFCHR, 21, 0 },
        [KIND_SCSI] = { KIND_SCSI, 0, S_IFBLK, 8, 0 },
        [KIND_SCSI_READ] = { KIND_SCSI, O_RDONLY, S_IFBLK, 8, 0 },
        [KIND_SCSI_WRITE] = { KIND_SCSI, O_WRONLY, S_IFBLK, 8, 0 },
        [KIND_PARTITION] = { KIND_PARTITION, 0, S_IFBLK, 8, 1 },
        [KIND_MULTIPATH] = { KIND_MULTIPATH, 0, S_IFBLK, 253, 0 },
        [KIND_VOLUME] = { KIND_VOLUME, 0, S_IFBLK, 253, 1 },
        [KIND_UNKNOWN] = { KIND_UNKNOWN, 0, S_IFBLK, 240, 0 },
        [KIND_BROKEN] = { KIND_BROKEN, 0, 0, 0, 0 },
};

static void make_sysfs(void)
{
#define SDA "pci0000:00/host0/target0:0:0/0:0:0:0/block/sda"
        sysfs_scsi("8:0", "0:0:0:0", "sda");
        sysfs_file(SYSFS_DISK, "wwid", "naa.600140512345678\n\x1b[2J");
        sysfs_block("8:1", "devices/" SDA "/sda1");
        sysfs_file("devices/" SDA "/sda1", "partition", "1\n");
        sysfs_dm("253:0", "dm-0", "mpath-3600140512345678\n");
        sysfs_slave("dm-0", "sda", SDA);
        sysfs_dm("253:1", "dm-1", "LVM-a\nb\n");
        sysfs_slave("dm-1", "sda", SDA);
}

static void keep(enum kind kind, int fd)
{
        struct stat st;

        need(fd >= 0, "a descriptor of some kind");
        devices[kind].fd = fcntl(fd, F_DUPFD_CLOEXEC, FIRST_FD);
        close(fd);
        need(fstatat(devices[kind].fd, "", &st, AT_EMPTY_PATH) == 0, "fstatat");
        devices[kind].inode = st.st_ino;
}

/* Open the file that another kind is, with other flags. */
static int open_again(enum kind kind, int flags)
{
        char path[32];

        snprintf(path, sizeof path, "/proc/self/fd/%d", devices[kind].fd);
        return open(path, flags | O_CLOEXEC);
}

void kinds_make(void)
{
        int ends[2];

        make_sysfs();
        for (enum kind k = 0; k <= KIND_BROKEN; k++)
                keep(k, descriptions[k].flags == 0 && descriptions[k].same_file == k ?
                                memfd_create("device", MFD_CLOEXEC) :
                                open_again(descriptions[k].same_file, descriptions[k].flags));
        need(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0, "socketpair");
        keep(KIND_NULL, open("/dev/null", O_RDWR | O_CLOEXEC));
        keep(KIND_FILE, memfd_create("file", MFD_CLOEXEC));
        keep(KIND_DIRECTORY, open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        keep(KIND_SOCKET, ends[0]);
        close(ends[1]);
        atexit(remove_temp_directory);
}

int kinds_fd(enum kind kind)
{
        return devices[kind].fd;
}

int kinds_sysfs(void)
{
        static int fd = -1;

        if (fd < 0) {
                int opened = sysfs_open();
                fd = fcntl(opened, F_DUPFD_CLOEXEC, FIRST_FD);
                close(opened);
        }
        return fd;
}

static enum kind kind_of(const struct stat *st)
{
        enum kind found = KINDS;

        for (enum kind k = 0; k <= KIND_BROKEN; k++)
                if (devices[k].inode == st->st_ino && S_ISREG(st->st_mode) && found == KINDS)
                        found = k;
        return found;
}

enum kind kinds_kind(int fd)
{
        struct stat st;

        return fstatat(fd, "", &st, AT_EMPTY_PATH) < 0 ? KINDS : kind_of(&st);
}

int kinds_fstat(int fd, struct stat *ret_stat)
{
        if (fstatat(fd, "", ret_stat, AT_EMPTY_PATH) < 0)
                return -1;
        enum kind kind = kind_of(ret_stat);
        if (kind == KIND_BROKEN) {
                errno = EIO;
                return -1;
        }
        if (kind != KINDS) {
                ret_stat->st_mode = descriptions[kind].type | 0600;
                ret_stat->st_rdev = makedev(descriptions[kind].major, descriptions[kind].minor);
        }
        return 0;
}
