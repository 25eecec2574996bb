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
};

/** Serve the client until it leaves, breaks the protocol, or we stop. */
void client_serve(struct client *client);
