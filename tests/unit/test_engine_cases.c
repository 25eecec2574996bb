/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What cluster stacks do to a target, as whole stories: fence_scsi, Windows
 * failover clusters, KubeVirt, mpathpersist, blktests, libiscsi's test cases.
 */
#include "engine_script.h"

/* A line: a step, its answer, the state after ("": whatever it is). No step begins a story. */
static const struct {
        const char *step, *answer, *after;
} stories[] = {
        { NULL, "libiscsi: register", NULL },
        { "a ign 1", "GOOD", "g1 a=1" },
        { "a reg 0 2", "RC", "g1 a=1" },
        { "a reg 1 0", "GOOD", "g2" },

        { NULL, "libiscsi: clear", NULL },
        { "a ign 1", "GOOD", "g1 a=1" },
        { "a res 1 3", "GOOD", "g1 a=1 3@a" },
        { "a clr 1", "GOOD", "g2" },

        { NULL, "libiscsi: preempt removes a registration", NULL },
        { "a ign 1", "GOOD", "g1 a=1" },
        { "b ign 2", "GOOD", "g2 a=1 b=2" },
        { "b pre 2 1 3", "GOOD", "g3 b=2 !a=05" },
        { "a in 0", "UA-REG", "g3 b=2" },
        { "a in 0", "GOOD", "g3 b=2" },

        { NULL, "libiscsi: ownership of an all registrants reservation", NULL },
        { "a ign 1", "GOOD", "" },
        { "b ign 2", "GOOD", "" },
        { "a res 1 8", "GOOD", "g2 a=1 b=2 8@*" },
        { "a reg 1 0", "GOOD", "g3 b=2 8@*" },
        { "b rel 2 8", "GOOD", "g3 b=2" },

        { NULL, "blktests nvme/054", NULL },
        { "a reg 0 4", "GOOD", "g1 a=4" },
        { "a reg 4 5", "GOOD", "g2 a=5" },
        { "a reg 5 0", "GOOD", "g3" },
        { "a reg 0 5", "GOOD", "g4 a=5" },
        { "a res 5 1", "GOOD", "g4 a=5 1@a" },
        { "a pre 5 5 3", "GOOD", "g5 a=5 3@a" },
        { "a rel 5 3", "GOOD", "g5 a=5" },
        { "a clr 5", "GOOD", "g6" },

        { NULL, "KubeVirt: two VMs behind one helper are one nexus", NULL },
        { "a in 0", "GOOD", "g0" },
        { "a reg 0 0x12345678", "GOOD", "g1 a=12345678" },
        { "a reg 0 0x87654321", "RC", "g1 a=12345678" },

        { NULL, "tp-libvirt scsi3_pr", NULL },
        { "a reg 0 0x123aaa", "GOOD", "" },
        { "a res 0x123aaa 5", "GOOD", "" },
        { "a in 1", "GOOD", "" },
        { "a rel 0x123aaa 5", "GOOD", "" },
        { "a reg 0x123aaa 0", "GOOD", "g2" },

        { NULL, "fence_scsi: on, on again, off", NULL },
        { "a ign 0xa", "GOOD", "" },
        { "a res 0xa 5", "GOOD", "g1 a=a 5@a" },
        { "b ign 0xb", "GOOD", "" },
        { "b res 0xb 5", "RC", "g2 a=a b=b 5@a" },
        { "a ign 0xa", "GOOD", "g3 a=a b=b 5@a" },
        { "a pre 0xa 0xa 5", "GOOD", "g4 a=a b=b 5@a" },
        { "b ign 0xb", "GOOD", "g5 a=a b=b 5@a" },
        { "b pab 0xb 0xa 5", "GOOD", "g6 b=b 5@b !a=05" },
        { "a res 0xa 5", "UA-REG", "g6 b=b 5@b" },
        { "a res 0xa 5", "RC", "g6 b=b 5@b" },

        { NULL, "fence_scsi: fencing who does not hold the reservation", NULL },
        { "a ign 0xa", "GOOD", "" },
        { "b ign 0xb", "GOOD", "" },
        { "a res 0xa 5", "GOOD", "" },
        { "a pab 0xa 0xb 5", "GOOD", "g3 a=a 5@a !b=05" },

        { NULL, "Windows arbitration: the owner defends", NULL },
        { "a ign 1", "GOOD", "" },
        { "a res 1 5", "GOOD", "" },
        { "b ign 2", "GOOD", "" },
        { "b res 2 5", "RC", "g2 a=1 b=2 5@a" },
        { "a pre 1 2 5", "GOOD", "g3 a=1 5@a !b=05" },
        { "b in 1", "UA-REG", "" },
        { "b pre 2 1 5", "RC", "g3 a=1 5@a" },

        { NULL, "Windows arbitration: the owner is dead", NULL },
        { "a ign 1", "GOOD", "" },
        { "a res 1 5", "GOOD", "" },
        { "b ign 2", "GOOD", "" },
        { "b pre 2 1 5", "GOOD", "g3 b=2 5@b !a=05" },

        { NULL, "mpathpersist: one key, two paths, released by the wrong one", NULL },
        { "a reg 0 7", "GOOD", "" },
        { "A reg 0 7", "GOOD", "" },
        { "a res 7 5", "GOOD", "g2 a=7 A=7 5@a" },
        { "A rel 7 5", "GOOD", "g2 a=7 A=7 5@a" },
        { "A pre 7 7 5", "GOOD", "g3 A=7 5@A !a=05" },
        { "a ign 7", "UA-REG", "" },
        { "a ign 7", "GOOD", "g4 A=7 a=7 5@A" },
        { "A rel 7 5", "GOOD", "g4 A=7 a=7 !a=04" },
};

int main(void)
{
        static struct script s;

        for (size_t i = 0; i < sizeof stories / sizeof stories[0]; i++) {
                if (!stories[i].step) {
                        ok(true, "%s", stories[i].answer);
                        script_start(&s);
                        continue;
                }
                script_step(&s, stories[i].step);
                is_string(script_answer(&s), stories[i].answer, "%s -> %s", stories[i].step, stories[i].answer);
                if (*stories[i].after)
                        is_string(script_state(&s), stories[i].after, "and then %s", stories[i].after);
        }
        return done();
}
