/* SPDX-License-Identifier: BSD-2-Clause */
/* device/sysfs: kinds of devices, what lies below, and names, read from a made-up sysfs. */
#include "device/sysfs.h"

#include <dlfcn.h>
#include <sys/sysmacros.h>

#include "fake_sysfs.h"
#include "tap.h"

#define SDA "pci0000:00/host0/target0:0:0/0:0:0:0/block/sda"
#define SDA_NODE "devices/" SDA

static int readdir_ends_after = -1; /* so many entries, with an error; -1: at the end */

/* In place of the C library's. */
struct dirent *readdir(DIR *directory)
{
        struct dirent *(*real)(DIR *);

        if (readdir_ends_after == 0) {
                errno = ENOMEM;
                return NULL;
        }
        if (readdir_ends_after > 0)
                readdir_ends_after--;
        *(void **)&real = dlsym(RTLD_NEXT, sizeof(off_t) == sizeof(long) ? "readdir" : "readdir64");
        return real(directory);
}

static void make_disks(void)
{
        sysfs_scsi("8:0", "0:0:0:0", "sda");
        sysfs_file(SYSFS_DISK, "wwid", "naa.600140512345678\n");
        sysfs_block("8:1", SDA_NODE "/sda1");
        sysfs_file(SDA_NODE "/sda1", "partition", "1\n");
        sysfs_scsi("8:16", "0:0:0:1", "sdb"); /* without a wwid */
        sysfs_scsi("11:0", "0:0:0:2", "sr0");
        sysfs_file("devices/pci0000:00/host0/target0:0:0/0:0:0:2", "wwid",
                   "t10.QEMU    CD\x01\x80\xff ROM   \nand a second line\n");

        sysfs_block("252:0", "devices/pci0000:00/virtio0/block/vda");
        sysfs_parent("devices/pci0000:00/virtio0/block/vda", "../../../virtio0",
                     "../../../bus/virtio");
        sysfs_block("252:1", "devices/pci0000:00/virtio0/block/vda/vda1");
        sysfs_file("devices/pci0000:00/virtio0/block/vda/vda1", "partition", "1\n");
        sysfs_block("259:0", "devices/pci0000:00/nvme/nvme0/nvme0n1");
        sysfs_parent("devices/pci0000:00/nvme/nvme0/nvme0n1", "../../nvme0",
                     "../../../../class/nvme");

        sysfs_block("9:0", "devices/virtual/block/md0");
        sysfs_file("devices/virtual/block/md0", "md/level", "raid1\n");
        sysfs_slave("md0", "sda", SDA);
        sysfs_block("7:0", "devices/virtual/block/loop0");
        sysfs_file("devices/virtual/block/loop0", "loop/backing_file", "/x\n");
        sysfs_block("7:1", "devices/virtual/block/loop1"); /* nothing is attached */

        /* what only looks like it */
        sysfs_block("240:0", "devices/odd/block/a");
        sysfs_parent("devices/odd/block/a", "../../../odd", "../bus/notscsi");
        sysfs_block("240:1", "devices/odder/block/b");
        sysfs_parent("devices/odder/block/b", "../../../odder", "scsi");
        sysfs_block("240:2", "devices/oddest/block/c");
        sysfs_parent("devices/oddest/block/c", "../../../oddest", "../bus/scsi/more");
        sysfs_block("240:5", "devices/short/block/d");
        sysfs_parent("devices/short/block/d", "../../../short", "x");
        sysfs_link("dev/block/240:3", "../../devices/nowhere");
        sysfs_attribute("dev/block/240:4", "a file\n");
}

