/* SPDX-License-Identifier: BSD-2-Clause */
/* All clients that are connected, a thread each. */
#pragma once

#include <stdbool.h>

#include "helper/client.h"
#include "helper/limits.h"

/**
 * @param limits  borrowed
 * @param event   an eventfd(2), raised when a client has left or has begun to be counted by the audit
 */
void clients_init(const struct limits *limits, int event, const char *eperm_cause);

/**
 * Serve a connection in a thread of its own. Consumes `sock` on success only.
 * @return 0; -EUSERS at the limit, -EDQUOT at its user's; -errno where there is no memory or no thread
 */
int clients_add(int sock, const struct device_source *source);

/** audit_flush() of every client. @return whether counts remain */
bool clients_flush_audit(int64_t until_ms);

/** Look at every client. `each` must not wait for anything. */
void clients_each(void (*each)(const struct client_status *, void *), void *argument);

/** Tell all of them to leave when their command is done. */
void clients_stop(void);

/**
 * After clients_stop(), now and then: cut off those that have had nothing to do with a device
 * since the last call, and only wait for somebody to read a reply.
 */
void clients_cut_off(void);

/** Close every connection that is left, whatever its client waits for. */
void clients_cut_off_all(void);

unsigned clients_count(void);
