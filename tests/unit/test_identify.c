/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sgio_identify(): what a descriptor is taken for, by fstat(2) and a made-up
 * sysfs, with and without --allow-stacked; and that no ioctl reaches the rest.
 */
#include <sys/socket.h>
#include <sys/sysmacros.h>

#include "device/sgio.h"
#include "fake_sysfs.h"
#include "tap.h"

#define SDA "pci0000:00/host0/target0:0:0/0:0:0:0/block/sda"

/* A test says what a descriptor is; 0 for what it really is. */
static mode_t fake_mode;
static dev_t fake_number;
static int fake_errno;
static int calls;

static int fake_fstat(int fd, struct stat *ret_stat)
{
        if (fake_errno) {
                errno = fake_errno;
                return -1;
        }
        if (fstatat(fd, "", ret_stat, AT_EMPTY_PATH) < 0)
                return -1;
        if (fake_mode) {
                ret_stat->st_mode = fake_mode | 0600;
                ret_stat->st_rdev = fake_number;
        }
        return 0;
}

static int count_ioctl(int fd, unsigned long request, void *argument)
{
        (void)fd, (void)request, (void)argument;
        calls++;
        return 0;
}

static struct sgio_context context = { .ioctl = count_ioctl, .fstat = fake_fstat };

/* Send PR IN and PR OUT: how many ioctls does it take? */
static int count_ioctls(const struct device *device, int fd)
{
        static const uint8_t bytes[2][PR_CDB_SIZE] = { { 0x5e, [8] = 8 }, { 0x5f, [8] = 24 } };
        uint8_t data[24] = { 0 };

        calls = 0;
        for (int i = 0; i < 2; i++) {
                struct pr_command command = { .bytes = bytes[i], .data = data };
                struct pr_result result;
                (void)pr_cdb_decode(bytes[i], &command.cdb);
                device_execute(device, fd, &command, &result);
                if (result.refusal && (result.status != SCSI_CHECK_CONDITION || result.reached ||
                                       result.sense[2] != 5 || result.sense[12] != 0x20))
                        ok(false, "a refusal is 5/20/00");
        }
        return calls;
}

static const struct {
        const char *what;
        mode_t mode;
        unsigned major, minor;
        const char *kind;     /* without --allow-stacked; NULL: refused */
        const char *stacked;  /* with it */
        int ioctls;           /* for one PR IN and one PR OUT, where not refused */
        const char *says;     /* a part of the refusal without it */
} nodes[] = {
        { "SCSI disk", S_IFBLK, 8, 0, "scsi", "scsi", 2, NULL },
        { "partition", S_IFBLK, 8, 1, NULL, "partition", 2, "partition" },
        { "dm-linear", S_IFBLK, 253, 0, NULL, "dm", 2, "device-mapper" },
        { "multipath: PR IN alone", S_IFBLK, 253, 1, "multipath", "multipath", 1, NULL },
        { "dm over multipath", S_IFBLK, 253, 2, NULL, NULL, 0, "device-mapper" },
        { "dm over nothing", S_IFBLK, 253, 3, NULL, NULL, 0, "device-mapper" },
        { "dm that cannot be told", S_IFBLK, 253, 4, NULL, NULL, 0, "sysfs" },
        { "md", S_IFBLK, 9, 0, NULL, NULL, 0, "md" },
        { "loop", S_IFBLK, 7, 0, NULL, NULL, 0, "loop" },
        { "virtio", S_IFBLK, 252, 0, NULL, NULL, 0, "no SCSI" },
        { "unknown to sysfs", S_IFBLK, 8, 240, NULL, NULL, 0, "sysfs" },
        { "node of sg", S_IFCHR, 21, 3, "sg", "sg", 2, NULL },
        { "character device with a disk's number", S_IFCHR, 8, 0, NULL, NULL, 0, "not a SCSI" },
        { "block device with the number of sg", S_IFBLK, 21, 3, NULL, NULL, 0, "sysfs" },
        { "regular file with a disk's number", S_IFREG, 8, 0, NULL, NULL, 0, "not a SCSI" },
        { "regular file with the number of sg", S_IFREG, 21, 3, NULL, NULL, 0, "not a SCSI" },
};

static void make_tree(void)
{
        sysfs_scsi("8:0", "0:0:0:0", "sda");
        sysfs_file(SYSFS_DISK, "wwid", "naa.6001\n");
        sysfs_block("8:1", "devices/" SDA "/sda1");
        sysfs_file("devices/" SDA "/sda1", "partition", "1\n");
        sysfs_link("dev/char/21:3", "../../" SYSFS_DISK "/scsi_generic/sg3");
        sysfs_link(SYSFS_DISK "/scsi_generic/sg3/device", "../../../0:0:0:0");
        sysfs_dm("253:0", "dm-0", "LVM-a\n");
        sysfs_slave("dm-0", "sda", SDA);
        sysfs_dm("253:1", "dm-1", "mpath-6001\n");
        sysfs_slave("dm-1", "sda", SDA);
        sysfs_dm("253:2", "dm-2", "LVM-b\n");
        sysfs_slave("dm-2", "dm-1", "virtual/block/dm-1");
        sysfs_dm("253:3", "dm-3", "LVM-c\n");
        sysfs_dm("253:4", "dm-4", NULL);
        sysfs_block("9:0", "devices/virtual/block/md0");
        sysfs_file("devices/virtual/block/md0", "md/level", "raid1\n");
        sysfs_block("7:0", "devices/virtual/block/loop0");
        sysfs_file("devices/virtual/block/loop0", "loop/backing_file", "/x\n");
        sysfs_block("252:0", "devices/virtio0/block/vda");
        sysfs_parent("devices/virtio0/block/vda", "../../../virtio0", "../../bus/virtio");
}

