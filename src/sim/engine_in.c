/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PERSISTENT RESERVE IN (SPC-4 6.15): never refused for a reservation, never
 * changes anything, and any allocation length will do, 0 too (4.2.5.6).
 */
#include "scsi/pr_in.h"
#include "sim/engine_internal.h"

static void read_keys(const struct engine_run *run, struct writer *w)
{
        const struct engine_pr *pr = &run->state->pr;
        struct pr_in_header header = { run->state->generation, 8u * pr->count };

        pr_in_header_encode(&header, w);
        for (size_t i = 0; i < pr->count; i++)
                write_be64(w, pr->registrations[i].key);
}

static void read_reservation(const struct engine_run *run, struct writer *w)
{
        const struct engine_pr *pr = &run->state->pr;
        struct pr_reservation reservation = { .generation = run->state->generation };

        if (pr->type != PR_TYPE_NONE) {
                reservation.reserved = true;
                reservation.scope = PR_SCOPE_LU;
                reservation.type = pr->type;
                if (!pr_type_all_registrants(pr->type))
                        reservation.key = engine_registration_of(pr, pr->holder)->key;
        }
        pr_reservation_encode(&reservation, w);
}

/*
 * ALLOW COMMANDS 001b: TEST UNIT READY is allowed, of MODE SENSE and its like nothing is said
 * (table 208). What conflict.c allows of these is more than that.
 */
static void report_capabilities(const struct engine_run *run, struct writer *w)
{
        struct pr_capabilities capabilities = {
                .crh = run->config->crh,
                .sip_c = true,
                .atp_c = true,
                .ptpl_c = run->config->ptpl,
                .tmv = true,
                .allow_commands = 1,
                .ptpl_a = run->state->pr.aptpl,
                .types = PR_TYPES_ALL,
        };

        pr_capabilities_encode(&capabilities, w);
}

/*
 * Whether one descriptor with ALL_TG_PT tells all: registered with ALL_TG_PT through every
 * target port, with one key, and as one holder or non-holder (6.15.5). Returns the initiator
 * port's oldest registration then, which is where the descriptor goes, else NULL.
 */
static const struct engine_registration *stands_for_all(const struct engine_run *run,
                                                        const struct engine_registration *r)
{
        const struct engine_pr *pr = &run->state->pr;
        const struct engine_registration *oldest = r;
        bool holder = engine_is_holder(pr, r->nexus);

        for (size_t port = 0; port < run->config->port_count; port++) {
                struct engine_nexus nexus = { r->nexus.initiator, (uint16_t)port };
                const struct engine_registration *other = engine_registration_of(pr, nexus);

                if (!other || !other->all_tg_pt || other->key != r->key ||
                    engine_is_holder(pr, nexus) != holder)
                        return NULL;
                if (other < oldest)
                        oldest = other;
        }
        return oldest;
}

static void write_descriptors(const struct engine_run *run, struct writer *w)
{
        const struct engine_pr *pr = &run->state->pr;

        for (size_t i = 0; i < pr->count; i++) {
                const struct engine_registration *r = &pr->registrations[i];
                const struct engine_registration *all = r->all_tg_pt ? stands_for_all(run, r) : NULL;

                if (all && all != r)
                        continue;
                struct pr_full_status descriptor = {
                        .key = r->key,
                        .all_tg_pt = all,
                        .holder = engine_is_holder(pr, r->nexus),
                        .scope = PR_SCOPE_LU,
                        .type = pr->type,
                        .port = all ? 0 : run->config->ports[r->nexus.port],
                        .initiator = run->config->initiators[r->nexus.initiator],
                };
                pr_full_status_encode(&descriptor, w);
        }
}

static void read_full_status(const struct engine_run *run, struct writer *w)
{
        struct writer counter = writer_over(NULL, 0);
        write_descriptors(run, &counter);

        struct pr_in_header header = { run->state->generation, (uint32_t)counter.length };
        pr_in_header_encode(&header, w);
        write_descriptors(run, w);
}

struct engine_result engine_in(struct engine_run *run)
{
        const struct engine_command *command = run->command;
        size_t room = run->cdb.length < command->data_size ? run->cdb.length : command->data_size;
        struct writer w = writer_over(command->data, room);

        switch (run->cdb.action) {
        case PR_IN_READ_KEYS:
                read_keys(run, &w);
                break;
        case PR_IN_READ_RESERVATION:
                read_reservation(run, &w);
                break;
        case PR_IN_REPORT_CAPABILITIES:
                report_capabilities(run, &w);
                break;
        case PR_IN_READ_FULL_STATUS:
                read_full_status(run, &w);
                break;
        default:
                return engine_check(SENSE_INVALID_FIELD_IN_CDB);
        }

        struct engine_result result = engine_good();
        result.data_size = w.length < room ? w.length : room;
        return result;
}
