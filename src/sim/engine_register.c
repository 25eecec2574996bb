/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * REGISTER and REGISTER AND IGNORE EXISTING KEY: registering, changing a key,
 * unregistering (SPC-4 5.13.7 tables 67 to 69, 5.13.11.2.3, 6.16.3).
 *
 * Choices:
 *   - ALL_TG_PT is "as if the same request had been received individually
 *     through each target port" (6.16.3). The status is that of the port it
 *     came through; a request that would be refused at another port changes
 *     nothing there. Ports are taken in the configuration's order.
 *   - Who holds a reservation and leaves with his siblings: unit attentions go
 *     to those that are registered after all of it.
 *   - With SPEC_I_PT a listed nexus that is registered already keeps its
 *     registration and its key, as in SPC-3. SPC-4 table 67 note b refuses the
 *     whole list for it instead; see register_listed().
 *   - A request that has nothing to do counts in nothing: neither PRGENERATION
 *     nor APTPL change (5.13.7: "do nothing except return GOOD status").
 */
#include "sim/engine_internal.h"

enum outcome {
        NOTHING, /* nothing to do */
        DONE,
        REFUSED, /* RESERVATION CONFLICT */
        FULL,
};

static bool ignores_key(const struct engine_run *run)
{
        return run->cdb.action == PR_OUT_REGISTER_AND_IGNORE;
}

/* The request at one nexus: a row of table 67, or of table 68. */
static enum outcome register_one(struct engine_run *run, struct engine_nexus nexus)
{
        struct engine_pr *pr = &run->state->pr;
        struct engine_registration *registration = engine_find(pr, nexus);
        uint64_t key = registration ? registration->key : 0;

        if (!ignores_key(run) && run->list.key != key)
                return REFUSED;
        if (run->list.action_key != 0)
                return engine_set_key(run, nexus, run->list.action_key, run->list.all_tg_pt) ? DONE : FULL;
        if (!registration)
                return NOTHING;
        engine_remove(pr, registration);
        return DONE;
}

/* Whether the request means this target port (table 69). */
static bool means_port(const struct engine_run *run, size_t port)
{
        return run->list.all_tg_pt || port == run->nexus.port;
}

static enum outcome register_own(struct engine_run *run)
{
        enum outcome outcome = NOTHING;

        for (size_t port = 0; port < run->config->port_count; port++) {
                struct engine_nexus nexus = { run->nexus.initiator, (uint16_t)port };

                if (!means_port(run, port))
                        continue;
                switch (register_one(run, nexus)) {
                case DONE:
                        outcome = DONE;
                        break;
                case FULL:
                        return FULL;
                default:
                        break;
                }
        }
        return outcome;
}

/* The initiator ports that a list of TransportIDs means, in its order, none twice. */
struct selection {
        size_t count;
        uint16_t initiators[ENGINE_INITIATORS_MAX];
        bool has[ENGINE_INITIATORS_MAX];
};

/* False where a TransportID is malformed, or none that the device server knows. */
static bool select_listed(const struct engine_run *run, struct selection *ret_selection)
{
        struct reader r = reader_over(run->list.transportids, run->list.transportids_size);

        *ret_selection = (struct selection){ 0 };
        while (r.left > 0) {
                struct transportid listed;
                bool known = false;

                if (transportid_parse(&r, &listed) < 0)
                        return false;
                for (uint16_t i = 0; i < run->config->initiator_count; i++) {
                        if (!transportid_selects(&listed, &run->config->initiators[i]))
                                continue;
                        known = true;
                        if (!ret_selection->has[i])
                                ret_selection->initiators[ret_selection->count++] = i;
                        ret_selection->has[i] = true;
                }
                if (!known)
                        return false;
        }
        return true;
}

/* Returns false where there is no room for all of them. */
static bool register_listed(struct engine_run *run, const struct selection *selection)
{
        for (size_t i = 0; i < selection->count; i++) {
                for (size_t port = 0; port < run->config->port_count; port++) {
                        struct engine_nexus nexus = { selection->initiators[i], (uint16_t)port };

                        /* SPC-4 table 67 note b: INVALID FIELD IN PARAMETER LIST where it is registered. */
                        if (!means_port(run, port) || engine_find(&run->state->pr, nexus))
                                continue;
                        if (!engine_set_key(run, nexus, run->list.action_key, run->list.all_tg_pt))
                                return false;
                }
        }
        return true;
}

/* A reservation ends with its holder's registration, or with the last of all (5.13.11.2.3). */
static void release_without_holder(struct engine_run *run)
{
        struct engine_pr *pr = &run->state->pr;
        uint8_t type = pr->type;

        if (pr_type_all_registrants(type) ? pr->count > 0 : engine_is_holder(pr, pr->holder))
                return;
        engine_release(pr);
        if (pr_type_registrants_only(type))
                engine_attend_others(run, ATTENTION_RESERVATIONS_RELEASED);
}

struct engine_result engine_do_register(struct engine_run *run)
{
        struct engine_pr *pr = &run->state->pr;
        const struct engine_registration *own = engine_find(pr, run->nexus);
        bool listed = run->list.spec_i_pt && run->list.action_key != 0;
        struct selection selection;

        if (!ignores_key(run) && run->list.key != (own ? own->key : 0))
                return engine_conflict();
        if (run->list.aptpl && !run->config->ptpl)
                return engine_check(SENSE_INVALID_FIELD_IN_LIST);
        if (run->list.spec_i_pt && own)
                return engine_check(SENSE_INVALID_FIELD_IN_LIST);
        if (listed && !select_listed(run, &selection))
                return engine_check(SENSE_INVALID_FIELD_IN_LIST);

        enum outcome outcome = register_own(run);
        if (outcome == FULL || (listed && !register_listed(run, &selection)))
                return engine_check(SENSE_INSUFFICIENT_RESOURCES);
        if (outcome == NOTHING)
                return engine_good();

        if (pr->type != PR_TYPE_NONE)
                release_without_holder(run);
        pr->aptpl = run->list.aptpl;
        run->state->generation++;
        return engine_good();
}
