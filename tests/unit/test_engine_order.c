/* SPDX-License-Identifier: BSD-2-Clause */
/* What is checked before what, list lengths, unit attentions, PRGENERATION, storing and restoring. */
#include <errno.h>

#include "engine_script.h"

static const struct script_row order[] = {
        { "reserved bits of byte 1, OUT", "", "a reg 0 1 bits=1", "CDB", NULL },
        { "reserved bits of byte 1, OUT", "", "a reg 0 1 bits=4", "CDB", NULL },
        { "reserved bits of byte 1, IN", "", "a in 0 bits=2", "CDB", NULL },
        { "REPLACE LOST RESERVATION", "", "a rlr 1 1", "CDB", NULL },
        { "REPLACE LOST RESERVATION, registered", "a reg 0 1", "a rlr 1 1", "CDB", NULL },
        { "service action before length", "", "a out 8 len=0", "CDB", NULL },
        { "service action before length", "", "a out 31 len=7", "CDB", NULL },
        { "length before key", "a reg 0 1", "a res 2 1 len=23", "PLL", NULL },
        { "length before SCOPE and TYPE", "a reg 0 1", "a res 1 2 len=25", "PLL", NULL },
        { "SPEC_I_PT before key", "a reg 0 1", "a clr 2 spec=b", "PL", NULL },
        { "SPEC_I_PT before SCOPE and TYPE", "a reg 0 1", "a res 1 2 spec=b", "PL", NULL },
        { "key before SCOPE and TYPE", "a reg 0 1", "a rel 2 0", "RC", NULL },
        { "key before the list's contents", "", "a reg 1 2 spec=x", "RC", NULL },
        { "SCOPE and TYPE before conflict", "a reg 0 1;b reg 0 2;b res 2 1", "a res 1 9", "CDB", NULL },
};

static const struct script_row lengths[] = {
        { "nothing", "", "a reg 0 1 len=0", "PLL", NULL },
        { "one short", "", "a reg 0 1 len=23", "PLL", NULL },
        { "one more", "", "a reg 0 1 len=25", "PLL", NULL },
        { "28 without SPEC_I_PT", "", "a reg 0 1 len=28", "PLL", NULL },
        { "ignore", "", "a ign 1 len=20", "PLL", NULL },
        { "release", "a reg 0 1", "a rel 1 1 len=32", "PLL", NULL },
        { "clear", "a reg 0 1", "a clr 1 len=48", "PLL", NULL },
        { "preempt", "a reg 0 1", "a pre 1 1 1 len=16", "PLL", NULL },
        { "preempt and abort", "a reg 0 1", "a pab 1 1 1 len=16", "PLL", NULL },
        { "SPEC_I_PT, 24", "", "a reg 0 1 spec=b len=24", "PLL", NULL },
        { "SPEC_I_PT, 27", "", "a reg 0 1 spec=b len=27", "PLL", NULL },
        { "SPEC_I_PT, list longer than it says", "", "a reg 0 1 spec=- len=32", "PL", NULL },
        { "SPEC_I_PT, list shorter than it says", "", "a reg 0 1 spec=b len=56", "PL", NULL },
        { "SPEC_I_PT, says less", "", "a reg 0 1 spec=b says=24", "PL", NULL },
        { "SPEC_I_PT elsewhere, 24", "a reg 0 1", "a res 1 1 spec=b len=24", "PL", NULL },
        { "SPEC_I_PT elsewhere, any length", "a reg 0 1", "a pre 1 1 1 spec=b len=26", "PL", NULL },
        { "SPEC_I_PT elsewhere, 23", "a reg 0 1", "a res 1 1 spec=b len=23", "PLL", NULL },
        { "REGISTER AND MOVE, 24", "a reg 0 1;a res 1 1", "a mov 1 3 - len=24", "PLL", NULL },
        { "REGISTER AND MOVE, 47", "a reg 0 1;a res 1 1", "a mov 1 3 b len=47 says=23", "PLL", NULL },
        { "REGISTER AND MOVE, shorter than it says", "a reg 0 1;a res 1 1", "a mov 1 3 b len=52", "PL", NULL },
        { "REGISTER AND MOVE, longer than it says", "a reg 0 1;a res 1 1", "a mov 1 3 b len=60", "PL", NULL },
        { "REGISTER AND MOVE, TransportID not whole words", "a reg 0 1;a res 1 1", "a mov 1 3 b len=57 says=33",
          "PL", NULL },
};

/* Which fields are looked at: SPC-4 table 216, and 6.16.4 for the last. */
static const struct script_row fields[] = {
        { "RESERVE: SERVICE ACTION RESERVATION KEY", "a reg 0 1", "a res 1 1", "GOOD", "g1 a=1 1@a" },
        { "RESERVE: ALL_TG_PT, APTPL", "@noptpl;a reg 0 1", "a res 1 1 all aptpl", "GOOD", "g1 a=1 1@a" },
        { "RELEASE: ALL_TG_PT, APTPL", "@noptpl;a reg 0 1;a res 1 1", "a rel 1 1 all aptpl", "GOOD", "g1 a=1" },
        { "CLEAR: ALL_TG_PT, APTPL", "@noptpl;a reg 0 1", "a clr 1 all aptpl", "GOOD", "g2" },
        { "PREEMPT: ALL_TG_PT, APTPL", "@noptpl;a reg 0 1", "a pre 1 1 1 all aptpl", "GOOD", "g2" },
};

