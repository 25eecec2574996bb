/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The class pr-manager-direct: SG_IO in this process, by the same path as the
 * helper's own. For programs that have the privilege, and for tests.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/descriptor.h"
#include "device/sgio.h"
#include "manager/manager.h"
#include "manager/result.h"

enum {
        DEFAULT_TIMEOUT_MS = 30000,
        TRANSFER_MAX = UINT16_MAX, /* what the ALLOCATION LENGTH of PERSISTENT RESERVE IN can say */
        HOST_TIME_OUT = 0x03,      /* the kernel's DID_TIME_OUT: its timer for the command ran out */
};

struct direct {
        struct prm_manager base;
        struct sgio_context context;
};

static struct direct *direct_of(struct prm_manager *manager)
{
        return (struct direct *)manager;
}

/* Where the kernel failed, say so: the status is only made up to tell it to a guest. */
static void explain(const struct pr_result *device_result, struct prm_result *result)
{
        if (device_result->refusal) {
                snprintf(result->text, sizeof result->text, "refused: %s", device_result->refusal);
        } else if (device_result->error != 0) {
                result->error = -device_result->error;
                result->in_doubt = device_result->error != EPERM && device_result->error != EACCES;
                snprintf(result->text, sizeof result->text, "SG_IO: %s",
                         strerrordesc_np(device_result->error));
        } else if (device_result->host != 0 && result->status == PRM_CHECK_CONDITION) {
                bool late = device_result->host == HOST_TIME_OUT;
                result->error = late ? -ETIMEDOUT : -EIO;
                result->in_doubt = true;
                snprintf(result->text, sizeof result->text,
                         late ? "SG_IO: the device did not answer in time (host status %02Xh)"
                              : "SG_IO: host status %02Xh",
                         device_result->host);
        }
}

static void direct_run(struct prm_manager *manager, int fd, const struct pr_command *command,
                       uint32_t timeout_ms, struct prm_result *ret_result)
{
        struct sgio_context context = direct_of(manager)->context;
        cleanup_free void *memory = NULL;
        struct pr_command lent = *command;
        struct device device = { 0 };
        struct pr_result result;

        if (timeout_ms != 0)
                context.timeout_ms = timeout_ms;
        /* What comes in is not read into the caller's memory, of which a target may write too much. */
        if (!command->cdb.out && command->cdb.length > 0) {
                lent.data = device_buffer(command->cdb.length, &memory);
                if (!lent.data) {
                        result_unavailable(ret_result, -ENOMEM, false, "out of memory");
                        return;
                }
        }
        sgio_identify(&context, fd, &device);
        device_execute(&device, fd, &lent, &result);
        if (result.size > 0)
                memcpy(command->data, lent.data, result.size);
        result_set(ret_result, result.status, result.sense);
        ret_result->size = result.size;
        explain(&result, ret_result);
}

static int direct_connect(struct prm_manager *manager, struct prm_error *ret_error)
{
        (void)manager, (void)ret_error;
        return 0;
}

static bool direct_is_connected(struct prm_manager *manager)
{
        (void)manager;
        return true;
}

static int direct_init(struct prm_manager *manager, const struct properties *properties,
                       struct prm_error *ret_error)
{
        struct sgio_context *context = &direct_of(manager)->context;
        int r = properties_get_timeout(properties, "timeout", DEFAULT_TIMEOUT_MS, &context->timeout_ms,
                                       ret_error);

        if (r == 0)
                r = properties_get_switch(properties, "allow-stacked", &context->allow_stacked, ret_error);
        if (r < 0)
                return r;
        context->ioctl = sgio_ioctl;
        context->fstat = sgio_fstat;
        context->sysfs = descriptor_move(open("/sys", O_PATH | O_DIRECTORY | O_CLOEXEC));
        return context->sysfs < 0 ? error_set(ret_error, -errno, "/sys: %s", strerrordesc_np(errno)) : 0;
}

static void direct_destroy(struct prm_manager *manager)
{
        close_fd(&direct_of(manager)->context.sysfs);
}

static const struct property_rule rules[] = {
        { .name = "timeout" },
        { .name = "allow-stacked" },
        { 0 },
};

const struct manager_class manager_class_direct = {
        .name = "pr-manager-direct",
        .size = sizeof(struct direct),
        .rules = rules,
        .transfer_max = TRANSFER_MAX,
        .init = direct_init,
        .destroy = direct_destroy,
        .run = direct_run,
        .connect = direct_connect,
        .is_connected = direct_is_connected,
};
