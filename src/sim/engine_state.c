/* SPDX-License-Identifier: BSD-2-Clause */
/* Registrations, the reservation and unit attentions: the engine's state and how it changes. */
#include <errno.h>
#include <string.h>

#include "sim/engine_internal.h"

const struct engine_registration *engine_registration_of(const struct engine_pr *pr,
                                                         struct engine_nexus nexus)
{
        for (size_t i = 0; i < pr->count; i++)
                if (engine_nexus_equal(pr->registrations[i].nexus, nexus))
                        return &pr->registrations[i];
        return NULL;
}

struct engine_registration *engine_find(struct engine_pr *pr, struct engine_nexus nexus)
{
        for (size_t i = 0; i < pr->count; i++)
                if (engine_nexus_equal(pr->registrations[i].nexus, nexus))
                        return &pr->registrations[i];
        return NULL;
}

bool engine_is_holder(const struct engine_pr *pr, struct engine_nexus nexus)
{
        if (pr->type == PR_TYPE_NONE || !engine_registration_of(pr, nexus))
                return false;
        return pr_type_all_registrants(pr->type) || engine_nexus_equal(pr->holder, nexus);
}

bool engine_set_key(struct engine_run *run, struct engine_nexus nexus, uint64_t key, bool all_tg_pt)
{
        struct engine_pr *pr = &run->state->pr;
        struct engine_registration *registration = engine_find(pr, nexus);

        if (!registration) {
                if (pr->count >= run->config->registrations_max)
                        return false;
                registration = &pr->registrations[pr->count++];
        }
        *registration = (struct engine_registration){ key, nexus, all_tg_pt };
        return true;
}

void engine_remove(struct engine_pr *pr, struct engine_registration *registration)
{
        size_t index = (size_t)(registration - pr->registrations);

        pr->count--;
        memmove(registration, registration + 1, (pr->count - index) * sizeof *registration);
        pr->registrations[pr->count] = (struct engine_registration){ 0 };
}

void engine_reserve(struct engine_pr *pr, uint8_t type, struct engine_nexus holder)
{
        pr->type = type;
        pr->holder = holder;
        if (pr_type_all_registrants(type))
                memset(&pr->holder, 0, sizeof pr->holder);
}

void engine_release(struct engine_pr *pr)
{
        pr->type = PR_TYPE_NONE;
        pr->holder = (struct engine_nexus){ 0 };
}

void engine_attend(struct engine_state *state, struct engine_nexus nexus, uint8_t ascq)
{
        struct engine_attentions *pending = &state->attentions[nexus.initiator][nexus.port];

        if (!memchr(pending->ascq, ascq, pending->count))
                pending->ascq[pending->count++] = ascq;
}

void engine_attend_others(struct engine_run *run, uint8_t ascq)
{
        const struct engine_pr *pr = &run->state->pr;

        for (size_t i = 0; i < pr->count; i++)
                if (!engine_nexus_equal(pr->registrations[i].nexus, run->nexus))
                        engine_attend(run->state, pr->registrations[i].nexus, ascq);
}

bool engine_take_attention(struct engine_state *state, struct engine_nexus nexus, uint8_t *ret_ascq)
{
        struct engine_attentions *pending = &state->attentions[nexus.initiator][nexus.port];

        if (pending->count == 0)
                return false;
        *ret_ascq = pending->ascq[0];
        pending->count--;
        memmove(pending->ascq, pending->ascq + 1, pending->count);
        pending->ascq[pending->count] = 0;
        return true;
}

static bool pr_equal(const struct engine_pr *a, const struct engine_pr *b)
{
        if (a->aptpl != b->aptpl || a->type != b->type || a->count != b->count ||
            !engine_nexus_equal(a->holder, b->holder))
                return false;
        for (size_t i = 0; i < a->count; i++) {
                const struct engine_registration *left = &a->registrations[i];
                const struct engine_registration *right = &b->registrations[i];
                if (left->key != right->key || left->all_tg_pt != right->all_tg_pt ||
                    !engine_nexus_equal(left->nexus, right->nexus))
                        return false;
        }
        return true;
}

enum engine_storing engine_storing(const struct engine_pr *before, const struct engine_pr *after)
{
        if (after->aptpl)
                return pr_equal(before, after) ? ENGINE_KEEP : ENGINE_STORE;
        return before->aptpl ? ENGINE_ERASE : ENGINE_KEEP;
}

static bool nexus_known(const struct engine_config *config, struct engine_nexus nexus)
{
        return nexus.initiator < config->initiator_count && nexus.port < config->port_count;
}

int engine_restore(const struct engine_config *config, const struct engine_pr *stored,
                   struct engine_state *ret_state)
{
        struct engine_state state = { .pr.aptpl = stored->aptpl };
        struct engine_run run = { .config = config, .state = &state };

        if (stored->count > config->registrations_max)
                return -EINVAL;
        for (size_t i = 0; i < stored->count; i++) {
                const struct engine_registration *r = &stored->registrations[i];
                if (r->key == 0 || !nexus_known(config, r->nexus) || engine_find(&state.pr, r->nexus) ||
                    !engine_set_key(&run, r->nexus, r->key, r->all_tg_pt))
                        return -EINVAL;
        }
        if (stored->type != PR_TYPE_NONE) {
                if (!pr_type_valid(stored->type))
                        return -EINVAL;
                engine_reserve(&state.pr, stored->type, stored->holder);
                if (pr_type_all_registrants(stored->type) ? stored->count == 0
                                                          : !engine_is_holder(&state.pr, stored->holder))
                        return -EINVAL;
        }
        *ret_state = state;
        return 0;
}
