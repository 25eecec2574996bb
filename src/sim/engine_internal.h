/* SPDX-License-Identifier: BSD-2-Clause */
/* What the engine's files share among themselves; everybody else wants engine.h. */
#pragma once

#include "scsi/pr_out.h"
#include "scsi/pr_type.h"
#include "sim/engine.h"

#define SENSE_PARAMETER_LIST_LENGTH SENSE(0x05, 0x1a, 0x00)
#define SENSE_INVALID_FIELD_IN_LIST SENSE(0x05, 0x26, 0x00)
#define SENSE_INVALID_RELEASE SENSE(0x05, 0x26, 0x04)
#define SENSE_INSUFFICIENT_RESOURCES SENSE(0x05, 0x55, 0x04)

enum {
        ATTENTION_ASC = 0x2a,
        ATTENTION_RESERVATIONS_PREEMPTED = 0x03,
        ATTENTION_RESERVATIONS_RELEASED = 0x04,
        ATTENTION_REGISTRATIONS_PREEMPTED = 0x05,
};

/*
 * A command under way. `state` is the copy that becomes the next state; a service
 * action may leave it half changed where it does not answer GOOD: it is thrown away.
 */
struct engine_run {
        const struct engine_config *config;
        const struct engine_command *command;
        struct engine_state *state;
        struct engine_nexus nexus;
        struct pr_cdb cdb;
        struct pr_out_list list;
};

static inline struct engine_result engine_good(void)
{
        return (struct engine_result){ .status = SCSI_GOOD };
}

static inline struct engine_result engine_conflict(void)
{
        return (struct engine_result){ .status = SCSI_RESERVATION_CONFLICT };
}

static inline struct engine_result engine_check(struct scsi_sense sense)
{
        return (struct engine_result){ .status = SCSI_CHECK_CONDITION, .sense = sense };
}

/* SCOPE and TYPE make a reservation of this device server (SPC-4 6.15.3.3, 6.15.3.4). */
static inline bool engine_scope_type_valid(const struct pr_cdb *cdb)
{
        return cdb->scope == PR_SCOPE_LU && pr_type_valid(cdb->type);
}

/* engine_state.c */

/* The registration of a nexus to change it, or NULL. */
struct engine_registration *engine_find(struct engine_pr *pr, struct engine_nexus nexus);

/* Register a nexus, or change its key in place. False where there is no room for another. */
bool engine_set_key(struct engine_run *run, struct engine_nexus nexus, uint64_t key, bool all_tg_pt);

/* Take the registration away; nothing else follows from it here. */
void engine_remove(struct engine_pr *pr, struct engine_registration *registration);

void engine_reserve(struct engine_pr *pr, uint8_t type, struct engine_nexus holder);
void engine_release(struct engine_pr *pr);

/* Make a unit attention pending for a nexus, once. */
void engine_attend(struct engine_state *state, struct engine_nexus nexus, uint8_t ascq);

/* The same for every registered nexus but the one that sent the command. */
void engine_attend_others(struct engine_run *run, uint8_t ascq);

/* Take the oldest unit attention of a nexus; false where none is pending. */
bool engine_take_attention(struct engine_state *state, struct engine_nexus nexus, uint8_t *ret_ascq);

/* What differs between the two, as far as it has to be stored. */
enum engine_storing engine_storing(const struct engine_pr *before, const struct engine_pr *after);

/* Service actions. The sender's key has been checked but for REGISTER and REGISTER AND IGNORE. */

struct engine_result engine_in(struct engine_run *run);           /* engine_in.c */
struct engine_result engine_do_register(struct engine_run *run);  /* engine_register.c: and IGNORE */
struct engine_result engine_do_move(struct engine_run *run);      /* engine_move.c */
struct engine_result engine_do_reserve(struct engine_run *run);   /* engine_reserve.c */
struct engine_result engine_do_release(struct engine_run *run);
struct engine_result engine_do_clear(struct engine_run *run);
struct engine_result engine_do_preempt(struct engine_run *run);   /* engine_preempt.c: and ABORT */
