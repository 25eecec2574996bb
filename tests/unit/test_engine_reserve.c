/* SPDX-License-Identifier: BSD-2-Clause */
/* RESERVE, RELEASE, CLEAR and REGISTER AND MOVE: SPC-4 5.13.8, 5.13.9, 5.13.11.2.2, 5.13.11.2.7. */
#include "engine_script.h"

static const struct script_row reserve[] = {
        { "unregistered", "", "a res 0 1", "RC", NULL },
        { "unregistered, reserved", "b reg 0 2;b res 2 5", "a res 0 5", "RC", NULL },
        { "wrong key", "a reg 0 1", "a res 2 1", "RC", NULL },
        { "wrong key before wrong type", "a reg 0 1", "a res 2 2", "RC", NULL },
        { "scope 1", "a reg 0 1", "a res 1 1 scope=1", "CDB", NULL },
        { "scope 2, the obsolete element", "a reg 0 1", "a res 1 1 scope=2", "CDB", NULL },
        { "wrong type before conflict", "a reg 0 1;b reg 0 2;b res 2 1", "a res 1 0", "CDB", NULL },
        { "free", "a reg 0 1", "a res 1 5", "GOOD", "g1 a=1 5@a" },
        { "held by another", "a reg 0 1;b reg 0 2;b res 2 5", "a res 1 5", "RC", NULL },
        { "held by another, other type", "a reg 0 1;b reg 0 2;b res 2 5", "a res 1 1", "RC", NULL },
        { "by the other target port", "a reg 0 1 all;a res 1 1", "A res 1 1", "RC", NULL },
        { "holder, same type", "a reg 0 1;a res 1 5", "a res 1 5", "GOOD", NULL },
        { "holder, another type", "a reg 0 1;a res 1 5", "a res 1 6", "RC", NULL },
        { "all registrants, by another", "a reg 0 1;b reg 0 2;b res 2 7", "a res 1 7", "GOOD", NULL },
        { "all registrants, another type", "a reg 0 1;b reg 0 2;b res 2 7", "a res 1 8", "RC", NULL },
        { "all registrants, unregistered", "b reg 0 2;b res 2 8", "a res 0 8", "RC", NULL },
};

static const struct script_row release[] = {
        { "unregistered", "", "a rel 0 1", "RC", NULL },
        { "wrong key", "a reg 0 1;a res 1 1", "a rel 2 1", "RC", NULL },
        { "wrong key, not the holder", "a reg 0 1;b reg 0 2;b res 2 1", "a rel 2 1", "RC", NULL },
        { "scope 1", "a reg 0 1;a res 1 1", "a rel 1 1 scope=1", "CDB", NULL },
        { "type 0", "a reg 0 1;a res 1 1", "a rel 1 0", "CDB", NULL },
        { "type 4, nothing reserved", "a reg 0 1", "a rel 1 4", "CDB", NULL },
        { "nothing reserved", "a reg 0 1", "a rel 1 1", "GOOD", NULL },
        { "not the holder", "a reg 0 1;b reg 0 2;b res 2 1", "a rel 1 1", "GOOD", NULL },
        { "not the holder, another type", "a reg 0 1;b reg 0 2;b res 2 1", "a rel 1 3", "GOOD", NULL },
        { "holder, another type", "a reg 0 1;a res 1 1", "a rel 1 3", "RELE", NULL },
        { "any of all registrants, another type", "a reg 0 1;b reg 0 2;a res 1 7", "b rel 2 8", "RELE", NULL },
        { "WE", "a reg 0 1;b reg 0 2;a res 1 1", "a rel 1 1", "GOOD", "g2 a=1 b=2" },
        { "EA", "a reg 0 1;b reg 0 2;a res 1 3", "a rel 1 3", "GOOD", "g2 a=1 b=2" },
        { "WE-RO", "a reg 0 1;b reg 0 2;a res 1 5", "a rel 1 5", "GOOD", "g2 a=1 b=2 !b=04" },
        { "EA-RO", "a reg 0 1;b reg 0 2;a res 1 6", "a rel 1 6", "GOOD", "g2 a=1 b=2 !b=04" },
        { "WE-AR", "a reg 0 1;b reg 0 2;a res 1 7", "b rel 2 7", "GOOD", "g2 a=1 b=2 !a=04" },
        { "EA-AR", "a reg 0 1;b reg 0 2;c reg 0 2;a res 1 8", "b rel 2 8", "GOOD", "g3 a=1 b=2 c=2 !a=04 !c=04" },
        { "the sibling nexus is another", "a reg 0 1 all;a res 1 5", "a rel 1 5", "GOOD", "g1 a=1* A=1* !A=04" },
};

