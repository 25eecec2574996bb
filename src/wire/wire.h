/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The helper protocol (docs/protocol.md): framing and the passing of file
 * descriptors over a Unix stream socket.
 *
 * Functions return 0, a negative errno, or one of the positive `enum wire_end`
 * conditions: whatever it is but 0, the connection has to be closed.
 */
#pragma once

#include <stdint.h>

#include "scsi/pr.h"
#include "scsi/sense.h"

enum {
        WIRE_SUPPORTED_FEATURES = 0,
        WIRE_REPLY_HEADER_SIZE = 8 + SENSE_SIZE, /**< status, size, sense */
        WIRE_PATIENCE_MS = 10000, /**< for the rest of what was begun, and for a reply to be read */
};

/** Why a connection ends, other than by an errno. */
enum wire_end {
        WIRE_END_CLOSED = 1, /**< the peer closed between two requests: the ordinary end */
        WIRE_END_PARTIAL,    /**< the peer closed within a message */
        WIRE_END_LATE,       /**< the rest of a message did not come, or a reply was not read, in time */
        WIRE_END_FEATURES,   /**< a feature was requested that was not offered */
        WIRE_END_OPCODE,     /**< neither PERSISTENT RESERVE IN nor OUT */
        WIRE_END_LENGTH,     /**< a transfer length above PR_DATA_MAX */
        WIRE_END_NO_FD,      /**< no file descriptor came with the CDB */
        WIRE_END_FDS,        /**< more than one came */
        WIRE_END_CONTROL,    /**< control data was truncated: descriptors were lost on the way */
};

/** What a result of these functions means, in words. Static storage. */
const char *wire_end_text(int result);

/**
 * The server's half of the handshake: offer no feature, accept no request for one.
 * A descriptor sent with the feature word is closed and ignored.
 */
int wire_accept_features(int sock);

/** A request as it stands after its CDB; the parameter list has not been read yet. */
struct wire_request {
        uint8_t bytes[PR_CDB_SIZE];
        struct pr_cdb cdb;
        int fd; /**< the device; CLOEXEC; the caller's to close */
};

/**
 * Wait for a request, for ever until its first byte is there.
 * On anything but 0 every descriptor that came has been closed and *ret_request is untouched.
 */
int wire_read_request(int sock, struct wire_request *ret_request);

/** Read a PR OUT parameter list. Descriptors that come with it are closed and ignored. */
int wire_read_parameters(int sock, uint8_t *list, uint32_t size);

/** A reply; `size` bytes of `payload` follow the header, 0 unless PR IN was GOOD. */
struct wire_reply {
        uint8_t status; /**< SCSI status */
        const uint8_t *sense; /**< SENSE_SIZE bytes */
        const uint8_t *payload;
        uint32_t size;
};

int wire_write_reply(int sock, const struct wire_reply *reply);
