/* SPDX-License-Identifier: BSD-2-Clause */
/* Devices of the running kernel, reached by SG_IO: see sgio.h. */
#include "device/sgio.h"

#include <errno.h>
#include <linux/fs.h>
#include <scsi/sg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "device/sysfs.h"

enum { SCSI_GENERIC_MAJOR = 21 }; /* Documentation/admin-guide/devices.txt */

int sgio_ioctl(int fd, unsigned long request, void *argument)
{
        return ioctl(fd, request, argument);
}

/*
 * glibc from 2.33 to 2.38 makes newfstatat(2) of fstat(), which costs kernels of their time room
 * for a path and a walk along it. On x86-64 the kernel's struct stat is the C library's.
 */
int sgio_fstat(int fd, struct stat *ret_stat)
{
#if defined __x86_64__ && !__GLIBC_PREREQ(2, 39)
        return (int)syscall(SYS_fstat, fd, ret_stat);
#else
        return fstat(fd, ret_stat);
#endif
}

/*
 * Once: no errno is retried. On a node of sg an interrupted SG_IO may have
 * reached the disk, and a REGISTER sent twice answers with a conflict. There it is
 * once as long as the helper is not stopped, frozen or traced meanwhile: then the
 * kernel itself starts the ioctl again. On a block device it waits uninterruptibly.
 */
static void execute(const struct device *device, int fd, const struct pr_command *command,
                    struct pr_result *ret_result)
{
        const struct sgio_context *context = device->context;
        uint8_t cdb[PR_CDB_SIZE];
        struct pr_result result = { .reached = true };
        struct sg_io_hdr header = {
                .interface_id = 'S',
                .dxfer_direction = command->cdb.length == 0 ? SG_DXFER_NONE :
                                   command->cdb.out         ? SG_DXFER_TO_DEV :
                                                              SG_DXFER_FROM_DEV,
                .cmd_len = sizeof cdb,
                .cmdp = cdb,
                .mx_sb_len = SENSE_SIZE,
                .sbp = result.sense,
                .dxfer_len = command->cdb.length,
                .dxferp = command->data,
                .timeout = context->timeout_ms,
        };

        memcpy(cdb, command->bytes, sizeof cdb);
        int r = context->ioctl(fd, SG_IO, &header);
        sgio_result(r < 0 ? errno : 0, &header, &command->cdb, &result);
        *ret_result = result;
}

static void multipath_execute(const struct device *device, int fd, const struct pr_command *command,
                              struct pr_result *ret_result)
{
        if (command->cdb.out)
                pr_result_refuse(ret_result,
                                 "a dm-multipath map: a registration on one of its paths would "
                                 "not hold on the others");
        else
                execute(device, fd, command, ret_result);
}

static void wwid(const struct device *device, char *ret_name, size_t size)
{
        const struct sgio_context *context = device->context;

        sysfs_wwid(context->sysfs, device->number, device->block, ret_name, size);
}

static const struct device_ops scsi_ops = { "scsi", execute, wwid };
static const struct device_ops sg_ops = { "sg", execute, wwid };
static const struct device_ops partition_ops = { "partition", execute, wwid };
static const struct device_ops dm_ops = { "dm", execute, wwid };
static const struct device_ops multipath_ops = { "multipath", multipath_execute, wwid };

static void refuse(struct device *device, const char *refusal)
{
        device_init_refused(device, refusal);
}

/* A partition or a device-mapper volume: it can reserve more than it is. */
static void identify_stacked(const struct sgio_context *context, dev_t number,
                             const struct device_ops *ops, const char *refusal,
                             struct device *ret_device)
{
        if (!context->allow_stacked) {
                refuse(ret_device, refusal);
                return;
        }
        switch (sysfs_below(context->sysfs, number)) {
        case SYSFS_BELOW_SCSI:
                ret_device->ops = ops;
                return;
        case SYSFS_BELOW_MULTIPATH:
                refuse(ret_device, "a volume on a dm-multipath map");
                return;
        default:
                refuse(ret_device, "a volume on what is no SCSI disk");
        }
}

/*
 * The sequence number of the disk that was opened; a partition has its disk's. The kernel counts
 * them up and gives none twice. 0 where nothing was opened (O_PATH), and before Linux 5.15.
 */
static uint64_t sequence_of(const struct sgio_context *context, int fd)
{
        uint64_t sequence = 0;

        return context->ioctl(fd, BLKGETDISKSEQ, &sequence) < 0 ? 0 : sequence;
}

/*
 * Whether the descriptor is of the same whole SCSI disk as the last one. Nothing else is kept with
 * its sequence number: what a device-mapper volume lies on may change while that stays.
 */
static bool is_last(const struct sgio_context *context, int fd, dev_t number,
                    const struct device *last)
{
        return last->sequence != 0 && last->context == context && last->number == number &&
               sequence_of(context, fd) == last->sequence;
}

static void identify_block(const struct sgio_context *context, int fd, dev_t number,
                           struct device *ret_device)
{
        switch (sysfs_kind(context->sysfs, number)) {
        case SYSFS_SCSI:
                ret_device->ops = &scsi_ops;
                ret_device->sequence = sequence_of(context, fd);
                return;
        case SYSFS_MULTIPATH:
                ret_device->ops = &multipath_ops;
                return;
        case SYSFS_PARTITION:
                identify_stacked(context, number, &partition_ops,
                                 "a partition, and a reservation would hold its whole disk "
                                 "(--allow-stacked permits it)",
                                 ret_device);
                return;
        case SYSFS_DM:
                identify_stacked(context, number, &dm_ops,
                                 "a device-mapper volume, and a reservation would hold the whole "
                                 "disk under it (--allow-stacked permits it)",
                                 ret_device);
                return;
        case SYSFS_MD:
                refuse(ret_device, "an md array");
                return;
        case SYSFS_LOOP:
                refuse(ret_device, "a loop device");
                return;
        case SYSFS_OTHER:
                refuse(ret_device, "a block device that is no SCSI device");
                return;
        case SYSFS_UNKNOWN:
                refuse(ret_device, "a block device that sysfs does not identify");
                return;
        }
}

/* A disk's number may be another's tomorrow, its sequence number not. */
static uint64_t id_of(const struct device *device)
{
        enum { CHARACTER, BLOCK, SEQUENCE, KINDS };

        if (device->sequence != 0)
                return device->sequence * KINDS + SEQUENCE;
        return device->number * KINDS + (device->block ? BLOCK : CHARACTER);
}

void sgio_identify(const void *of_source, int fd, struct device *device)
{
        const struct sgio_context *context = of_source;
        struct device found = { .context = context };
        struct stat st = { 0 };

        if (context->fstat(fd, &st) < 0) {
                refuse(&found, "fstat failed on the descriptor");
        } else if (S_ISBLK(st.st_mode)) {
                if (is_last(context, fd, st.st_rdev, device))
                        return;
                identify_block(context, fd, st.st_rdev, &found);
        } else if (S_ISCHR(st.st_mode) && major(st.st_rdev) == SCSI_GENERIC_MAJOR) {
                found.ops = &sg_ops;
        } else {
                refuse(&found, "not a SCSI device");
        }

        if (S_ISBLK(st.st_mode) || S_ISCHR(st.st_mode)) {
                found.number = st.st_rdev;
                found.block = S_ISBLK(st.st_mode);
                found.id = id_of(&found);
        }
        *device = found;
}
