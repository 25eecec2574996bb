/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs the engine on commands given as text lines, and prints after each what
 * came back and the whole state, for check.py to compare with its model.
 *
 *     initiator HEX                        known from now on: a TransportID
 *     reset PTPL CRH MAX PORT[,PORT...]    nothing registered; capabilities, limit, target ports
 *     run INITIATOR PORT CDB LIST ROOM     in hex, "-" for no list; prints a line
 *     allows INITIATOR PORT CDB            conflict table; prints a line
 *     power                                off and on again; prints a line
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/conflict.h"
#include "sim/engine.h"

enum { LINE_MAX_SIZE = 16384, BYTES_MAX = 8192 };

struct driver {
        struct transportid initiators[ENGINE_INITIATORS_MAX];
        uint16_t ports[ENGINE_PORTS_MAX];
        struct engine_config config;
        struct engine_state state, next;
};

static void die(const char *what, const char *where)
{
        fprintf(stderr, "engine_driver: %s: %s\n", what, where ? where : "(nothing)");
        exit(1);
}

static size_t number(void)
{
        const char *word = strtok(NULL, " ");
        char *end;

        if (!word)
                die("a number is missing", word);
        size_t value = strtoul(word, &end, 0);
        if (*end)
                die("not a number", word);
        return value;
}

/* The next word as bytes; each hex digit counted, so that a list may be empty. */
static size_t bytes(uint8_t *to, size_t room)
{
        const char *word = strtok(NULL, " ");
        size_t size = 0;

        if (!word)
                die("bytes are missing", word);
        if (strcmp(word, "-") == 0)
                return 0;
        for (; word[0] && word[1]; word += 2) {
                char pair[3] = { word[0], word[1], '\0' };
                if (size == room)
                        die("too many bytes", word);
                to[size++] = (uint8_t)strtoul(pair, NULL, 16);
        }
        return size;
}

static struct engine_nexus nexus(void)
{
        uint16_t initiator = (uint16_t)number();
        return (struct engine_nexus){ initiator, (uint16_t)number() };
}

static void dump(const struct driver *d)
{
        const struct engine_pr *pr = &d->state.pr;
        struct engine_state again;

        printf("gen=%u type=%u holder=%u.%u aptpl=%d regs=", d->state.generation, pr->type,
               pr->holder.initiator, pr->holder.port, pr->aptpl);
        for (size_t i = 0; i < pr->count; i++)
                printf("%u.%u:%llx:%d,", pr->registrations[i].nexus.initiator,
                       pr->registrations[i].nexus.port, (unsigned long long)pr->registrations[i].key,
                       pr->registrations[i].all_tg_pt);
        printf(" ua=");
        for (size_t i = 0; i < d->config.initiator_count; i++)
                for (size_t p = 0; p < d->config.port_count; p++)
                        for (size_t u = 0; u < d->state.attentions[i][p].count; u++)
                                printf("%zu.%zu:%02x,", i, p, d->state.attentions[i][p].ascq[u]);
        puts(engine_restore(&d->config, pr, &again) < 0 ? " not a state to restore" : "");
}

static void initiator(struct driver *d)
{
        uint8_t id[BYTES_MAX];
        struct reader r = reader_over(id, bytes(id, sizeof id));

        if (d->config.initiator_count == ENGINE_INITIATORS_MAX ||
            transportid_parse(&r, &d->initiators[d->config.initiator_count]) < 0 || !reader_finished(&r))
                die("no initiator", "not a TransportID, or one too many");
        d->config.initiator_count++;
}

static void reset(struct driver *d)
{
        d->config.ptpl = number();
        d->config.crh = number();
        d->config.registrations_max = number();
        d->config.port_count = 0;
        for (const char *word = strtok(NULL, " ,"); word; word = strtok(NULL, " ,"))
                d->ports[d->config.port_count++] = (uint16_t)strtoul(word, NULL, 0);
        memset(&d->state, 0, sizeof d->state);
}

static void run(struct driver *d)
{
        uint8_t cdb[PR_CDB_SIZE] = { 0 }, list[BYTES_MAX], data[BYTES_MAX];
        struct engine_command command = { .nexus = nexus(), .cdb = cdb, .list = list, .data = data };
        struct engine_result result;

        (void)bytes(cdb, sizeof cdb);
        command.list_size = bytes(list, sizeof list);
        command.data_size = number();
        engine_run(&d->config, &command, &d->state, &d->next, &result);
        d->state = d->next;

        printf("%02x %02x%02x%02x %d data=", result.status, result.sense.key, result.sense.asc,
               result.sense.ascq, result.storing);
        for (size_t i = 0; i < result.data_size; i++)
                printf("%02x", data[i]);
        printf(" | ");
        dump(d);
}

static void allows(struct driver *d)
{
        uint8_t cdb[32];
        struct engine_nexus from = nexus();
        size_t size = bytes(cdb, sizeof cdb);

        printf("allows %d\n", conflict_check(&d->config, &d->state.pr, from, cdb, size));
}

static void power(struct driver *d)
{
        struct engine_pr stored = d->state.pr;

        memset(&d->state, 0, sizeof d->state);
        if (stored.aptpl && engine_restore(&d->config, &stored, &d->state) < 0)
                die("engine_restore", "refused what the engine made");
        printf("power | ");
        dump(d);
}

int main(void)
{
        static struct driver d;
        static char line[LINE_MAX_SIZE];

        d.config = (struct engine_config){ .initiators = d.initiators, .ports = d.ports };
        while (fgets(line, sizeof line, stdin)) {
                line[strcspn(line, "\n")] = '\0';
                const char *verb = strtok(line, " ");
                if (!verb)
                        continue;
                if (strcmp(verb, "run") == 0)
                        run(&d);
                else if (strcmp(verb, "allows") == 0)
                        allows(&d);
                else if (strcmp(verb, "power") == 0)
                        power(&d);
                else if (strcmp(verb, "initiator") == 0)
                        initiator(&d);
                else if (strcmp(verb, "reset") == 0)
                        reset(&d);
                else
                        die("unknown verb", verb);
        }
        return 0;
}
