/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A registration and its reservation handed to another nexus: the steps are
 * those of prm_move() in prmanager.h.
 *
 * What makes it safe is that the new nexus never preempts its own key: where
 * the key is to stay the same, it is registered with a temporary one meanwhile.
 */
#include <errno.h>
#include <string.h>

#include "manager/manager.h"
#include "manager/result.h"
#include "scsi/pr_type.h"

struct move {
        struct prm_nexus nexus;
        uint64_t old_key, new_key;
        uint64_t step_key;         /* that the nexus has until the old registration is gone */
        unsigned flags;            /* of registrations */
        bool abort;
        bool resumed;              /* the old registration went in an earlier run */
        bool fenced;               /* another nexus preempted or cleared since this one was registered,
                                      or nobody knows that none did */
        struct prm_move report;
        int error;                 /* that prm_move() returns */
};

/*
 * Look at how a step ended: true where it may go on. An error of this side is the caller's as long
 * as nothing was changed; later it is told in the report, which says what is left.
 */
static bool passed(struct move *move, int r)
{
        struct prm_result *result = &move->report.result;

        if (r < 0 && move->report.state == PRM_MOVE_UNCHANGED) {
                move->error = r;
                return false;
        }
        if (r < 0) {
                *result = (struct prm_result){ 0 };
                result_unavailable(result, r, false, strerrordesc_np(-r));
                return false;
        }

        /* REGISTRATIONS PREEMPTED and RESERVATIONS PREEMPTED: nobody but another nexus causes them. */
        for (unsigned i = 0; i < result->unit_attentions && i < PRM_UNIT_ATTENTIONS_MAX; i++) {
                const struct prm_sense sense = result->unit_attention[i];
                if (sense.asc == 0x2a && (sense.ascq == 0x03 || sense.ascq == 0x05))
                        move->fenced = move->report.state != PRM_MOVE_UNCHANGED;
        }
        return result->status == PRM_GOOD;
}

/* Whether a key is registered; also where the list is too long to be sure. */
static bool read_key(struct move *move, uint64_t key, bool *ret_there)
{
        struct prm_keys keys;

        if (!passed(move, prm_read_keys(&move->nexus, &keys, &move->report.result)))
                return false;
        *ret_there = keys.truncated;
        for (size_t i = 0; i < keys.count; i++)
                *ret_there |= keys.keys[i] == key;
        prm_keys_free(&keys);
        return true;
}

/* A registration says anew whether all of them outlast a loss of power: keep what is. */
static bool keep_persistence(struct move *move)
{
        struct prm_capabilities capabilities;
        struct prm_result *result = &move->report.result;

        if (passed(move, prm_report_capabilities(&move->nexus, &capabilities, result))) {
                if (capabilities.persistence_active)
                        move->flags |= PRM_APTPL;
                return true;
        }
        /* Devices without this report answer ILLEGAL REQUEST. */
        return move->error == 0 && result->error == 0 && result->sense.key == 0x05;
}

/* Step 1. False also where there is nothing to move. */
static bool look(struct move *move)
{
        struct prm_reservation reservation;
        struct prm_move *report = &move->report;
        bool old_there, step_there = false;

        if (!read_key(move, move->old_key, &old_there) ||
            (!old_there && !read_key(move, move->step_key, &step_there)))
                return false;
        if (!old_there && !step_there) {
                report->state = PRM_MOVE_NO_KEY;
                return false;
        }
        if (!passed(move, prm_read_reservation(&move->nexus, &reservation, &report->result)) ||
            !keep_persistence(move))
                return false;

        move->resumed = !old_there;
        report->type = reservation.type;
        report->held = reservation.reserved &&
                       (pr_type_all_registrants(reservation.type) ||
                        reservation.key == (move->resumed ? move->step_key : move->old_key));
        return true;
}

static bool register_step(struct move *move, uint64_t key)
{
        if (!passed(move, prm_register_and_ignore(&move->nexus, key, move->flags, &move->report.result)))
                return false;
        move->report.key = key;
        return true;
}

/*
 * Step 3. An answer other than GOOD does not prove that nothing was done: a bus may have been reset
 * behind the command, and something on the way have sent it twice. The list of keys does.
 */
