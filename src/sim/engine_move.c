/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * REGISTER AND MOVE: hand the reservation to another nexus (SPC-4 5.13.8, 6.16.4).
 *
 * Choices:
 *   - An iSCSI name without ISID has to mean one initiator port only.
 *   - The destination is registered before the sender leaves, so UNREG does not
 *     make room for it.
 *   - The destination's registration is its own nexus' only: ALL_TG_PT is no
 *     longer true of it.
 */
#include "sim/engine_internal.h"

/* The one initiator port that the TransportID means; false where malformed, unknown, or several. */
static bool find_initiator(const struct engine_run *run, uint16_t *ret_initiator)
{
        struct reader r = reader_over(run->list.transportids, run->list.transportids_size);
        struct transportid destination;
        size_t found = 0;

        if (transportid_parse(&r, &destination) < 0 || !reader_finished(&r))
                return false;
        for (uint16_t i = 0; i < run->config->initiator_count; i++) {
                if (!transportid_selects(&destination, &run->config->initiators[i]))
                        continue;
                *ret_initiator = i;
                found++;
        }
        return found == 1;
}

static bool find_port(const struct engine_run *run, uint16_t *ret_port)
{
        for (uint16_t i = 0; i < run->config->port_count; i++) {
                if (run->config->ports[i] == run->list.port) {
                        *ret_port = i;
                        return true;
                }
        }
        return false;
}

/*
 * The sender is registered with its key and there is a reservation. To move it to another
 * target port of the sender's own initiator port is refused (5.13.8). No unit attentions.
 */
struct engine_result engine_do_move(struct engine_run *run)
{
        struct engine_pr *pr = &run->state->pr;
        struct engine_nexus destination;

        if (pr_type_all_registrants(pr->type) || !engine_is_holder(pr, run->nexus))
                return engine_conflict();
        if (run->list.action_key == 0 || (run->list.aptpl && !run->config->ptpl) ||
            !find_initiator(run, &destination.initiator) || !find_port(run, &destination.port) ||
            destination.initiator == run->nexus.initiator)
                return engine_check(SENSE_INVALID_FIELD_IN_LIST);
        if (!engine_set_key(run, destination, run->list.action_key, false))
                return engine_check(SENSE_INSUFFICIENT_RESOURCES);

        pr->holder = destination;
        if (run->list.unreg)
                engine_remove(pr, engine_find(pr, run->nexus));
        pr->aptpl = run->list.aptpl;
        run->state->generation++;
        return engine_good();
}
