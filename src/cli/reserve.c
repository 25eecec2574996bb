/* SPDX-License-Identifier: BSD-2-Clause */
/* reserve and release: one's own reservation. */
#include "cli/commands.h"
#include "cli/disk.h"
#include "cli/result.h"

int run_reserve(const struct options *options)
{
        cleanup_disk struct disk disk = DISK_CLOSED;
        struct prm_result result;
        int status = disk_open(options, true, &disk);

        if (status != 0)
                return status;
        int r = prm_reserve(&disk.nexus, options->key, (enum prm_type)options->type, &result);
        return result_finish(options, "RESERVE", r, &result);
}

int run_release(const struct options *options)
{
        cleanup_disk struct disk disk = DISK_CLOSED;
        struct prm_result result;
        int status = disk_open(options, true, &disk);

        if (status != 0)
                return status;
        int r = prm_release(&disk.nexus, options->key, (enum prm_type)options->type, &result);
        return result_finish(options, "RELEASE", r, &result);
}