static bool preempt(struct move *move, enum prm_type type)
{
        struct prm_result *result = &move->report.result;
        int r = move->abort ? prm_preempt_and_abort(&move->nexus, move->step_key, move->old_key, type, result)
                            : prm_preempt(&move->nexus, move->step_key, move->old_key, type, result);
        bool there = true;

        if (passed(move, r))
                return true;
        struct prm_result failed = *result;
        if (failed.error == 0 && !read_key(move, move->old_key, &there))
                failed.in_doubt = true;
        if (!there) {
                move->fenced = true;
                return true;
        }
        *result = failed;
        if (move->fenced)
                move->report.key = 0;
        return false;
}

/* Steps 2 and 3. */
static bool take(struct move *move)
{
        struct prm_move *report = &move->report;
        /* Devices look at the type even where no reservation is preempted and the standard says not to. */
        enum prm_type type = report->type == PRM_NONE ? PRM_WRITE_EXCLUSIVE : (enum prm_type)report->type;
        bool there;

        if (!register_step(move, move->step_key))
                return false;
        report->state = PRM_MOVE_REGISTERED;

        /* The old registration was this nexus' own where both are one host. */
        if (!read_key(move, move->old_key, &there))
                return false;
        if (there && !preempt(move, type))
                return false;
        report->state = PRM_MOVE_TAKEN;
        return true;
}

/* Step 4. REGISTER with the key that it ought to have shows whether the nexus still is registered. */
static bool settle(struct move *move)
{
        struct prm_move *report = &move->report;

        if (passed(move, prm_register(&move->nexus, move->step_key, move->new_key, move->flags,
                                      &report->result))) {
                report->key = move->new_key;
                report->state = PRM_MOVE_TAKEN;
                return true;
        }
        if (report->result.status != PRM_RESERVATION_CONFLICT)
                return false;
        if (move->resumed) {
                report->state = PRM_MOVE_NO_KEY;
                return false;
        }
        report->key = 0;
        report->state = PRM_MOVE_LOST;
        report->registered_again = !move->fenced && register_step(move, move->new_key);
        return report->registered_again;
}

/* Step 5. */
static bool verify(struct move *move)
{
        struct prm_reservation reservation;
        struct prm_move *report = &move->report;

        if (!passed(move, prm_read_reservation(&move->nexus, &reservation, &report->result)))
                return false;
        if (!report->held)
                return true;
        if (reservation.reserved && reservation.type == report->type &&
            (pr_type_all_registrants(report->type) || reservation.key == move->new_key))
                return true;
        report->state = PRM_MOVE_LOST;
        return report->registered_again && !reservation.reserved &&
               passed(move, prm_reserve(&move->nexus, move->new_key, (enum prm_type)report->type,
                                        &report->result));
}

/* One's complement: the same whenever the move is tried again; 0 is no key. */
static uint64_t temporary_key(uint64_t key)
{
        return ~key != 0 ? ~key : 1;
}

int prm_move(const struct prm_nexus *nexus, uint64_t old_key, uint64_t new_key, unsigned flags,
             struct prm_move *ret_move)
{
        struct move move = {
                .nexus = *nexus,
                .old_key = old_key,
                .new_key = new_key,
                .step_key = old_key == new_key ? temporary_key(old_key) : new_key,
                .flags = flags & (PRM_APTPL | PRM_ALL_TARGET_PORTS),
                .abort = flags & PRM_ABORT,
                .report = { .state = PRM_MOVE_UNCHANGED },
        };

        if (old_key == 0 || new_key == 0 ||
            (flags & ~(unsigned)(PRM_APTPL | PRM_ALL_TARGET_PORTS | PRM_ABORT)))
                return -EINVAL;
        if (move.nexus.unit_attention_retries < PRM_UNIT_ATTENTIONS_MAX)
                move.nexus.unit_attention_retries = PRM_UNIT_ATTENTIONS_MAX;

        if (look(&move) && (move.resumed || take(&move)) && settle(&move) && verify(&move))
                move.report.state = PRM_MOVE_DONE;
        if (move.error == 0)
                *ret_move = move.report;
        return move.error;
}
