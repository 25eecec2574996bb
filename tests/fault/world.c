/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is around a helper and made up, by its environment:
 *
 * FAULT_DEVICES  "INODE b|c MAJOR:MINOR,...": files that fstat(2) calls devices. SG_IO to one carries out every
 *                PERSISTENT RESERVE OUT and counts it, and answers IN with the count; a block
 *                device has a sequence number.
 * FAULT_SYSFS    the folder that is opened as /sys
 * FAULT_SYSLOG   the socket that is syslog's
 */
#include "fault.h"

#include <linux/fs.h>
#include <scsi/sg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

enum { DEVICES_MAX = 16, SEQUENCE_FIRST = 100 };

static struct device {
        unsigned long inode;
        char type; /* 'b' or 'c' */
        unsigned major, minor;
} devices[DEVICES_MAX];
static unsigned device_count;
static const char *sysfs;
static struct sockaddr_un syslog_address = { .sun_family = AF_UNIX };
static atomic_uint *sent;

void world_begin(atomic_uint *counter)
{
        const char *at = getenv("FAULT_DEVICES"), *log = getenv("FAULT_SYSLOG");
        int length;

        for (struct device *d = devices; at && d < devices + DEVICES_MAX; d++, device_count++) {
                if (sscanf(at, "%lu %c %u:%u%n", &d->inode, &d->type, &d->major, &d->minor, &length) != 4)
                        abort();
                at = at[length] == ',' ? at + length + 1 : NULL;
        }
        sysfs = getenv("FAULT_SYSFS");
        if (log)
                strncpy(syslog_address.sun_path, log, sizeof syslog_address.sun_path - 1);
        sent = counter;
}

static const struct device *device_of(const struct stat *st)
{
        for (unsigned i = 0; i < device_count; i++)
                if (st->st_ino == devices[i].inode && S_ISREG(st->st_mode))
                        return &devices[i];
        return NULL;
}

void world_stat(struct stat *st)
{
        const struct device *d = device_of(st);

        if (d) {
                st->st_mode = (d->type == 'b' ? S_IFBLK : S_IFCHR) | 0600;
                st->st_rdev = makedev(d->major, d->minor);
        }
}

static void sg_io(struct sg_io_hdr *h)
{
        unsigned char *data = h->dxferp;

        h->status = 0;
        h->host_status = h->driver_status = 0;
        h->resid = 0;
        if (h->cmdp[0] == 0x5f) {
                atomic_fetch_add(sent, 1);
                return;
        }
        unsigned count = atomic_load(sent);
        for (unsigned i = 0; i < 8 && i < h->dxfer_len; i++)
                data[i] = i < 4 ? (unsigned char)(count >> (24 - 8 * i)) : 0;
        h->resid = h->dxfer_len > 8 ? (int)h->dxfer_len - 8 : 0;
}

int world_ioctl(const struct stat *st, unsigned long request, unsigned long argument)
{
        const struct device *d = device_of(st);

        if (d && request == SG_IO)
                sg_io((struct sg_io_hdr *)argument);
        else if (d && d->type == 'b' && request == BLKGETDISKSEQ)
                *(uint64_t *)argument = SEQUENCE_FIRST + d->minor;
        else
                return 0;
        return 1;
}

const char *world_path(const char *path)
{
        return sysfs && strcmp(path, "/sys") == 0 ? sysfs : path;
}

const struct sockaddr *world_address(const struct sockaddr *address)
{
        const struct sockaddr_un *to = (const struct sockaddr_un *)address;

        if (to && to->sun_family == AF_UNIX && syslog_address.sun_path[0] != '\0' &&
            (strcmp(to->sun_path, "/dev/log") == 0 ||
             strcmp(to->sun_path, "/run/systemd/journal/dev-log") == 0))
                return (const struct sockaddr *)&syslog_address;
        return address;
}
