/* SPDX-License-Identifier: BSD-2-Clause */
/* What sysfs and the inode say about a device: see disk.h. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "base/cleanup.h"
#include "cli/cli.h"
#include "cli/disk.h"

enum {
        ATTRIBUTE_SIZE = 256,
        VPD_HEADER_SIZE = 4,
        SECTOR_SIZE = 512, /* of `size` in sysfs, whatever the disk's is */
        UNIT_PATHS_MAX = 64,
};

json_t *json_text(const char *text)
{
        char clean[1024];
        size_t length = 0;
        bool printable = true;

        if (!text)
                return json_null();
        for (const unsigned char *at = (const unsigned char *)text; *at; at++)
                if (*at < ' ' || *at == 0x7f)
                        printable = false;
        json_t *string = printable ? json_string(text) : NULL;
        if (string)
                return string;
        for (; length < sizeof clean - 1 && text[length]; length++)
                clean[length] = text[length] >= ' ' && text[length] <= '~' ? text[length] : '?';
        clean[length] = '\0';
        return need_memory(json_string(clean));
}

/* Bytes of an attribute, NUL-terminated. @return how many there are, 0 where there is none */
static size_t read_bytes_of(int node, const char *path, char ret_bytes[static ATTRIBUTE_SIZE])
{
        cleanup_fd int fd = node < 0 ? -1 : openat(node, path, O_RDONLY | O_CLOEXEC);
        ssize_t n = fd < 0 ? -1 : read(fd, ret_bytes, ATTRIBUTE_SIZE - 1);

        ret_bytes[n > 0 ? n : 0] = '\0';
        return n > 0 ? (size_t)n : 0;
}

/* Without the spaces around it; null where nothing is left. */
static json_t *trimmed(char *text)
{
        char *begin = text + strspn(text, " \n");
        size_t length = strlen(begin);

        while (length > 0 && (begin[length - 1] == ' ' || begin[length - 1] == '\n'))
                length--;
        begin[length] = '\0';
        return json_text(length > 0 ? begin : NULL);
}

static json_t *attribute(int node, const char *path)
{
        char text[ATTRIBUTE_SIZE];

        (void)read_bytes_of(node, path, text);
        return trimmed(text);
}

/* The Unit Serial Number page (SPC-4 7.8.15): four bytes, the last its length, and the number. */
static json_t *serial_number(int node)
{
        char page[ATTRIBUTE_SIZE];
        size_t size = read_bytes_of(node, "device/vpd_pg80", page);

        if (size <= VPD_HEADER_SIZE)
                return json_null();
        size_t length = (unsigned char)page[VPD_HEADER_SIZE - 1];
        if (length > size - VPD_HEADER_SIZE)
                length = size - VPD_HEADER_SIZE;
        page[VPD_HEADER_SIZE + length] = '\0';
        return trimmed(page + VPD_HEADER_SIZE);
}

static json_t *size_of(int node)
{
        char text[ATTRIBUTE_SIZE];

        if (read_bytes_of(node, "size", text) == 0)
                return json_null();
        return json_integer((json_int_t)(strtoull(text, NULL, 10) * SECTOR_SIZE));
}

static bool exists(int node, const char *path)
{
        return node >= 0 && faccessat(node, path, F_OK, 0) == 0;
}

static bool is_multipath(int node)
{
        char uuid[ATTRIBUTE_SIZE];

        return read_bytes_of(node, "dm/uuid", uuid) > 0 && strncmp(uuid, "mpath-", 6) == 0;
}

static void close_directory(DIR **directory)
{
        if (*directory)
                closedir(*directory);
}

