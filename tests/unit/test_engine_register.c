/* SPDX-License-Identifier: BSD-2-Clause */
/* REGISTER, REGISTER AND IGNORE EXISTING KEY: SPC-4 tables 67 to 69, and what a list may hold. */
#include "engine_script.h"

/* Table 67; the columns: sender, RESERVATION KEY, SERVICE ACTION RESERVATION KEY, SPEC_I_PT. */
static const struct script_row table67[] = {
        { "unregistered, 0, 0, 0", "", "a reg 0 0", "GOOD", NULL },
        { "unregistered, 0, 0, 1", "", "a reg 0 0 spec=b", "GOOD", NULL },
        { "unregistered, 0, 0, 1, TransportIDs ignored", "", "a reg 0 0 spec=?x", "GOOD", NULL },
        { "unregistered, 0, K, 0", "", "a reg 0 0x11", "GOOD", "g1 a=11" },
        { "unregistered, 0, K, 1", "", "a reg 0 7 spec=bc", "GOOD", "g1 a=7 b=7 c=7" },
        { "unregistered, 0, K, 1, one listed is registered", "b reg 0 2", "a reg 0 7 spec=bc", "GOOD",
          "g2 b=2 a=7 c=7" },
        { "unregistered, !=0, 0, 0", "", "a reg 1 0", "RC", NULL },
        { "unregistered, !=0, K, 0", "b reg 0 1", "a reg 1 1", "RC", NULL },
        { "unregistered, !=0, K, 1", "", "a reg 1 1 spec=b", "RC", NULL },
        { "registered, != key, 0, 0", "a reg 0 1", "a reg 2 0", "RC", NULL },
        { "registered, 0, 0, 0", "a reg 0 1", "a reg 0 0", "RC", NULL },
        { "registered, 0, K, 0", "a reg 0 1", "a reg 0 2", "RC", NULL },
        { "registered, != key, K, 1", "a reg 0 1", "a reg 2 3 spec=b", "RC", NULL },
        { "registered, == key, 0, 0", "a reg 0 1;b reg 0 2", "a reg 1 0", "GOOD", "g3 b=2" },
        { "registered, == key, K, 0", "a reg 0 1;b reg 0 2", "a reg 1 3", "GOOD", "g3 a=3 b=2" },
        { "registered, == key, same K, 0", "a reg 0 1", "a reg 1 1", "GOOD", "g2 a=1" },
        { "registered, == key, 0, 1", "a reg 0 1", "a reg 1 0 spec=b", "PL", NULL },
        { "registered, == key, K, 1", "a reg 0 1", "a reg 1 2 spec=b", "PL", NULL },
        { "another's reservation does not matter", "b reg 0 2;b res 2 3", "a reg 0 1", "GOOD", "g2 b=2 a=1 3@b" },
        { "the reservation follows the key", "a reg 0 1;a res 1 5", "a reg 1 9", "GOOD", "g2 a=9 5@a" },
        { "keys need not differ", "a reg 0 1", "b reg 0 1", "GOOD", "g2 a=1 b=1" },
        { "all 64 bits of a key", "", "a reg 0 0xfedcba9876543210", "GOOD", "g1 a=fedcba9876543210" },
        { "SCOPE and TYPE ignored", "", "a reg 0 1 scope=15 type=15", "GOOD", "g1 a=1" },
};

/* Table 68; RESERVATION KEY is 0xdead throughout. */
static const struct script_row table68[] = {
        { "unregistered, 0", "", "a ign 0", "GOOD", NULL },
        { "unregistered, K", "", "a ign 1", "GOOD", "g1 a=1" },
        { "registered, 0", "a reg 0 1;b reg 0 2", "a ign 0", "GOOD", "g3 b=2" },
        { "registered, K", "a reg 0 1;b reg 0 2", "a ign 5", "GOOD", "g3 a=5 b=2" },
        { "SPEC_I_PT", "", "a ign 1 spec=b", "PL", NULL },
        { "SPEC_I_PT, registered", "a reg 0 1", "a ign 1 spec=b", "PL", NULL },
        { "SCOPE and TYPE ignored", "", "a ign 1 scope=1 type=2", "GOOD", "g1 a=1" },
};

