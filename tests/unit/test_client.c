/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * helper/client, helper/clients: when a command is told, and what must not have
 * happened by then. At any moment the helper may be stopped and tell what is in
 * flight, so that a command has to be there until the log has its line.
 *
 * The audit is ours here, and looks around whenever it is asked for something.
 */
#include "helper/clients.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "fixture.h"
#include "helper/devices.h"
#include "tap.h"
#include "wire/wire_client.h"

enum { PATIENCE_MS = 20000, LIST = 24 };

/* What a look around finds. */
struct sight {
        bool seen;
        unsigned in_flight, clients;
        int unread;     /* bytes that wait for the client */
        bool connected; /* as the client sees it */
};

static int client_sock;
static struct sight at_begin, at_execute, at_record, at_finish;
static unsigned in_flight;

static void count(const struct device_use *device, const struct in_flight *f)
{
        (void)device, (void)f;
        in_flight++;
}

static void look(struct sight *sight)
{
        char byte;

        in_flight = 0;
        devices_each_in_flight(count);
        *sight = (struct sight){ .seen = true, .in_flight = in_flight, .clients = clients_count() };
        (void)ioctl(client_sock, FIONREAD, &sight->unread);
        sight->connected = recv(client_sock, &byte, 1, MSG_PEEK | MSG_DONTWAIT) != 0;
}

/* In place of helper/audit's. */
void audit_init(struct audit *audit, unsigned client, const struct ucred *peer, int event)
{
        *audit = (struct audit){ .client = client, .pid = peer->pid, .uid = peer->uid, .event = event };
}

int audit_begin(void)
{
        look(&at_begin);
        return 0;
}

void audit_record(struct audit *audit, const struct device *device,
                  const struct pr_command *command, const struct pr_result *result)
{
        (void)audit, (void)device, (void)command, (void)result;
        look(&at_record);
}

bool audit_flush(struct audit *audit, int64_t until_ms)
{
        (void)audit, (void)until_ms;
        return false;
}

void audit_finish(struct audit *audit)
{
        (void)audit;
        look(&at_finish);
}

static void execute(const struct device *device, int fd, const struct pr_command *command,
                    struct pr_result *ret_result)
{
        (void)device, (void)fd, (void)command;
        look(&at_execute);
        *ret_result = (struct pr_result){ .status = SCSI_GOOD, .reached = true };
}

static void wwid(const struct device *device, char *ret_name, size_t size)
{
        (void)device;
        snprintf(ret_name, size, "wwid");
}

static void identify(const void *context, int fd, struct device *device)
{
        static const struct device_ops ops = { .kind = "test", .execute = execute, .wwid = wwid };

        (void)context, (void)fd;
        *device = (struct device){ .ops = &ops, .id = 1 };
}

/* One client from the handshake to the end, with one PR OUT by a descriptor opened like this. */
static uint8_t serve_one(int mode)
{
        static const struct device_source source = { .identify = identify };
        static const struct pr_cdb cdb = { .out = true };
        static const uint8_t bytes[PR_CDB_SIZE] = { 0x5f, [8] = LIST }, list[LIST] = { 1 };
        struct wire_answer reply = { .status = SCSI_BUSY };
        int64_t deadline = clock_ms() + PATIENCE_MS;
        bool begun;
        int ends[2];
        int disk = open("/dev/null", mode | O_CLOEXEC);

        need(disk >= 0 && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0, "sockets");
        client_sock = ends[1];
        is_int(clients_add(ends[0], &source), 0, "a client");
        is_int(wire_request_features(client_sock, deadline), 0, "is greeted");
        is_int(wire_send_request(client_sock, bytes, disk, list, LIST, deadline, &begun), 0,
               "sends PR OUT");
        is_int(wire_read_answer(client_sock, &cdb, NULL, deadline, &reply), 0, "has its reply");
        (void)shutdown(client_sock, SHUT_WR);
        struct pollfd closed = { .fd = client_sock, .events = POLLIN };
        is_int(poll(&closed, 1, PATIENCE_MS), 1, "and leaves");
        close(client_sock);
        close(disk);
        return reply.status;
}

/* Who may not send to a device must not take what those need who may. */
static void test_not_permitted(int mode, const char *what)
{
        struct device_use devices[1];

        at_begin = at_execute = at_record = (struct sight){ 0 };
        is_int(serve_one(mode), SCSI_CHECK_CONDITION, "%s: refused", what);
        ok(!at_begin.seen && !at_execute.seen, "%s: it waits for no place in the log", what);
        ok(at_record.seen && at_record.in_flight == 0, "%s: it is told, and was never in flight", what);
        is_int(devices_snapshot(devices, 1), 0, "%s: it is no client of the device", what);
}

int main(void)
{
        struct limits limits = { 8, 8, 8 };

        clients_init(&limits, eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "");
        devices_init(limits.commands);
        test_not_permitted(O_PATH, "O_PATH");
        test_not_permitted(O_RDONLY, "a descriptor that is not open for writing");

        is_int(serve_one(O_RDWR), SCSI_GOOD, "a descriptor that is: GOOD");
        ok(at_begin.seen && at_begin.in_flight == 0,
           "what waits for its place in the log takes no room on the device");
        ok(at_execute.seen && at_execute.in_flight == 1, "a command is in flight when it is sent");
        ok(at_record.seen && at_record.in_flight == 1, "and until it is told");
        is_int(at_record.unread, 0, "by when the client has no reply");
        ok(at_finish.seen && at_finish.in_flight == 0, "then no more");
        ok(at_finish.connected, "a client is connected until all of its counts are told");
        is_int(at_finish.clients, 1, "and counts, so that the end waits for it");
        return done();
}
