/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The library against a helper that says anything: a result is what the helper
 * sent, a command is sent once, and what is in doubt is said to be.
 *
 * Input: how many bytes are calls; these; then what the server does (server.c).
 */
#include <errno.h>
#include <fcntl.h>
#include <scsi/sg.h>
#include <unistd.h>

#include "fuzz.h"
#include "prmanager.h"
#include "server.h"

enum { CALLS_MAX = 24 };

static int connected;

static void status_changed(struct prm_manager *manager, bool now, void *opaque)
{
        (void)manager, (void)opaque;
        fuzz_check(connected != now, "told twice that it is %d", now);
        connected = now;
}

static void check_text(const char *text)
{
        for (; *text != '\0'; text++)
                fuzz_check((unsigned char)*text >= 0x20 && *text != 0x7f, "control character in '%s'", text);
}

/* Of any call: its text, and that an error is told as it has to be. */
static void check_result(const struct prm_result *result)
{
        char text[PRM_TEXT_SIZE];

        fuzz_check(memchr(result->text, '\0', sizeof result->text) != NULL, "no end of text");
        check_text(result->text);
        prm_result_format(result, text, sizeof text);
        check_text(text);
        fuzz_check(text[0] != '\0', "nothing to say");
        fuzz_check(result->status == PRM_GOOD || result->size == 0, "data with %#x", result->status);
        if (result->error != 0)
                fuzz_check(result->error < 0 && result->text[0] != '\0' &&
                           result->status == PRM_CHECK_CONDITION && result->sense.key == 0xb,
                           "error %d, status %#x", result->error, result->status);
        if (result->status != PRM_CHECK_CONDITION)
                for (size_t i = 0; i < PRM_SENSE_SIZE; i++)
                        fuzz_check(result->sense_data[i] == 0, "sense with %#x", result->status);
}

/* Of a single command, OUT or IN: what the server saw of it. */
static void check_command(const struct prm_result *result, bool out, const uint8_t *data)
{
        unsigned requests = server_requests();
        bool unclear = result->sense.key == 0xb || (result->sense.key == 6 && result->sense.asc == 0x29);

        check_result(result);
        fuzz_check(requests <= 1, "sent %u times", requests);
        if (result->error != 0) {
                fuzz_check(result->in_doubt == (requests > 0), "in doubt %d, sent %u times", result->in_doubt,
                           requests);
        } else if (requests > 0) {
                fuzz_check(result->in_doubt == (out && unclear), "in doubt %d, sense %X/%02X",
                           result->in_doubt, result->sense.key, result->sense.asc);
                server_check_reply(result->status, result->size, data);
        } else {
                fuzz_check(!result->in_doubt && result->status == PRM_CHECK_CONDITION && result->text[0] != '\0',
                           "answered unsent");
        }
}

/* Any CDB, through prm_command() or as SG_IO has it. */
static void command(const struct prm_nexus *nexus, struct reader *r, bool sg)
{
        uint8_t cdb[PRM_CDB_SIZE], data[PRM_TRANSFER_MAX + 64] = { 0 }, sense[PRM_SENSE_SIZE] = { 0 };
        size_t size, room = read_be16(r) % sizeof data;
        const uint8_t *bytes = fuzz_bytes(r, PRM_CDB_SIZE, &size);
        struct prm_result result = { 0 };
        uint8_t *own = fuzz_copy(data, room);

        memset(cdb, 0, sizeof cdb);
        if (size > 0)
                memcpy(cdb, bytes, size);
        if (sg) {
                struct sg_io_hdr header = { .interface_id = 'S', .cmd_len = (unsigned char)size, .cmdp = cdb,
                                            .dxferp = own, .dxfer_len = (unsigned)room, .sbp = sense,
                                            .dxfer_direction = cdb[0] == 0x5f ? SG_DXFER_TO_DEV :
                                                                                SG_DXFER_FROM_DEV,
                                            .mx_sb_len = read_u8(r) % 97, .timeout = nexus->timeout_ms };
                if (prm_execute(nexus->manager, nexus->fd, &header) == 0) {
                        fuzz_check(header.host_status == 0 && header.resid >= 0 && header.resid <= (int)room &&
                                   header.sb_len_wr <= header.mx_sb_len, "header");
                        fuzz_check(header.status != PRM_GOOD || server_requests() == 1, "GOOD of nobody");
                }
        } else if (prm_command(nexus, cdb, size, own, room, &result) == 0) {
                check_command(&result, cdb[0] == 0x5f, own);
        }
        free(own);
}

static void read_lists(const struct prm_nexus *nexus, uint8_t op)
{
        struct prm_result result = { 0 };
        struct prm_keys keys = { 0 };
        struct prm_full_status status = { 0 };
        char text[PRM_TRANSPORT_TEXT_SIZE];

        if (op & 1) {
                if (prm_read_keys(nexus, &keys, &result) == 0) {
                        check_result(&result);
                        fuzz_check(keys.count <= keys.total && keys.truncated == (keys.count < keys.total), "keys");
                }
                prm_keys_free(&keys);
                return;
        }
        if (prm_read_full_status(nexus, &status, &result) == 0)
                check_result(&result);
        for (size_t i = 0; i < status.count; i++) {
                const struct prm_registrant *one = &status.registrants[i];
                if (one->initiator_known) {
                        struct prm_transport_id again;
                        prm_transport_id_format(&one->initiator, text, sizeof text);
                        check_text(text);
                        fuzz_check(prm_transport_id_parse(text, &again) == 0 &&
                                   prm_transport_id_equal(&one->initiator, &again), "'%s'", text);
                }
        }
        prm_full_status_free(&status);
}

