/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The engine, scripted: rows of "what came before", "command", "answer" and
 * "state after", so that a test reads like the standard's tables.
 *
 * A script is steps separated by ';'. A nexus is a letter: a to h are
 * initiator ports through the first target port, A to H through the second.
 *
 *     a reg RK SARK [flags]     REGISTER              a clr RK              CLEAR
 *     a ign SARK [flags]        ... AND IGNORE        a pre RK SARK TYPE    PREEMPT
 *     a res RK TYPE             RESERVE               a pab RK SARK TYPE    PREEMPT AND ABORT
 *     a rel RK TYPE             RELEASE               a mov RK SARK TO [flags]  REGISTER AND MOVE
 *     a rlr SARK TYPE           REPLACE LOST RES.     a out SA, a in SA [len=N]  any service action
 *
 * flags: all, aptpl, unreg, spec=LETTERS ('?' an unknown port, '-' none, 'x' a malformed
 * TransportID), port=N (relative target port), len=N (list length, in CDB and bytes),
 * says=N (TransportID length field), scope=N, type=N, bits=N (CDB byte 1, bits 7..5).
 *
 * Before the first step: "@max=N", "@noptpl", "@ports=1", "@gen=N".
 *
 * A state is "g2 a=1 b=2* 5@a P !b=04,05": PRGENERATION, registrations in order ('*' with
 * ALL_TG_PT), type and holder ("7@*" for all registrants), APTPL, pending unit attentions.
 */
#pragma once

#include <stdlib.h>

#include "sim/engine.h"
#include "sim/engine_internal.h"
#include "tap.h"

enum { SCRIPT_INITIATORS = 8, SCRIPT_DATA = 8192 };

struct script {
        struct transportid initiators[SCRIPT_INITIATORS];
        uint16_t ports[2];
        struct engine_config config;
        struct engine_state state;
        struct engine_result result;
        uint8_t data[SCRIPT_DATA];
        char text[1024];
};

static inline void script_start(struct script *s)
{
        memset(s, 0, sizeof *s);
        for (int i = 0; i < SCRIPT_INITIATORS; i++) {
                char name[] = "iqn.2026-11.org.example:?";
                name[sizeof name - 2] = (char)('a' + i);
                transportid_from_name(name, &s->initiators[i]);
        }
        s->ports[0] = 1;
        s->ports[1] = 0x102;
        s->config = (struct engine_config){
                .initiators = s->initiators, .initiator_count = SCRIPT_INITIATORS,
                .ports = s->ports, .port_count = 2,
                .registrations_max = 6, .ptpl = true,
        };
}

static inline struct engine_nexus script_nexus(char letter)
{
        bool second = letter >= 'A' && letter <= 'Z';
        return (struct engine_nexus){ (uint16_t)(letter - (second ? 'A' : 'a')), second };
}

/* The value of "name=" among the flags, or otherwise. */
static inline const char *script_flag(const char *flags, const char *name)
{
        const char *found = flags;
        size_t length = strlen(name);

        while ((found = strstr(found, name))) {
                if ((found == flags || found[-1] == ' ') &&
                    (found[length] == '=' || found[length] == ' ' || !found[length]))
                        return found + length + (found[length] == '=');
                found += length;
        }
        return NULL;
}

static inline uint64_t script_number(const char *flags, const char *name, uint64_t otherwise)
{
        const char *value = script_flag(flags, name);
        return value ? strtoull(value, NULL, 0) : otherwise;
}

static inline void script_transportids(const struct script *s, const char *letters, struct writer *w)
{
        struct transportid unknown;

        transportid_from_name("iqn.2026-11.org.example:unknown", &unknown);
        for (; letters && *letters && *letters != ' '; letters++) {
                if (*letters == '?')
                        transportid_encode(&unknown, w);
                else if (*letters == 'x')
                        write_bytes(w, (uint8_t[24]){ 0x85 }, 24);
                else if (*letters != '-')
                        transportid_encode(&s->initiators[script_nexus(*letters).initiator], w);
        }
}

