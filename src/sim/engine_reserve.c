/* SPDX-License-Identifier: BSD-2-Clause */
/* RESERVE, RELEASE and CLEAR (SPC-4 5.13.9, 5.13.11.2.2, 5.13.11.2.7). */
#include "sim/engine_internal.h"

struct engine_result engine_do_reserve(struct engine_run *run)
{
        struct engine_pr *pr = &run->state->pr;

        if (pr->type == PR_TYPE_NONE)
                engine_reserve(pr, run->cdb.type, run->nexus);
        else if (!engine_is_holder(pr, run->nexus) || pr->type != run->cdb.type)
                return engine_conflict();
        return engine_good();
}

/* To release what one does not hold is GOOD, and nothing happens. */
struct engine_result engine_do_release(struct engine_run *run)
{
        struct engine_pr *pr = &run->state->pr;
        uint8_t type = pr->type;

        if (!engine_is_holder(pr, run->nexus))
                return engine_good();
        if (type != run->cdb.type)
                return engine_check(SENSE_INVALID_RELEASE);
        engine_release(pr);
        if (pr_type_registrants_only(type) || pr_type_all_registrants(type))
                engine_attend_others(run, ATTENTION_RESERVATIONS_RELEASED);
        return engine_good();
}

/* APTPL stays as the last registration set it: an empty state is stored (6.16.3). */
struct engine_result engine_do_clear(struct engine_run *run)
{
        struct engine_pr *pr = &run->state->pr;

        engine_attend_others(run, ATTENTION_RESERVATIONS_PREEMPTED);
        *pr = (struct engine_pr){ .aptpl = pr->aptpl };
        run->state->generation++;
        return engine_good();
}
