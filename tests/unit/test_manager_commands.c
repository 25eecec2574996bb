/* SPDX-License-Identifier: BSD-2-Clause */
/* The typed commands, byte for byte; unit attentions retried; results and names as text. */
#include <errno.h>
#include <stdlib.h>

#include "manager_fake.h"

#define ISCSI "iqn.2000-01.org.example:a"

static char sent[2 * PRM_TRANSFER_MAX + 64]; /* the last command: CDB and list in hex */

static void record(struct fake *fake, const struct pr_command *command, struct prm_result *ret_result)
{
        char *to = sent;

        (void)fake, (void)ret_result;
        for (size_t i = 0; i < 10; i++)
                to += sprintf(to, "%02x", command->bytes[i]);
        *to++ = ' ';
        for (size_t i = 0; i < command->cdb.length; i++)
                to += sprintf(to, "%02x", command->data[i]);
        *to = '\0';
}

/* RESERVATION KEY 0102030405060708h, SERVICE ACTION RESERVATION KEY a1h, and byte 20. */
#define LIST(flags) "010203040506070800000000000000a100000000" flags "000000"
#define KEY UINT64_C(0x0102030405060708)

static void test_bytes(void)
{
        struct fake fake;
        struct prm_result r;
        struct prm_transport_id id;

        fake_init(&fake, PRM_TRANSFER_MAX, record);
        const struct prm_nexus nexus = fake_nexus(&fake, 0), *n = &nexus;
        prm_transport_id_parse("sas:0x5000c50012345678", &id);

#define SENDS(call, cdb, list)                                                  \
        is_int(call, 0, "%s", #call);                                           \
        is_string(sent, cdb " " list, "%s: bytes", #call)

        SENDS(prm_register(n, KEY, 0xa1, 0, &r), "5f000000000000001800", LIST("00"));
        SENDS(prm_register(n, KEY, 0xa1, PRM_APTPL, &r), "5f000000000000001800", LIST("01"));
        SENDS(prm_register(n, KEY, 0xa1, PRM_ALL_TARGET_PORTS, &r), "5f000000000000001800", LIST("04"));
        SENDS(prm_register_and_ignore(n, 0xa1, PRM_APTPL | PRM_ALL_TARGET_PORTS, &r), "5f060000000000001800",
              "000000000000000000000000000000a10000000005000000");
        SENDS(prm_reserve(n, KEY, PRM_WRITE_EXCLUSIVE, &r), "5f010100000000001800",
              "010203040506070800000000000000000000000000000000");
        SENDS(prm_release(n, KEY, PRM_EXCLUSIVE_ACCESS_ALL_REGISTRANTS, &r), "5f020800000000001800",
              "010203040506070800000000000000000000000000000000");
        SENDS(prm_clear(n, KEY, &r), "5f030000000000001800", "010203040506070800000000000000000000000000000000");
        SENDS(prm_preempt(n, KEY, 0xa1, PRM_EXCLUSIVE_ACCESS, &r), "5f040300000000001800", LIST("00"));
        SENDS(prm_preempt_and_abort(n, KEY, 0xa1, PRM_WRITE_EXCLUSIVE_REGISTRANTS_ONLY, &r),
              "5f050500000000001800", LIST("00"));
        SENDS(prm_register_and_move(n, KEY, 0xa1, &id, 0x102, PRM_UNREGISTER | PRM_APTPL, &r),
              "5f070000000000003000", "010203040506070800000000000000a10003010200000018"
              "060000005000c50012345678000000000000000000000000");
        SENDS(prm_register_ports(n, 0xa1, 0, &id, 1, &r), "5f000000000000003400",
              "000000000000000000000000000000a1000000000800000000000018"
              "060000005000c50012345678000000000000000000000000");
        SENDS(prm_register_ports(n, 0xa1, 0, NULL, 0, &r), "5f000000000000001c00",
              "000000000000000000000000000000a1000000000800000000000000");
}

static void test_arguments(void)
{
        static struct prm_transport_id ids[400];
        struct fake fake;
        struct prm_result r;

        fake_init(&fake, PRM_TRANSFER_MAX, record);
        const struct prm_nexus nexus = fake_nexus(&fake, 0), none = { NULL, 0, 0, 0 };
        is_int(prm_reserve(&nexus, 1, PRM_NONE, &r), -EINVAL, "RESERVE without a type");
        is_int(prm_reserve(&nexus, 1, (enum prm_type)2, &r), -EINVAL, "RESERVE with an obsolete type");
        is_int(prm_preempt(&nexus, 1, 2, (enum prm_type)16, &r), -EINVAL, "PREEMPT with a type that is no nibble");
        is_int(prm_register(&nexus, 1, 2, PRM_UNREGISTER, &r), -EINVAL, "REGISTER with another's flag");
        is_int(prm_register_and_ignore(&nexus, 2, 1 << 9, &r), -EINVAL, "a flag that is none");
        is_int(prm_clear(&none, 1, &r), -EINVAL, "no manager");
        for (int i = 0; i < 400; i++)
                ids[i].protocol = PRM_PROTOCOL_SAS;
        is_int(prm_register_ports(&nexus, 1, 0, ids, 340, &r), 0, "340 SAS ports fit");
        is_int(prm_register_ports(&nexus, 1, 0, ids, 341, &r), -EMSGSIZE, "341 do not");
        is_int(prm_register_ports(&nexus, 1, 0, ids, 400, &r), -EMSGSIZE, "400 do not");
        ids[0].protocol = 7;
        is_int(prm_register_ports(&nexus, 1, 0, ids, 1, &r), -EINVAL, "a protocol without TransportIDs");
        ids[0].protocol = PRM_PROTOCOL_ISCSI;
        is_int(prm_register_and_move(&nexus, 1, 2, ids, 1, 0, &r), -EINVAL, "an iSCSI name that is none");
        memset(ids[0].name, 'x', sizeof ids[0].name);
        is_int(prm_register_and_move(&nexus, 1, 2, ids, 1, 0, &r), 0, "a name without an end is cut");
        is_int(fake.commands, 2, "what is refused is not sent");
}

/* As many unit attentions as *opaque says, and GOOD. */
static void attend(struct fake *fake, const struct pr_command *command, struct prm_result *ret_result)
{
        int *left = fake->opaque;

        (void)command;
        if (*left > 0)
                fake_sense(ret_result, SENSE(6, 0x29, (uint8_t)--*left));
}

static void test_unit_attentions(void)
{
        struct prm_result r;
        struct fake fake;
        int left = 1;

        fake_init(&fake, PRM_TRANSFER_MAX, attend);
        fake.opaque = &left;
        struct prm_nexus nexus = fake_nexus(&fake, 0);
        is_int(prm_clear(&nexus, 1, &r), 0, "a unit attention");
        ok(prm_result_is_unit_attention(&r) && r.unit_attentions == 0 && fake.commands == 1, "is returned");

        left = 3;
        nexus.unit_attention_retries = 2;
        is_int(prm_clear(&nexus, 1, &r), 0, "three, and two are retried");
        ok(prm_result_is_unit_attention(&r) && r.sense.ascq == 0, "the third is returned");
        ok(r.unit_attentions == 2 && r.unit_attention[0].ascq == 2 && r.unit_attention[1].ascq == 1,
           "the others are told");

        left = 20;
        fake.commands = 0;
        nexus.unit_attention_retries = 100;
        is_int(prm_clear(&nexus, 1, &r), 0, "twenty, and all are retried");
        ok(r.status == PRM_GOOD && r.unit_attentions == 20 && fake.commands == 21, "GOOD in the end");
        is_int(r.unit_attention[PRM_UNIT_ATTENTIONS_MAX - 1].ascq, 12, "the first eight are told");
}

/* Sense that is no unit attention, and the way that failed, are not tried again. */
static void fail(struct fake *fake, const struct pr_command *command, struct prm_result *ret_result)
{
        (void)command;
        if (fake->opaque)
                result_unavailable(ret_result, -ETIMEDOUT, true, "late");
        else
                fake_sense(ret_result, SENSE(0xb, 0x29, 0));
}

static void test_no_retry(void)
{
        struct prm_result r;
        struct fake fake;

        fake_init(&fake, PRM_TRANSFER_MAX, fail);
        const struct prm_nexus nexus = fake_nexus(&fake, 10);
        prm_clear(&nexus, 1, &r);
        is_int(fake.commands, 1, "ABORTED COMMAND is not retried");
        fake.opaque = &fake;
        prm_clear(&nexus, 1, &r);
        is_int(fake.commands, 2, "nor what may have been carried out");
}

static void test_text(void)
{
        char text[PRM_TEXT_SIZE], small[8];
        struct prm_result r = { 0 };

        prm_result_format(&r, text, sizeof text);
        is_string(text, "GOOD", "GOOD as text");
        r.status = PRM_RESERVATION_CONFLICT;
        prm_result_format(&r, small, sizeof small);
        is_string(small, "RESERVA", "a conflict, cut");
        r.status = 0x99;
        prm_result_format(&r, text, sizeof text);
        is_string(text, "status 99h", "a status of no name");
        fake_sense(&r, SENSE(5, 0x26, 4));
        prm_result_format(&r, text, sizeof text);
        is_string(text, "CHECK CONDITION: 5/26/04 invalid release of persistent reservation", "sense");
        fake_sense(&r, SENSE(0xb, 0xf0, 0x1f));
        prm_result_format(&r, text, sizeof text);
        is_string(text, "CHECK CONDITION: B/F0/1F", "sense of no name");
        result_unavailable(&r, -ECONNRESET, true, "gone");
        prm_result_format(&r, text, sizeof text);
        is_string(text, "gone; the command may have been carried out", "a way that failed");
        r = (struct prm_result){ .status = PRM_RESERVATION_CONFLICT, .in_doubt = true };
        prm_result_format(&r, text, sizeof text);
        is_string(text, "RESERVATION CONFLICT; the command may have been carried out", "a doubtful conflict");
        is_string(prm_status_name(0x28), "TASK SET FULL", "a status by its name");
        ok(!prm_sense_name((struct prm_sense){ 1, 2, 3 }), "a sense of no name");
}

static void test_types(void)
{
        static const struct {
                const char *text;
                int type; /* -1: none */
        } types[] = {
                { "1", 1 }, { "3", 3 }, { "5", 5 }, { "6", 6 }, { "7", 7 }, { "8", 8 }, { "WE", 1 }, { "ea", 3 },
                { "WERO", 5 }, { "EARO", 6 }, { "WEAR", 7 }, { "eaar", 8 }, { "write-exclusive", 1 },
                { "Exclusive-Access", 3 }, { "write-exclusive-registrants-only", 5 },
                { "exclusive-access-registrants-only", 6 }, { "write-exclusive-all-registrants", 7 },
                { "exclusive-access-all-registrants", 8 }, { "0", -1 }, { "2", -1 }, { "9", -1 }, { "", -1 },
                { "none", -1 }, { "WEA", -1 }, { "01", -1 },
        };

        for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
                enum prm_type type = PRM_NONE;
                int r = prm_type_parse(types[i].text, &type);
                ok(types[i].type < 0 ? r == -EINVAL && type == PRM_NONE : r == 0 && (int)type == types[i].type,
                   "type '%s'", types[i].text);
        }
        is_string(prm_type_name(0), "none", "no type");
        is_string(prm_type_short_name(8), "EAAR", "a short name");
        ok(!prm_type_name(2) && !prm_type_name(9) && !prm_type_short_name(4) && !prm_type_name(UINT32_MAX),
           "what is no type has no name");
}

static void test_transport_ids(void)
{
        static const char *const good[] = {
                ISCSI, ISCSI ",i,0x00023d000001", "fc:0x2100001b32000001", "sas:0x5000c50012345678",
                "srp:0x000102030405060708090a0b0c0d0e0f", "sbp:0x0001020304050607", "sop:0x0100", "spi:7,65535",
                "iqn.a\\xfe,i,0x00023d000001", "iqn.\\x5cxfe", "\\x66c:0x2100001b32000001", "\\x73pi:7",
        };
        static const char *const bad[] = {
                "", "a b", "a,b", ISCSI ",i,0x1234", ISCSI ",i,0x", "fc:0x21", "fc:0x2100001b3200000g",
                "fc:0x2100001b320000011", "spi:7", "spi:7,", "spi:65536,1", "spi:1,1x", "sop:0x010",
                "iqn\\", "iqn\\x4", "iqn\\y41", "iqn\\x4g", "iqn\\x00", "iqn\\x20a", "iqn\\x2ca", "iqn\\x4,i,0x00023d000001",
        };
        struct prm_transport_id id, again;
        char text[PRM_TRANSPORT_TEXT_SIZE], name[300];

        for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
                is_int(prm_transport_id_parse(good[i], &id), 0, "'%s'", good[i]);
                prm_transport_id_format(&id, text, sizeof text);
                is_string(text, good[i], "'%s' and back", good[i]);
                ok(prm_transport_id_parse(text, &again) == 0 && prm_transport_id_equal(&id, &again),
                   "'%s' equals itself", good[i]);
        }
        for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
                is_int(prm_transport_id_parse(bad[i], &id), -EINVAL, "'%s' is none", bad[i]);
        memset(name, 'n', sizeof name);
        name[223] = '\0';
        is_int(prm_transport_id_parse(name, &id), 0, "a name of 223 bytes");
        name[223] = 'n';
        name[224] = '\0';
        is_int(prm_transport_id_parse(name, &id), -EINVAL, "not of 224");
        prm_transport_id_parse("fc:0x2100001b32000001", &id);
        prm_transport_id_parse("sas:0x2100001b32000001", &again);
        ok(!prm_transport_id_equal(&id, &again), "the protocol counts");
}

int main(void)
{
        test_bytes();
        test_arguments();
        test_unit_attentions();
        test_no_retry();
        test_text();
        test_types();
        test_transport_ids();
        return done();
}
