/* SPDX-License-Identifier: BSD-2-Clause */
/* PERSISTENT RESERVE IN data to the last byte, by the engine and decoded again; parameter lists, both ways. */
#include <errno.h>

#include "engine_script.h"
#include "scsi/pr_in.h"

/* Responses: what came before, the service action, the bytes. */
static const struct {
        const char *before, *command;
        const char *bytes;
        size_t size;
} responses[] = {
        { "", "a in 0", "\0\0\0\0\0\0\0\0", 8 },
        { "@gen=0x01020304;a reg 0 0x1122334455667788", "b in 0",
          "\x01\x02\x03\x05\0\0\0\x08\x11\x22\x33\x44\x55\x66\x77\x88", 16 },
        { "a reg 0 7;b reg 0 7;a reg 7 8", "c in 0", "\0\0\0\3\0\0\0\x10\0\0\0\0\0\0\0\x08\0\0\0\0\0\0\0\x07", 24 },
        { "", "a in 1", "\0\0\0\0\0\0\0\0", 8 },
        { "a reg 0 0x99", "a in 1", "\0\0\0\1\0\0\0\0", 8 },
        { "a reg 0 0x99;a res 0x99 1", "b in 1", "\0\0\0\1\0\0\0\x10\0\0\0\0\0\0\0\x99\0\0\0\0\0\x01\0\0", 24 },
        { "a reg 0 0x99;a res 0x99 6", "b in 1", "\0\0\0\1\0\0\0\x10\0\0\0\0\0\0\0\x99\0\0\0\0\0\x06\0\0", 24 },
        { "a reg 0 0x99;a res 0x99 7", "b in 1", "\0\0\0\1\0\0\0\x10\0\0\0\0\0\0\0\0\0\0\0\0\0\x07\0\0", 24 },
        { "a reg 0 0x99;a res 0x99 8", "b in 1", "\0\0\0\1\0\0\0\x10\0\0\0\0\0\0\0\0\0\0\0\0\0\x08\0\0", 24 },
        { "", "a in 2", "\0\x08\x0d\x90\xea\x01\0\0", 8 },
        { "a reg 0 1 aptpl", "b in 2", "\0\x08\x0d\x91\xea\x01\0\0", 8 },
        { "@noptpl", "a in 2", "\0\x08\x0c\x90\xea\x01\0\0", 8 },
        { "", "a in 3", "\0\0\0\0\0\0\0\0", 8 },
};

#define NAME(letter) "\x05\0\0\x1ciqn.2026-11.org.example:" letter "\0\0\0"
#define DESCRIPTOR(key, flags, type, port, name) \
        "\0\0\0\0\0\0\0" key "\0\0\0\0" flags type "\0\0\0\0" port "\0\0\0\x20" name

static const struct {
        const char *what, *before;
        const char *descriptors;
        size_t count;
} full_status[] = {
        { "registered", "a reg 0 5", DESCRIPTOR("\5", "\0", "\0", "\0\1", NAME("a")), 1 },
        { "through the second port", "A reg 0 5", DESCRIPTOR("\5", "\0", "\0", "\1\2", NAME("a")), 1 },
        { "one holder", "a reg 0 5;b reg 0 6;b res 6 5",
          DESCRIPTOR("\5", "\0", "\0", "\0\1", NAME("a")) DESCRIPTOR("\6", "\1", "\5", "\0\1", NAME("b")), 2 },
        { "all registrants", "a reg 0 5;b reg 0 6;b res 6 8",
          DESCRIPTOR("\5", "\1", "\x08", "\0\1", NAME("a")) DESCRIPTOR("\6", "\1", "\x08", "\0\1", NAME("b")), 2 },
        { "ALL_TG_PT: one descriptor", "a reg 0 5 all", DESCRIPTOR("\5", "\2", "\0", "\0\0", NAME("a")), 1 },
        { "ALL_TG_PT, all registrants", "a reg 0 5 all;a res 5 7", DESCRIPTOR("\5", "\3", "\7", "\0\0", NAME("a")), 1 },
        { "ALL_TG_PT, one nexus holds", "a reg 0 5 all;A res 5 1",
          DESCRIPTOR("\5", "\0", "\0", "\0\1", NAME("a")) DESCRIPTOR("\5", "\1", "\1", "\1\2", NAME("a")), 2 },
        { "ALL_TG_PT, one nexus changed", "a reg 0 5 all;A reg 5 6",
          DESCRIPTOR("\5", "\0", "\0", "\0\1", NAME("a")) DESCRIPTOR("\6", "\0", "\0", "\1\2", NAME("a")), 2 },
        { "ALL_TG_PT, with two keys", "A reg 0 6 all;a reg 6 5;a reg 5 7 all",
          DESCRIPTOR("\7", "\0", "\0", "\0\1", NAME("a")) DESCRIPTOR("\6", "\0", "\0", "\1\2", NAME("a")), 2 },
        { "ALL_TG_PT, one nexus gone", "a reg 0 5 all;A reg 5 0", DESCRIPTOR("\5", "\0", "\0", "\0\1", NAME("a")), 1 },
        { "ALL_TG_PT, one target port", "@ports=1;a reg 0 5 all", DESCRIPTOR("\5", "\2", "\0", "\0\0", NAME("a")), 1 },
        { "both ports one by one: two descriptors", "a reg 0 5;A reg 0 5",
          DESCRIPTOR("\5", "\0", "\0", "\0\1", NAME("a")) DESCRIPTOR("\5", "\0", "\0", "\1\2", NAME("a")), 2 },
        { "in place of the older", "A reg 0 1;b reg 0 2;a ign 5 all",
          DESCRIPTOR("\5", "\2", "\0", "\0\0", NAME("a")) DESCRIPTOR("\2", "\0", "\0", "\0\1", NAME("b")), 2 },
};

