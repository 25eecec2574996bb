/* SPDX-License-Identifier: BSD-2-Clause */
/* Commands as SG_IO has them: what goes in, what comes back, and in the background. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <scsi/sg.h>
#include <semaphore.h>
#include <sys/eventfd.h>

#include "manager_server.h"

static int device;
static struct prm_manager *manager;

/* A command with everything that it needs. */
struct command {
        struct sg_io_hdr header;
        uint8_t cdb[PRM_CDB_SIZE], data[PRM_TRANSFER_MAX + 8], sense[PRM_SENSE_SIZE];
};

/* PERSISTENT RESERVE IN or OUT with its transfer length in bytes 7 and 8. */
static void prepare(struct command *c, bool out, uint16_t length)
{
        memset(c, 0, sizeof *c);
        memset(c->data, 0x55, sizeof c->data);
        c->cdb[0] = out ? 0x5f : 0x5e;
        c->cdb[1] = out ? 1 : 0;
        c->cdb[2] = out ? 3 : 0;
        c->cdb[7] = (uint8_t)(length >> 8);
        c->cdb[8] = (uint8_t)length;
        c->header = (struct sg_io_hdr){
                .interface_id = 'S', .cmd_len = 10, .cmdp = c->cdb, .mx_sb_len = sizeof c->sense, .sbp = c->sense,
                .dxfer_direction = length == 0 ? SG_DXFER_NONE : out ? SG_DXFER_TO_DEV : SG_DXFER_FROM_DEV,
                .dxfer_len = length, .dxferp = c->data, .timeout = 2000, .host_status = 77, .resid = 77,
        };
}

/* RESERVE answers CHECK CONDITION, RELEASE CONFLICT; all others well. What came is checked. */
static void serve(struct server *server, int sock)
{
        struct wire_request request;
        uint8_t list[PR_DATA_MAX];

        if (wire_accept_features(sock) != 0)
                return;
        while (server_read(server, sock, &request, list)) {
                if (request.bytes[10] != 0 || request.bytes[15] != 0)
                        return;
                if (!request.cdb.out)
                        server_keys(sock, &request);
                else if (list[0] == 0x55 && list[23] == 0x55 && request.cdb.action == PR_OUT_RESERVE)
                        server_reply(sock, 2, 0, SENSE(6, 0x2a, 5), NULL, 0);
                else
                        server_reply(sock, 0x18, 0, SENSE(0, 0, 0), NULL, 0);
        }
}

static void test_in(void)
{
        struct command c;

        prepare(&c, false, 256);
        is_int(prm_execute(manager, device, &c.header), 0, "READ KEYS");
        ok(c.header.status == 0 && c.header.masked_status == 0 && c.header.host_status == 0 &&
                   c.header.driver_status == 0 && c.header.sb_len_wr == 0 && c.header.info == SG_INFO_OK,
           "GOOD");
        is_int(c.header.resid, 256 - 16, "resid is what was not used");
        ok(c.data[3] == 7 && c.data[14] == 1 && c.data[16] == 0x55, "the data, and nothing behind it");

        prepare(&c, false, 256);
        c.header.dxfer_len = 9;
        is_int(prm_execute(manager, device, &c.header), 0, "a buffer shorter than the allocation length");
        ok(c.header.resid == 0 && c.data[8] == 0 && c.data[9] == 0x55, "is filled, and not overrun");

        prepare(&c, false, 8);
        c.header.dxfer_len = 100;
        is_int(prm_execute(manager, device, &c.header), 0, "an allocation length shorter than the buffer");
        is_int(c.header.resid, 92, "counts as not used");

        prepare(&c, false, 0);
        is_int(prm_execute(manager, device, &c.header), 0, "no data at all");
        ok(c.header.status == 0 && c.header.resid == 0, "GOOD");

        prepare(&c, false, PRM_TRANSFER_MAX);
        is_int(prm_execute(manager, device, &c.header), 0, "as much as there can be");
        is_int(c.header.resid, PRM_TRANSFER_MAX - 16, "most was not used");

        prepare(&c, false, PRM_TRANSFER_MAX + 1);
        is_int(prm_execute(manager, device, &c.header), 0, "more than there can be");
        ok(c.header.status == 2 && c.sense[2] == 5 && c.sense[12] == 0x24 && c.header.resid == PRM_TRANSFER_MAX + 1,
           "is an invalid field in CDB, and nothing was moved");

        prepare(&c, false, 16);
        c.header.cmd_len = 16;
        c.header.dxfer_direction = SG_DXFER_TO_FROM_DEV;
        is_int(prm_execute(manager, device, &c.header), 0, "16 bytes of CDB, and the other direction from the device");
        is_int(c.header.status, 0, "GOOD");
}

