/* SPDX-License-Identifier: BSD-2-Clause */
/* The typed reports: decoded, read again where they were cut, and what contradicts itself refused. */
#include <errno.h>
#include <stdlib.h>

#include "manager_fake.h"
#include "scsi/pr_in.h"

/* A response, or a list of keys that changes from read to read. */
static struct {
        uint8_t bytes[70000];
        size_t size;
        uint32_t keys[16]; /* how many there are at each read; the last one stays */
        uint32_t lengths[16]; /* the allocation lengths that came */
} device;

static void respond(struct fake *fake, const struct pr_command *command, struct prm_result *ret_result)
{
        (void)fake;
        fake_data(command, ret_result, device.bytes, device.size);
}

static void respond_keys(struct fake *fake, const struct pr_command *command, struct prm_result *ret_result)
{
        struct writer w = writer_over(device.bytes, sizeof device.bytes);
        int read = fake->commands - 1;
        uint32_t count = device.keys[read];

        device.lengths[read] = command->cdb.length;
        write_be32(&w, (uint32_t)fake->commands);
        write_be32(&w, count * 8);
        for (uint64_t i = 1; i <= count; i++)
                write_be64(&w, i);
        fake_data(command, ret_result, device.bytes, w.length);
}

/* READ KEYS where the list is this long at each read. */
static struct prm_keys read_keys(uint32_t transfer_max, const uint32_t *counts, size_t reads, int *ret_commands)
{
        struct fake fake;
        struct prm_keys keys = { 0 };
        struct prm_result result;

        for (size_t i = 0; i < 16; i++)
                device.keys[i] = counts[i < reads ? i : reads - 1];
        fake_init(&fake, transfer_max, respond_keys);
        const struct prm_nexus nexus = fake_nexus(&fake, 0);
        is_int(prm_read_keys(&nexus, &keys, &result), 0, "READ KEYS of %u, up to %u bytes", counts[0], transfer_max);
        *ret_commands = fake.commands;
        return keys;
}

#define READ_KEYS(max, commands, ...)                                                    \
        read_keys(max, (const uint32_t[]){ __VA_ARGS__ },                                \
                  sizeof((const uint32_t[]){ __VA_ARGS__ }) / sizeof(uint32_t), commands)

static void test_keys(void)
{
        int n;
        struct prm_keys k = READ_KEYS(PRM_TRANSFER_MAX, &n, 0);

        ok(n == 1 && k.count == 0 && k.total == 0 && !k.truncated && k.generation == 1, "none");
        prm_keys_free(&k);
        k = READ_KEYS(PRM_TRANSFER_MAX, &n, 3);
        ok(n == 1 && k.count == 3 && k.total == 3 && !k.truncated && k.keys[0] == 1 && k.keys[2] == 3, "three");
        prm_keys_free(&k);
        ok(!k.keys && k.count == 0, "freed");
        k = READ_KEYS(PRM_TRANSFER_MAX, &n, 1023);
        ok(n == 1 && k.count == 1023 && !k.truncated, "as many as fit");
        prm_keys_free(&k);
        k = READ_KEYS(PRM_TRANSFER_MAX, &n, 1024);
        ok(n == 1 && k.count == 1023 && k.total == 1024 && k.truncated, "one more: it is said");
        prm_keys_free(&k);

        k = READ_KEYS(UINT16_MAX, &n, 1024);
        ok(n == 2 && k.count == 1024 && !k.truncated && k.generation == 2, "a class that carries more reads again");
        ok(device.lengths[0] == PRM_TRANSFER_MAX && device.lengths[1] == 8 + 8 * 1024 + 1024, "with a longer buffer");
        prm_keys_free(&k);
        k = READ_KEYS(UINT16_MAX, &n, 1024, 2000, 2100);
        ok(n == 3 && k.count == 2100 && !k.truncated && k.generation == 3, "and again where the list grew meanwhile");
        prm_keys_free(&k);
        k = READ_KEYS(UINT16_MAX, &n, 1024, 2);
        ok(n == 2 && k.count == 2 && k.total == 2 && !k.truncated, "or takes it where it shrank");
        prm_keys_free(&k);
        k = READ_KEYS(UINT16_MAX, &n, 8190);
        ok(n == 2 && k.count == 8190 && !k.truncated, "65528 bytes fit");
        prm_keys_free(&k);
        k = READ_KEYS(UINT16_MAX, &n, 8200);
        ok(n == 2 && k.count == 8190 && k.total == 8200 && k.truncated, "what never fits is said");
        prm_keys_free(&k);
        k = READ_KEYS(UINT16_MAX, &n, 1024, 1200, 1400, 1600, 1800, 2000, 2200, 2400, 2600);
        ok(n == 8 && k.truncated && k.total == 2400 && k.count > 2000, "a list that always grows is not chased for ever");
        prm_keys_free(&k);
}

