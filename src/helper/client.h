/* SPDX-License-Identifier: BSD-2-Clause */
/* One client: its connection, from the handshake to the close. */
#pragma once

#include <stdatomic.h>
#include <sys/types.h>

#include "device/device.h"
#include "helper/audit.h"

struct client {
        int sock;        /**< the connection; client_serve() does not close it */
        unsigned number; /**< counts up from 1, for log and trace */
        const struct device_source *source;
        const atomic_bool *stopping; /**< set when no further request is to be read */
        const char *eperm_cause;     /**< why SG_IO would not be permitted, in words */
        struct audit audit;
        struct device device; /**< of its last request; for its own thread */

        /* For others to look at: client_get_status(). */
        atomic_bool on_device; /**< a command of its runs */
        int64_t connected_us;
        atomic_uint_fast64_t commands;
        atomic_int_fast64_t last_us;
        atomic_uint last; /**< the last command: OUT, service action, SCSI status; 8 bits each */
};

/** What others can see of a client. Times are CLOCK_MONOTONIC. */
struct client_status {
        unsigned number;
        pid_t pid;
        uid_t uid;
        int64_t connected_us;
        uint64_t commands;
        /* The last one, where there was one. */
        struct pr_cdb last; /**< `out` and `action` */
        uint8_t last_status;
        int64_t last_us;
};

void client_get_status(const struct client *client, struct client_status *ret_status);

/** Serve the client until it leaves, breaks the protocol, or we stop. */
void client_serve(struct client *client);
