/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One client, straight down: read a request, find out what its descriptor is,
 * run the command, write the reply.
 *
 * Any of these may block for ever (a hung disk, a dead file server behind the
 * descriptor), and then only this client's thread does: no lock is held here.
 */
#include "helper/client.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/sysmacros.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "helper/busy_poll.h"
#include "helper/devices.h"
#include "helper/events.h"
#include "helper/limiter.h"
#include "wire/wire.h"

static void answer_busy(struct pr_result *ret_result, const char *refusal)
{
        *ret_result = (struct pr_result){ .status = SCSI_BUSY, .refusal = refusal };
}

static void send(const struct client *client, const struct device *device, int fd,
                 const struct pr_command *command, struct pr_result *ret_result)
{
        TRACE(EVENT_DEVICE_SUBMIT, "client=%u kind=%s action=%#x length=%u", client->number,
              device->ops->kind, command->cdb.action, command->cdb.length);
        int64_t start = helper_events[EVENT_DEVICE_COMPLETE].enabled ? clock_us() : 0;
        device->ops->execute(device, fd, command, ret_result);
        TRACE(EVENT_DEVICE_COMPLETE,
              "client=%u reached=%d status=%#x errno=%d host=%#x driver=%#x us=%lld",
              client->number, ret_result->reached, ret_result->status, ret_result->error,
              ret_result->host, ret_result->driver, (long long)(clock_us() - start));
}

/*
 * In this order: who may not send to a device takes none of its room, nor does who waits for the
 * log. What a command may do to the disk has its place there before it is sent, and whatever the
 * end, a command that reached its device is in flight until the log tells it.
 */
static void run(struct client *client, const struct device *device, int fd,
                const struct pr_command *command, struct pr_result *ret_result)
{
        struct device_client who = {
                .number = client->number, .pid = client->audit.pid, .uid = client->audit.uid };
        const char *refusal = device_refusal(device, fd, command);
        bool out = command->cdb.out, reserved = false, begun = false;
        struct devices_token token;

        if (refusal)
                pr_result_refuse(ret_result, refusal);
        else if (out && !(reserved = audit_begin() == 0))
                answer_busy(ret_result, "the log takes nothing, and commands that it does not "
                                        "tell are not sent");
        else if (!(begun = devices_begin(device, &who, command, &token) == 0))
                answer_busy(ret_result, "the device hangs: commands that were sent before have "
                                        "not come back, or the helper stops");
        else
                send(client, device, fd, command, ret_result);

        if (reserved && !ret_result->reached)
                log_release();
        if (out || ret_result->refusal)
                audit_record(&client->audit, device, command, ret_result);
        if (begun)
                devices_end(&token, command, ret_result);
}

/* For client_get_status(). */
static void note(struct client *client, const struct pr_cdb *cdb, uint8_t status)
{
        atomic_store(&client->last_us, clock_us());
        atomic_store(&client->last, (unsigned)cdb->out << 16 | (unsigned)cdb->action << 8 | status);
        atomic_fetch_add(&client->commands, 1);
}

void client_get_status(const struct client *client, struct client_status *ret_status)
{
        unsigned last = atomic_load(&client->last);

        *ret_status = (struct client_status){
                .number = client->number,
                .pid = client->audit.pid,
                .uid = client->audit.uid,
                .connected_us = client->connected_us,
                .commands = atomic_load(&client->commands),
                .last = { .out = last >> 16, .action = last >> 8 & 0xff },
                .last_status = last & 0xff,
                .last_us = atomic_load(&client->last_us),
        };
}

/* An EPERM of SG_IO is about how we were started, and no client can mend that. */
static void explain_eperm(const struct client *client, const struct pr_result *result)
{
        static struct limiter limiter = LIMITER(1, 60000);
        unsigned suppressed;

        if (result->error == EPERM && limiter_allow(&limiter, 0, &suppressed))
                log_warning("SG_IO is not permitted: %s", client->eperm_cause);
}

/* From the parameter list to the reply, for a request whose descriptor is `fd`. Consumes it. */
static int answer(struct client *client, const struct wire_request *request, int fd_to_close)
{
        cleanup_fd int fd = fd_to_close;
        cleanup_free void *memory = NULL;
        uint8_t *data = NULL;
        struct device *device = &client->device;
        struct pr_result result;
        struct pr_command command = { .bytes = request->bytes, .cdb = request->cdb };
        const struct pr_cdb *cdb = &request->cdb;

        client->source->identify(client->source->context, fd, device);
        TRACE(EVENT_CLIENT_DEVICE, "client=%u kind=%s device=%u:%u", client->number,
              device->ops->kind, major(device->number), minor(device->number));

        if (cdb->length > 0 && (cdb->out || !device->refusal)) {
                data = device_buffer(cdb->length, &memory);
                if (!data)
                        return -ENOMEM;
        }
        command.data = data;
        if (cdb->out) {
                int r = wire_read_parameters(client->sock, data, cdb->length);
                if (r != 0)
                        return r;
        }

        atomic_store(&client->on_device, true);
        run(client, device, fd, &command, &result);
        atomic_store(&client->on_device, false);
        close_fd(&fd);
        explain_eperm(client, &result);
        note(client, cdb, result.status);

        struct wire_reply reply = {
                .status = result.status,
                .sense = result.sense,
                .payload = data,
                .size = result.size,
        };
        int r = wire_write_reply(client->sock, &reply);
        TRACE(EVENT_CLIENT_REPLY, "client=%u status=%#x size=%u", client->number, result.status,
              result.size);
        return r;
}

static int serve_requests(struct client *client)
{
        struct busy_poll awake = { 0 };
        int r = wire_accept_features(client->sock);

        if (r == 0)
                TRACE(EVENT_CLIENT_FEATURES, "client=%u", client->number);
        while (r == 0 && !atomic_load(client->stopping)) {
                struct wire_request request;
                busy_poll(&awake, client->sock);
                r = wire_read_request(client->sock, &request);
                if (r != 0)
                        break;
                TRACE(EVENT_CLIENT_REQUEST, "client=%u fd=%d opcode=%#x action=%s length=%u",
                      client->number, request.fd, request.bytes[0], pr_action_name(&request.cdb),
                      request.cdb.length);
                r = answer(client, &request, request.fd);
        }
        return r;
}

void client_serve(struct client *client)
{
        log_set_owner(client->audit.uid);
        log_info("client %u: connected, pid %d, uid %u", client->number, (int)client->audit.pid,
                 (unsigned)client->audit.uid);
        TRACE(EVENT_CLIENT_CONNECT, "client=%u pid=%d uid=%u", client->number,
              (int)client->audit.pid, (unsigned)client->audit.uid);

        int r = serve_requests(client);

        const char *why = atomic_load(client->stopping) ? "the helper stops" : wire_end_text(r);
        log_info("client %u: closed: %s", client->number, why);
        TRACE(EVENT_CLIENT_CLOSE, "client=%u why=\"%s\"", client->number, why);
}