static void make_volumes(void)
{
        sysfs_dm("253:0", "dm-0", "LVM-abcdef\n");
        sysfs_slave("dm-0", "sda", SDA);
        sysfs_dm("253:1", "dm-1", "mpath-3600140512345678\n");
        sysfs_slave("dm-1", "sda", SDA);
        sysfs_dm("253:2", "dm-2", NULL);
        sysfs_slave("dm-2", "sda", SDA);
        sysfs_dm("253:3", "dm-3", "\n"); /* made by dmsetup without one */
        sysfs_slave("dm-3", "sda1", SDA "/sda1");
        sysfs_dm("253:4", "dm-4", "part1-mpath-3600140512345678\n");
        sysfs_slave("dm-4", "dm-1", "virtual/block/dm-1");
        sysfs_dm("253:5", "dm-5", "LVM-over-dm-over-multipath\n");
        sysfs_slave("dm-5", "sda", SDA);
        sysfs_slave("dm-5", "dm-4", "virtual/block/dm-4");
        sysfs_dm("253:6", "dm-6", "LVM-on-two\n");
        sysfs_slave("dm-6", "sda", SDA);
        sysfs_slave("dm-6", "vda", "pci0000:00/virtio0/block/vda");
        sysfs_dm("253:7", "dm-7", "LVM-on-nothing\n");
        sysfs_directory("devices/virtual/block/dm-7/slaves");
        sysfs_dm("253:8", "dm-8", "LVM-without-slaves\n");
        sysfs_dm("253:9", "dm-9", "LVM-on-itself\n");
        sysfs_slave("dm-9", "dm-9", "virtual/block/dm-9");
        sysfs_dm("253:10", "dm-10", "LVM-on-md\n");
        sysfs_slave("dm-10", "md0", "virtual/block/md0");
        sysfs_dm("253:11", "dm-11", "LVM-on-what-is-gone\n");
        sysfs_slave("dm-11", "sdz", "pci0000:00/sdz");
        sysfs_dm("253:12", "dm-12", "LVM-on-dm\n");
        sysfs_slave("dm-12", "dm-0", "virtual/block/dm-0");
        sysfs_slave("dm-12", "dm-3", "virtual/block/dm-3");
        sysfs_dm("253:13", "dm-13", "LVM-on-no-uuid\n");
        sysfs_slave("dm-13", "dm-2", "virtual/block/dm-2");
        sysfs_dm("253:14", "dm-14", "LVM-on-md-and-multipath\n");
        sysfs_slave("dm-14", "md0", "virtual/block/md0");
        sysfs_slave("dm-14", "dm-1", "virtual/block/dm-1");
        sysfs_dm("253:15", "dm-15", NULL);
        sysfs_directory("devices/virtual/block/dm-15/dm/uuid"); /* opens, and read(2) fails */
        sysfs_slave("dm-15", "sda", SDA);
        sysfs_dm("253:16", "dm-16", "LVM-on-what-cannot-be-read\n");
        sysfs_slave("dm-16", "dm-15", "virtual/block/dm-15");
        sysfs_dm("253:17", "dm-17", "");
        sysfs_slave("dm-17", "sda", SDA);
}

/* dm-20 on dm-21 on ... on sda: `depth` volumes. */
static void make_tower(unsigned major_number, unsigned first, unsigned depth)
{
        for (unsigned i = 0; i < depth; i++) {
                char number[32], name[32], slave[32], target[64];

                snprintf(number, sizeof number, "%u:%u", major_number, first + i);
                snprintf(name, sizeof name, "dm-%u", first + i);
                snprintf(slave, sizeof slave, "dm-%u", first + i + 1);
                snprintf(target, sizeof target, "virtual/block/dm-%u", first + i + 1);
                sysfs_dm(number, name, "LVM-tower\n");
                sysfs_slave(name, i + 1 < depth ? slave : "sda", i + 1 < depth ? target : SDA);
        }
}

static const struct {
        const char *what;
        unsigned major, minor;
        enum sysfs_kind kind;
        enum sysfs_below below;
        const char *wwid;
} devices[] = {
        { "SCSI disk", 8, 0, SYSFS_SCSI, SYSFS_BELOW_SCSI, "naa.600140512345678" },
        { "partition", 8, 1, SYSFS_PARTITION, SYSFS_BELOW_SCSI, "naa.600140512345678" },
        { "SCSI disk without a name", 8, 16, SYSFS_SCSI, SYSFS_BELOW_SCSI, "" },
        { "CD-ROM, odd bytes in its name", 11, 0, SYSFS_SCSI, SYSFS_BELOW_SCSI,
          "t10.QEMU____CD?\?\?_ROM" },
        { "virtio disk", 252, 0, SYSFS_OTHER, SYSFS_BELOW_OTHER, "" },
        { "partition of a virtio disk", 252, 1, SYSFS_PARTITION, SYSFS_BELOW_OTHER, "" },
        { "NVMe namespace", 259, 0, SYSFS_OTHER, SYSFS_BELOW_OTHER, "" },
        { "md", 9, 0, SYSFS_MD, SYSFS_BELOW_OTHER, "" },
        { "loop", 7, 0, SYSFS_LOOP, SYSFS_BELOW_OTHER, "" },
        { "loop without a file", 7, 1, SYSFS_OTHER, SYSFS_BELOW_OTHER, "" },
        { "missing", 99, 99, SYSFS_UNKNOWN, SYSFS_BELOW_OTHER, "" },
        { "a bus whose name ends like it", 240, 0, SYSFS_OTHER, SYSFS_BELOW_OTHER, "" },
        { "a bus link without a slash", 240, 1, SYSFS_OTHER, SYSFS_BELOW_OTHER, "" },
        { "a bus link that goes on", 240, 2, SYSFS_OTHER, SYSFS_BELOW_OTHER, "" },
        { "a bus link of one letter", 240, 5, SYSFS_OTHER, SYSFS_BELOW_OTHER, "" },
        { "a dangling link", 240, 3, SYSFS_UNKNOWN, SYSFS_BELOW_OTHER, "" },
        { "a file in its place", 240, 4, SYSFS_UNKNOWN, SYSFS_BELOW_OTHER, "" },
        { "dm-linear", 253, 0, SYSFS_DM, SYSFS_BELOW_SCSI, "LVM-abcdef" },
        { "multipath", 253, 1, SYSFS_MULTIPATH, SYSFS_BELOW_MULTIPATH, "mpath-3600140512345678" },
        { "dm without a UUID attribute", 253, 2, SYSFS_UNKNOWN, SYSFS_BELOW_OTHER, "" },
        { "dm without a UUID, over a partition", 253, 3, SYSFS_DM, SYSFS_BELOW_SCSI, "" },
        { "partition of a multipath map", 253, 4, SYSFS_DM, SYSFS_BELOW_MULTIPATH,
          "part1-mpath-3600140512345678" },
        { "dm over SCSI and over dm over multipath", 253, 5, SYSFS_DM, SYSFS_BELOW_MULTIPATH,
          "LVM-over-dm-over-multipath" },
        { "dm over SCSI and virtio", 253, 6, SYSFS_DM, SYSFS_BELOW_OTHER, "LVM-on-two" },
        { "dm over nothing", 253, 7, SYSFS_DM, SYSFS_BELOW_OTHER, "LVM-on-nothing" },
        { "dm without slaves/", 253, 8, SYSFS_DM, SYSFS_BELOW_OTHER, "LVM-without-slaves" },
        { "dm over itself", 253, 9, SYSFS_DM, SYSFS_BELOW_OTHER, "LVM-on-itself" },
        { "dm over md", 253, 10, SYSFS_DM, SYSFS_BELOW_OTHER, "LVM-on-md" },
        { "dm over what is gone", 253, 11, SYSFS_DM, SYSFS_BELOW_OTHER, "LVM-on-what-is-gone" },
        { "dm over two dm over SCSI and a partition", 253, 12, SYSFS_DM, SYSFS_BELOW_SCSI,
          "LVM-on-dm" },
        { "dm over a dm that cannot be told", 253, 13, SYSFS_DM, SYSFS_BELOW_OTHER,
          "LVM-on-no-uuid" },
        { "dm over md and multipath", 253, 14, SYSFS_DM, SYSFS_BELOW_MULTIPATH,
          "LVM-on-md-and-multipath" },
        { "dm whose UUID cannot be read", 253, 15, SYSFS_UNKNOWN, SYSFS_BELOW_OTHER, "" },
        { "dm over it", 253, 16, SYSFS_DM, SYSFS_BELOW_OTHER, "LVM-on-what-cannot-be-read" },
        { "dm whose UUID has not even a line", 253, 17, SYSFS_UNKNOWN, SYSFS_BELOW_OTHER, "" },
        { "a tower as high as allowed", 254, 108, SYSFS_DM, SYSFS_BELOW_SCSI, "LVM-tower" },
        { "a tower too high", 254, 100, SYSFS_DM, SYSFS_BELOW_OTHER, "LVM-tower" },
};

