/* SPDX-License-Identifier: BSD-2-Clause */
/* The way of every command to its manager's class: see manager.h. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "manager/manager.h"
#include "manager/result.h"

int manager_run(struct prm_manager *manager, int fd, const struct pr_command *command,
                uint32_t timeout_ms, struct prm_result *ret_result)
{
        struct prm_result result = { 0 };

        if (fcntl(fd, F_GETFD) < 0)
                return -EBADF;
        manager_enter(manager);
        if (command->cdb.length > manager->class->transfer_max)
                result_sense(&result, SENSE_INVALID_FIELD_IN_CDB,
                             "a transfer length of %u bytes, and %s carries %u", command->cdb.length,
                             manager->class->name, manager->class->transfer_max);
        else
                manager->class->run(manager, fd, command, timeout_ms, &result);
        *ret_result = result;
        return 0;
}

int nexus_run(const struct prm_nexus *nexus, const struct pr_command *command,
              struct prm_result *ret_result)
{
        struct prm_sense seen[PRM_UNIT_ATTENTIONS_MAX] = { 0 };
        unsigned count = 0;

        if (!nexus->manager)
                return -EINVAL;
        for (;;) {
                struct prm_result result;
                int r = manager_run(nexus->manager, nexus->fd, command, nexus->timeout_ms, &result);
                if (r < 0)
                        return r;
                if (!prm_result_is_unit_attention(&result) || result.in_doubt ||
                    count >= nexus->unit_attention_retries) {
                        result.unit_attentions = count;
                        memcpy(result.unit_attention, seen, sizeof seen);
                        *ret_result = result;
                        return 0;
                }
                if (count < PRM_UNIT_ATTENTIONS_MAX)
                        seen[count] = result.sense;
                count++;
        }
}