enum { EVERY = 5 };

/* Each read gets EVERY unit attentions first, whose qualifiers count all of them. */
static void respond_attentions(struct fake *fake, const struct pr_command *command, struct prm_result *ret_result)
{
        struct writer w = writer_over(device.bytes, sizeof device.bytes);
        int number = fake->commands - 1;

        if (number % (EVERY + 1) < EVERY) {
                fake_sense(ret_result, SENSE(6, 0x2a, (uint8_t)number));
                return;
        }
        write_be32(&w, 1);
        write_be32(&w, 1024 * 8);
        write_zeros(&w, 1024 * 8);
        fake_data(command, ret_result, device.bytes, w.length);
}

/* What the first read was told is not forgotten with what it read. */
static void test_attentions(void)
{
        struct fake fake;
        struct prm_keys keys;
        struct prm_result result;
        bool oldest = true;

        fake_init(&fake, UINT16_MAX, respond_attentions);
        const struct prm_nexus nexus = fake_nexus(&fake, EVERY);
        is_int(prm_read_keys(&nexus, &keys, &result), 0, "READ KEYS that is read again");
        is_int(result.unit_attentions, 2 * EVERY, "has the unit attentions of both reads");
        for (int i = 0; i < PRM_UNIT_ATTENTIONS_MAX; i++)
                oldest &= result.unit_attention[i].ascq == i + (i >= EVERY);
        ok(oldest && fake.commands == 2 * (EVERY + 1), "the oldest first, as many as there is room for");
        prm_keys_free(&keys);

        fake_init(&fake, PRM_TRANSFER_MAX, respond_attentions);
        is_int(prm_read_keys(&nexus, &keys, &result), 0, "READ KEYS that is not read again");
        ok(result.unit_attentions == EVERY && result.unit_attention[EVERY - 1].ascq == EVERY - 1 &&
                   result.unit_attention[EVERY].key == 0, "has its own");
        prm_keys_free(&keys);
}

