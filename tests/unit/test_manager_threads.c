/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * 16 threads on one manager, whose helper goes away now and then: every command
 * gets its own reply or none, and none is sent twice. For the thread sanitizer.
 */
#include <fcntl.h>
#include <sched.h>
#include <scsi/sg.h>

#include "manager_server.h"

enum { THREADS = 16, COMMANDS = 100 };

static int device;
static struct prm_manager *manager;
static atomic_int good, lost, wrong, changes, background;

/* Goes away after 50 requests. */
static void serve_some(struct server *server, int sock)
{
        struct wire_request request;
        uint8_t list[PR_DATA_MAX];

        if (wire_accept_features(sock) != 0)
                return;
        for (int i = 0; i < 50 && server_read(server, sock, &request, list); i++)
                server_keys(sock, &request);
}

static void count_change(struct prm_manager *changed, bool connected, void *opaque)
{
        (void)opaque;
        if (prm_manager_is_connected(changed) != connected)
                atomic_fetch_add(&wrong, 1);
        atomic_fetch_add(&changes, connected);
}

static void count_result(const struct prm_result *result, const uint8_t *data, uint8_t length)
{
        if (result->error == 0 && result->status == PRM_GOOD && data[15] == length)
                atomic_fetch_add(&good, 1);
        else if (result->error != 0 && result->in_doubt)
                atomic_fetch_add(&lost, 1);
        else
                atomic_fetch_add(&wrong, 1);
}

static void *command(void *argument)
{
        const struct prm_nexus nexus = { manager, device, 30000, 0 };
        uint8_t length = (uint8_t)(uintptr_t)argument;
        const uint8_t cdb[10] = { 0x5e, [8] = length };

        for (int i = 0; i < COMMANDS; i++) {
                uint8_t data[64];
                struct prm_result result;
                if (prm_command(&nexus, cdb, sizeof cdb, data, sizeof data, &result) < 0)
                        atomic_fetch_add(&wrong, 1);
                count_result(&result, data, length);
                if (i % 10 == 0)
                        (void)prm_manager_is_connected(manager);
        }
        return NULL;
}

static void note_done(struct sg_io_hdr *header, void *opaque)
{
        (void)opaque;
        /* A command that was cut off says so; it is counted with the others. */
        atomic_fetch_add(header->status == 0 ? &good : &lost, 1);
        atomic_fetch_add(&background, 1);
}

int main(void)
{
        static struct sg_io_hdr headers[COMMANDS];
        static uint8_t cdb[10] = { 0x5e, [8] = 40 }, data[COMMANDS][40];
        pthread_t threads[THREADS];
        struct server server;

        device = open("/dev/null", O_RDWR | O_CLOEXEC);
        server_start(&server, serve_some);
        manager = server_manager(&server);
        prm_manager_set_status_callback(manager, count_change, NULL);
        for (uintptr_t i = 0; i < THREADS; i++)
                pthread_create(&threads[i], NULL, command, (void *)(20 + i));
        for (int i = 0; i < COMMANDS; i++) {
                headers[i] = (struct sg_io_hdr){ .interface_id = 'S', .cmd_len = 10, .cmdp = cdb,
                                                 .dxfer_direction = SG_DXFER_FROM_DEV, .dxfer_len = 40,
                                                 .dxferp = data[i], .timeout = 30000 };
                if (prm_execute_async(manager, device, &headers[i], note_done, NULL) < 0)
                        abort();
        }
        for (int i = 0; i < THREADS; i++)
                pthread_join(threads[i], NULL);
        while (background < COMMANDS)
                sched_yield();
        prm_manager_unref(manager);
        server_stop(&server);

        is_int(wrong, 0, "no thread got another one's reply");
        is_int(good + lost, (THREADS + 1) * COMMANDS, "every command ended");
        ok(server.requests >= good && server.requests <= good + lost, "none was sent twice: %d of %d, %d lost",
           server.requests, good + lost, lost);
        ok(lost * 10 < good, "few were lost");
        is_int(changes, server.connections, "every connection was told");
        close(device);
        return done();
}
