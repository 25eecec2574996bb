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
        bool resumed;              /* the old registration went in an earlier call */
        bool own;                  /* the old registration was this nexus' own, as where both are one host */
        bool fenced;               /* another nexus preempted or cleared since this one was registered,
                                      or nobody knows that none did */
        uint32_t generation;       /* PRGENERATION, if all that changed since was this nexus' doing */
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

/* Which keys are registered; where the list is too long to be sure, all are. */
struct listed {
        bool old, step;
        uint32_t generation;
};

static bool read_keys(struct move *move, struct listed *ret_listed)
{
        struct prm_keys keys;

        if (!passed(move, prm_read_keys(&move->nexus, &keys, &move->report.result)))
                return false;
        *ret_listed = (struct listed){ keys.truncated, keys.truncated, keys.generation };
        for (size_t i = 0; i < keys.count; i++) {
                ret_listed->old |= keys.keys[i] == move->old_key;
                ret_listed->step |= keys.keys[i] == move->step_key;
        }
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
        struct listed listed;

        if (!read_keys(move, &listed))
                return false;
        if (!listed.old && !listed.step) {
                report->state = PRM_MOVE_NO_KEY;
                return false;
        }
        if (!passed(move, prm_read_reservation(&move->nexus, &reservation, &report->result)) ||
            !keep_persistence(move))
                return false;

        move->resumed = !listed.old;
        report->type = reservation.type;
        report->held = reservation.reserved &&
                       (pr_type_all_registrants(reservation.type) ||
                        reservation.key == (move->resumed ? move->step_key : move->old_key));
        report->unproven = move->resumed && (!report->held || pr_type_all_registrants(reservation.type));
        return true;
}

static bool register_ignoring(struct move *move, uint64_t key)
{
        if (!passed(move, prm_register_and_ignore(&move->nexus, key, move->flags, &move->report.result)))
                return false;
        move->report.key = key;
        return true;
}

/* Step 2. */
static bool register_step(struct move *move)
{
        struct prm_result *result = &move->report.result;

        move->own = passed(move, prm_register(&move->nexus, move->old_key, move->step_key, move->flags, result));
        if (!move->own && (result->status != PRM_RESERVATION_CONFLICT ||
                           !register_ignoring(move, move->step_key)))
                return false;
        move->report.key = move->step_key;
        move->report.state = PRM_MOVE_REGISTERED;
        return true;
}

/* Another nexus took the old registration away: what was to replace it goes too. */
static bool lose(struct move *move)
{
        struct prm_result *result = &move->report.result;

        move->report.state = PRM_MOVE_LOST;
        if (passed(move, prm_register(&move->nexus, move->step_key, 0, move->flags, result)) ||
            result->status == PRM_RESERVATION_CONFLICT)
                move->report.key = 0;
        return false;
}

/* PREEMPT was refused and the old registration is gone: by this nexus' PREEMPT, sent twice? */
static bool has_taken(struct move *move)
{
        struct prm_reservation reservation;

        return passed(move, prm_read_reservation(&move->nexus, &reservation, &move->report.result)) &&
               reservation.reserved && !pr_type_all_registrants(reservation.type) &&
               reservation.key == move->step_key;
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
        struct listed listed = { true, true, 0 };

        if (passed(move, r)) {
                move->generation++;
                return true;
        }
        struct prm_result failed = *result;
        bool refused = failed.status == PRM_RESERVATION_CONFLICT;
        if (failed.error == 0 && !read_keys(move, &listed))
                failed.in_doubt = true;
        *result = failed;
        if (listed.old) {
                if (move->fenced || !listed.step)
                        move->report.key = 0;
                return false;
        }
        move->fenced = true;
        return !refused || has_taken(move) || lose(move);
}

/* Steps 2 and 3. */
static bool take(struct move *move)
{
        struct prm_move *report = &move->report;
        /* Devices look at the type even where no reservation is preempted and the standard says not to. */
        enum prm_type type = report->type == PRM_NONE ? PRM_WRITE_EXCLUSIVE : (enum prm_type)report->type;
        struct listed listed;

        if (!register_step(move) || !read_keys(move, &listed))
                return false;
        move->generation = listed.generation;
        move->fenced |= !listed.step;
        if (!listed.old && !move->own)
                return lose(move);
        if (listed.old && !preempt(move, type))
                return false;
        report->state = PRM_MOVE_TAKEN;
        return true;
}

/* The device removed this nexus' registration with the old one: so it is where nobody else changed a thing. */
static bool removed_by_device(struct move *move)
{
        struct listed listed;

        return !move->fenced && read_keys(move, &listed) && !move->fenced && !listed.step &&
               listed.generation == move->generation;
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
        report->registered_again = removed_by_device(move) && register_ignoring(move, move->new_key);
        return report->registered_again;
}

/* Step 5. */
static bool verify(struct move *move)
{
        struct prm_reservation reservation;
        struct prm_move *report = &move->report;

        if (!passed(move, prm_read_reservation(&move->nexus, &reservation, &report->result)))
                return false;
        if (!report->held && (report->type != PRM_NONE || reservation.key != move->new_key))
                return true;
        if (report->held && reservation.reserved && reservation.type == report->type &&
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