static const struct script_row clear[] = {
        { "unregistered", "b reg 0 2", "a clr 0", "RC", NULL },
        { "wrong key", "a reg 0 1", "a clr 2", "RC", NULL },
        { "alone", "a reg 0 1", "a clr 1", "GOOD", "g2" },
        { "reserved by another", "a reg 0 1;b reg 0 2;c reg 0 3;b res 2 3", "a clr 1", "GOOD", "g4 !b=03 !c=03" },
        { "SCOPE and TYPE ignored", "a reg 0 1", "a clr 1 scope=3 type=15", "GOOD", "g2" },
        { "the persistence stays on", "a reg 0 1 aptpl;a res 1 3", "a clr 1", "GOOD", "g2 P" },
};

static const struct script_row move[] = {
        { "unregistered, reserved", "b reg 0 2;b res 2 1", "a mov 0 3 b", "RC", NULL },
        { "unregistered, nothing reserved", "", "a mov 0 3 b", "CDB", NULL },
        { "wrong key", "a reg 0 1;a res 1 1", "a mov 2 3 b", "RC", NULL },
        { "wrong key, nothing reserved", "a reg 0 1", "a mov 2 3 b", "RC", NULL },
        { "nothing reserved", "a reg 0 1", "a mov 1 3 b", "CDB", NULL },
        { "WE-AR", "a reg 0 1;a res 1 7", "a mov 1 3 b", "RC", NULL },
        { "EA-AR", "a reg 0 1;a res 1 8", "a mov 1 3 b", "RC", NULL },
        { "not the holder", "a reg 0 1;b reg 0 2;b res 2 1", "a mov 1 3 c", "RC", NULL },
        { "SERVICE ACTION RESERVATION KEY 0", "a reg 0 1;a res 1 1", "a mov 1 0 b", "PL", NULL },
        { "malformed TransportID", "a reg 0 1;a res 1 1", "a mov 1 3 x", "PL", NULL },
        { "unknown initiator port", "a reg 0 1;a res 1 1", "a mov 1 3 ?", "PL", NULL },
        { "unknown target port", "a reg 0 1;a res 1 1", "a mov 1 3 b port=9", "PL", NULL },
        { "to itself", "a reg 0 1;a res 1 1", "a mov 1 3 a", "PL", NULL },
        { "to its own initiator port, other target port", "a reg 0 1;a res 1 1", "a mov 1 3 a port=0x102", "PL", NULL },
        { "two TransportIDs", "a reg 0 1;a res 1 1", "a mov 1 3 bc", "PL", NULL },
        { "APTPL, not capable", "@noptpl;a reg 0 1;a res 1 1", "a mov 1 3 b aptpl", "PL", NULL },
        { "to an unregistered nexus", "a reg 0 1;a res 1 1", "a mov 1 3 b", "GOOD", "g2 a=1 b=3 1@b" },
        { "to a registered one", "a reg 0 1;b reg 0 2;a res 1 6", "a mov 1 3 b", "GOOD", "g3 a=1 b=3 6@b" },
        { "through another target port", "a reg 0 1;a res 1 5", "a mov 1 3 b port=0x102", "GOOD", "g2 a=1 B=3 5@B" },
        { "UNREG", "a reg 0 1;a res 1 5", "a mov 1 3 b unreg", "GOOD", "g2 b=3 5@b" },
        { "UNREG, others are not told", "a reg 0 1;c reg 0 2;a res 1 5", "a mov 1 3 b unreg", "GOOD", "g3 c=2 b=3 5@b" },
        { "APTPL on", "a reg 0 1;a res 1 1", "a mov 1 3 b aptpl", "GOOD", "g2 a=1 b=3 1@b P" },
        { "APTPL off", "a reg 0 1 aptpl;a res 1 1", "a mov 1 3 b", "GOOD", "g2 a=1 b=3 1@b" },
        { "SCOPE and TYPE ignored", "a reg 0 1;a res 1 1", "a mov 1 3 b scope=1 type=2", "GOOD", "g2 a=1 b=3 1@b" },
        { "ALL_TG_PT no longer", "a reg 0 1;b reg 0 2 all;a res 1 1", "a mov 1 2 b", "GOOD", "g3 a=1 b=2 B=2* 1@b" },
        { "no room", "@max=1;a reg 0 1;a res 1 1", "a mov 1 3 b", "INSUF", NULL },
        { "no room, UNREG or not", "@max=1;a reg 0 1;a res 1 1", "a mov 1 3 b unreg", "INSUF", NULL },
};

