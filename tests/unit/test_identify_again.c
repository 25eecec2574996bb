/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sgio_identify() with what the last call left: a whole SCSI disk that is the
 * same again is not looked up, and nothing else is ever taken for it. Whether
 * sysfs is asked shows where it is taken away.
 */
#include <linux/fs.h>
#include <scsi/sg.h>
#include <sys/sysmacros.h>

#include "device/sgio.h"
#include "fake_sysfs.h"
#include "tap.h"

#define SDA "pci0000:00/host0/target0:0:0/0:0:0:0/block/sda"

/* What the next descriptor is to be: fstat(2) and BLKGETDISKSEQ in place of the kernel's. */
struct node {
        mode_t mode;
        unsigned major, minor;
        uint64_t sequence;
        int error; /* of the ioctl */
};

static struct node now;
static int asked, sent; /* ioctls */

static int scripted_fstat(int fd, struct stat *ret_stat)
{
        if (now.mode == 0) {
                errno = EIO;
                return -1;
        }
        if (fstatat(fd, "", ret_stat, AT_EMPTY_PATH) < 0)
                return -1;
        ret_stat->st_mode = now.mode | 0600;
        ret_stat->st_rdev = makedev(now.major, now.minor);
        return 0;
}

/* As the kernel: nothing is done with a descriptor of O_PATH. */
static int scripted_ioctl(int fd, unsigned long request, void *argument)
{
        errno = fcntl(fd, F_GETFL) & O_PATH ? EBADF : request == BLKGETDISKSEQ ? now.error : 0;
        asked += request == BLKGETDISKSEQ;
        sent += request == SG_IO && errno == 0;
        if (errno != 0)
                return -1;
        if (request == BLKGETDISKSEQ)
                memcpy(argument, &now.sequence, sizeof now.sequence);
        return 0;
}

static struct sgio_context context = { .ioctl = scripted_ioctl, .fstat = scripted_fstat };
static const struct node disk = { S_IFBLK, 8, 0, 5, 0 };
static int fd; /* open for both */

static void show_sysfs(bool there)
{
        const char *name = temp_path("dev"), *away = temp_path("away");

        need(rename(there ? away : name, there ? name : away) == 0, "rename");
}

static const char *identify(const struct node *node, int descriptor, struct device *device)
{
        now = *node;
        asked = 0;
        sgio_identify(&context, descriptor, device);
        return device->ops->kind;
}

/* The same without a sysfs: only what is remembered is served. */
static const char *identify_blind(const struct node *node, int descriptor, struct device *device)
{
        show_sysfs(false);
        const char *kind = identify(node, descriptor, device);
        show_sysfs(true);
        return kind;
}

/* What a client has after a request for the disk. */
static struct device after_disk(void)
{
        struct device device = { 0 };

        need(strcmp(identify(&disk, fd, &device), "scsi") == 0, "a SCSI disk");
        return device;
}

static void make_tree(void)
{
        sysfs_scsi("8:0", "0:0:0:0", "sda");
        sysfs_block("8:1", "devices/" SDA "/sda1");
        sysfs_file("devices/" SDA "/sda1", "partition", "1\n");
        sysfs_scsi("8:16", "0:0:0:1", "sdb");
        sysfs_dm("253:0", "dm-0", "LVM-a\n");
        sysfs_slave("dm-0", "sda", SDA);
        sysfs_dm("253:1", "dm-1", "mpath-6001\n");
        sysfs_slave("dm-1", "sda", SDA);
        sysfs_block("7:0", "devices/virtual/block/loop0");
        sysfs_file("devices/virtual/block/loop0", "loop/backing_file", "/x\n");
        sysfs_block("9:0", "devices/virtual/block/md0");
        sysfs_file("devices/virtual/block/md0", "md/level", "raid1\n");
}

static void test_same(void)
{
        struct device device = after_disk(), first = device;

        is_int(device.sequence, 5, "the disk's sequence number is kept");
        for (int i = 0; i < 3; i++) {
                is_string(identify_blind(&disk, fd, &device), "scsi", "the same disk: without sysfs");
                is_int(asked, 1, "and with one ioctl");
        }
        ok(device.number == first.number && device.id == first.id && device.block && !device.refusal,
           "and it is the same in all else");
}

/* What is one thing off is looked up, and without a sysfs that is a refusal. */
static void test_others(void)
{
        static const struct {
                const char *what;
                struct node node;
                const char *kind; /* with a sysfs */
        } others[] = {
                { "another disk that got the number", { S_IFBLK, 8, 0, 6, 0 }, "scsi" },
                { "a partition: its disk's sequence number", { S_IFBLK, 8, 1, 5, 0 }, "refused" },
                { "another disk", { S_IFBLK, 8, 16, 9, 0 }, "scsi" },
                { "a volume with that sequence number", { S_IFBLK, 253, 0, 5, 0 }, "refused" },
                { "a multipath map with that sequence number", { S_IFBLK, 253, 1, 5, 0 }, "multipath" },
                { "a loop device with that sequence number", { S_IFBLK, 7, 0, 5, 0 }, "refused" },
                { "an md array with that sequence number", { S_IFBLK, 9, 0, 5, 0 }, "refused" },
                { "the kernel says no sequence number", { S_IFBLK, 8, 0, 5, ENOTTY }, "scsi" },
                { "the sequence number is 0", { S_IFBLK, 8, 0, 0, 0 }, "scsi" },
                { "a character device with that number", { S_IFCHR, 8, 0, 5, 0 }, "refused" },
                { "a regular file with that number", { S_IFREG, 8, 0, 5, 0 }, "refused" },
                { "fstat fails", { 0 }, "refused" },
        };

        for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
                const char *what = others[i].what;
                struct device device = after_disk();

                bool refused = strcmp(others[i].kind, "refused") == 0;
                is_string(identify(&others[i].node, fd, &device), others[i].kind, "%s: looked up", what);
                ok(!device.refusal == !refused, "%s: %s", what, refused ? "refused" : "served");
                ok(device.id != after_disk().id, "%s: told apart from the disk", what);
                device = after_disk();
                is_string(identify_blind(&others[i].node, fd, &device), "refused",
                          "%s: refused where sysfs does not tell", what);
                is_string(identify_blind(&disk, fd, &device), "refused", "%s: and forgotten", what);
        }
}

