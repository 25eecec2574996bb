/* SPDX-License-Identifier: BSD-2-Clause */
/* qemu-pr-helper: the helper over the running kernel's SCSI devices. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/log.h"
#include "device/sgio.h"
#include "helper/helper.h"

static struct sgio_context context = {
        .sysfs = -1, .ioctl = sgio_ioctl, .fstat = sgio_fstat,
};

static int start(const struct helper_options *options, struct helper_endpoint *ret_endpoints)
{
        context.timeout_ms = options->timeout_ms;
        context.allow_stacked = options->allow_stacked;
        context.sysfs = open("/sys", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (context.sysfs < 0 || faccessat(context.sysfs, "dev/block", F_OK, 0) < 0)
                log_warning("sysfs is not mounted at /sys: every block device will be refused");

        ret_endpoints[0] = (struct helper_endpoint){
                .path = options->socket_path,
                .source = { .context = &context, .identify = sgio_identify },
        };
        return 1;
}

int main(int argc, char **argv)
{
        static const struct helper_program program = {
                .name = "qemu-pr-helper",
                .summary = "Persistent reservations for virtual machines: send PERSISTENT RESERVE\n"
                           "commands to disks on behalf of whoever passes their descriptor",
                .start = start,
                .rawio = true,
        };

        return helper_main(argc, argv, &program);
}