/* Each type can be reserved, reserved again and released; every other value cannot. */
static void check_types(void)
{
        for (int type = 0; type < 16; type++) {
                bool valid = pr_type_valid((uint8_t)type);
                char command[32], held[32], released[32];
                struct script_row reserve_row = { "type", "a reg 0 1", command, valid ? "GOOD" : "CDB", NULL };

                snprintf(command, sizeof command, "a res 1 %d", type);
                snprintf(held, sizeof held, "g1 a=1 %d@%c", type, type >= 7 ? '*' : 'a');
                if (valid)
                        reserve_row.after = held;
                script_check(&reserve_row);
                if (!valid)
                        continue;

                char before[96];
                struct script_row release_row = { "type", before, released, "GOOD", "g1 a=1" };
                snprintf(before, sizeof before, "a reg 0 1;%s;%s", command, command);
                snprintf(released, sizeof released, "a rel 1 %d", type);
                script_check(&release_row);
        }
}

/* An iSCSI name without ISID: which one it means has to be clear (SPC-4 7.6.4.6). */
static void check_move_by_name(void)
{
        static struct script s;

        script_start(&s);
        for (int i = 1; i < 3; i++) { /* b and c: two sessions of one initiator, d: one of another */
                s.initiators[i] = s.initiators[1];
                s.initiators[i].has_isid = true;
                s.initiators[i].id[5] = (uint8_t)i;
        }
        s.initiators[3].has_isid = true;
        script_play(&s, "a reg 0 1;a res 1 5");

        struct transportid name[2] = { s.initiators[1], s.initiators[3] };
        for (int i = 0; i < 2; i++) {
                uint8_t id[TRANSPORTID_SIZE_MAX], list[512];
                struct writer w = writer_over(id, sizeof id);

                name[i].has_isid = false;
                memset(name[i].id, 0, sizeof name[i].id);
                transportid_encode(&name[i], &w);
                struct pr_out_list fields = {
                        .key = 1, .action_key = 2, .port = 1, .transportids = id, .transportids_size = w.length,
                };
                w = writer_over(list, sizeof list);
                pr_out_list_encode(PR_OUT_REGISTER_AND_MOVE, &fields, &w);

                uint8_t cdb[PR_CDB_SIZE] = { PR_OPCODE_OUT, PR_OUT_REGISTER_AND_MOVE, [8] = (uint8_t)w.length };
                struct engine_command command = { .cdb = cdb, .list = list, .list_size = w.length };
                static struct engine_state next;
                engine_run(&s.config, &command, &s.state, &next, &s.result);
                s.state = next;
                is_string(script_answer(&s), i == 0 ? "PL" : "GOOD", "to a name of %s", i == 0 ? "two ports" : "one");
        }
        is_string(script_state(&s), "g2 a=1 d=2 5@d", "to the one");

        script_start(&s);
        s.initiators[2] = s.initiators[1];
        s.initiators[2].has_isid = true;
        script_step(&s, "a reg 0 1 spec=b");
        is_string(script_state(&s), "g1 a=1 b=1 c=1", "SPEC_I_PT by a name: all ports of that initiator");
}

int main(void)
{
        check_move_by_name();
        SCRIPT_CHECK(reserve);
        SCRIPT_CHECK(release);
        SCRIPT_CHECK(clear);
        SCRIPT_CHECK(move);
        check_types();
        return done();
}
