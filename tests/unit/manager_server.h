/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A helper that does what a test tells it to: a thread behind a temporary Unix
 * socket, one connection after the other.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/bytes.h"
#include "manager/manager.h"
#include "tap.h"
#include "wire/wire.h"

struct server {
        char folder[32], path[64], text[96]; /**< `text` makes a manager for it */
        int listener;
        pthread_t thread;
        void (*serve)(struct server *server, int sock); /**< one connection; it is closed afterwards */
        int number;                                     /**< what the test means by it */
        atomic_int connections;
        atomic_int requests; /**< read completely, with their parameter lists */
};

static inline void *server_thread(void *argument)
{
        struct server *server = argument;
        int sock;

        while ((sock = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
                atomic_fetch_add(&server->connections, 1);
                server->serve(server, sock);
                close(sock);
        }
        return NULL;
}

/** A place for a socket, nobody listening yet. */
static inline void server_prepare(struct server *server, void (*serve)(struct server *, int))
{
        *server = (struct server){ .folder = "/tmp/prm.XXXXXX", .listener = -1, .serve = serve };
        if (!mkdtemp(server->folder))
                abort();
        snprintf(server->path, sizeof server->path, "%s/socket", server->folder);
        snprintf(server->text, sizeof server->text, "pr-manager-helper,path=%s", server->path);
}

static inline void server_listen(struct server *server)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };

        memcpy(address.sun_path, server->path, strlen(server->path));
        server->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (bind(server->listener, (struct sockaddr *)&address, sizeof address) < 0 ||
            listen(server->listener, 64) < 0 ||
            pthread_create(&server->thread, NULL, server_thread, server) != 0)
                abort();
}

static inline void server_start(struct server *server, void (*serve)(struct server *, int))
{
        server_prepare(server, serve);
        server_listen(server);
}

/** End the thread when the connection that it serves has ended, and leave nothing behind. */
static inline void server_stop(struct server *server)
{
        if (server->listener >= 0) {
                shutdown(server->listener, SHUT_RDWR);
                pthread_join(server->thread, NULL);
                close(server->listener);
        }
        unlink(server->path);
        rmdir(server->folder);
}

/** Read a whole request; what came with it is closed. False at the end of the connection. */
static inline bool server_read(struct server *server, int sock, struct wire_request *ret_request,
                               uint8_t list[static PR_DATA_MAX])
{
        if (wire_read_request(sock, ret_request) != 0)
                return false;
        close(ret_request->fd);
        if (ret_request->cdb.out && wire_read_parameters(sock, list, ret_request->cdb.length) != 0)
                return false;
        atomic_fetch_add(&server->requests, 1);
        return true;
}

/** A reply, true or false: any header, and any bytes behind it. */
static inline void server_reply(int sock, uint32_t status, uint32_t size, struct scsi_sense sense,
                                const void *payload, size_t payload_size)
{
        uint8_t bytes[WIRE_REPLY_HEADER_SIZE + PR_DATA_MAX], sense_data[SENSE_SIZE];
        struct writer w = writer_over(bytes, sizeof bytes);

        scsi_sense_build(sense, sense_data);
        write_be32(&w, status);
        write_be32(&w, size);
        if (status == SCSI_CHECK_CONDITION)
                write_bytes(&w, sense_data, sizeof sense_data);
        else
                write_zeros(&w, sizeof sense_data);
        write_bytes(&w, payload, payload_size);
        (void)!send(sock, bytes, w.length, MSG_NOSIGNAL);
}

/** READ KEYS with one key, which is the request's allocation length: who got whose reply shows. */
static inline void server_keys(int sock, const struct wire_request *request)
{
        uint8_t data[16];
        struct writer w = writer_over(data, sizeof data);
        uint32_t size = request->cdb.length < sizeof data ? request->cdb.length : (uint32_t)sizeof data;

        write_be32(&w, 7);
        write_be32(&w, 8);
        write_be64(&w, request->cdb.length);
        server_reply(sock, SCSI_GOOD, size, SENSE(0, 0, 0), data, size);
}

/** GOOD to every request, until the connection ends. */
static inline void serve_requests(struct server *server, int sock)
{
        struct wire_request request;
        uint8_t list[PR_DATA_MAX];

        while (server_read(server, sock, &request, list)) {
                if (request.cdb.out)
                        server_reply(sock, SCSI_GOOD, 0, SENSE(0, 0, 0), NULL, 0);
                else
                        server_keys(sock, &request);
        }
}

/** A good helper over a device that says GOOD to everything. */
static inline void serve_good(struct server *server, int sock)
{
        if (wire_accept_features(sock) == 0)
                serve_requests(server, sock);
}

/** A manager for a server's socket, or the end of the test. */
static inline struct prm_manager *server_manager(const struct server *server)
{
        struct prm_manager *manager;
        struct prm_error error;

        if (prm_manager_from_string(server->text, &manager, &error) < 0) {
                printf("Bail out! %s\n", error.text);
                abort();
        }
        return manager;
}
