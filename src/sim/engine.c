/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The way of a command through the engine: what is checked in which order
 * before a service action's own file has it. See engine.h.
 *
 * The order: unit attention; reserved bits of byte 1 and the service action;
 * the list's length; SPEC_I_PT where it does not belong; who sends and with
 * which key; SCOPE and TYPE; then the action. RESERVATION CONFLICT goes before
 * what is wrong inside the list (SAM-5 5.3.3), and the length before both,
 * for without it there is no key to look at.
 */
#include "sim/engine.h"

#include <errno.h>

#include "sim/engine_internal.h"

/*
 * Every service action but REGISTER and REGISTER AND IGNORE needs a registered sender with
 * its key (SPC-4 5.13.7, 6.16.3). REGISTER AND MOVE without any reservation is INVALID FIELD
 * IN CDB (5.13.8); the standard orders the two only for a sender that is not registered, and
 * then either way (table 70 note d).
 */
static struct engine_result sender_check(const struct engine_run *run)
{
        const struct engine_pr *pr = &run->state->pr;
        const struct engine_registration *own = engine_registration_of(pr, run->nexus);
        bool pointless = run->cdb.action == PR_OUT_REGISTER_AND_MOVE && pr->type == PR_TYPE_NONE;

        if (own ? own->key != run->list.key : !pointless)
                return engine_conflict();
        return pointless ? engine_check(SENSE_INVALID_FIELD_IN_CDB) : engine_good();
}

static struct engine_result act(struct engine_run *run)
{
        switch (run->cdb.action) {
        case PR_OUT_REGISTER:
        case PR_OUT_REGISTER_AND_IGNORE:
                return engine_do_register(run);
        case PR_OUT_REGISTER_AND_MOVE:
                return engine_do_move(run);
        case PR_OUT_CLEAR:
                return engine_do_clear(run);
        case PR_OUT_PREEMPT:
        case PR_OUT_PREEMPT_AND_ABORT:
                return engine_do_preempt(run);
        default:
                break;
        }
        if (!engine_scope_type_valid(&run->cdb))
                return engine_check(SENSE_INVALID_FIELD_IN_CDB);
        return run->cdb.action == PR_OUT_RESERVE ? engine_do_reserve(run) : engine_do_release(run);
}

/* REPLACE LOST RESERVATION is unknown to a device server with RLR_C 0 (SPC-4 6.15.4). */
static struct engine_result out(struct engine_run *run)
{
        const struct engine_command *command = run->command;
        uint8_t action = run->cdb.action;

        if (action > PR_OUT_REGISTER_AND_MOVE)
                return engine_check(SENSE_INVALID_FIELD_IN_CDB);
        if (command->list_size != run->cdb.length)
                return engine_check(SENSE_PARAMETER_LIST_LENGTH);

        int r = pr_out_list_decode(action, command->list, command->list_size, &run->list);
        if (r < 0)
                return engine_check(r == -EMSGSIZE ? SENSE_PARAMETER_LIST_LENGTH
                                                   : SENSE_INVALID_FIELD_IN_LIST);

        if (action != PR_OUT_REGISTER && action != PR_OUT_REGISTER_AND_IGNORE) {
                struct engine_result result = sender_check(run);
                if (result.status != SCSI_GOOD)
                        return result;
        }
        return act(run);
}

void engine_run(const struct engine_config *config, const struct engine_command *command,
                const struct engine_state *state, struct engine_state *ret_next,
                struct engine_result *ret_result)
{
        struct engine_run run = {
                .config = config,
                .command = command,
                .state = ret_next,
                .nexus = command->nexus,
        };
        uint8_t ascq;

        *ret_next = *state;
        if (pr_cdb_decode(command->cdb, &run.cdb) < 0) {
                *ret_result = engine_check(SENSE_INVALID_OPCODE);
                return;
        }
        if (engine_take_attention(ret_next, run.nexus, &ascq)) {
                *ret_result = engine_check(SENSE(0x06, ATTENTION_ASC, ascq));
                return;
        }
        if (command->cdb[1] & 0xe0)
                *ret_result = engine_check(SENSE_INVALID_FIELD_IN_CDB);
        else
                *ret_result = run.cdb.out ? out(&run) : engine_in(&run);

        if (ret_result->status != SCSI_GOOD)
                *ret_next = *state;
        ret_result->storing = engine_storing(&state->pr, &ret_next->pr);
}