static void read_small(const struct prm_nexus *nexus, uint8_t op)
{
        struct prm_result result = { 0 };
        struct prm_reservation reservation;
        struct prm_capabilities capabilities;
        int r = op & 1 ? prm_read_reservation(nexus, &reservation, &result) :
                         prm_report_capabilities(nexus, &capabilities, &result);

        if (r == 0)
                check_command(&result, false, NULL);
}

static void change(const struct prm_nexus *nexus, struct reader *r, uint8_t op)
{
        static const struct prm_transport_id ids[2] = {
                { .protocol = PRM_PROTOCOL_ISCSI, .name = "iqn.2026-11.org.example:a" },
                { .protocol = PRM_PROTOCOL_SAS, .id = { 0x50 } },
        };
        struct prm_result result = { 0 };
        uint64_t key = read_u8(r), other = read_u8(r);
        unsigned flags = read_u8(r);
        int done = -1;

        switch (op & 7) {
        case 0:
                done = prm_register(nexus, key, other, flags & 3, &result);
                break;
        case 1:
                done = prm_register_and_ignore(nexus, other, flags & 3, &result);
                break;
        case 2:
                done = prm_reserve(nexus, key, (enum prm_type)(flags & 15), &result);
                break;
        case 3:
                done = prm_release(nexus, key, (enum prm_type)(flags & 15), &result);
                break;
        case 4:
                done = prm_clear(nexus, key, &result);
                break;
        case 5:
                done = prm_preempt(nexus, key, other, (enum prm_type)(flags & 15), &result);
                break;
        case 6:
                done = prm_register_ports(nexus, other, flags & 3, ids, (flags >> 6) % 3, &result);
                break;
        default:
                done = prm_register_and_move(nexus, key, other, &ids[flags >> 7], 1, flags & 5, &result);
        }
        if (done == 0)
                check_command(&result, true, NULL);
}

static void move(const struct prm_nexus *nexus, struct reader *r)
{
        struct prm_move done = { 0 };
        uint64_t old_key = read_u8(r), new_key = read_u8(r);
        uint8_t flags = read_u8(r);

        if (prm_move(nexus, old_key, new_key, flags & 11, &done) < 0)
                return;
        check_result(&done.result);
        fuzz_check(done.state >= PRM_MOVE_DONE && done.state <= PRM_MOVE_LOST, "state %d", done.state);
        if (done.state == PRM_MOVE_DONE)
                fuzz_check(done.result.error == 0 && done.key == new_key, "done with error %d", done.result.error);
}

static void call(struct prm_manager *manager, struct prm_nexus nexus, struct reader *r)
{
        static const uint32_t timeouts[] = { 0, 900, 5000, PRM_NO_TIMEOUT };
        struct prm_error error = { "" };
        uint8_t op = read_u8(r);

        nexus.timeout_ms = timeouts[op >> 3 & 3];
        (void)server_requests();
        switch (op & 7) {
        case 0:
        case 1:
                command(&nexus, r, op & 1);
                break;
        case 2:
                read_lists(&nexus, op >> 5);
                break;
        case 3:
                read_small(&nexus, op >> 5);
                break;
        case 4:
                change(&nexus, r, op >> 5);
                break;
        case 5:
                move(&nexus, r);
                break;
        case 6:
                nexus.unit_attention_retries = op >> 5;
                read_lists(&nexus, op);
                break;
        default:
                if (prm_manager_connect(manager, &error) < 0)
                        check_text(error.text);
                fuzz_check(prm_manager_is_connected(manager) == connected, "connected");
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static const struct prm_property properties[] = { { "path", "/nowhere" }, { "timeout", "2" } };
        struct fuzz_fds before = fuzz_fds_look();
        struct reader r = reader_over(data, size), calls;
        struct prm_manager *manager;
        size_t calls_size;

        const uint8_t *bytes = fuzz_bytes(&r, read_u8(&r), &calls_size);
        calls = reader_over(bytes, calls_size);
        server_reset(r);
        connected = false;
        if (prm_manager_create("pr-manager-helper", NULL, properties, 2, &manager, NULL) < 0)
                abort();
        prm_manager_set_status_callback(manager, status_changed, NULL);
        struct prm_nexus nexus = { .manager = manager, .fd = open("/dev/null", O_RDWR | O_CLOEXEC) };
        for (int i = 0; i < CALLS_MAX && calls.left > 0 && !calls.failed; i++)
                call(manager, nexus, &calls);
        prm_manager_set_status_callback(manager, NULL, NULL);
        prm_manager_unref(manager);
        server_end();
        close(nexus.fd);
        fuzz_fds_check(&before);
        return 0;
}
