/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PERSISTENT RESERVE OUT lists and the engine behind them: after every command
 * the state is one that engine_restore() takes and gives back unchanged, what
 * is not GOOD changed nothing, and PERSISTENT RESERVE IN tells the state.
 *
 * Input: a configuration, then commands; see take_config() and take_command().
 */
#include "fuzz.h"
#include "scsi/pr_in.h"
#include "scsi/pr_out.h"
#include "scsi/pr_type.h"
#include "sim/conflict.h"
#include "sim/engine.h"

enum { INITIATORS = 5, COMMANDS_MAX = 64, CANARY = 0xa5, CANARY_SIZE = 16 };

static struct transportid initiators[INITIATORS];
static const uint16_t ports[ENGINE_PORTS_MAX] = { 1, 2, 0x8000, 0xffff };
static struct engine_state state, next, restored;

/* Two ports of one iSCSI initiator, another one without ISID, SAS and FC. */
static void make_initiators(void)
{
        (void)transportid_from_name("iqn.2026-11.org.example:a", &initiators[0]);
        initiators[0].has_isid = true;
        initiators[1] = initiators[0];
        initiators[1].id[5] = 1;
        (void)transportid_from_name("iqn.2026-11.org.example:b", &initiators[2]);
        initiators[3] = (struct transportid){ .protocol = TRANSPORTID_SAS, .id = { 0x50, 1 } };
        initiators[4] = (struct transportid){ .protocol = TRANSPORTID_FCP, .id = { 0x21, 2 } };
}

static struct engine_config take_config(struct reader *r)
{
        static const size_t limits[] = { 0, 1, 2, 3, 5, 8, 20, ENGINE_REGISTRATIONS_MAX };
        unsigned byte = read_u8(r);

        return (struct engine_config){
                .initiators = initiators,
                .initiator_count = 1 + (byte & 7) % INITIATORS,
                .ports = ports,
                .port_count = 1 + (byte >> 3 & 3),
                .registrations_max = limits[read_u8(r) & 7],
                .ptpl = byte & 0x20,
                .crh = byte & 0x40,
        };
}

static bool pr_same(const struct engine_pr *a, const struct engine_pr *b)
{
        bool same = a->aptpl == b->aptpl && a->type == b->type && a->count == b->count &&
                    engine_nexus_equal(a->holder, b->holder);

        for (size_t i = 0; same && i < a->count; i++) {
                const struct engine_registration *x = &a->registrations[i], *y = &b->registrations[i];
                same = x->key == y->key && x->all_tg_pt == y->all_tg_pt &&
                       engine_nexus_equal(x->nexus, y->nexus);
        }
        return same;
}

static void check_attentions(const struct engine_config *config)
{
        for (size_t i = 0; i < ENGINE_INITIATORS_MAX; i++) {
                for (size_t p = 0; p < ENGINE_PORTS_MAX; p++) {
                        const struct engine_attentions *a = &state.attentions[i][p];
                        fuzz_check(a->count <= ENGINE_ATTENTIONS_MAX, "%u attentions", a->count);
                        if (i >= config->initiator_count || p >= config->port_count)
                                fuzz_check(a->count == 0, "an attention for nobody");
                        for (size_t k = 0; k + 1 < a->count; k++)
                                fuzz_check(!memchr(a->ascq + k + 1, a->ascq[k], a->count - k - 1), "twice");
                }
        }
}

static void check_state(const struct engine_config *config)
{
        fuzz_check(engine_restore(config, &state.pr, &restored) == 0, "a state that cannot be stored");
        fuzz_check(pr_same(&state.pr, &restored.pr), "stored and restored differ");
        fuzz_check(restored.generation == 0, "generation %u after power on", restored.generation);
        fuzz_check(config->ptpl || !state.pr.aptpl, "APTPL that is not offered");
        check_attentions(config);
}

