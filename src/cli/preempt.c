/* SPDX-License-Identifier: BSD-2-Clause */
/* preempt and clear: what removes the registrations of other hosts, and asks first. */
#include <stdio.h>

#include "cli/commands.h"
#include "cli/confirm.h"
#include "cli/disk.h"
#include "cli/report.h"
#include "cli/result.h"

int run_preempt(const struct options *options)
{
        cleanup_disk struct disk disk = DISK_CLOSED;
        struct prm_result result;
        char victim[24], what[128];
        int status = disk_open(options, true, &disk);

        if (status != 0)
                return status;
        format_key(options->victim, victim);
        snprintf(what, sizeof what, "preempt removes the registrations with key %s%s, whoever has them",
                 victim, options->abort ? " and aborts their commands" : "");
        status = confirm(options, options->victim != 0 ? what
                                  : "preempt with victim 0 removes the registrations of all others");
        if (status != 0)
                return status;

        enum prm_type type = (enum prm_type)options->type;
        int r = options->abort ? prm_preempt_and_abort(&disk.nexus, options->key, options->victim,
                                                       type, &result)
                               : prm_preempt(&disk.nexus, options->key, options->victim, type, &result);
        return result_finish(options, options->abort ? "PREEMPT AND ABORT" : "PREEMPT", r, &result);
}

int run_clear(const struct options *options)
{
        cleanup_disk struct disk disk = DISK_CLOSED;
        struct prm_result result;
        int status = disk_open(options, true, &disk);

        if (status == 0)
                status = confirm(options, "clear removes the reservation and all registrations of all hosts");
        if (status != 0)
                return status;
        int r = prm_clear(&disk.nexus, options->key, &result);
        return result_finish(options, "CLEAR", r, &result);
}