static void test_out(void)
{
        struct command c;

        prepare(&c, true, 24);
        is_int(prm_execute(manager, device, &c.header), 0, "RESERVE");
        ok(c.header.status == 2 && c.header.masked_status == 1 && c.header.driver_status == 8 &&
                   c.header.info == SG_INFO_CHECK && c.header.sb_len_wr == 18 && c.header.resid == 0,
           "CHECK CONDITION as the kernel says it");
        ok(c.sense[0] == 0x70 && c.sense[2] == 6 && c.sense[12] == 0x2a && c.sense[13] == 5, "with its sense");

        prepare(&c, true, 24);
        c.header.mx_sb_len = 4;
        memset(c.sense, 0x33, sizeof c.sense);
        is_int(prm_execute(manager, device, &c.header), 0, "little room for sense");
        ok(c.header.sb_len_wr == 4 && c.sense[2] == 6 && c.sense[4] == 0x33, "is filled, and not overrun");

        prepare(&c, true, 24);
        c.header.mx_sb_len = 0;
        c.header.sbp = NULL;
        is_int(prm_execute(manager, device, &c.header), 0, "no room for sense");
        is_int(c.header.sb_len_wr, 0, "gets none");

        prepare(&c, true, 24);
        c.cdb[1] = 2;
        c.header.dxfer_len = 30;
        is_int(prm_execute(manager, device, &c.header), 0, "RELEASE, from a longer buffer");
        ok(c.header.status == 0x18 && c.header.masked_status == 0xc && c.header.driver_status == 0 &&
                   c.header.sb_len_wr == 0 && c.header.resid == 6, "RESERVATION CONFLICT");
}

static void test_unavailable(void)
{
        struct prm_manager *nowhere;
        struct command c;

        prm_manager_from_string("pr-manager-helper,path=/nowhere", &nowhere, NULL);
        prepare(&c, true, 24);
        c.header.timeout = 100;
        is_int(prm_execute(nowhere, device, &c.header), 0, "no helper");
        ok(c.header.status == 2 && c.sense[2] == 0x0b && c.sense[12] == 8 && c.header.host_status == 0,
           "LOGICAL UNIT COMMUNICATION FAILURE");
        prm_manager_unref(nowhere);
}

static void test_refused(void)
{
        struct command c;

#define REFUSED(out, length, change, what)                                                      \
        prepare(&c, out, length);                                                               \
        change;                                                                                 \
        is_int(prm_execute(manager, device, &c.header), -EINVAL, what);                         \
        is_int(prm_execute_async(manager, device, &c.header, (prm_completion)(void *)abort, NULL), -EINVAL, \
               what ", in the background");                                                     \
        is_int(c.header.host_status, 77, what ": untouched")

        REFUSED(false, 8, c.header.interface_id = 'Q', "another interface");
        REFUSED(false, 8, c.cdb[0] = 0x12, "INQUIRY");
        REFUSED(false, 8, c.header.cmd_len = 9, "a short CDB");
        REFUSED(false, 8, c.header.cmd_len = 17, "a long CDB");
        REFUSED(false, 8, c.header.cmdp = NULL, "no CDB");
        REFUSED(false, 8, c.header.iovec_count = 1, "scattered data");
        REFUSED(false, 8, c.header.dxferp = NULL, "no buffer");
        REFUSED(false, 8, c.header.sbp = NULL, "no sense buffer");
        REFUSED(false, 8, c.header.dxfer_direction = SG_DXFER_TO_DEV, "IN that sends");
        REFUSED(true, 24, c.header.dxfer_direction = SG_DXFER_FROM_DEV, "OUT that receives");
        REFUSED(true, 24, c.header.dxfer_direction = SG_DXFER_NONE, "OUT without data");
        REFUSED(true, 24, c.header.dxfer_direction = 7, "no direction");
        REFUSED(true, 24, c.header.dxfer_len = 23, "a list that is not there");
        prepare(&c, false, 8);
        is_int(prm_execute(manager, -1, &c.header), -EBADF, "no descriptor");
        is_int(prm_execute_async(manager, -1, &c.header, (prm_completion)(void *)abort, NULL), -EBADF,
               "no descriptor, in the background");
        is_int(prm_execute_async(manager, device, &c.header, NULL, NULL), -EINVAL, "nobody to tell");
}

/* Completions in the order of the calls. */
struct order {
        struct command *first;
        int done;
        bool right;
        int event;
};

static void note_done(struct sg_io_hdr *header, void *opaque)
{
        struct order *order = opaque;

        order->right &= header == &order->first[order->done].header && header->status == 0;
        if (++order->done == 10)
                (void)eventfd_write(order->event, 1);
}

static void test_async(void)
{
        static struct command commands[10];
        struct order order = { .first = commands, .right = true, .event = eventfd(0, EFD_CLOEXEC) };
        struct server server;
        eventfd_t value;

        server_start(&server, serve);
        struct prm_manager *own = server_manager(&server);
        for (int i = 0; i < 10; i++) {
                int fd = dup(device);
                prepare(&commands[i], false, (uint16_t)(16 + i));
                if (prm_execute_async(own, fd, &commands[i].header, note_done, &order) < 0)
                        abort();
                close(fd);
        }
        prm_manager_unref(own);
        (void)eventfd_read(order.event, &value);
        close(order.event);
        server_stop(&server);
        ok(order.right, "ten commands in the background, in order; descriptor and manager dropped at once");
        bool right = true;
        for (int i = 0; i < 10; i++)
                right &= commands[i].data[15] == 16 + i;
        ok(right, "each with its own reply");
}