static inline size_t script_list(const struct script *s, uint8_t action, uint64_t rk, uint64_t sark,
                                 const char *ids, const char *flags, uint8_t list[static SCRIPT_DATA])
{
        uint8_t encoded[4096];
        struct writer id_writer = writer_over(encoded, sizeof encoded);
        script_transportids(s, ids, &id_writer);

        struct pr_out_list fields = {
                .key = rk, .action_key = sark,
                .spec_i_pt = ids && action != PR_OUT_REGISTER_AND_MOVE,
                .all_tg_pt = script_flag(flags, "all"),
                .aptpl = script_flag(flags, "aptpl"),
                .unreg = script_flag(flags, "unreg"),
                .port = (uint16_t)script_number(flags, "port", 1),
                .transportids = encoded, .transportids_size = id_writer.length,
        };
        struct writer w = writer_over(list, SCRIPT_DATA);
        memset(list, 0, SCRIPT_DATA);
        pr_out_list_encode(action, &fields, &w);
        if (script_flag(flags, "says"))
                list[action == PR_OUT_REGISTER_AND_MOVE ? 23 : 27] = (uint8_t)script_number(flags, "says", 0);
        return script_number(flags, "len", w.length);
}

/* A step taken apart. */
struct script_command {
        char from;
        bool in;
        uint8_t action, type;
        uint64_t rk, sark;
        char to[8];        /* REGISTER AND MOVE: the destination */
        const char *ids;   /* TransportIDs by letters, or NULL */
        const char *flags;
};

static inline const char *script_skip(const char *text, int length)
{
        text += length;
        return text + strspn(text, " ");
}

static inline uint64_t script_take(const char **args)
{
        char *end;
        uint64_t number = strtoull(*args, &end, 0);
        *args = end + strspn(end, " ");
        return number;
}

