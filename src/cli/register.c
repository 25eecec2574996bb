/* SPDX-License-Identifier: BSD-2-Clause */
/* register: a key for this nexus, and with --initiator for others. */
#include "cli/commands.h"
#include "cli/disk.h"
#include "cli/result.h"

int run_register(const struct options *options)
{
        unsigned flags = (options->aptpl ? PRM_APTPL : 0u) |
                         (options->all_target_ports ? PRM_ALL_TARGET_PORTS : 0u);
        cleanup_disk struct disk disk = DISK_CLOSED;
        struct prm_result result;
        int status = disk_open(options, true, &disk);
        int r;

        if (status != 0)
                return status;
        if (options->ignore_existing) {
                r = prm_register_and_ignore(&disk.nexus, options->new_key, flags, &result);
                return result_finish(options, "REGISTER AND IGNORE EXISTING KEY", r, &result);
        }
        if (options->initiator_count > 0)
                r = prm_register_ports(&disk.nexus, options->new_key, flags, options->initiators,
                                       options->initiator_count, &result);
        else
                r = prm_register(&disk.nexus, options->key, options->new_key, flags, &result);
        return result_finish(options, "REGISTER", r, &result);
}