static void test_devices(int sysfs)
{
        for (size_t i = 0; i < sizeof devices / sizeof devices[0]; i++) {
                dev_t number = makedev(devices[i].major, devices[i].minor);
                char wwid[64];

                is_int(sysfs_kind(sysfs, number), devices[i].kind, "%s: kind", devices[i].what);
                is_int(sysfs_below(sysfs, number), devices[i].below, "%s: below", devices[i].what);
                memset(wwid, 'x', sizeof wwid);
                sysfs_wwid(sysfs, number, true, wwid, sizeof wwid);
                is_string(wwid, devices[i].wwid, "%s: name", devices[i].what);
        }
}

/* What is missing may be a multipath map. */
static void test_errors(int sysfs)
{
        for (int entries = 0; entries < 4; entries++) { /* "." and ".." too */
                readdir_ends_after = entries;
                is_int(sysfs_below(sysfs, makedev(253, 0)), SYSFS_BELOW_OTHER,
                       "slaves/ that cannot be read after %d entries", entries);
        }
        readdir_ends_after = -1;
}

static void test_names(int sysfs)
{
        char small[8], name[32];

        sysfs_link("dev/char/21:0", "../../" SYSFS_DISK "/scsi_generic/sg0");
        sysfs_link(SYSFS_DISK "/scsi_generic/sg0/device", "../../../0:0:0:0");
        sysfs_wwid(sysfs, makedev(21, 0), false, name, sizeof name);
        is_string(name, "naa.600140512345678", "a node of sg has its device's name");
        sysfs_wwid(sysfs, makedev(21, 0), true, name, sizeof name);
        is_string(name, "", "a block device of that number is another one");

        memset(small, 'x', sizeof small);
        sysfs_wwid(sysfs, makedev(8, 0), true, small, sizeof small);
        is_string(small, "naa.600", "a name is cut to the room there is");
        memset(small, 'x', sizeof small);
        sysfs_wwid(sysfs, makedev(8, 0), true, small, 1);
        ok(small[0] == '\0' && small[1] == 'x', "also where there is none");
        ok(sysfs_kind(-1, makedev(8, 0)) == SYSFS_UNKNOWN, "without a sysfs nothing is known");
        sysfs_wwid(-1, makedev(8, 0), true, name, sizeof name);
        is_string(name, "", "and nothing has a name");
}

int main(void)
{
        make_disks();
        make_volumes();
        make_tower(254, 100, 16);

        int sysfs = sysfs_open(), fds = count_fds();
        test_devices(sysfs);
        test_errors(sysfs);
        test_names(sysfs);
        is_int(count_fds(), fds, "no descriptor is left open");
        close(sysfs);
        remove_temp_directory();
        return done();
}
