/* SPDX-License-Identifier: BSD-2-Clause */
/* Which commands a reservation lets through: SPC-4 tables 65 and 66, SBC-3's like, and 5.13.3. */
#include "engine_script.h"
#include "sim/conflict.h"

/*
 * A: allowed, C: conflict. The columns: under WE from any non-holder; EA, any non-holder; RO or AR
 * from a registrant; WE-RO or WE-AR unregistered; EA-RO or EA-AR unregistered; the holder.
 */
static const struct {
        const char *what;
        uint8_t cdb[16];
        const char *columns;
} rows[] = {
        { "TEST UNIT READY", { 0x00 }, "AAAAAA" },
        { "REQUEST SENSE", { 0x03 }, "AAAAAA" },
        { "INQUIRY", { 0x12 }, "AAAAAA" },
        { "READ CAPACITY(10)", { 0x25 }, "AAAAAA" },
        { "READ CAPACITY(16)", { 0x9e, 0x10 }, "AAAAAA" },
        { "REPORT REFERRALS", { 0x9e, 0x13 }, "AAAAAA" },
        { "LOG SENSE", { 0x4d }, "AAAAAA" },
        { "PERSISTENT RESERVE IN", { 0x5e, 3 }, "AAAAAA" },
        { "ACCESS CONTROL IN", { 0x86 }, "AAAAAA" },
        { "ACCESS CONTROL OUT", { 0x87 }, "AAAAAA" },
        { "REPORT LUNS", { 0xa0 }, "AAAAAA" },
        { "REPORT IDENTIFYING INFORMATION", { 0xa3, 0x05 }, "AAAAAA" },
        { "REPORT TARGET PORT GROUPS", { 0xa3, 0x0a }, "AAAAAA" },
        { "REPORT ALIASES", { 0xa3, 0x0b }, "AAAAAA" },
        { "REPORT PRIORITY", { 0xa3, 0x0e }, "AAAAAA" },
        { "REPORT TIMESTAMP", { 0xa3, 0x0f }, "AAAAAA" },
        { "READ(6)", { 0x08 }, "ACAACA" },
        { "READ(10)", { 0x28 }, "ACAACA" },
        { "READ(12)", { 0xa8 }, "ACAACA" },
        { "READ(16)", { 0x88 }, "ACAACA" },
        { "READ(32)", { 0x7f, 0, 0, 0, 0, 0, 0, 24, 0, 9 }, "ACAACA" },
        { "VERIFY(10)", { 0x2f }, "ACAACA" },
        { "VERIFY(12)", { 0xaf }, "ACAACA" },
        { "VERIFY(16)", { 0x8f }, "ACAACA" },
        { "PRE-FETCH(10)", { 0x34 }, "ACAACA" },
        { "PRE-FETCH(16)", { 0x90 }, "ACAACA" },
        { "GET LBA STATUS", { 0x9e, 0x12 }, "ACAACA" },
        { "MODE SENSE(6)", { 0x1a }, "ACAACA" },
        { "MODE SENSE(10)", { 0x5a }, "ACAACA" },
        { "READ BUFFER", { 0x3c }, "ACAACA" },
        { "READ ATTRIBUTE", { 0x8c }, "ACAACA" },
        { "RECEIVE DIAGNOSTIC RESULTS", { 0x1c }, "ACAACA" },
        { "SECURITY PROTOCOL IN", { 0xa2 }, "ACAACA" },
        { "MANAGEMENT PROTOCOL IN", { 0xa3, 0x10 }, "ACAACA" },
        { "REPORT SUPPORTED OPERATION CODES", { 0xa3, 0x0c }, "ACAACA" },
        { "REPORT SUPPORTED TASK MANAGEMENT FUNCTIONS", { 0xa3, 0x0d }, "ACAACA" },
        { "WRITE(6)", { 0x0a }, "CCACCA" },
        { "WRITE(10)", { 0x2a }, "CCACCA" },
        { "WRITE(12)", { 0xaa }, "CCACCA" },
        { "WRITE(16)", { 0x8a }, "CCACCA" },
        { "WRITE(32)", { 0x7f, 0, 0, 0, 0, 0, 0, 24, 0, 11 }, "CCACCA" },
        { "COMPARE AND WRITE", { 0x89 }, "CCACCA" },
        { "UNMAP", { 0x42 }, "CCACCA" },
        { "WRITE SAME(10)", { 0x41 }, "CCACCA" },
        { "WRITE SAME(16)", { 0x93 }, "CCACCA" },
        { "ORWRITE", { 0x8b }, "CCACCA" },
        { "FORMAT UNIT", { 0x04 }, "CCACCA" },
        { "SANITIZE", { 0x48 }, "CCACCA" },
        { "SYNCHRONIZE CACHE(10)", { 0x35 }, "CCACCA" },
        { "SYNCHRONIZE CACHE(16)", { 0x91 }, "CCACCA" },
        { "MODE SELECT(6)", { 0x15 }, "CCACCA" },
        { "MODE SELECT(10)", { 0x55 }, "CCACCA" },
        { "LOG SELECT", { 0x4c }, "CCACCA" },
        { "WRITE BUFFER", { 0x3b }, "CCACCA" },
        { "SEND DIAGNOSTIC", { 0x1d }, "CCACCA" },
        { "EXTENDED COPY", { 0x83 }, "CCACCA" },
        { "SECURITY PROTOCOL OUT", { 0xb5 }, "CCACCA" },
        { "SET TARGET PORT GROUPS", { 0xa4, 0x0a }, "CCACCA" },
        { "SET TIMESTAMP", { 0xa4, 0x0f }, "CCACCA" },
        { "a vendor's own", { 0xc0 }, "CCACCA" },
        { "START STOP UNIT, START", { 0x1b, 0, 0, 0, 0x01 }, "AAAAAA" },
        { "START STOP UNIT, stop", { 0x1b, 0, 0, 0, 0x00 }, "CCACCA" },
        { "START STOP UNIT, START with a power condition", { 0x1b, 0, 0, 0, 0x11 }, "CCACCA" },
        { "PREVENT ALLOW MEDIUM REMOVAL, allow", { 0x1e, 0, 0, 0, 0 }, "AAAAAA" },
        { "PREVENT ALLOW MEDIUM REMOVAL, prevent", { 0x1e, 0, 0, 0, 1 }, "CCACCA" },
};