static void test_nodes(int fd)
{
        for (size_t i = 0; i < 2 * (sizeof nodes / sizeof nodes[0]); i++) {
                const char *what = nodes[i / 2].what;
                const char *kind = i % 2 ? nodes[i / 2].stacked : nodes[i / 2].kind;
                struct device device;

                context.allow_stacked = i % 2;
                fake_mode = nodes[i / 2].mode;
                fake_number = makedev(nodes[i / 2].major, nodes[i / 2].minor);
                memset(&device, 0, sizeof device);
                sgio_identify(&context, fd, &device);

                const char *with = context.allow_stacked ? "with --allow-stacked" : "by default";
                is_string(device.ops->kind, kind ? kind : "refused", "%s, %s: kind", what, with);
                ok(!device.refusal == !!kind, "%s, %s: %s", what, with, kind ? "served" : "refused");
                is_int(count_ioctls(&device, fd), kind ? nodes[i / 2].ioctls : 0,
                       "%s, %s: ioctls", what, with);
                if (!kind && !context.allow_stacked)
                        ok(strstr(device.refusal, nodes[i / 2].says) != NULL, "%s: it says why: %s",
                           what, device.refusal);
                if (fake_mode != S_IFREG)
                        ok(device.number == fake_number && device.block == S_ISBLK(fake_mode),
                           "%s, %s: its number", what, with);
        }
        fake_mode = 0;
}

static void test_names(int fd)
{
        struct device device = { 0 };
        char name[64];

        context.allow_stacked = true;
        for (size_t i = 0; i < sizeof nodes / sizeof nodes[0]; i++) {
                fake_mode = nodes[i].mode;
                fake_number = makedev(nodes[i].major, nodes[i].minor);
                sgio_identify(&context, fd, &device);
                device.ops->wwid(&device, name, sizeof name);
                const char *want = nodes[i].major == 253 && nodes[i].minor == 0 ? "LVM-a" :
                                   nodes[i].major == 253 && nodes[i].minor == 1 ? "mpath-6001" :
                                   nodes[i].stacked ? "naa.6001" : "";
                is_string(name, want, "%s: world wide name", nodes[i].what);
        }
        fake_mode = 0;
}

/* What needs no make-believe: none of it is a device, and no ioctl goes there. */
static void test_others(void)
{
        int ends[2], sockets[2];
        need(pipe2(ends, O_CLOEXEC) == 0 &&
                     socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) == 0, "pipe");
        const struct {
                const char *what;
                int fd;
        } others[] = {
                { "regular file", memfd_create("file", MFD_CLOEXEC) },
                { "/dev/null", open("/dev/null", O_RDWR | O_CLOEXEC) },
                { "directory", open("/", O_RDONLY | O_CLOEXEC) },
                { "O_PATH", open("/dev/null", O_PATH | O_CLOEXEC) },
                { "pipe", ends[1] },
                { "end of that pipe", ends[0] },
                { "socket", sockets[0] },
                { "end of that socket", sockets[1] },
        };

        for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
                struct device device = { 0 };
                sgio_identify(&context, others[i].fd, &device);
                ok(device.refusal && !device.block, "%s: refused", others[i].what);
                is_int(count_ioctls(&device, others[i].fd), 0, "%s: no ioctl", others[i].what);
                close(others[i].fd);
        }
}

static void test_failure(int fd)
{
        struct device device = { 0 };

        fake_errno = EIO;
        sgio_identify(&context, fd, &device);
        fake_errno = 0;
        ok(device.refusal && device.number == 0, "fstat fails: refused, and no number");
        ok(device.refusal && strstr(device.refusal, "fstat"), "fstat fails: it says so");
        is_int(count_ioctls(&device, fd), 0, "fstat fails: no ioctl");
        sgio_identify(&context, -1, &device);
        ok(device.refusal != NULL, "no descriptor: refused");
}

static void test_ids(int fd)
{
        static const struct {
                mode_t mode;
                unsigned major, minor;
        } numbers[] = { { S_IFBLK, 8, 0 }, { S_IFCHR, 8, 0 }, { S_IFBLK, 8, 1 }, { S_IFBLK, 9, 0 } };
        uint64_t ids[4];
        int same = 0;

        for (size_t i = 0; i < 4; i++) {
                struct device device = { 0 };
                fake_mode = numbers[i].mode;
                fake_number = makedev(numbers[i].major, numbers[i].minor);
                sgio_identify(&context, fd, &device);
                ids[i] = device.id;
                for (size_t k = 0; k < i; k++)
                        same += ids[k] == ids[i];
        }
        fake_mode = 0;
        is_int(same, 0, "devices of different numbers have different ids");
}

int main(void)
{
        int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

        make_tree();
        context.sysfs = sysfs_open();
        int fds = count_fds();
        test_nodes(fd);
        test_names(fd);
        test_others();
        test_failure(fd);
        test_ids(fd);
        is_int(count_fds(), fds, "no descriptor is left open");
        close(context.sysfs);
        close(fd);
        remove_temp_directory();
        return done();
}