static const struct script_row spec_i_pt[] = {
        { "no TransportID at all", "", "a reg 0 1 spec=-", "GOOD", "g1 a=1" },
        { "the sender listed", "", "a reg 0 1 spec=ab", "GOOD", "g1 a=1 b=1" },
        { "one listed twice", "", "a reg 0 1 spec=bb", "GOOD", "g1 a=1 b=1" },
        { "thirty-three of them", "", "a reg 0 1 spec=bcbcbcbcbcbcbcbcbcbcbcbcbcbcbcbcb", "GOOD",
          "g1 a=1 b=1 c=1" },
        { "thirty-three, the last malformed", "", "a reg 0 1 spec=bcbcbcbcbcbcbcbcbcbcbcbcbcbcbcbcx", "PL",
          NULL },
        { "an unknown initiator port", "", "a reg 0 1 spec=b?", "PL", NULL },
        { "a reserved format code", "", "a reg 0 1 spec=bx", "PL", NULL },
        { "the last TransportID cut", "", "a reg 0 1 spec=bc len=99 says=71", "PL", NULL },
        { "too few resources: none of them", "@max=2", "a reg 0 1 spec=bc", "INSUF", NULL },
        { "just enough", "@max=3", "a reg 0 1 spec=bc", "GOOD", "g1 a=1 b=1 c=1" },
        { "malformed before too few", "@max=1", "a reg 0 1 spec=bx", "PL", NULL },
        { "with APTPL", "", "a reg 0 1 spec=b aptpl", "GOOD", "g1 a=1 b=1 P" },
        { "with ALL_TG_PT", "", "a reg 0 1 spec=b all", "GOOD", "g1 a=1* A=1* b=1* B=1*" },
        { "through the port it came by", "", "A reg 0 1 spec=b", "GOOD", "g1 A=1 B=1" },
};

/* SPC-4 6.16.3: as if received individually through each target port. */
static const struct script_row all_tg_pt[] = {
        { "register", "", "a reg 0 1 all", "GOOD", "g1 a=1* A=1*" },
        { "register by the second port", "", "A reg 0 1 all", "GOOD", "g1 a=1* A=1*" },
        { "the sibling has another key", "A reg 0 2", "a reg 0 1 all", "GOOD", "g2 A=2 a=1*" },
        { "own conflict decides", "a reg 0 2", "a reg 0 1 all", "RC", NULL },
        { "change both", "a reg 0 1 all", "a reg 1 2 all", "GOOD", "g2 a=2* A=2*" },
        { "change one", "a reg 0 1 all", "a reg 1 2", "GOOD", "g2 a=2 A=1*" },
        { "unregister both", "a reg 0 1 all", "a reg 1 0 all", "GOOD", "g2" },
        { "unregister one", "a reg 0 1 all", "A reg 1 0", "GOOD", "g2 a=1*" },
        { "unregister, sibling with another key", "a reg 0 1;A reg 0 2", "a reg 1 0 all", "GOOD", "g3 A=2" },
        { "ignore: both whatever their keys", "A reg 0 2", "a ign 1 all", "GOOD", "g2 A=1* a=1*" },
        { "ignore, 0: the sibling goes", "A reg 0 2", "a ign 0 all", "GOOD", "g2" },
        { "too few resources", "@max=1", "a reg 0 1 all", "INSUF", NULL },
        { "one target port", "@ports=1", "a reg 0 1 all", "GOOD", "g1 a=1*" },
        { "holder's sibling unregisters both: who stays is told", "A reg 0 1;a reg 0 1;b reg 0 2;A res 1 5",
          "a reg 1 0 all", "GOOD", "g4 b=2 !b=04" },
        { "ignored elsewhere", "a reg 0 1", "a res 1 1 all", "GOOD", "g1 a=1 1@a" },
};

