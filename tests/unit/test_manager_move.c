/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prm_move() on the simulated target's engine: all types, equal and different
 * keys, every command failing in every way, and others who interfere.
 */
#include "move_world.h"

static const uint8_t types[] = { 0, 1, 3, 5, 6, 7, 8 };

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
                for (enum fault fault = FAULT_BUSY; fault < FAULTS; fault++, cases++) {
                        setup(type, holder);
                        const struct prm_nexus b = nexus(B);
                        world.fault = fault;
                        world.fault_at = at;
                        if (prm_move(&b, KEY, new_key, 0, &move) != 0 ||
                            !(truthful(&move, type, holder) ||
                              (fault >= FAULT_RESET && move.state == PRM_MOVE_DONE && moved(new_key, type, holder)))) {
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

/* Whatever PREEMPT was answered with: where the old registration has gone, it has. */
static void test_preempted(uint8_t type, enum fault fault)
{
        struct prm_move move;

        setup(type, A);
        world.fault = fault;
        world.fault_action = PR_OUT_PREEMPT;
        bool moved_well = move_done(KEY, &move) && moved(KEY, type, A);
        /* CONFLICT is what a PREEMPT of another nexus would have brought, and all registrants hold. */
        bool unclear = fault == FAULT_DENIED_DONE && pr_type_all_registrants(type);
        ok(unclear ? move.state == PRM_MOVE_LOST && !registration(B) && move.key == 0 : moved_well,
           "type %u: PREEMPT was carried out, and answered by fault %d", type, fault);
        setup(type, A);
        world.fault = fault;
        world.fault_action = PR_OUT_PREEMPT;
        world.self_preempting = true;
        world.type = 0;
        const struct prm_nexus b = nexus(B);
        is_int(prm_move(&b, KEY, KEY, 0, &move), 0, "type %u: and the new one has gone too", type);
        ok(move.state == PRM_MOVE_LOST && !registration(B) && !move.registered_again,
           "nobody knows by whom: it is left so");
}

/* PREEMPT in doubt, and then nobody can be asked. */
static void test_not_known(void)
{
        struct prm_move move;

        setup(PRM_WRITE_EXCLUSIVE, A);
        world.fault = FAULT_DENIED_DONE;
        world.fault_action = PR_OUT_PREEMPT;
        world.silent_then = true;
        const struct prm_nexus b = nexus(B);
        is_int(prm_move(&b, KEY, KEY, 0, &move), 0, "PREEMPT is answered with CONFLICT, and READ KEYS fails");
        ok(move.state == PRM_MOVE_REGISTERED && move.result.in_doubt &&
                   move.result.status == PRM_RESERVATION_CONFLICT, "this state or the next");
        world.silent = false;
        ok(move_done(KEY, &move) && moved(KEY, PRM_WRITE_EXCLUSIVE, A), "the same call again goes on from there");
        ok(!move.unproven, "which did it, for it holds the reservation");
        setup(PRM_WRITE_EXCLUSIVE, C);
        ok(move_done(NEW_KEY, &move) && !move.unproven, "of one that held nothing");
        ok(move_done(NEW_KEY, &move) && move.unproven, "it cannot be told who took the registration away");
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

/* The registration that is to move is b's own already, and the reservation. */
static void setup_own(uint8_t type)
{
        const struct prm_nexus a = nexus(A), b = nexus(B);
        struct prm_result r;

        setup(0, A);
        prm_register(&a, KEY, 0, PRM_APTPL, &r);
        prm_register(&b, 0, KEY, PRM_APTPL, &r);
        if (type != 0 && (prm_reserve(&b, KEY, (enum prm_type)type, &r) != 0 || r.status != PRM_GOOD))
                abort();
        world.fakes[B].commands = 0;
}

static void set_up(uint8_t type, int holder)
{
        if (holder == B)
                setup_own(type);
        else
                setup(type, holder);
}

static uint64_t fenced_key; /* 0: and somebody had it */

/* c preempts, and somebody else on b's nexus takes the unit attention. */
static void fence(void)
{
        const struct prm_nexus c = nexus(C);
        struct prm_result result;

        prm_preempt(&c, KEY_C, fenced_key, PRM_WRITE_EXCLUSIVE, &result);
        if (result.status == PRM_GOOD)
                fenced_key = 0;
        world.state.attentions[B][0].count = 0;
}

/*
 * Another nexus preempts the old key or the new one before any command of the move: in the end nobody
 * has what was taken away. DONE it may be said to be where only the last command was to come, which is
 * as good as afterwards.
 */
static void test_fenced_anywhere(uint8_t type, int holder, uint64_t new_key, uint64_t victim)
{
        struct prm_move move;
        int wrong = 0, cases = 0;

        for (int at = 1, last = 1; at <= last; at++) {
                set_up(type, holder);
                if (at == 1 && move_done(new_key, &move)) {
                        last = world.fakes[B].commands;
                        set_up(type, holder);
                }
                world.type = 0;
                world.before_at = at;
                world.before = fence;
                fenced_key = victim;
                const struct prm_nexus b = nexus(B);
                int r = prm_move(&b, KEY, new_key, 0, &move);
                if (fenced_key != 0)
                        continue;
                cases++;
                bool told = move.state == PRM_MOVE_LOST || move.state == PRM_MOVE_NO_KEY ||
                            (move.state == PRM_MOVE_REGISTERED && key_of(A) == KEY && move.key == 0) ||
                            (move.state == PRM_MOVE_DONE && at == last);
                if (r == 0 && !registration(B) && told)
                        continue;
                wrong++;
                printf("# before command %d of %d: state %d, b has %llx\n", at, last, move.state,
                       (unsigned long long)key_of(B));
        }
        ok(cases > 1 && wrong == 0, "type %u held by %s, %s key: the %s key is preempted before any command", type,
           holder == A ? "the old nexus" : holder == B ? "the new nexus" : "another",
           new_key == KEY ? "the same" : "a new", victim == KEY ? "old" : "new");
}

static void reserve_by_old(void)
{
        const struct prm_nexus a = nexus(A);
        struct prm_result result;

        prm_reserve(&a, KEY, PRM_EXCLUSIVE_ACCESS, &result);
}

/* The old nexus reserves when it has been seen that nobody has: PREEMPT then takes over what it has not seen. */
static void test_reserved_meanwhile(void)
{
        struct prm_move move;

        setup(0, A);
        world.before_at = 6;
        world.before = reserve_by_old;
        const struct prm_nexus b = nexus(B);
        is_int(prm_move(&b, KEY, NEW_KEY, 0, &move), 0, "the old nexus reserves meanwhile");
        is_int(move.state, PRM_MOVE_LOST, "it is not said that all is as it was");
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
                for (int holder = A; holder <= C; holder++) {
                        if (holder != B) {
                                test_faults(types[i], holder, KEY);
                                test_faults(types[i], holder, NEW_KEY);
                        }
                        test_fenced_anywhere(types[i], holder, KEY, KEY);
                        test_fenced_anywhere(types[i], holder, KEY, ~(uint64_t)KEY);
                        test_fenced_anywhere(types[i], holder, NEW_KEY, KEY);
                        test_fenced_anywhere(types[i], holder, NEW_KEY, NEW_KEY);
                }
                if (types[i] != 0) {
                        test_self_preempting(types[i]);
                        test_fenced(types[i], KEY);
                        test_fenced(types[i], NEW_KEY);
                        test_preempted(types[i], FAULT_RESET_DONE);
                        test_preempted(types[i], FAULT_DENIED_DONE);
                }
        }
        test_not_known();
        test_attentions();
        test_reserved_meanwhile();
        test_same_nexus();
        test_rest();
        return done();
}
