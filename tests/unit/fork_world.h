/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A helper that is a process of its own, for processes that fork() with a manager of it in hand. It
 * says in PRGENERATION by which connection a command came, and in the only key what its
 * allocation length was.
 */
#pragma once

#include <poll.h>
#include <scsi/sg.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "manager_server.h"

enum { HELD = 200, LATER = 201, COMMANDS = 200, THREADS = 4 };

/* What all processes see. */
static struct shared {
        atomic_int connections, requests[256]; /* by allocation length */
        atomic_bool go;                        /* HELD may be answered */
        atomic_int wrong;                      /* what the child found, or -1: it has not ended */
} *shared;

static struct server place;
static struct prm_manager *manager;
static int device;

static inline void answer(int sock, int number)
{
        struct wire_request request;
        uint8_t list[PR_DATA_MAX], data[16];
        struct server ignored;

        if (wire_accept_features(sock) != 0)
                return;
        while (server_read(&ignored, sock, &request, list)) {
                struct writer w = writer_over(data, sizeof data);
                atomic_fetch_add(&shared->requests[request.cdb.length % 256], 1);
                while (request.cdb.length == HELD && !shared->go)
                        usleep(1000);
                write_be32(&w, (uint32_t)number);
                write_be32(&w, 8);
                write_be64(&w, request.cdb.length);
                server_reply(sock, SCSI_GOOD, sizeof data, SENSE(0, 0, 0), data, sizeof data);
        }
}

/* A process for each connection; all end with the test. */
static inline pid_t start_helper(void)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int sock;

        server_prepare(&place, NULL);
        memcpy(address.sun_path, place.path, strlen(place.path));
        int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(listener, 64) < 0)
                abort();
        pid_t pid = fork();
        if (pid != 0) {
                close(listener);
                return pid;
        }
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        signal(SIGCHLD, SIG_IGN);
        while ((sock = accept(listener, NULL, NULL)) >= 0) {
                int number = atomic_fetch_add(&shared->connections, 1) + 1;
                if (fork() == 0) {
                        prctl(PR_SET_PDEATHSIG, SIGKILL);
                        answer(sock, number);
                        _exit(0);
                }
                close(sock);
        }
        _exit(1);
}

/* READ KEYS of this allocation length: by which connection it went, or -1 where the reply is no good. */
static inline int read_keys(uint8_t length)
{
        const struct prm_nexus nexus = { manager, device, 5000, 0 };
        const uint8_t cdb[10] = { 0x5e, [8] = length };
        uint8_t data[256];
        struct prm_result result;

        if (prm_command(&nexus, cdb, sizeof cdb, data, sizeof data, &result) < 0 || result.error != 0 ||
            result.status != PRM_GOOD || data[15] != length)
                return -1;
        return data[3];
}

static inline void prepare(struct sg_io_hdr *header, uint8_t cdb[static 10], uint8_t data[static 256], uint8_t length)
{
        memset(cdb, 0, 10);
        cdb[0] = 0x5e;
        cdb[8] = length;
        *header = (struct sg_io_hdr){ .interface_id = 'S', .cmd_len = 10, .cmdp = cdb, .dxferp = data,
                                      .dxfer_direction = SG_DXFER_FROM_DEV, .dxfer_len = length,
                                      .timeout = 5000, .status = 77 };
}

/* The same in the background. */
static inline int read_keys_async(uint8_t length)
{
        struct sg_io_hdr header;
        uint8_t cdb[10], data[256];
        struct pollfd ready = { .events = POLLIN };
        eventfd_t value;

        prepare(&header, cdb, data, length);
        if (prm_execute_event(manager, device, &header, &ready.fd) < 0 || poll(&ready, 1, 5000) != 1)
                return -1;
        (void)eventfd_read(ready.fd, &value);
        close(ready.fd);
        return header.status == 0 && data[15] == length ? data[3] : -1;
}