/* What changes below a volume or a map changes what it is; a partition may be served by an option. */
static void test_never_kept(void)
{
        static const struct {
                const char *what, *kind;
                struct node node;
        } nodes[] = {
                { "volume", "dm", { S_IFBLK, 253, 0, 11, 0 } },
                { "multipath map", "multipath", { S_IFBLK, 253, 1, 12, 0 } },
                { "partition", "partition", { S_IFBLK, 8, 1, 5, 0 } },
                { "disk without a sequence number", "scsi", { S_IFBLK, 8, 0, 0, 0 } },
                { "disk before Linux 5.15", "scsi", { S_IFBLK, 8, 0, 5, ENOTTY } },
        };

        context.allow_stacked = true;
        for (size_t i = 0; i < sizeof nodes / sizeof nodes[0]; i++) {
                struct device device = { 0 };

                is_string(identify(&nodes[i].node, fd, &device), nodes[i].kind, "%s", nodes[i].what);
                is_int(device.sequence, 0, "%s: no sequence number is kept", nodes[i].what);
                is_string(identify_blind(&nodes[i].node, fd, &device), "refused",
                          "%s: looked up again", nodes[i].what);
        }
        context.allow_stacked = false;
}

/* Whether a map has been made on top of it is not what a disk is judged by. */
static void test_path_of_map(void)
{
        struct device last = after_disk(), none = { 0 };

        sysfs_link("devices/" SDA "/holders/dm-1", "../../../../../../../virtual/block/dm-1");
        is_string(identify(&disk, fd, &last), "scsi", "a disk that a map was made of, remembered");
        is_string(identify(&disk, fd, &none), "scsi", "is what it is looked up");
}

static struct pr_result execute(const struct device *device, int descriptor, bool out)
{
        static const uint8_t in_bytes[PR_CDB_SIZE] = { 0x5e, [8] = 8 };
        static const uint8_t out_bytes[PR_CDB_SIZE] = { 0x5f, [8] = 24 };
        uint8_t data[24] = { 0 };
        struct pr_command command = { .bytes = out ? out_bytes : in_bytes, .data = data };
        struct pr_result result;

        sent = 0;
        (void)pr_cdb_decode(command.bytes, &command.cdb);
        device_execute(device, descriptor, &command, &result);
        return result;
}

/* The mode is each descriptor's own, whatever the last one could do. */
static void test_modes(void)
{
        static const struct {
                const char *what;
                int flags;
                const char *in, *out; /* refusals */
        } modes[] = {
                { "O_RDWR", O_RDWR, NULL, NULL },
                { "O_RDONLY", O_RDONLY, NULL, "the descriptor is not open for writing" },
                { "O_PATH", O_PATH, "the descriptor was opened with O_PATH",
                  "the descriptor was opened with O_PATH" },
        };

        for (size_t i = 0; i < 4 * sizeof modes / sizeof modes[0]; i++) {
                bool out = i & 1, again = i & 2;
                const char *want = out ? modes[i / 4].out : modes[i / 4].in;
                struct device device = again ? after_disk() : (struct device){ 0 };
                int other = open("/dev/null", modes[i / 4].flags | O_CLOEXEC);

                is_string(identify(&disk, other, &device), "scsi", "%s: a SCSI disk", modes[i / 4].what);
                struct pr_result r = execute(&device, other, out);
                is_string(r.refusal ? r.refusal : "served", want ? want : "served",
                          "%s, %s, PR %s", modes[i / 4].what, again ? "known" : "new",
                          out ? "OUT" : "IN");
                is_int(sent, !want, "and so many SG_IO");
                ok(!want || (r.status == SCSI_CHECK_CONDITION && r.sense[2] == 5 &&
                             r.sense[12] == 0x20 && !r.reached && r.error == 0), "5/20/00, if refused");
                close(other);
        }
}

static void test_other_context(void)
{
        struct sgio_context other = {
                .sysfs = -1, .ioctl = scripted_ioctl, .fstat = scripted_fstat,
        };
        struct device device = after_disk();

        sgio_identify(&other, fd, &device);
        ok(device.refusal != NULL, "another context does not remember for this one");
}

int main(void)
{
        make_tree();
        context.sysfs = sysfs_open();
        fd = open("/dev/null", O_RDWR | O_CLOEXEC);
        int fds = count_fds();
        test_same();
        test_others();
        test_never_kept();
        test_path_of_map();
        test_modes();
        test_other_context();
        is_int(count_fds(), fds, "no descriptor is left open");
        close(context.sysfs);
        close(fd);
        remove_temp_directory();
        return done();
}
