/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prm_move() on the simulated target's engine: all types, equal and different
 * keys, every command failing in every way, and others who interfere.
 *
 * Nexus a has the registration, b is to get it, c looks on.
 */
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
};

static const uint8_t types[] = { 0, 1, 3, 5, 6, 7, 8 };

static struct world {
        struct transportid initiators[NEXUSES];
        struct engine_config config;
        struct engine_state state;
        struct fake fakes[NEXUSES];
        enum fault fault;
        int fault_at;           /* the command of b that it befalls, from 1 */
        uint8_t type;           /* that the reservation has to have after every command; 0: any */
        bool gap;               /* once it had not */
        bool self_preempting;   /* PREEMPT removes the sender's registration too */
        uint64_t fence_after;   /* c preempts b when it has this key and a is gone; 0: not */
        bool no_capabilities;
        int aborts;             /* PREEMPT AND ABORT that came */
} world;

static struct prm_nexus nexus(int which)
{
        return fake_nexus(&world.fakes[which], 8);
}

static const struct engine_registration *registration(int which)
{
        return engine_registration_of(&world.state.pr, (struct engine_nexus){ (uint16_t)which, 0 });
}

static uint64_t key_of(int which)
{
        const struct engine_registration *r = registration(which);

        return r ? r->key : 0;
}

static bool holds(int which)
{
        return engine_is_holder(&world.state.pr, (struct engine_nexus){ (uint16_t)which, 0 });
}

/* Run a command on the engine. */
static void run_engine(int which, const struct pr_command *command, struct prm_result *ret_result)
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
static void interfere(int which, const struct pr_command *command)
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
        }
        if (world.fence_after != 0 && key_of(B) == world.fence_after && key_of(A) == 0) {
                const struct prm_nexus c = nexus(C);
                uint64_t victim = world.fence_after;
                world.fence_after = 0;
                prm_preempt(&c, KEY_C, victim, PRM_WRITE_EXCLUSIVE, &result);
        }
}

static void run(struct fake *fake, const struct pr_command *command, struct prm_result *ret_result)
{
        int which = (int)(fake - world.fakes);
        bool fails = which == B && fake->commands == world.fault_at;
        struct prm_result ignored = { 0 };

        if (world.no_capabilities && !command->cdb.out && command->cdb.action == PR_IN_REPORT_CAPABILITIES) {
                fake_sense(ret_result, SENSE_INVALID_FIELD_IN_CDB);
        } else if (!fails || world.fault == FAULT_NONE) {
                run_engine(which, command, ret_result);
                if (ret_result->status == SCSI_GOOD)
                        interfere(which, command);
        } else if (world.fault == FAULT_BUSY) {
                ret_result->status = SCSI_BUSY;
        } else {
                if (world.fault == FAULT_CUT)
                        run_engine(which, command, &ignored);
                result_unavailable(ret_result, -ECONNRESET, world.fault != FAULT_UNSENT, "cut");
        }
}