/* What a report of these bytes ends with. */
static void test_refused(void)
{
        static const struct {
                const char *name;
                enum pr_in_action action;
                size_t size;
                uint8_t bytes[40];
        } bad[] = {
                { "READ KEYS, nothing", PR_IN_READ_KEYS, 0, { 0 } },
                { "READ KEYS, half a header", PR_IN_READ_KEYS, 7, { 0 } },
                { "READ KEYS, half a key", PR_IN_READ_KEYS, 12, { [7] = 4 } },
                { "READ RESERVATION, nothing", PR_IN_READ_RESERVATION, 0, { 0 } },
                { "READ RESERVATION, cut", PR_IN_READ_RESERVATION, 16, { [7] = 16 } },
                { "READ RESERVATION, another length", PR_IN_READ_RESERVATION, 40, { [7] = 32 } },
                { "REPORT CAPABILITIES, cut", PR_IN_REPORT_CAPABILITIES, 5, { [1] = 8 } },
                { "REPORT CAPABILITIES, another length", PR_IN_REPORT_CAPABILITIES, 8, { [1] = 6 } },
                { "READ FULL STATUS, half a header", PR_IN_READ_FULL_STATUS, 4, { 0 } },
                { "READ FULL STATUS, half a descriptor", PR_IN_READ_FULL_STATUS, 18, { [7] = 10 } },
                { "READ FULL STATUS, a TransportID beyond the end", PR_IN_READ_FULL_STATUS, 32,
                  { [7] = 24, [31] = 1 } },
        };
        struct fake fake;

        fake_init(&fake, PRM_TRANSFER_MAX, respond);
        const struct prm_nexus nexus = fake_nexus(&fake, 0);
        for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
                struct prm_keys keys;
                struct prm_reservation reservation;
                struct prm_capabilities capabilities;
                struct prm_full_status status;
                struct prm_result result, before;
                memset(&result, 0x77, sizeof result);
                memcpy(&before, &result, sizeof before);
                memcpy(device.bytes, bad[i].bytes, sizeof bad[i].bytes);
                device.size = bad[i].size;
                int r = bad[i].action == PR_IN_READ_KEYS          ? prm_read_keys(&nexus, &keys, &result) :
                        bad[i].action == PR_IN_READ_RESERVATION   ? prm_read_reservation(&nexus, &reservation, &result) :
                        bad[i].action == PR_IN_REPORT_CAPABILITIES ? prm_report_capabilities(&nexus, &capabilities, &result) :
                                                                    prm_read_full_status(&nexus, &status, &result);
                is_int(r, -EBADMSG, "%s", bad[i].name);
                ok(memcmp(&result, &before, sizeof result) == 0, "%s: result untouched", bad[i].name);
        }
}

static void test_small(void)
{
        struct prm_reservation reservation = { .key = 77 };
        struct prm_capabilities c;
        struct prm_result result;
        struct fake fake;

        fake_init(&fake, PRM_TRANSFER_MAX, respond);
        const struct prm_nexus nexus = fake_nexus(&fake, 0);
        memcpy(device.bytes, (uint8_t[24]){ [3] = 9, [7] = 16, [8] = 0xde, [15] = 0xad, [21] = 0x05 }, 24);
        device.size = 24;
        is_int(prm_read_reservation(&nexus, &reservation, &result), 0, "READ RESERVATION");
        ok(reservation.generation == 9 && reservation.reserved && reservation.type == 5 && reservation.scope == 0 &&
                   reservation.key == UINT64_C(0xde000000000000ad), "decoded");
        device.bytes[7] = 0;
        is_int(prm_read_reservation(&nexus, &reservation, &result), 0, "READ RESERVATION, none");
        ok(!reservation.reserved && reservation.key == 0 && reservation.generation == 9, "decoded");

        memcpy(device.bytes, (uint8_t[8]){ 0, 8, 0x8d, 0x91, 0xea, 0x01 }, 8);
        device.size = 8;
        is_int(prm_report_capabilities(&nexus, &c, &result), 0, "REPORT CAPABILITIES");
        ok(c.replace_lost && !c.compatible_handling && c.specify_initiator_ports && c.all_target_ports &&
                   c.persist_through_power_loss && c.persistence_active && c.type_mask_valid &&
                   c.allow_commands == 1 && c.types == 0x1ea, "decoded");
}