/* The response, and then cut to every allocation length there is: SPC-4 4.2.5.6. */
static void check_response(struct script *s, const char *command, const uint8_t *want, size_t size)
{
        int wrong = 0;

        script_step(s, command);
        is_int(s->result.data_size, size, "%s: %zu bytes", command, size);
        is_bytes(s->data, want, size, "%s: the bytes", command);
        for (size_t alloc = 0; alloc <= size + 1; alloc++) {
                char cut[64];

                snprintf(cut, sizeof cut, "%s len=%zu", command, alloc);
                memset(s->data, 0xee, sizeof s->data);
                script_step(s, cut);
                size_t fits = alloc < size ? alloc : size;
                wrong += s->result.status != SCSI_GOOD || s->result.data_size != fits ||
                         memcmp(s->data, want, fits) != 0 || s->data[fits] != 0xee;
        }
        is_int(wrong, 0, "%s: cut to every allocation length", command);
}

static void check_responses(void)
{
        static struct script s;

        for (size_t i = 0; i < sizeof responses / sizeof responses[0]; i++) {
                script_start(&s);
                script_play(&s, responses[i].before);
                check_response(&s, responses[i].command, (const uint8_t *)responses[i].bytes, responses[i].size);
        }
        for (size_t i = 0; i < sizeof full_status / sizeof full_status[0]; i++) {
                uint8_t want[256] = { 0 };
                size_t size = full_status[i].count * 56;

                script_start(&s);
                script_play(&s, full_status[i].before);
                struct writer w = writer_over(want, sizeof want);
                write_be32(&w, s.state.generation);
                write_be32(&w, (uint32_t)size);
                write_bytes(&w, full_status[i].descriptors, size);
                ok(true, "READ FULL STATUS: %s", full_status[i].what);
                check_response(&s, "h in 3", want, 8 + size);
        }
}

/* What a client reads of it. */
static void check_decoding(void)
{
        static struct script s;
        struct pr_keys keys;
        struct pr_reservation reservation;
        struct pr_capabilities capabilities;
        struct pr_full_status_list list;
        struct pr_full_status d;
        uint64_t key = 0;

        script_start(&s);
        script_play(&s, "a reg 0 0x11 aptpl;b reg 0 0x22 aptpl;b res 0x22 6;h in 0");
        is_int(pr_keys_decode(s.data, s.result.data_size, &keys), 0, "READ KEYS");
        ok(keys.generation == 2 && keys.count == 2, "two keys");
        ok(pr_keys_next(&keys, &key) && key == 0x11 && pr_keys_next(&keys, &key) && key == 0x22, "these");
        ok(!pr_keys_next(&keys, &key), "no third");
        is_int(pr_keys_decode(s.data, 23, &keys), 0, "READ KEYS cut in the second");
        ok(keys.count == 2 && pr_keys_next(&keys, &key) && !pr_keys_next(&keys, &key), "two there, one here");
        is_int(pr_keys_decode(s.data, 7, &keys), -EBADMSG, "READ KEYS without its header");
        s.data[7] = 9;
        is_int(pr_keys_decode(s.data, 24, &keys), -EBADMSG, "half a key");

        script_play(&s, "h in 1");
        is_int(pr_reservation_decode(s.data, 24, &reservation), 0, "READ RESERVATION");
        ok(reservation.reserved && reservation.key == 0x22 && reservation.type == 6 && reservation.scope == 0, "EA-RO");
        is_int(pr_reservation_decode(s.data, 21, &reservation), -EBADMSG, "READ RESERVATION cut");
        s.data[7] = 8;
        is_int(pr_reservation_decode(s.data, 24, &reservation), -EBADMSG, "a length it cannot have");
        s.data[7] = 0;
        is_int(pr_reservation_decode(s.data, 8, &reservation), 0, "READ RESERVATION, none");
        ok(!reservation.reserved && reservation.key == 0, "none");

        script_play(&s, "h in 2");
        is_int(pr_capabilities_decode(s.data, 8, &capabilities), 0, "REPORT CAPABILITIES");
        ok(!capabilities.rlr_c && !capabilities.crh && capabilities.sip_c && capabilities.atp_c &&
                   capabilities.ptpl_c && capabilities.tmv && capabilities.ptpl_a,
           "its bits");
        ok(capabilities.allow_commands == 1 && capabilities.types == PR_TYPES_ALL, "its fields");
        is_int(pr_capabilities_decode(s.data, 5, &capabilities), -EBADMSG, "REPORT CAPABILITIES cut");
        s.data[1] = 7;
        is_int(pr_capabilities_decode(s.data, 8, &capabilities), -EBADMSG, "REPORT CAPABILITIES, a LENGTH of 7");

        script_play(&s, "h in 3");
        is_int(pr_full_status_decode(s.data, s.result.data_size, &list), 0, "READ FULL STATUS");
        is_int(list.length, 112, "two descriptors");
        ok(pr_full_status_next(&list, &d) && d.key == 0x11 && !d.holder && d.type == 0 && d.port == 1 && d.known &&
                   transportid_equal(&d.initiator, &s.initiators[0]),
           "the first");
        ok(pr_full_status_next(&list, &d) && d.key == 0x22 && d.holder && d.type == 6 && d.known &&
                   transportid_equal(&d.initiator, &s.initiators[1]),
           "the second");
        ok(!pr_full_status_next(&list, &d), "no third");
        is_int(pr_full_status_decode(s.data, 119, &list), 0, "READ FULL STATUS cut");
        ok(pr_full_status_next(&list, &d) && !pr_full_status_next(&list, &d), "one is whole");
        is_int(pr_full_status_decode(s.data, 7, &list), -EBADMSG, "READ FULL STATUS without its header");
        s.data[32] = 0x8f;
        is_int(pr_full_status_decode(s.data, 120, &list), 0, "a TransportID of no known kind");
        ok(pr_full_status_next(&list, &d) && !d.known && d.key == 0x11, "is passed over");
}

