/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A world for prm_move(): managers a, b and c on the simulated target's engine.
 * Nexus a has the registration, b is to get it, c looks on. Commands of b fail
 * as a test says, and others interfere.
 */
#pragma once

#include <errno.h>
#include <stdlib.h>

#include "manager_fake.h"
#include "scsi/pr_type.h"
#include "sim/engine.h"

enum { A, B, C, NEXUSES };
enum { KEY = 0xa1, NEW_KEY = 0xb2, KEY_C = 0xc3 };

/* How a command of the move is made to fail. */
enum fault {
        FAULT_NONE,
        FAULT_BUSY,   /* an answer other than GOOD */
        FAULT_UNSENT, /* no way to the device */
        FAULT_LOST,   /* the way failed before the device had it, and nobody knows that */
        FAULT_CUT,    /* the way failed after the device had carried it out */
        FAULT_RESET,  /* a helper that tells of a bus reset, by what a device says that has one behind it */
        FAULT_RESET_DONE, /* the same, and the command was carried out */
        FAULTS,
        FAULT_DENIED_DONE, /* carried out, and something below the helper sent it again */
};

static struct world {
        struct transportid initiators[NEXUSES];
        struct engine_config config;
        struct engine_state state;
        struct fake fakes[NEXUSES];
        enum fault fault;
        int fault_at;           /* the command of b that it befalls, from 1; or... */
        int fault_action;       /* ...the PERSISTENT RESERVE OUT of b with this service action */
        uint8_t type;           /* that the reservation has to have after every command; 0: any */
        bool gap;               /* once it had not */
        bool self_preempting;   /* PREEMPT removes the sender's registration too */
        uint64_t fence_after;   /* c preempts b when it has this key and a is gone; 0: not */
        int before_at;          /* before this command of b, from 1... */
        void (*before)(void);   /* ...this happens */
        bool no_capabilities;
        bool silent_then;       /* after the fault... */
        bool silent;            /* ...b gets BUSY */
        int aborts;             /* PREEMPT AND ABORT that came */
} world;

static inline struct prm_nexus nexus(int which)
{
        return fake_nexus(&world.fakes[which], 8);
}

static inline const struct engine_registration *registration(int which)
{
        return engine_registration_of(&world.state.pr, (struct engine_nexus){ (uint16_t)which, 0 });
}

static inline uint64_t key_of(int which)
{
        const struct engine_registration *r = registration(which);

        return r ? r->key : 0;
}

static inline bool holds(int which)
{
        return engine_is_holder(&world.state.pr, (struct engine_nexus){ (uint16_t)which, 0 });
}

/* Run a command on the engine. */
static inline void run_engine(int which, const struct pr_command *command, struct prm_result *ret_result)
{
        static struct engine_state next;
        struct engine_result result;
        const struct engine_command c = {
                .nexus = { (uint16_t)which, 0 },
                .cdb = command->bytes,
                .list = command->cdb.out ? command->data : NULL,
                .list_size = command->cdb.out ? command->cdb.length : 0,
                .data = command->cdb.out ? NULL : command->data,
                .data_size = command->cdb.out ? 0 : command->cdb.length,
        };

        engine_run(&world.config, &c, &world.state, &next, &result);
        world.state = next;
        ret_result->status = result.status;
        if (result.status == SCSI_CHECK_CONDITION)
                fake_sense(ret_result, result.sense);
        ret_result->size = (uint32_t)result.data_size;
        if (world.type != 0 && world.state.pr.type != world.type)
                world.gap = true;
}

/* What other nexuses and odd devices do when a command has been carried out. */
static inline void interfere(int which, const struct pr_command *command)
{
        uint8_t action = command->cdb.action;
        struct prm_result result;

        if (which != B || !command->cdb.out)
                return;
        world.aborts += action == PR_OUT_PREEMPT_AND_ABORT;
        if (world.self_preempting && action == PR_OUT_PREEMPT) {
                const struct prm_nexus b = nexus(B);
                world.self_preempting = false;
                prm_register_and_ignore(&b, 0, 0, &result);
                world.state.generation--; /* it is one command */
        }
        if (world.fence_after != 0 && key_of(B) == world.fence_after && key_of(A) == 0) {
                const struct prm_nexus c = nexus(C);
                uint64_t victim = world.fence_after;
                world.fence_after = 0;
                prm_preempt(&c, KEY_C, victim, PRM_WRITE_EXCLUSIVE, &result);
        }
}

