/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PREEMPT and PREEMPT AND ABORT (SPC-4 5.13.11.2.4 to 5.13.11.2.6, table 72).
 *
 * There are no commands to abort here: the two are the same.
 */
#include "sim/engine_internal.h"

/*
 * Remove the registrations with the key, or all of them where it is 0, and tell each nexus
 * that lost one; the sender is not told, and where `keep_sender` not removed either.
 */
static void remove_registrations(struct engine_run *run, uint64_t key, bool keep_sender)
{
        struct engine_pr *pr = &run->state->pr;

        for (size_t i = 0; i < pr->count;) {
                struct engine_registration *r = &pr->registrations[i];
                bool sender = engine_nexus_equal(r->nexus, run->nexus);

                if ((key != 0 && r->key != key) || (sender && keep_sender)) {
                        i++;
                        continue;
                }
                if (!sender)
                        engine_attend(run->state, r->nexus, ATTENTION_REGISTRATIONS_PREEMPTED);
                engine_remove(pr, r);
        }
}

/* The reservation itself is preempted: 5.13.11.2.4.3. Only here do SCOPE and TYPE matter. */
static struct engine_result preempt_reservation(struct engine_run *run)
{
        struct engine_pr *pr = &run->state->pr;
        uint8_t old_type = pr->type;

        if (!engine_scope_type_valid(&run->cdb))
                return engine_check(SENSE_INVALID_FIELD_IN_CDB);
        remove_registrations(run, run->list.action_key, true);
        engine_reserve(pr, run->cdb.type, run->nexus);
        if (run->cdb.type != old_type)
                engine_attend_others(run, ATTENTION_RESERVATIONS_RELEASED);
        run->state->generation++;
        return engine_good();
}

/*
 * Registrations only, the sender's too if it has that key: 5.13.11.2.5. None of them holds a
 * reservation alone; one of all registrants ends with the last of them (5.13.10).
 */
static struct engine_result preempt_registrations(struct engine_run *run)
{
        struct engine_pr *pr = &run->state->pr;

        remove_registrations(run, run->list.action_key, false);
        if (pr->count == 0)
                engine_release(pr);
        run->state->generation++;
        return engine_good();
}

static bool key_registered(const struct engine_pr *pr, uint64_t key)
{
        for (size_t i = 0; i < pr->count; i++)
                if (pr->registrations[i].key == key)
                        return true;
        return false;
}

struct engine_result engine_do_preempt(struct engine_run *run)
{
        struct engine_pr *pr = &run->state->pr;
        bool all_registrants = pr_type_all_registrants(pr->type);
        uint64_t victim = run->list.action_key;

        if (victim == 0)
                return all_registrants ? preempt_reservation(run) : engine_check(SENSE_INVALID_FIELD_IN_LIST);
        if (!key_registered(pr, victim))
                return engine_conflict();
        if (pr->type == PR_TYPE_NONE || all_registrants ||
            engine_registration_of(pr, pr->holder)->key != victim)
                return preempt_registrations(run);
        return preempt_reservation(run);
}