static int compare_names(const void *a, const void *b)
{
        return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The names in a directory, sorted, as an array. */
static json_t *names_in(int node, const char *path)
{
        cleanup_fd int fd = openat(node, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        __attribute__((cleanup(close_directory))) DIR *directory = fd < 0 ? NULL : fdopendir(fd);
        char *names[UNIT_PATHS_MAX];
        size_t count = 0;
        json_t *array = need_memory(json_array());

        if (!directory)
                return array;
        (void)steal_fd(&fd);
        for (struct dirent *entry; (entry = readdir(directory)) && count < UNIT_PATHS_MAX;)
                if (entry->d_name[0] != '.')
                        names[count++] = need_memory(strdup(entry->d_name));
        qsort(names, count, sizeof names[0], compare_names);
        for (size_t i = 0; i < count; i++) {
                json_array_append_new(array, json_text(names[i]));
                free(names[i]);
        }
        return array;
}

static int open_in(int node, const char *path)
{
        return node < 0 ? -1 : openat(node, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/* {"role": "none"}, {"role": "map", "paths": [...]}, {"role": "path", "map": "mpatha"} */
static json_t *multipath(int node)
{
        if (is_multipath(node))
                return json_pack("{s:s, s:o}", "role", "map", "paths", names_in(node, "slaves"));

        json_t *holders = names_in(node, "holders");
        json_t *holder, *found = NULL;
        for_each(holder, holders) {
                char path[ATTRIBUTE_SIZE + 16];
                snprintf(path, sizeof path, "holders/%s", json_string_value(holder));
                cleanup_fd int map = open_in(node, path);
                if (!found && is_multipath(map))
                        found = json_pack("{s:s, s:o}", "role", "path", "map",
                                          attribute(map, "dm/name"));
        }
        json_decref(holders);
        return found ? found : json_pack("{s:s}", "role", "none");
}

static const char *kind_of(const struct stat *st, int node)
{
        if (S_ISREG(st->st_mode))
                return "file";
        if (S_ISCHR(st->st_mode))
                return "character device";
        if (exists(node, "partition"))
                return "partition";
        if (exists(node, "dm"))
                return is_multipath(node) ? "multipath map" : "device-mapper volume";
        return exists(node, "device/vpd_pg80") || exists(node, "device/scsi_level") ? "SCSI disk"
                                                                                   : "block device";
}

/* The node whose `device` is the SCSI device: the disk of a partition, a path of a map, or itself. */
static int open_unit(int node, const json_t *paths)
{
        if (exists(node, "partition"))
                return open_in(node, "..");
        const char *path = json_string_value(json_array_get(paths, 0));
        if (!path)
                return open_in(node, ".");
        char name[ATTRIBUTE_SIZE];
        snprintf(name, sizeof name, "slaves/%s", path);
        return open_in(node, name);
}

json_t *disk_facts(int sysfs, const char *path, const struct stat *st)
{
        bool node_exists = S_ISBLK(st->st_mode) || S_ISCHR(st->st_mode);
        char name[64], number[32];

        snprintf(number, sizeof number, "%u:%u", major(st->st_rdev), minor(st->st_rdev));
        snprintf(name, sizeof name, "dev/%s/%s", S_ISBLK(st->st_mode) ? "block" : "char", number);
        cleanup_fd int node = node_exists && sysfs >= 0 ? open_in(sysfs, name) : -1;

        json_t *paths_of = node >= 0 && S_ISBLK(st->st_mode) ? multipath(node) : json_null();
        cleanup_fd int unit = open_unit(node, json_object_get(paths_of, "paths"));
        json_t *wwid = attribute(unit, "device/wwid");
        if (json_is_null(wwid))
                wwid = attribute(node, "dm/uuid");
        json_t *size = S_ISREG(st->st_mode) ? json_integer((json_int_t)st->st_size) : size_of(node);

        return need_memory(json_pack(
                "{s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "device", json_text(path), "kind",
                kind_of(st, node), "number", json_text(node_exists ? number : NULL), "vendor",
                attribute(unit, "device/vendor"), "model", attribute(unit, "device/model"), "serial",
                serial_number(unit), "wwid", wwid, "size", size, "multipath", paths_of));
}

void format_size(const json_t *value, char *ret_text, size_t size)
{
        static const char *const units[] = { "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
        json_int_t bytes = json_integer_value(value);
        double scaled = (double)bytes;
        size_t unit = 0;

        if (bytes < 1024) {
                snprintf(ret_text, size, "%lld bytes", (long long)bytes);
                return;
        }
        for (scaled /= 1024; scaled >= 1024 && unit + 1 < sizeof units / sizeof units[0]; unit++)
                scaled /= 1024;
        snprintf(ret_text, size, "%.4g %s (%lld bytes)", scaled, units[unit], (long long)bytes);
}

void format_multipath(const json_t *value, char *ret_text, size_t size)
{
        const char *role = json_string_value(json_object_get(value, "role"));
        const char *map = json_string_value(json_object_get(value, "map"));
        const json_t *paths = json_object_get(value, "paths");
        json_t *path;

        if (!role || strcmp(role, "none") == 0) {
                snprintf(ret_text, size, "no");
        } else if (strcmp(role, "path") == 0) {
                snprintf(ret_text, size, "this is one path of %s: what is registered here holds on this "
                         "path only", map ? map : "a map");
        } else {
                snprintf(ret_text, size, "a map of %zu path%s:", json_array_size(paths),
                         json_array_size(paths) == 1 ? "" : "s");
                for_each(path, paths)
                        snprintf(ret_text + strlen(ret_text), size - strlen(ret_text), " %s",
                                 json_string_value(path));
        }
}