/* Who asks, under which type, for each column. */
static const struct {
        const char *types, *nexuses;
} columns[] = {
        { "1", "bc" }, { "3", "bc" }, { "5678", "b" }, { "57", "c" }, { "68", "c" }, { "135678", "a" },
};

/* a holds a reservation of the type, b is registered, c is not. */
static void reserve(struct script *s, char type)
{
        char steps[64];

        script_start(s);
        snprintf(steps, sizeof steps, "a reg 0 1;b reg 0 2;a res 1 %c", type);
        script_play(s, steps);
}

static enum conflict_verdict verdict(const struct script *s, char from, const uint8_t *cdb, size_t size)
{
        return conflict_check(&s->config, &s->state.pr, script_nexus(from), cdb, size);
}

static void check_rows(void)
{
        static struct script s;

        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
                for (size_t c = 0; c < sizeof columns / sizeof columns[0]; c++)
                        for (const char *type = columns[c].types; *type; type++) {
                                reserve(&s, *type);
                                for (const char *from = columns[c].nexuses; *from; from++)
                                        is_int(verdict(&s, *from, rows[i].cdb, 16),
                                               rows[i].columns[c] == 'A' ? CONFLICT_ALLOWED : CONFLICT_RESERVED,
                                               "%s under type %c from %c: %c", rows[i].what, *type, *from,
                                               rows[i].columns[c]);
                        }
}

