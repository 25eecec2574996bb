/* SPDX-License-Identifier: BSD-2-Clause */
/* What show says about a device, from a made-up sysfs; and how its lines are folded. */
#include "cli/disk.h"

#include <sys/sysmacros.h>

#include "cli/fold.h"
#include "fake_sysfs.h"
#include "tap.h"

#define DISK "devices/pci0000:00/host0/target0:0:0/0:0:0:0/block/sda"
#define UNIT "devices/pci0000:00/host0/target0:0:0/0:0:0:0"

static int sysfs;

static json_t *facts(mode_t mode, unsigned major, unsigned minor)
{
        struct stat st = { .st_mode = mode, .st_rdev = makedev(major, minor), .st_size = 4096 };

        return disk_facts(sysfs, "/dev/x", &st);
}

/* A member as text; "null" where it is. */
static void check(const json_t *document, const char *member, const char *want)
{
        const json_t *value = json_object_get(document, member);
        char text[64];

        if (json_is_integer(value))
                snprintf(text, sizeof text, "%lld", (long long)json_integer_value(value));
        else
                snprintf(text, sizeof text, "%s", json_is_string(value) ? json_string_value(value) : "null");
        is_string(text, want, "%s", member);
}

static void check_multipath(const json_t *document, const char *want)
{
        char text[256];

        format_multipath(json_object_get(document, "multipath"), text, sizeof text);
        is_string(text, want, "multipath");
}

static void test_disk(void)
{
        json_t *d;

        sysfs_scsi("8:0", "0:0:0:0", "sda");
        sysfs_file(DISK, "size", "131072\n");
        sysfs_attribute(UNIT "/vendor", "LIO-ORG \n");
        sysfs_attribute(UNIT "/model", "disk \033[1m0          \n");
        sysfs_attribute(UNIT "/wwid", "naa.60014050a1b2c3d4\n");
        sysfs_attribute(UNIT "/scsi_level", "6\n");
        d = facts(S_IFBLK, 8, 0);
        check(d, "kind", "SCSI disk");
        check(d, "number", "8:0");
        check(d, "vendor", "LIO-ORG");
        check(d, "model", "disk ?[1m0");
        check(d, "serial", "null");
        check(d, "wwid", "naa.60014050a1b2c3d4");
        check(d, "size", "67108864");
        check_multipath(d, "no");
        json_decref(d);
}

/* The page is binary, and its length may say more than there is. */
static void test_serial(const char *page, size_t size, const char *want)
{
        int fd = open(temp_path(UNIT "/vpd_pg80"), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

        need(fd >= 0 && write(fd, page, size) == (ssize_t)size, "vpd_pg80");
        close(fd);
        json_t *d = facts(S_IFBLK, 8, 0);
        check(d, "serial", want);
        json_decref(d);
}

static void test_partition(void)
{
        json_t *d;

        sysfs_block("8:1", DISK "/sda1");
        sysfs_file(DISK "/sda1", "partition", "1\n");
        sysfs_file(DISK "/sda1", "size", "2048\n");
        d = facts(S_IFBLK, 8, 1);
        check(d, "kind", "partition");
        check(d, "wwid", "naa.60014050a1b2c3d4");
        check(d, "size", "1048576");
        json_decref(d);
}

static void test_multipath(void)
{
        json_t *d;

        sysfs_dm("253:0", "dm-0", "mpath-360014050a1b2c3d4\n");
        sysfs_attribute("devices/virtual/block/dm-0/dm/name", "mpatha\n");
        sysfs_slave("dm-0", "sda", "pci0000:00/host0/target0:0:0/0:0:0:0/block/sda");
        sysfs_link(DISK "/holders/dm-0", "../../../../../../../virtual/block/dm-0");
        d = facts(S_IFBLK, 253, 0);
        check(d, "kind", "multipath map");
        check(d, "vendor", "LIO-ORG");
        check(d, "wwid", "naa.60014050a1b2c3d4");
        check_multipath(d, "a map of 1 path: sda");
        json_decref(d);
        d = facts(S_IFBLK, 8, 0);
        check_multipath(d, "this is one path of mpatha: what is registered here holds on this path only");
        json_decref(d);

        sysfs_dm("253:1", "dm-1", "LVM-abc\n");
        d = facts(S_IFBLK, 253, 1);
        check(d, "kind", "device-mapper volume");
        check(d, "wwid", "LVM-abc");
        json_decref(d);
}

static void test_others(void)
{
        json_t *d = facts(S_IFREG, 0, 0);

        check(d, "kind", "file");
        check(d, "number", "null");
        check(d, "size", "4096");
        json_decref(d);
        d = facts(S_IFBLK, 7, 7);
        check(d, "kind", "block device");
        check(d, "size", "null");
        json_decref(d);
        close(sysfs);
        sysfs = -1;
        d = facts(S_IFBLK, 8, 0);
        check(d, "wwid", "null");
        json_decref(d);
}

static void check_size(json_int_t bytes, const char *want)
{
        json_t *value = json_integer(bytes);
        char text[64];

        format_size(value, text, sizeof text);
        is_string(text, want, "size of %lld", (long long)bytes);
        json_decref(value);
}

static void check_fold(const char *text, size_t width, size_t size, const char *want)
{
        char lines[64];

        memset(lines, 'x', sizeof lines);
        fold(text, width, lines, size);
        is_string(lines, want, "'%s' in %zu columns", text, width);
}

int main(void)
{
        sysfs_directory("dev");
        sysfs = sysfs_open();
        test_disk();
        test_serial("\0\200\0\4ab12", 8, "ab12");
        test_serial("\0\200\0\6 ab12 ", 10, "ab12");
        test_serial("\0\200\0\377ab12", 8, "ab12");
        test_serial("\0\200\0\2ab12", 8, "ab");
        test_serial("\0\200\0", 3, "null");
        test_serial("\0\200\0\0", 4, "null");
        test_serial("\0\200\0\4    ", 8, "null");
        test_partition();
        test_multipath();
        test_others();

        check_size(0, "0 bytes");
        check_size(1023, "1023 bytes");
        check_size(1024, "1 KiB (1024 bytes)");
        check_size(1048576000, "1000 MiB (1048576000 bytes)");
        check_size(INT64_MAX, "8 EiB (9223372036854775807 bytes)");

        check_fold("", 5, 64, "");
        check_fold("ab cd", 5, 64, "ab cd");
        check_fold("ab cd ef", 5, 64, "ab cd\nef");
        check_fold("ab cd ef", 4, 64, "ab\ncd\nef");
        check_fold("abcdefgh ij", 3, 64, "abc\ndef\ngh\nij");
        check_fold("abc def", 3, 64, "abc\ndef");
        check_fold("ab cd ef", 0, 64, "a\nb\nc\nd\ne\nf");
        check_fold("ab cd ef gh", 2, 8, "ab\ncd");
        remove_temp_directory();
        return done();
}