static void check_crh(void)
{
        static struct script s;

        script_start(&s);
        s.config.crh = true;
        script_play(&s, "a in 2");
        is_bytes(s.data, "\0\x08\x1d\x90\xea\x01\0\0", 8, "REPORT CAPABILITIES with CRH");
        script_play(&s, "a in 0");
        struct engine_command command = {
                .cdb = (uint8_t[PR_CDB_SIZE]){ 0x5e, 0, 0, 0, 0, 0, 0, 0xff, 0xff }, .data = s.data, .data_size = 5,
        };
        static struct engine_state next;
        engine_run(&s.config, &command, &s.state, &next, &s.result);
        is_int(s.result.data_size, 5, "no more than there is room for");
}

static void check_lists(void)
{
        uint8_t bytes[128], id[24] = { 0 };
        struct pr_out_list move = {
                .key = 1, .action_key = 2, .unreg = true, .aptpl = true, .port = 0x1234,
                .transportids = id, .transportids_size = sizeof id,
        };
        struct pr_out_list back;
        struct writer w = writer_over(bytes, sizeof bytes);

        pr_out_list_encode(PR_OUT_REGISTER_AND_MOVE, &move, &w);
        is_int(w.length, 48, "REGISTER AND MOVE's list");
        is_bytes(bytes, "\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\2\0\3\x12\x34\0\0\0\x18\0\0\0\0", 28, "its bytes");
        is_int(pr_out_list_decode(PR_OUT_REGISTER_AND_MOVE, bytes, 48, &back), 0, "and back");
        ok(back.key == 1 && back.action_key == 2 && back.unreg && back.aptpl && back.port == 0x1234 &&
                   back.transportids == bytes + 24 && back.transportids_size == 24 && !back.spec_i_pt,
           "the same");

        struct pr_out_list spec = move;
        spec.spec_i_pt = spec.all_tg_pt = true;
        w = writer_over(bytes, sizeof bytes);
        pr_out_list_encode(PR_OUT_REGISTER, &spec, &w);
        is_int(w.length, 52, "a list with SPEC_I_PT");
        is_bytes(bytes, "\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\2\0\0\0\0\x0d\0\0\0\0\0\0\x18", 28, "its bytes");
        is_int(pr_out_list_decode(PR_OUT_REGISTER, bytes, 52, &back), 0, "and back");
        ok(back.spec_i_pt && back.all_tg_pt && back.aptpl && back.transportids == bytes + 28, "the same");

        spec.spec_i_pt = false;
        w = writer_over(bytes, sizeof bytes);
        pr_out_list_encode(PR_OUT_RESERVE, &spec, &w);
        is_int(w.length, 24, "the basic list");
        memset(bytes + 16, 0xf2, 8);
        is_int(pr_out_list_decode(PR_OUT_RESERVE, bytes, 24, &back), 0, "obsolete and reserved bits are not looked at");
        ok(!back.spec_i_pt && !back.all_tg_pt && !back.aptpl, "none of the flags");
}

int main(void)
{
        check_responses();
        check_decoding();
        check_crh();
        check_lists();
        return done();
}