static const struct script_row attentions[] = {
        { "IN reports and is not run", "a reg 0 1;b reg 0 2;a clr 1", "b in 0", "UA-PRE", "g3" },
        { "OUT reports and is not run", "a reg 0 1;b reg 0 2;a clr 1", "b reg 0 2", "UA-PRE", "g3" },
        { "before reserved bits", "a reg 0 1;b reg 0 2;a clr 1", "b in 0 bits=1", "UA-PRE", "g3" },
        { "before an unknown service action", "a reg 0 1;b reg 0 2;a clr 1", "b out 9", "UA-PRE", "g3" },
        { "before the length", "a reg 0 1;b reg 0 2;a clr 1", "b reg 0 1 len=1", "UA-PRE", "g3" },
        { "only to whom it belongs", "a reg 0 1;b reg 0 2;a clr 1", "c in 0", "GOOD", NULL },
        { "only through the port it belongs to", "a reg 0 1;b reg 0 2;a clr 1", "B in 0", "GOOD", NULL },
        { "oldest first", "a reg 0 1;b reg 0 2;a res 1 5;a rel 1 5;a clr 1", "b in 0", "UA-REL", "g3 !b=03" },
        { "each once", "a reg 0 1;b reg 0 2;a res 1 5;a rel 1 5;a res 1 5;a rel 1 5", "b in 0", "UA-REL", "g2 a=1 b=2" },
        { "all three",
          "a reg 0 1;b reg 0 2;a res 1 5;a rel 1 5;a pre 1 2 1;c reg 0 3 spec=b;c clr 3;", "b in 1", "UA-REL",
          "g5 !a=03 !b=05,03" },
        { "who has one pending is not told again of what others do", "a reg 0 1;b reg 0 2;a pre 1 2 1", "a reg 1 0", "GOOD",
          "g4 !b=05" },
};

/* A command, and how much PRGENERATION grows: SPC-4 table 213. */
static const struct {
        const char *before, *command;
        uint32_t by;
} generation[] = {
        { "", "a reg 0 1", 1 },
        { "", "a reg 0 0", 0 },
        { "a reg 0 1", "a reg 1 1", 1 },
        { "a reg 0 1", "a reg 1 0", 1 },
        { "a reg 0 1", "a res 1 1", 0 },
        { "a reg 0 1;a res 1 1", "a rel 1 1", 0 },
        { "a reg 0 1", "a clr 1", 1 },
        { "a reg 0 1", "a pre 1 1 1", 1 },
        { "a reg 0 1", "a pab 1 1 1", 1 },
        { "", "a ign 1", 1 },
        { "", "a ign 0", 0 },
        { "a reg 0 1;a res 1 1", "a mov 1 1 b", 1 },
        { "", "a reg 0 1 all", 1 },
        { "", "a reg 0 1 spec=bcd", 1 },
        { "a reg 0 1;a res 1 5", "a reg 1 0", 1 },
        { "", "a rlr 1 1", 0 },
        { "", "a res 1 1", 0 },
        { "", "a in 0", 0 },
        { "", "a in 1", 0 },
        { "", "a in 2", 0 },
        { "", "a in 3", 0 },
};

static void check_generation(void)
{
        static struct script s;

        for (size_t i = 0; i < sizeof generation / sizeof generation[0]; i++) {
                script_start(&s);
                script_play(&s, "@gen=0xfffffffe");
                script_play(&s, generation[i].before);
                uint32_t before = s.state.generation;
                script_step(&s, generation[i].command);
                is_int((uint32_t)(s.state.generation - before), generation[i].by, "PRGENERATION +%u: %s",
                       generation[i].by, generation[i].command);
        }
}

/* What the caller has to store: SPC-4 5.13.5, 6.16.3. */
static const struct {
        const char *before, *command;
        enum engine_storing storing;
} storing[] = {
        { "", "a reg 0 1", ENGINE_KEEP },
        { "", "a reg 0 1 aptpl", ENGINE_STORE },
        { "a reg 0 1", "a reg 1 1 aptpl", ENGINE_STORE },
        { "a reg 0 1 aptpl", "a reg 1 1 aptpl", ENGINE_KEEP },
        { "a reg 0 1 aptpl", "a reg 1 2 aptpl", ENGINE_STORE },
        { "a reg 0 1 aptpl", "a reg 1 1 aptpl all", ENGINE_STORE },
        { "a reg 0 1 aptpl", "a reg 1 1", ENGINE_ERASE },
        { "a reg 0 1 aptpl", "a reg 1 0 aptpl", ENGINE_STORE },
        { "a reg 0 1 aptpl", "a reg 2 0", ENGINE_KEEP },
        { "a reg 0 1 aptpl", "a res 1 1", ENGINE_STORE },
        { "a reg 0 1 aptpl;a res 1 1", "a res 1 1", ENGINE_KEEP },
        { "a reg 0 1 aptpl;a res 1 1", "a rel 1 1", ENGINE_STORE },
        { "a reg 0 1 aptpl", "a clr 1", ENGINE_STORE },
        { "a reg 0 1 aptpl", "a pre 1 1 1", ENGINE_STORE },
        { "a reg 0 1 aptpl;b reg 0 2 aptpl;a res 1 1", "b pre 2 1 1", ENGINE_STORE },
        { "a reg 0 1 aptpl;a res 1 1", "a mov 1 1 b aptpl", ENGINE_STORE },
        { "a reg 0 1 aptpl;a res 1 1", "a mov 1 1 b", ENGINE_ERASE },
        { "a reg 0 1;a res 1 1", "a rel 1 1", ENGINE_KEEP },
        { "a reg 0 1 aptpl", "a in 3", ENGINE_KEEP },
};