/* Any list that is taken is the same after it was encoded again. */
static void check_list(uint8_t action, const uint8_t *list, size_t size)
{
        struct pr_out_list one = { 0 }, two = { 0 };
        uint8_t bytes[PR_DATA_MAX];
        struct writer w = writer_over(bytes, sizeof bytes);

        if (pr_out_list_decode(action, list, size, &one) < 0)
                return;
        pr_out_list_encode(action, &one, &w);
        fuzz_check(w.length == size, "%zu bytes became %zu", size, w.length);
        fuzz_check(pr_out_list_decode(action, bytes, w.length, &two) == 0, "its own bytes");
        fuzz_check(one.key == two.key && one.action_key == two.action_key && one.spec_i_pt == two.spec_i_pt &&
                   one.all_tg_pt == two.all_tg_pt && one.aptpl == two.aptpl && one.unreg == two.unreg &&
                   one.port == two.port && one.transportids_size == two.transportids_size &&
                   (one.transportids_size == 0 ||
                    memcmp(one.transportids, two.transportids, one.transportids_size) == 0), "changed");
}

static void check_keys(const uint8_t *data, size_t size)
{
        struct pr_keys keys;
        uint64_t key;
        size_t i = 0;

        if (pr_keys_decode(data, size, &keys) < 0)
                return;
        fuzz_check(keys.generation == state.generation && keys.count == state.pr.count, "READ KEYS");
        for (; pr_keys_next(&keys, &key); i++)
                fuzz_check(key == state.pr.registrations[i].key, "key %zu", i);
}

static void check_reservation(const uint8_t *data, size_t size)
{
        struct pr_reservation reservation;

        if (pr_reservation_decode(data, size, &reservation) < 0)
                return;
        fuzz_check(reservation.reserved == (state.pr.type != 0) && reservation.type == state.pr.type,
                   "READ RESERVATION");
}

static void check_full_status(const uint8_t *data, size_t size)
{
        struct pr_full_status_list list;
        struct pr_full_status d;
        size_t count = 0;

        if (pr_full_status_decode(data, size, &list) < 0)
                return;
        while (pr_full_status_next(&list, &d)) {
                count++;
                fuzz_check(d.known && (!d.holder || d.type == state.pr.type), "a descriptor");
        }
        fuzz_check(count <= state.pr.count, "%zu of %u", count, state.pr.count);
}

/* What a good PERSISTENT RESERVE IN returned is the state that it was asked of. */
static void check_data(const struct pr_cdb *cdb, const uint8_t *data, size_t size)
{
        if (cdb->action == PR_IN_READ_KEYS)
                check_keys(data, size);
        else if (cdb->action == PR_IN_READ_RESERVATION)
                check_reservation(data, size);
        else if (cdb->action == PR_IN_READ_FULL_STATUS)
                check_full_status(data, size);
}

static void check_result(const struct engine_command *c, const struct pr_cdb *cdb,
                         const struct engine_result *result)
{
        size_t room = c->data_size;

        if (result->status == SCSI_GOOD && !cdb->out) {
                fuzz_check(result->data_size <= cdb->length && result->data_size <= room, "%zu bytes",
                           result->data_size);
                fuzz_check(pr_same(&state.pr, &next.pr), "IN changed something");
                check_data(cdb, c->data, result->data_size);
        } else {
                fuzz_check(result->data_size == 0, "data without GOOD or with OUT");
        }
        if (result->status != SCSI_GOOD) {
                fuzz_check(pr_same(&state.pr, &next.pr) && state.generation == next.generation,
                           "status %#x changed something", result->status);
                fuzz_check(result->storing == ENGINE_KEEP, "status %#x stores", result->status);
        }
        if (state.pr.aptpl || next.pr.aptpl)
                fuzz_check((result->storing == ENGINE_KEEP) ==
                           (next.pr.aptpl ? pr_same(&state.pr, &next.pr) : false), "storing %d", result->storing);
        else
                fuzz_check(result->storing == ENGINE_KEEP, "nothing is stored, and %d", result->storing);
        for (size_t i = 0; i < CANARY_SIZE; i++)
                fuzz_check(c->data[room + i] == CANARY, "written behind the room");
}

