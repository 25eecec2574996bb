/* SPDX-License-Identifier: BSD-2-Clause */
/* PREEMPT and PREEMPT AND ABORT: SPC-4 5.13.11.2.4 to 5.13.11.2.6, table 72. Each row runs as both. */
#include "engine_script.h"

#define THREE "a reg 0 1;b reg 0 2;c reg 0 3;"

static const struct script_row rows[] = {
        { "unregistered", "b reg 0 2", "a pre 0 2 1", "RC", NULL },
        { "wrong key", "a reg 0 1;b reg 0 2", "a pre 3 2 1", "RC", NULL },
        { "wrong key before key 0", "a reg 0 1;b reg 0 2", "a pre 3 0 1", "RC", NULL },

        /* table 72, all other types: zero */
        { "key 0, nothing reserved", THREE, "a pre 1 0 1", "PL", NULL },
        { "key 0, WE", THREE "b res 2 1", "a pre 1 0 1", "PL", NULL },
        { "key 0, EA", THREE "b res 2 3", "a pre 1 0 1", "PL", NULL },
        { "key 0, WE-RO", THREE "b res 2 5", "a pre 1 0 1", "PL", NULL },
        { "key 0, EA-RO", THREE "b res 2 6", "a pre 1 0 1", "PL", NULL },
        { "a key of nobody", THREE "b res 2 5", "a pre 1 9 1", "RC", NULL },
        { "a key of nobody, nothing reserved", THREE, "a pre 1 9 1", "RC", NULL },
        { "a key of nobody, all registrants", THREE "b res 2 7", "a pre 1 9 7", "RC", NULL },

        /* all other types: the holder's key */
        { "holder of WE, same type", THREE "b res 2 1", "a pre 1 2 1", "GOOD", "g4 a=1 c=3 1@a !b=05" },
        { "holder of EA, same type", THREE "b res 2 3", "a pre 1 2 3", "GOOD", "g4 a=1 c=3 3@a !b=05" },
        { "holder of WE-RO, same type", THREE "b res 2 5", "a pre 1 2 5", "GOOD", "g4 a=1 c=3 5@a !b=05" },
        { "holder of EA-RO, same type", THREE "b res 2 6", "a pre 1 2 6", "GOOD", "g4 a=1 c=3 6@a !b=05" },
        { "holder, another type", THREE "b res 2 1", "a pre 1 2 5", "GOOD", "g4 a=1 c=3 5@a !b=05 !c=04" },
        { "holder, all registrants from now on", THREE "b res 2 1", "a pre 1 2 8", "GOOD", "g4 a=1 c=3 8@* !b=05 !c=04" },
        { "holder, bad type", THREE "b res 2 1", "a pre 1 2 2", "CDB", NULL },
        { "holder, type 0", THREE "b res 2 1", "a pre 1 2 0", "CDB", NULL },
        { "holder, bad scope", THREE "b res 2 1", "a pre 1 2 1 scope=1", "CDB", NULL },
        { "the key is also another's", "a reg 0 1;b reg 0 2;c reg 0 2;b res 2 5", "a pre 1 2 5", "GOOD",
          "g4 a=1 5@a !b=05 !c=05" },
        { "the key is also the sender's, who stays", "a reg 0 2;b reg 0 2;b res 2 5", "a pre 2 2 5", "GOOD",
          "g3 a=2 5@a !b=05" },

        /* preempting oneself */
        { "itself, same type", THREE "a res 1 5", "a pre 1 1 5", "GOOD", "g4 a=1 b=2 c=3 5@a" },
        { "itself, another type", THREE "a res 1 5", "a pre 1 1 1", "GOOD", "g4 a=1 b=2 c=3 1@a !b=04 !c=04" },
        { "itself and who has the same key", "a reg 0 1 all;b reg 0 2;a res 1 5", "a pre 1 1 5", "GOOD",
          "g3 a=1* b=2 5@a !A=05" },
        { "itself from the other path", "a reg 0 1 all;b reg 0 2;a res 1 5", "A pre 1 1 5", "GOOD",
          "g3 A=1* b=2 5@A !a=05" },

        /* all other types: any other key */
        { "not the holder's", THREE "b res 2 1", "a pre 1 3 1", "GOOD", "g4 a=1 b=2 1@b !c=05" },
        { "not the holder's, SCOPE and TYPE ignored", THREE "b res 2 1", "a pre 1 3 2 scope=1", "GOOD",
          "g4 a=1 b=2 1@b !c=05" },
        { "not the holder's, of several", "a reg 0 1;b reg 0 2;c reg 0 3;d reg 0 3;b res 2 5", "a pre 1 3 5", "GOOD",
          "g5 a=1 b=2 5@b !c=05 !d=05" },
        { "by the holder", THREE "a res 1 5", "a pre 1 3 5", "GOOD", "g4 a=1 b=2 5@a !c=05" },
        { "by the holder, TYPE is not looked at", THREE "a res 1 5", "a pre 1 3 1", "GOOD", "g4 a=1 b=2 5@a !c=05" },
        { "the sender's own, not the holder", THREE "b res 2 5", "a pre 1 1 5", "GOOD", "g4 b=2 c=3 5@b" },

        /* nothing reserved */
        { "nothing reserved", THREE, "a pre 1 2 1", "GOOD", "g4 a=1 c=3 !b=05" },
        { "nothing reserved, TYPE ignored", THREE, "a pre 1 2 15", "GOOD", "g4 a=1 c=3 !b=05" },
        { "nothing reserved, the sender's own", THREE, "a pre 1 1 1", "GOOD", "g4 b=2 c=3" },
        { "nothing reserved, the sender's own and others'", "a reg 0 1;b reg 0 1", "a pre 1 1 1", "GOOD", "g3 !b=05" },

        /* table 72, all registrants */
        { "WE-AR, 0", THREE "b res 2 7", "a pre 1 0 7", "GOOD", "g4 a=1 7@* !b=05 !c=05" },
        { "EA-AR, 0", THREE "b res 2 8", "a pre 1 0 8", "GOOD", "g4 a=1 8@* !b=05 !c=05" },
        { "WE-AR, 0, another type", THREE "b res 2 7", "a pre 1 0 1", "GOOD", "g4 a=1 1@a !b=05 !c=05" },
        { "WE-AR, 0, bad type", THREE "b res 2 7", "a pre 1 0 4", "CDB", NULL },
        { "WE-AR, 0, bad scope", THREE "b res 2 7", "a pre 1 0 7 scope=1", "CDB", NULL },
        { "WE-AR, 0, the same key spares nobody", "a reg 0 1;b reg 0 1;b res 1 7", "a pre 1 0 7", "GOOD",
          "g3 a=1 7@* !b=05" },
        { "WE-AR, a key", THREE "b res 2 7", "a pre 1 2 1", "GOOD", "g4 a=1 c=3 7@* !b=05" },
        { "EA-AR, a key, TYPE ignored", THREE "b res 2 8", "a pre 1 3 0 scope=4", "GOOD", "g4 a=1 b=2 8@* !c=05" },
        { "WE-AR, the sender's own", THREE "b res 2 7", "a pre 1 1 7", "GOOD", "g4 b=2 c=3 7@*" },
        { "WE-AR, the last", "a reg 0 1;a res 1 7", "a pre 1 1 7", "GOOD", "g2" },
        { "WE-AR, all of them by key", "a reg 0 1;b reg 0 1;a res 1 7", "a pre 1 1 7", "GOOD", "g3 !b=05" },

        { "APTPL ignored", "a reg 0 1 aptpl;b reg 0 2 aptpl", "a pre 1 2 1", "GOOD", "g3 a=1 P !b=05" },
        { "no APTPL to be had", "@noptpl;a reg 0 1;b reg 0 2", "a pre 1 2 1 aptpl", "GOOD", "g3 a=1 !b=05" },
};

int main(void)
{
        SCRIPT_CHECK(rows);
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
                char command[64];
                struct script_row abort_row = rows[i];

                snprintf(command, sizeof command, "%s", rows[i].command);
                memcpy(strstr(command, "pre"), "pab", 3);
                abort_row.command = command;
                script_check(&abort_row);
        }
        return done();
}