static inline void script_parse(const char *step, struct script_command *c)
{
        static const char *const verbs[] = { "reg", "res", "rel", "clr", "pre", "pab", "ign", "mov", "rlr" };
        char verb[8] = "";
        int read = 0;

        *c = (struct script_command){ .action = 0xff };
        if (sscanf(step, " %c %7s%n", &c->from, verb, &read) != 2)
                abort();
        c->in = strcmp(verb, "in") == 0;
        c->flags = script_skip(step, read);
        for (uint8_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
                if (strcmp(verb, verbs[i]) == 0)
                        c->action = i;

        if (c->action == 0xff) {
                c->action = (uint8_t)script_take(&c->flags);
                c->ids = script_flag(c->flags, "spec");
                return;
        }
        c->rk = c->action == PR_OUT_REGISTER_AND_IGNORE ? 0xdead :
                c->action == PR_OUT_REPLACE_LOST        ? 0 : script_take(&c->flags);
        if (c->action != PR_OUT_RESERVE && c->action != PR_OUT_RELEASE && c->action != PR_OUT_CLEAR)
                c->sark = script_take(&c->flags);
        if (c->action == PR_OUT_PREEMPT || c->action == PR_OUT_PREEMPT_AND_ABORT ||
            c->action == PR_OUT_RESERVE || c->action == PR_OUT_RELEASE || c->action == PR_OUT_REPLACE_LOST)
                c->type = (uint8_t)script_take(&c->flags);
        if (c->action == PR_OUT_REGISTER_AND_MOVE && sscanf(c->flags, "%7s%n", c->to, &read) == 1)
                c->flags = script_skip(c->flags, read);
        c->ids = c->action == PR_OUT_REGISTER_AND_MOVE ? c->to : script_flag(c->flags, "spec");
}

static inline void script_step(struct script *s, const char *step)
{
        uint8_t list[SCRIPT_DATA];
        struct script_command c;

        script_parse(step, &c);
        size_t size = c.in ? script_number(c.flags, "len", SCRIPT_DATA)
                           : script_list(s, c.action, c.rk, c.sark, c.ids, c.flags, list);
        uint8_t cdb[PR_CDB_SIZE] = { c.in ? PR_OPCODE_IN : PR_OPCODE_OUT };
        cdb[1] = (uint8_t)(c.action | script_number(c.flags, "bits", 0) << 5);
        if (!c.in)
                cdb[2] = (uint8_t)(script_number(c.flags, "scope", 0) << 4 |
                                   script_number(c.flags, "type", c.type));
        cdb[7] = (uint8_t)(size >> 8);
        cdb[8] = (uint8_t)size;

        static struct engine_state next;
        struct engine_command command = {
                .nexus = script_nexus(c.from), .cdb = cdb, .list = list, .list_size = c.in ? 0 : size,
                .data = s->data, .data_size = sizeof s->data,
        };
        engine_run(&s->config, &command, &s->state, &next, &s->result);
        s->state = next;
}

/* The status or sense by the name that the tables use. */
static inline const char *script_answer(const struct script *s)
{
        static const struct {
                struct scsi_sense sense;
                const char *name;
        } names[] = {
                { { 5, 0x24, 0 }, "CDB" },    { { 5, 0x1a, 0 }, "PLL" },    { { 5, 0x26, 0 }, "PL" },
                { { 5, 0x26, 4 }, "RELE" },   { { 5, 0x55, 4 }, "INSUF" },  { { 5, 0x20, 0 }, "OPC" },
                { { 6, 0x2a, 3 }, "UA-PRE" }, { { 6, 0x2a, 4 }, "UA-REL" }, { { 6, 0x2a, 5 }, "UA-REG" },
        };

        if (s->result.status == SCSI_GOOD)
                return "GOOD";
        if (s->result.status == SCSI_RESERVATION_CONFLICT)
                return "RC";
        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
                if (memcmp(&names[i].sense, &s->result.sense, sizeof s->result.sense) == 0)
                        return names[i].name;
        return "?";
}

static inline char script_letter(struct engine_nexus nexus)
{
        return (char)((nexus.port ? 'A' : 'a') + nexus.initiator);
}

static inline const char *script_state(struct script *s)
{
        const struct engine_pr *pr = &s->state.pr;
        size_t at = (size_t)snprintf(s->text, sizeof s->text, "g%u", s->state.generation);
#define SCRIPT_ADD(...) at += (size_t)snprintf(s->text + at, sizeof s->text - at, __VA_ARGS__)

        for (size_t i = 0; i < pr->count; i++)
                SCRIPT_ADD(" %c=%llx%s", script_letter(pr->registrations[i].nexus),
                           (unsigned long long)pr->registrations[i].key,
                           pr->registrations[i].all_tg_pt ? "*" : "");
        if (pr->type)
                SCRIPT_ADD(" %u@%c", pr->type,
                           pr_type_all_registrants(pr->type) ? '*' : script_letter(pr->holder));
        if (pr->aptpl)
                SCRIPT_ADD(" P");
        for (uint16_t i = 0; i < SCRIPT_INITIATORS; i++)
                for (uint16_t p = 0; p < 2; p++)
                        for (size_t u = 0; u < s->state.attentions[i][p].count; u++) {
                                if (u == 0)
                                        SCRIPT_ADD(" !%c=", script_letter((struct engine_nexus){ i, p }));
                                SCRIPT_ADD("%s%02x", u ? "," : "", s->state.attentions[i][p].ascq[u]);
                        }
#undef SCRIPT_ADD
        return s->text;
}

/* Steps that all have to be GOOD. */
static inline void script_play(struct script *s, const char *steps)
{
        char copy[1024], *rest = NULL;

        snprintf(copy, sizeof copy, "%s", steps);
        for (char *step = strtok_r(copy, ";", &rest); step; step = strtok_r(NULL, ";", &rest)) {
                const char *word = step + strspn(step, " ");
                if (*word == '@') {
                        s->config.registrations_max = script_number(word, "@max", s->config.registrations_max);
                        s->config.port_count = script_number(word, "@ports", s->config.port_count);
                        s->state.generation = (uint32_t)script_number(word, "@gen", s->state.generation);
                        s->config.ptpl = s->config.ptpl && !script_flag(word, "@noptpl");
                } else if (*word) {
                        script_step(s, step);
                        if (s->result.status != SCSI_GOOD)
                                ok(false, "\"%s\" of \"%s\" is GOOD, not %s", step, steps, script_answer(s));
                }
        }
}

struct script_row {
        const char *what;    /**< the table's row, in words */
        const char *before;  /**< steps, all GOOD */
        const char *command; /**< the step in question */
        const char *answer;
        const char *after; /**< the state, or NULL: as it was before */
};

/* A row is two assertions: the answer, and the state. */
static inline void script_check(const struct script_row *row)
{
        static struct script s;
        char before[sizeof s.text];

        script_start(&s);
        script_play(&s, row->before);
        snprintf(before, sizeof before, "%s", script_state(&s));
        script_step(&s, row->command);
        is_string(script_answer(&s), row->answer, "%s: %s -> %s", row->what, row->command, row->answer);
        is_string(script_state(&s), row->after ? row->after : before, "%s: the state after \"%s\"", row->what,
                  row->command);
}

static inline void script_check_all(const struct script_row *rows, size_t count)
{
        for (size_t i = 0; i < count; i++)
                script_check(&rows[i]);
}

#define SCRIPT_CHECK(rows) script_check_all(rows, sizeof rows / sizeof rows[0])