/* Table 66: from a registrant, from others; and the engine must not say otherwise. */
static const struct {
        uint8_t action;
        const char *columns;
        const char *registered, *other; /* the command as a step */
} out_rows[] = {
        { PR_OUT_REGISTER, "AA", "b reg 2 9", "c reg 0 9" },
        { PR_OUT_RESERVE, "CC", "b res 2 1", "c res 0 1" },
        { PR_OUT_RELEASE, "AC", "b rel 2 1", "c rel 0 1" },
        { PR_OUT_CLEAR, "AC", "b clr 2", "c clr 0" },
        { PR_OUT_PREEMPT, "AC", "b pre 2 1 1", "c pre 0 1 1" },
        { PR_OUT_PREEMPT_AND_ABORT, "AC", "b pab 2 1 1", "c pab 0 1 1" },
        { PR_OUT_REGISTER_AND_IGNORE, "AA", "b ign 9", "c ign 9" },
        { PR_OUT_REGISTER_AND_MOVE, "CC", "b mov 2 9 d", "c mov 0 9 d" },
};

static void check_out(void)
{
        static struct script s;

        for (size_t i = 0; i < sizeof out_rows / sizeof out_rows[0]; i++) {
                uint8_t cdb[16] = { PR_OPCODE_OUT, out_rows[i].action };

                for (const char *type = "1356"; *type; type++) {
                        for (int other = 0; other < 2; other++) {
                                const char *step = other ? out_rows[i].other : out_rows[i].registered;
                                bool allowed = out_rows[i].columns[other] == 'A';

                                reserve(&s, *type);
                                is_int(verdict(&s, *step, cdb, 16), allowed ? CONFLICT_ALLOWED : CONFLICT_RESERVED,
                                       "%s under type %c", step, *type);
                                is_int(verdict(&s, 'a', cdb, 16), CONFLICT_ALLOWED, "and from the holder");
                                script_step(&s, step);
                                is_string(script_answer(&s), allowed ? "GOOD" : "RC", "%s: and the engine", step);
                        }
                }
        }
}

static void check_legacy(void)
{
        static const uint8_t opcodes[] = { 0x16, 0x17, 0x56, 0x57 };
        static struct script s;

        for (size_t i = 0; i < sizeof opcodes; i++) {
                uint8_t cdb[10] = { opcodes[i] };

                script_start(&s);
                is_int(verdict(&s, 'a', cdb, 6), CONFLICT_ALLOWED, "%02xh with nothing registered", opcodes[i]);
                script_play(&s, "a reg 0 1");
                is_int(verdict(&s, 'a', cdb, 6), CONFLICT_RESERVED, "%02xh with a registration", opcodes[i]);
                s.config.crh = true;
                is_int(verdict(&s, 'a', cdb, 6), CONFLICT_RESERVED, "%02xh, CRH, nothing reserved", opcodes[i]);
                for (const char *type = "135678"; *type; type++) {
                        bool shared = *type >= '5';

                        reserve(&s, *type);
                        is_int(verdict(&s, 'a', cdb, 6), CONFLICT_RESERVED, "%02xh from the holder, no CRH", opcodes[i]);
                        s.config.crh = true;
                        is_int(verdict(&s, 'a', cdb, 6), CONFLICT_IGNORED, "%02xh from the holder", opcodes[i]);
                        is_int(verdict(&s, 'b', cdb, 6), shared ? CONFLICT_IGNORED : CONFLICT_RESERVED,
                               "%02xh from a registrant, type %c", opcodes[i], *type);
                        is_int(verdict(&s, 'c', cdb, 6), CONFLICT_RESERVED, "%02xh from others", opcodes[i]);
                }
        }
}

int main(void)
{
        static struct script s;

        check_rows();
        check_out();
        check_legacy();

        script_start(&s);
        script_play(&s, "a reg 0 1");
        is_int(verdict(&s, 'c', (uint8_t[6]){ 0x0a }, 6), CONFLICT_ALLOWED, "registrations alone reserve nothing");
        script_play(&s, "a res 1 1");
        is_int(verdict(&s, 'c', (uint8_t[2]){ 0x28 }, 2), CONFLICT_RESERVED, "cut short: taken for a write");
        is_int(verdict(&s, 'c', (uint8_t[8]){ 0x7f }, 8), CONFLICT_RESERVED, "variable length, cut short");
        return done();
}
