/* SPDX-License-Identifier: BSD-2-Clause */
/* A manager whose class is the test: what it is given to run is a function's matter. */
#pragma once

#include "manager/manager.h"
#include "manager/result.h"
#include "tap.h"

struct fake {
        struct prm_manager base;
        struct manager_class class;
        void (*run)(struct fake *fake, const struct pr_command *command, struct prm_result *ret_result);
        void *opaque;
        int commands; /**< run so far */
};

static inline void fake_run(struct prm_manager *manager, int fd, const struct pr_command *command,
                            uint32_t timeout_ms, struct prm_result *ret_result)
{
        struct fake *fake = (struct fake *)manager;

        (void)fd, (void)timeout_ms;
        fake->commands++;
        fake->run(fake, command, ret_result);
}

static inline void fake_init(struct fake *fake, uint32_t transfer_max,
                             void (*run)(struct fake *, const struct pr_command *, struct prm_result *))
{
        *fake = (struct fake){ .class = { .name = "fake", .transfer_max = transfer_max, .run = fake_run },
                               .run = run };
        fake->base.class = &fake->class;
}

/** The way to it; the descriptor only has to be one. */
static inline struct prm_nexus fake_nexus(struct fake *fake, unsigned retries)
{
        return (struct prm_nexus){ &fake->base, 0, 0, retries };
}

/** Answer with CHECK CONDITION. */
static inline void fake_sense(struct prm_result *result, struct scsi_sense sense)
{
        result_sense(result, sense, "%s", "");
}

/** Answer IN with these bytes, cut to the allocation length. */
static inline void fake_data(const struct pr_command *command, struct prm_result *result,
                             const void *bytes, size_t size)
{
        result->size = size < command->cdb.length ? (uint32_t)size : command->cdb.length;
        memcpy(command->data, bytes, result->size);
}