static void check_storing(void)
{
        static struct script s;
        static struct engine_state again;

        for (size_t i = 0; i < sizeof storing / sizeof storing[0]; i++) {
                script_start(&s);
                script_play(&s, storing[i].before);
                script_step(&s, storing[i].command);
                is_int(s.result.storing, storing[i].storing, "storing: %s; %s", storing[i].before,
                       storing[i].command);
                is_int(engine_restore(&s.config, &s.state.pr, &again), 0, "and it can be restored");
        }
}

static void check_restore(void)
{
        static struct script s;
        static struct engine_state state;
        struct engine_pr good;

        script_start(&s);
        script_play(&s, "a reg 0 1 aptpl;b reg 0 2 aptpl;C reg 0 3 all aptpl;a res 1 5;a rel 1 5;a res 1 6");
        good = s.state.pr;
        is_int(engine_restore(&s.config, &good, &s.state), 0, "restore");
        is_string(script_state(&s), "g0 a=1 b=2 c=3* C=3* 6@a P", "power on: PRGENERATION 0, no unit attentions");
        ok(!engine_registration_of(&good, (struct engine_nexus){ 7, 0 }), "h is not registered");

#define REFUSED(change, what)                                                              \
        do {                                                                               \
                struct engine_pr bad = good;                                               \
                change;                                                                    \
                is_int(engine_restore(&s.config, &bad, &state), -EINVAL, "refused: " what); \
        } while (0)
        REFUSED(bad.registrations[1].key = 0, "key 0");
        REFUSED(bad.registrations[1].nexus = bad.registrations[0].nexus, "a nexus twice");
        REFUSED(bad.registrations[1].nexus.initiator = 8, "an unknown initiator port");
        REFUSED(bad.registrations[1].nexus.port = 2, "an unknown target port");
        REFUSED(bad.count = 7, "too many");
        REFUSED(bad.type = 2, "no such type");
        REFUSED(bad.type = 0xff, "no such type");
        REFUSED(bad.holder.initiator = 5, "a holder that is not registered");
        REFUSED(bad.count = 0, "a reservation of nobody");
        REFUSED((bad.count = 0, bad.type = 7), "all registrants of none");

        script_start(&s);
        script_play(&s, "b reg 0 2 aptpl;b res 2 7");
        ok(engine_nexus_equal(s.state.pr.holder, (struct engine_nexus){ 0 }), "all registrants: no holder is stored");
        s.config.registrations_max = 3;
        is_int(engine_restore(&s.config, &good, &state), -EINVAL, "refused: more than the limit");
}

static void check_opcode(void)
{
        static struct script s;
        struct engine_command command = { .cdb = (uint8_t[PR_CDB_SIZE]){ 0x5d } };
        static struct engine_state next;

        script_start(&s);
        engine_run(&s.config, &command, &s.state, &next, &s.result);
        is_string(script_answer(&s), "OPC", "another opcode");

        command.cdb = (uint8_t[PR_CDB_SIZE]){ 0x5f, 0, 0, 0, 0, 1, 0, 0, 24 };
        command.list = (uint8_t[24]){ 0 };
        command.list_size = 24;
        engine_run(&s.config, &command, &s.state, &next, &s.result);
        is_string(script_answer(&s), "PLL", "PARAMETER LIST LENGTH has 32 bits");
}

int main(void)
{
        SCRIPT_CHECK(order);
        SCRIPT_CHECK(lengths);
        SCRIPT_CHECK(fields);
        SCRIPT_CHECK(attentions);
        check_generation();
        check_storing();
        check_restore();
        check_opcode();
        for (int action = 4; action < 32; action++) {
                char command[32];
                struct script_row row = { "no such service action", "", command, "CDB", NULL };
                snprintf(command, sizeof command, "a in %d", action);
                script_check(&row);
        }
        for (int action = 9; action < 32; action++) {
                char command[32];
                struct script_row row = { "no such service action", "", command, "CDB", NULL };
                snprintf(command, sizeof command, "a out %d", action);
                script_check(&row);
        }
        return done();
}
