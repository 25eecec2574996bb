/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The client's half of the helper protocol (docs/protocol.md): connect, shake
 * hands, send a command with its descriptor, read the reply.
 *
 * Functions return 0, a negative errno, or one of the positive `enum wire_fault`:
 * whatever it is but 0, the connection has to be closed. A helper is not
 * trusted: what it sends is checked before it is believed.
 *
 * A deadline is a time of base/clock.h in milliseconds, WIRE_NO_DEADLINE for none.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "wire/wire.h"

#define WIRE_NO_DEADLINE INT64_MAX

/** What a helper did wrong. */
enum wire_fault {
        WIRE_FAULT_CLOSED = 1, /**< it closed the connection */
        WIRE_FAULT_LATE,       /**< the deadline passed */
        WIRE_FAULT_FEATURES,   /**< it offers features that no version of the protocol has */
        WIRE_FAULT_UNASKED,    /**< it sent something without having been asked */
        WIRE_FAULT_STATUS,     /**< a status that does not fit into a byte */
        WIRE_FAULT_SIZE,       /**< more data than the allocation length */
        WIRE_FAULT_PAYLOAD,    /**< data with PERSISTENT RESERVE OUT, or with a status other than GOOD */
};

/** What a result of these functions means, in words. Static storage. */
const char *wire_fault_text(int result);

/** The same as a negative errno: -ECONNRESET, -ETIMEDOUT, or -EPROTO for all other faults. */
int wire_fault_errno(int result);

/**
 * Connect to the socket at `path`.
 * @param ret_sock CLOEXEC, none of 0, 1 and 2, the caller's to close
 */
int wire_connect(const char *path, int64_t deadline, int *ret_sock);

/** The client's half of the handshake: request no feature. */
int wire_request_features(int sock, int64_t deadline);

/**
 * Whether a connection between two commands is fit for another one: 0; WIRE_FAULT_CLOSED;
 * WIRE_FAULT_UNASKED where something is there to be read, which would be taken for the next reply.
 * Never waits.
 */
int wire_check_idle(int sock);

/**
 * Send a request.
 * @param cdb       PR_CDB_SIZE bytes
 * @param fd        the device, borrowed
 * @param list      the parameter list of OUT, `size` bytes
 * @param ret_begun on failure too: some of it went out, so that the helper may carry it out
 */
int wire_send_request(int sock, const uint8_t *cdb, int fd, const uint8_t *list, uint32_t size,
                      int64_t deadline, bool *ret_begun);

/** A reply that has been found to be one. */
struct wire_answer {
        uint8_t status;            /**< SCSI status */
        uint8_t sense[SENSE_SIZE]; /**< zero unless CHECK CONDITION */
        uint32_t size;             /**< bytes that came; 0 unless IN and GOOD */
};

/**
 * Read the reply to the command `cdb`.
 * @param data takes the payload, at most cdb->length bytes; undefined on failure
 */
int wire_read_answer(int sock, const struct pr_cdb *cdb, uint8_t *data, int64_t deadline,
                     struct wire_answer *ret_answer);