/* Three registrations: iSCSI holder, SAS for all target ports, and a TransportID of no known protocol. */
static size_t full_status(uint8_t *bytes, size_t room)
{
        struct pr_full_status a = { .key = 0xa1, .holder = true, .type = 5, .port = 1 };
        struct pr_full_status b = { .key = 0xb2, .all_tg_pt = true, .initiator = { .protocol = 6, .id = { 0x50 } } };
        struct writer w = writer_over(bytes, room), counter = writer_over(NULL, 0);

        transportid_from_name("iqn.2000-01.org.example:a", &a.initiator);
        pr_full_status_encode(&a, &counter);
        pr_full_status_encode(&b, &counter);
        pr_full_status_encode(&b, &counter);
        const struct pr_in_header header = { 4, (uint32_t)counter.length };
        pr_in_header_encode(&header, &w);
        pr_full_status_encode(&a, &w);
        pr_full_status_encode(&b, &w);
        pr_full_status_encode(&b, &w);
        bytes[w.length - 24] = 0x07;
        return w.length;
}

static void test_full_status(void)
{
        struct prm_full_status status;
        struct prm_result result;
        struct prm_transport_id a;
        struct fake fake;

        fake_init(&fake, PRM_TRANSFER_MAX, respond);
        const struct prm_nexus nexus = fake_nexus(&fake, 0);
        device.size = full_status(device.bytes, sizeof device.bytes);
        is_int(prm_read_full_status(&nexus, &status, &result), 0, "READ FULL STATUS");
        ok(status.count == 3 && status.generation == 4 && !status.truncated, "three registrations");
        const struct prm_registrant *r = status.registrants;
        prm_transport_id_parse("iqn.2000-01.org.example:a", &a);
        ok(r[0].key == 0xa1 && r[0].holder && r[0].type == 5 && r[0].target_port == 1 && r[0].initiator_known &&
                   prm_transport_id_equal(&r[0].initiator, &a), "the holder");
        ok(r[1].key == 0xb2 && !r[1].holder && r[1].type == 0 && r[1].all_target_ports && r[1].initiator_known &&
                   r[1].initiator.protocol == PRM_PROTOCOL_SAS, "one for all target ports");
        ok(r[2].key == 0xb2 && !r[2].initiator_known, "one whose TransportID is not known");
        prm_full_status_free(&status);
        ok(!status.registrants, "freed");

        size_t whole = device.size;
        for (device.size = 8; device.size < whole; device.size++) {
                int r_cut = prm_read_full_status(&nexus, &status, &result);
                if (r_cut != 0 || !status.truncated || status.count > 2)
                        break;
                prm_full_status_free(&status);
        }
        is_int(device.size, whole, "cut at any byte it is truncated");
}

static void refuse(struct fake *fake, const struct pr_command *command, struct prm_result *ret_result)
{
        (void)fake, (void)command;
        fake_sense(ret_result, SENSE(5, 0x24, 0));
}

static void test_status(void)
{
        struct prm_full_status status = { .count = 77 };
        struct prm_keys keys = { .count = 77 };
        struct prm_reservation reservation = { .key = 77 };
        struct prm_capabilities capabilities = { .types = 77 };
        const struct prm_nexus none = { 0 };
        struct prm_result result;
        struct fake fake;

        fake_init(&fake, PRM_TRANSFER_MAX, refuse);
        const struct prm_nexus nexus = fake_nexus(&fake, 0);
        ok(prm_read_full_status(&nexus, &status, &result) == 0 && result.sense.asc == 0x24 && status.count == 77,
           "READ FULL STATUS that the device does not have");
        ok(prm_read_keys(&nexus, &keys, &result) == 0 && result.status == 2 && keys.count == 77, "READ KEYS");
        ok(prm_read_reservation(&nexus, &reservation, &result) == 0 && result.status == 2 && reservation.key == 77,
           "READ RESERVATION");
        ok(prm_report_capabilities(&nexus, &capabilities, &result) == 0 && result.status == 2 &&
                   capabilities.types == 77, "REPORT CAPABILITIES");
        ok(prm_read_keys(&none, &keys, &result) == -EINVAL && prm_read_reservation(&none, &reservation, &result) == -EINVAL,
           "no manager");
}

int main(void)
{
        test_keys();
        test_attentions();
        test_refused();
        test_small();
        test_full_status();
        test_status();
        return done();
}