static const struct script_row aptpl[] = {
        { "on", "", "a reg 0 1 aptpl", "GOOD", "g1 a=1 P" },
        { "on by ignore", "", "a ign 1 aptpl", "GOOD", "g1 a=1 P" },
        { "off by a later one, of any nexus", "a reg 0 1 aptpl", "b reg 0 2", "GOOD", "g2 a=1 b=2" },
        { "unregistering counts too", "a reg 0 1;b reg 0 2", "b reg 2 0 aptpl", "GOOD", "g3 a=1 P" },
        { "a no-op does not count", "a reg 0 1 aptpl", "b reg 0 0", "GOOD", "g1 a=1 P" },
        { "ignored elsewhere", "a reg 0 1 aptpl", "a res 1 1", "GOOD", "g1 a=1 1@a P" },
        { "not capable: REGISTER", "@noptpl", "a reg 0 1 aptpl", "PL", NULL },
        { "not capable: IGNORE", "@noptpl", "a ign 1 aptpl", "PL", NULL },
        { "not capable, and nothing to do", "@noptpl", "a reg 0 0 aptpl", "PL", NULL },
        { "not capable: the key first", "@noptpl", "a reg 1 1 aptpl", "RC", NULL },
        { "not capable: ignored elsewhere", "@noptpl;a reg 0 1", "a res 1 1 aptpl", "GOOD", "g1 a=1 1@a" },
};

/* SPC-4 5.13.11.2.3, table 71. */
static const struct script_row unregister[] = {
        { "holder of WE", "a reg 0 1;b reg 0 2;a res 1 1", "a reg 1 0", "GOOD", "g3 b=2" },
        { "holder of EA", "a reg 0 1;b reg 0 2;a res 1 3", "a reg 1 0", "GOOD", "g3 b=2" },
        { "holder of WE-RO", "a reg 0 1;b reg 0 2;a res 1 5", "a reg 1 0", "GOOD", "g3 b=2 !b=04" },
        { "holder of EA-RO", "a reg 0 1;b reg 0 2;a res 1 6", "a ign 0", "GOOD", "g3 b=2 !b=04" },
        { "one of WE-AR", "a reg 0 1;b reg 0 2;a res 1 7", "a reg 1 0", "GOOD", "g3 b=2 7@*" },
        { "one of EA-AR", "a reg 0 1;b reg 0 2;a res 1 8", "a reg 1 0", "GOOD", "g3 b=2 8@*" },
        { "the last of WE-AR", "a reg 0 1;a res 1 7", "a reg 1 0", "GOOD", "g2" },
        { "the last of EA-AR", "a reg 0 1;a res 1 8", "a ign 0", "GOOD", "g2" },
        { "not the holder", "a reg 0 1;b reg 0 2;a res 1 5", "b reg 2 0", "GOOD", "g3 a=1 5@a" },
};

static const struct script_row resources[] = {
        { "full", "@max=2;a reg 0 1;b reg 0 2", "c reg 0 3", "INSUF", NULL },
        { "full, ignore", "@max=2;a reg 0 1;b reg 0 2", "c ign 3", "INSUF", NULL },
        { "full, but only a change", "@max=2;a reg 0 1;b reg 0 2", "a reg 1 3", "GOOD", "g3 a=3 b=2" },
        { "room again", "@max=2;a reg 0 1;b reg 0 2;a reg 1 0", "c reg 0 3", "GOOD", "g4 b=2 c=3" },
        { "the last generation", "@gen=0xffffffff", "a reg 0 1", "GOOD", "g0 a=1" },
};

int main(void)
{
        SCRIPT_CHECK(table67);
        SCRIPT_CHECK(table68);
        SCRIPT_CHECK(spec_i_pt);
        SCRIPT_CHECK(all_tg_pt);
        SCRIPT_CHECK(aptpl);
        SCRIPT_CHECK(unregister);
        SCRIPT_CHECK(resources);
        return done();
}
