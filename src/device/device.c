/* SPDX-License-Identifier: BSD-2-Clause */
/* What all kinds of devices share: see device.h. */
#include "device/device.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

void pr_result_sense(struct pr_result *ret_result, struct scsi_sense sense)
{
        *ret_result = (struct pr_result){ .status = SCSI_CHECK_CONDITION };
        scsi_sense_build(sense, ret_result->sense);
}

void pr_result_refuse(struct pr_result *ret_result, const char *refusal)
{
        pr_result_sense(ret_result, SENSE_INVALID_OPCODE);
        ret_result->refusal = refusal;
}

bool pr_result_is_lost(const struct pr_result *result)
{
        enum { DRIVER_SENSE = 0x08 }; /* with it older kernels say that there is sense */

        return result->error != 0 || result->host != 0 || (result->driver & ~DRIVER_SENSE) != 0;
}

/*
 * The kernel lends the target these very pages, and LIO's READ FULL STATUS
 * writes a whole descriptor past a short allocation length.
 *
 * As much for nearly every command, and aligned by hand: glibc before 2.38
 * hardly ever finds what aligned_alloc() gave and was freed, so the heap would
 * grow for hours (glibc's bug 14581). Pages that are not touched cost nothing.
 */
uint8_t *device_buffer(size_t size, void **ret_memory)
{
        enum { PAGE = 4096 };
        uint8_t *memory = malloc(PAGE + (size > PR_DATA_MAX ? size : PR_DATA_MAX) + PAGE);

        if (!memory)
                return NULL;
        uint8_t *buffer = memory + (PAGE - (uintptr_t)memory % PAGE) % PAGE;
        memset(buffer, 0, size);
        *ret_memory = memory;
        return buffer;
}

static void refused_execute(const struct device *device, int fd, const struct pr_command *command,
                            struct pr_result *ret_result)
{
        (void)fd, (void)command;
        pr_result_refuse(ret_result, device->refusal);
}

static void refused_wwid(const struct device *device, char *ret_name, size_t size)
{
        (void)device;
        if (size > 0)
                ret_name[0] = '\0';
}

static const struct device_ops refused_ops = {
        .kind = "refused",
        .execute = refused_execute,
        .wwid = refused_wwid,
};

void device_init_refused(struct device *ret_device, const char *refusal)
{
        *ret_device = (struct device){ .ops = &refused_ops, .refusal = refusal };
}

const char *device_refusal(const struct device *device, int fd, const struct pr_command *command)
{
        if (device->refusal)
                return device->refusal;

        /*
         * CAP_SYS_RAWIO bypasses the kernel's own look at the descriptor's mode (scsi_ioctl.c asks
         * it only of those without the capability), so the rule is kept here. To read, it is enough
         * that the descriptor was not opened with O_PATH, and then it would not have said which disk
         * it is.
         */
        bool readable = device->sequence != 0 && !command->cdb.out;
        int flags = readable ? O_RDONLY : fcntl(fd, F_GETFL);
        if (flags < 0 || (flags & O_PATH))
                return "the descriptor was opened with O_PATH";
        if (command->cdb.out && (flags & O_ACCMODE) != O_RDWR && (flags & O_ACCMODE) != O_WRONLY)
                return "the descriptor is not open for writing";
        return NULL;
}

void device_execute(const struct device *device, int fd, const struct pr_command *command,
                    struct pr_result *ret_result)
{
        const char *refusal = device_refusal(device, fd, command);

        if (refusal)
                pr_result_refuse(ret_result, refusal);
        else
                device->ops->execute(device, fd, command, ret_result);
}