static void test_event(void)
{
        struct command c;
        struct pollfd ready = { .fd = -1, .events = POLLIN };
        eventfd_t value;

        prepare(&c, false, 64);
        is_int(prm_execute_event(manager, device, &c.header, &ready.fd), 0, "a command with an event");
        is_int(poll(&ready, 1, 5000), 1, "becomes readable");
        (void)eventfd_read(ready.fd, &value);
        ok(c.header.status == 0 && c.header.resid == 48, "when the header is filled");
        close(ready.fd);
        ready.fd = -1;
        c.header.interface_id = 0;
        is_int(prm_execute_event(manager, device, &c.header, &ready.fd), -EINVAL, "a bad header");
        is_int(ready.fd, -1, "has no event");
}

static sem_t go;

static void hold(struct sg_io_hdr *header, void *opaque)
{
        (void)header, (void)opaque;
        sem_wait(&go);
}

/* Commands that wait for longer than they have. */
static void test_late(void)
{
        static const struct {
                const char *name;
                uint32_t timeout_ms;
                bool sent;
        } waits[] = {
                { "50 ms", 50, false },
                { "the manager's own second", 0, false },
                { "a minute", 60000, true },
                { "no end to its time", PRM_NO_TIMEOUT, true },
        };
        enum { WAITS = sizeof waits / sizeof waits[0] };
        static struct command held, commands[WAITS];
        struct pollfd events[WAITS];
        struct prm_manager *own;
        struct server server;
        char text[128];

        server_start(&server, serve);
        snprintf(text, sizeof text, "%s,timeout=1", server.text);
        if (prm_manager_from_string(text, &own, NULL) < 0 || sem_init(&go, 0, 0) < 0)
                abort();
        prepare(&held, false, 16);
        held.header.timeout = PRM_NO_TIMEOUT;
        if (prm_execute_async(own, device, &held.header, hold, NULL) < 0)
                abort();
        for (int i = 0; i < WAITS; i++) {
                prepare(&commands[i], false, 16);
                commands[i].header.timeout = waits[i].timeout_ms;
                events[i] = (struct pollfd){ .fd = -1, .events = POLLIN };
                if (prm_execute_event(own, device, &commands[i].header, &events[i].fd) < 0)
                        abort();
        }
        usleep(1100 * 1000);
        sem_post(&go);
        for (int i = 0; i < WAITS; i++) {
                const struct command *c = &commands[i];
                eventfd_t value;
                is_int(poll(&events[i], 1, 20000), 1, "a command that waited a second and had %s ends", waits[i].name);
                (void)eventfd_read(events[i].fd, &value);
                if (waits[i].sent)
                        ok(c->header.status == 0 && c->data[15] == 16, "with its reply");
                else
                        ok(c->header.status == 2 && c->sense[2] == 0x0b && c->sense[12] == 8, "with B/08/00");
                close(events[i].fd);
        }
        is_int(server.requests, 3, "and was sent only where it had time left");
        prm_manager_unref(own);
        server_stop(&server);
}

/* What a callback may do: take a reference, and drop it. */
static void refer(struct prm_manager *changed, bool connected, void *opaque)
{
        (void)connected, (void)opaque;
        sem_wait(&go);
        prm_manager_unref(prm_manager_ref(changed));
}

/* What is in the background keeps a manager, but not its id. */
static void test_id(void)
{
        static struct command c;
        struct pollfd ended = { .events = POLLIN };
        struct prm_manager *own, *next;
        struct server server;
        eventfd_t value;
        char text[128];

        server_start(&server, serve);
        snprintf(text, sizeof text, "%s,id=own", server.text);
        if (prm_manager_from_string(text, &own, NULL) < 0 || sem_init(&go, 0, 0) < 0)
                abort();
        prm_manager_set_status_callback(own, refer, NULL);
        prepare(&c, false, 16);
        if (prm_execute_event(own, device, &c.header, &ended.fd) < 0)
                abort();
        prm_manager_unref(own);
        is_int(prm_manager_from_string(text, &next, NULL), 0, "an id is free when its manager is dropped");
        sem_post(&go);
        ok(poll(&ended, 1, 20000) == 1 && eventfd_read(ended.fd, &value) == 0,
           "a command that it has in the background ends");
        ok(c.header.status == 0 && c.data[15] == 16, "with its reply");
        close(ended.fd);
        own = prm_manager_find("own");
        ok(own == next, "the id is that of the manager that was made since");
        prm_manager_unref(own);
        prm_manager_unref(next);
        server_stop(&server);
}

int main(void)
{
        struct server server;

        device = open("/dev/null", O_RDWR | O_CLOEXEC);
        server_start(&server, serve);
        manager = server_manager(&server);
        test_in();
        test_out();
        test_unavailable();
        test_refused();
        test_event();
        prm_manager_unref(manager);
        server_stop(&server);
        test_async();
        test_late();
        test_id();
        close(device);
        return done();
}