static void run(const struct engine_config *config, const struct engine_command *command,
                const struct pr_cdb *cdb)
{
        struct engine_result result;

        memset(command->data, CANARY, command->data_size + CANARY_SIZE);
        (void)conflict_check(config, &state.pr, command->nexus, command->cdb, PR_CDB_SIZE);
        engine_run(config, command, &state, &next, &result);
        check_result(command, cdb, &result);
        state = next;
        check_state(config);
}

/* A list with its fixed part as given and TransportIDs of the initiators, or nothing but bytes. */
static uint8_t *take_list(struct reader *r, uint8_t action, uint8_t how, size_t *ret_size)
{
        uint8_t bytes[PR_DATA_MAX];
        struct writer w = writer_over(bytes, sizeof bytes), ids;
        uint8_t encoded[2048];
        size_t size;

        if (how & 0x80) {
                const uint8_t *raw = fuzz_bytes(r, read_u8(r), ret_size);
                return fuzz_copy(raw, *ret_size);
        }
        ids = writer_over(encoded, sizeof encoded);
        struct pr_out_list list = { .key = read_u8(r), .action_key = read_u8(r) };
        uint8_t flags = read_u8(r), listed = read_u8(r);
        for (unsigned i = 0; i < 8; i++)
                if (listed >> i & 1)
                        transportid_encode(&initiators[i % INITIATORS], &ids);
        list.all_tg_pt = flags & 4;
        list.aptpl = flags & 1;
        list.spec_i_pt = flags & 8;
        list.unreg = flags & 2;
        list.port = ports[flags >> 4 & 3];
        list.transportids = encoded;
        list.transportids_size = ids.length;
        pr_out_list_encode(action, &list, &w);
        size = w.length - (flags >> 6 == 3 ? 1 : 0);
        *ret_size = size;
        return fuzz_copy(bytes, size);
}

/*
 * A command: nexus; service action and how its list comes (80h: bytes; 40h: IN; 20h: power lost
 * before, or reserved bits where 60h are set); scope and type, or room; then the list, or the
 * allocation length.
 */
static bool take_command(struct reader *r, const struct engine_config *config)
{
        uint8_t nexus = read_u8(r), how = read_u8(r), third = read_u8(r);
        uint8_t cdb[PR_CDB_SIZE] = { how & 0x40 ? PR_OPCODE_IN : PR_OPCODE_OUT, how & 0x1f };
        uint8_t data[PR_DATA_MAX + CANARY_SIZE], *list = NULL;
        struct engine_command command = { .cdb = cdb, .data = data };
        struct pr_cdb decoded;

        if (r->failed)
                return false;
        command.nexus.initiator = (uint16_t)(nexus % config->initiator_count);
        command.nexus.port = (uint16_t)(nexus / 16 % config->port_count);
        if ((how & 0x60) == 0x20 && state.pr.aptpl)
                state = restored;
        if ((how & 0x60) == 0x60)
                cdb[1] |= 0x20;
        if (how & 0x40) {
                uint16_t length = read_be16(r) % (PR_DATA_MAX + 1);
                cdb[7] = (uint8_t)(length >> 8);
                cdb[8] = (uint8_t)length;
                command.data_size = third == 0 ? length : (size_t)third * 32;
        } else {
                cdb[2] = third;
                list = take_list(r, how & 0x1f, how, &command.list_size);
                command.list = list;
                cdb[7] = (uint8_t)(command.list_size >> 8);
                cdb[8] = (uint8_t)(command.list_size + (nexus == 0xff));
                check_list(how & 0x1f, list, command.list_size);
        }
        fuzz_check(pr_cdb_decode(cdb, &decoded) == 0, "our own CDB");
        run(config, &command, &decoded);
        free(list);
        return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct reader r = reader_over(data, size);

        make_initiators();
        struct engine_config config = take_config(&r);
        memset(&state, 0, sizeof state);
        memset(&restored, 0, sizeof restored);
        for (int i = 0; i < COMMANDS_MAX && take_command(&r, &config); i++)
                ;
        return 0;
}