/* Make a command of b fail, once where it is a certain action. */
static inline void fail(const struct pr_command *command, struct prm_result *ret_result)
{
        struct prm_result done = { 0 };

        world.fault_action = -1;
        if (world.fault == FAULT_CUT || world.fault >= FAULT_RESET_DONE) {
                run_engine(B, command, &done);
                if (done.status == SCSI_GOOD && world.fault != FAULT_CUT)
                        interfere(B, command);
        }
        world.silent = world.silent_then;
        switch (world.fault) {
        case FAULT_BUSY:
                ret_result->status = SCSI_BUSY;
                break;
        case FAULT_RESET:
        case FAULT_RESET_DONE:
                fake_sense(ret_result, SENSE(6, 0x29, 0));
                ret_result->in_doubt = command->cdb.out;
                break;
        case FAULT_DENIED_DONE:
                ret_result->status = SCSI_RESERVATION_CONFLICT;
                break;
        default:
                result_unavailable(ret_result, -ECONNRESET, world.fault != FAULT_UNSENT, "cut");
        }
}

static inline void run(struct fake *fake, const struct pr_command *command, struct prm_result *ret_result)
{
        int which = (int)(fake - world.fakes);
        bool at = fake->commands == world.fault_at ||
                  (command->cdb.out && command->cdb.action == world.fault_action);

        if (which == B && fake->commands == world.before_at)
                world.before();
        if (which == B && world.silent) {
                ret_result->status = SCSI_BUSY;
        } else if (which == B && at && world.fault != FAULT_NONE) {
                fail(command, ret_result);
        } else if (world.no_capabilities && !command->cdb.out &&
                   command->cdb.action == PR_IN_REPORT_CAPABILITIES) {
                fake_sense(ret_result, SENSE_INVALID_FIELD_IN_CDB);
        } else {
                run_engine(which, command, ret_result);
                if (ret_result->status == SCSI_GOOD)
                        interfere(which, command);
        }
}

/* a and c registered, and the reservation with `holder`, or nobody's. APTPL is on. */
static inline void setup(uint8_t type, int holder)
{
        static const uint16_t port = 1;
        struct prm_result r;

        world = (struct world){ .fault_action = -1 };
        for (int i = 0; i < NEXUSES; i++) {
                char name[] = { (char)('a' + i), '\0' };
                transportid_from_name(name, &world.initiators[i]);
                fake_init(&world.fakes[i], PRM_TRANSFER_MAX, run);
        }
        world.config = (struct engine_config){
                .initiators = world.initiators, .initiator_count = NEXUSES, .ports = &port, .port_count = 1,
                .registrations_max = 8, .ptpl = true,
        };
        const struct prm_nexus a = nexus(A), c = nexus(C), h = nexus(holder);
        prm_register(&c, 0, KEY_C, PRM_APTPL, &r);
        prm_register(&a, 0, KEY, PRM_APTPL, &r);
        if (type != 0 && (prm_reserve(&h, holder == A ? KEY : KEY_C, (enum prm_type)type, &r) < 0 ||
                          r.status != PRM_GOOD))
                abort();
        world.type = type;
}

/* Everything is where it ought to be after a move from a to b. */
static inline bool moved(uint64_t new_key, uint8_t type, int holder)
{
        bool there = key_of(A) == 0 && key_of(B) == new_key && key_of(C) == KEY_C && world.state.pr.aptpl &&
                     world.state.pr.type == type && world.state.pr.count == 2 && !world.gap;

        if (type == 0)
                return there;
        if (pr_type_all_registrants(type))
                return there && holds(B) && holds(C);
        return there && holds(holder == A ? B : C) && !holds(holder == A ? C : B);
}