/* a and c registered, and the reservation with `holder`, or nobody's. APTPL is on. */
static void setup(uint8_t type, int holder)
{
        static const uint16_t port = 1;
        struct prm_result r;

        world = (struct world){ 0 };
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
static bool moved(uint64_t new_key, uint8_t type, int holder)
{
        bool there = key_of(A) == 0 && key_of(B) == new_key && key_of(C) == KEY_C && world.state.pr.aptpl &&
                     world.state.pr.type == type && world.state.pr.count == 2 && !world.gap;

        if (type == 0)
                return there;
        if (pr_type_all_registrants(type))
                return there && holds(B) && holds(C);
        return there && holds(holder == A ? B : C) && !holds(holder == A ? C : B);
}

static bool move_done(uint64_t new_key, struct prm_move *ret_move)
{
        const struct prm_nexus b = nexus(B);

        return prm_move(&b, KEY, new_key, 0, ret_move) == 0 && ret_move->state == PRM_MOVE_DONE &&
               ret_move->result.status == PRM_GOOD && ret_move->key == new_key;
}

/* What a state promises is so. With doubt it may be one step further. */
static bool truthful(const struct prm_move *move, uint8_t type, int holder)
{
        bool a_there = key_of(A) == KEY, b_key = key_of(B) == move->key;
        bool held = holder == A && type != 0;
        bool doubt = move->result.in_doubt;

        if (key_of(C) != KEY_C || world.gap || move->result.status == PRM_GOOD)
                return false;
        switch (move->state) {
        case PRM_MOVE_UNCHANGED:
                return a_there && move->key == 0 && (doubt || !registration(B));
        case PRM_MOVE_REGISTERED:
                return registration(B) && b_key && (doubt || (a_there && (!held || holds(A))));
        case PRM_MOVE_TAKEN:
                return key_of(A) == 0 && registration(B) && (doubt || b_key) && (!held || holds(B));
        default:
                return false;
        }
}

static void test_faults(uint8_t type, int holder, uint64_t new_key)
{
        int steps, wrong = 0, resumed = 0, cases = 0;
        struct prm_move move;

        setup(type, holder);
        bool done_well = move_done(new_key, &move) && moved(new_key, type, holder);
        ok(done_well && move.type == type && !move.registered_again, "type %u held by %s, %s key", type,
           holder == A ? "the old nexus" : "another", new_key == KEY ? "the same" : "a new");
        steps = world.fakes[B].commands;

        for (int at = 1; at <= steps; at++) {
                for (enum fault fault = FAULT_BUSY; fault <= FAULT_CUT; fault++, cases++) {
                        setup(type, holder);
                        const struct prm_nexus b = nexus(B);
                        world.fault = fault;
                        world.fault_at = at;
                        if (prm_move(&b, KEY, new_key, 0, &move) != 0 || !truthful(&move, type, holder)) {
                                wrong++;
                                printf("# command %d, fault %d: state %d, key %llx: a %llx, b %llx\n", at, fault,
                                       move.state, (unsigned long long)move.key, (unsigned long long)key_of(A),
                                       (unsigned long long)key_of(B));
                        }
                        resumed += move_done(new_key, &move) && moved(new_key, type, holder);
                }
        }
        is_int(wrong, 0, "%d faults: what is left behind is as the state says", cases);
        is_int(resumed, cases, "and the same call again goes on from there");
}

/* A device whose PREEMPT removes the sender's registration, and with it what it held. */
static void test_self_preempting(uint8_t type)
{
        for (int equal = 0; equal < 2; equal++) {
                struct prm_move move;
                uint64_t new_key = equal ? KEY : NEW_KEY;
                setup(type, A);
                world.self_preempting = true;
                world.type = 0;
                ok(move_done(new_key, &move) && move.registered_again, "type %u: a device that preempts the sender", type);
                ok(moved(new_key, type, A), "type %u: all is well in the end", type);
        }
}

/* Another nexus preempts the new one at once: that is fencing, and is not undone. */
static void test_fenced(uint8_t type, uint64_t new_key)
{
        struct prm_move move;

        setup(type, A);
        world.type = 0;
        world.fence_after = new_key == KEY ? ~(uint64_t)KEY : new_key;
        const struct prm_nexus b = nexus(B);
        is_int(prm_move(&b, KEY, new_key, 0, &move), 0, "type %u: fenced meanwhile", type);
        is_int(move.state, PRM_MOVE_LOST, "is said");
        ok(!registration(B) && move.key == 0 && !move.registered_again, "and is left so");
}

/* Unit attentions of the past are no reason to believe that it is happening now. */
static void test_attentions(void)
{
        struct prm_move move;
        struct prm_result r;

        setup(PRM_WRITE_EXCLUSIVE, A);
        const struct prm_nexus b = nexus(B), c = nexus(C);
        prm_register(&b, 0, 7, PRM_APTPL, &r);
        prm_preempt(&c, KEY_C, 7, PRM_WRITE_EXCLUSIVE, &r);
        ok(move_done(KEY, &move) && moved(KEY, PRM_WRITE_EXCLUSIVE, A), "a unit attention of a former preemption");
        setup(PRM_WRITE_EXCLUSIVE_REGISTRANTS_ONLY, A);
        prm_register(&b, 0, 7, PRM_APTPL, &r);
        ok(move_done(KEY, &move) && moved(KEY, PRM_WRITE_EXCLUSIVE_REGISTRANTS_ONLY, A),
           "the new nexus was registered already, with another key");
        setup(PRM_EXCLUSIVE_ACCESS, A);
        prm_register(&b, 0, KEY, PRM_APTPL, &r);
        ok(move_done(KEY, &move) && moved(KEY, PRM_EXCLUSIVE_ACCESS, A), "with the same key");
}

static void test_same_nexus(void)
{
        struct prm_move move;

        for (int equal = 0; equal < 2; equal++) {
                uint64_t new_key = equal ? KEY : NEW_KEY;
                setup(PRM_EXCLUSIVE_ACCESS_REGISTRANTS_ONLY, A);
                const struct prm_nexus a = nexus(A);
                is_int(prm_move(&a, KEY, new_key, 0, &move), 0, "to the nexus that has it, as on one host");
                ok(move.state == PRM_MOVE_DONE && key_of(A) == new_key && holds(A) && !world.gap, "it keeps it");
        }
}

static void corrupt(struct fake *fake, const struct pr_command *command, struct prm_result *ret_result)
{
        (void)fake, (void)command;
        ret_result->size = 3;
}

static void test_rest(void)
{
        struct prm_move move = { .key = 77 };
        const struct prm_nexus none = { 0 };

        setup(PRM_WRITE_EXCLUSIVE, A);
        const struct prm_nexus b = nexus(B);
        is_int(prm_move(&b, 0, 1, 0, &move), -EINVAL, "old key 0");
        is_int(prm_move(&b, 1, 0, 0, &move), -EINVAL, "new key 0");
        is_int(prm_move(&b, 1, 1, PRM_UNREGISTER, &move), -EINVAL, "another's flag");
        is_int(prm_move(&none, 1, 1, 0, &move), -EINVAL, "no manager");
        is_int(world.fakes[B].commands, 0, "nothing was sent");
        is_int(prm_move(&b, 0x99, 0x99, 0, &move), 0, "a key that nobody has");
        ok(move.state == PRM_MOVE_NO_KEY && !registration(B) && key_of(A) == KEY, "nothing is changed");
        is_int(prm_move(&b, 0x99, KEY_C, 0, &move), 0, "a key that nobody has, to another's");
        ok(move.state == PRM_MOVE_NO_KEY && !registration(B) && key_of(C) == KEY_C, "nothing is changed");

        world.no_capabilities = true;
        is_int(prm_move(&b, KEY, KEY, PRM_ABORT | PRM_APTPL, &move), 0, "a device without REPORT CAPABILITIES");
        ok(move.state == PRM_MOVE_DONE && moved(KEY, PRM_WRITE_EXCLUSIVE, A), "done, with APTPL because it was asked for");
        is_int(world.aborts, 1, "by PREEMPT AND ABORT");

        setup(PRM_WRITE_EXCLUSIVE, A);
        world.fakes[B].run = corrupt;
        is_int(prm_move(&b, KEY, KEY, 0, &move), -EBADMSG, "a device that talks nonsense");

        setup(PRM_WRITE_EXCLUSIVE, A);
        uint64_t all = UINT64_MAX;
        const struct prm_nexus a = nexus(A);
        prm_register(&a, KEY, all, PRM_APTPL, &move.result);
        is_int(prm_move(&b, all, all, 0, &move), 0, "the key whose complement is none");
        ok(move.state == PRM_MOVE_DONE && moved(all, PRM_WRITE_EXCLUSIVE, A), "moved");
}

int main(void)
{
        for (size_t i = 0; i < sizeof types; i++) {
                for (int holder = A; holder <= C; holder += C - A) {
                        test_faults(types[i], holder, KEY);
                        test_faults(types[i], holder, NEW_KEY);
                }
                if (types[i] != 0) {
                        test_self_preempting(types[i]);
                        test_fenced(types[i], KEY);
                        test_fenced(types[i], NEW_KEY);
                }
        }
        test_attentions();
        test_same_nexus();
        test_rest();
        return done();
}
