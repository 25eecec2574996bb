/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One connection of the load generator: the client's half of the helper
 * protocol (docs/protocol.md), with nothing in it that costs time.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { REPLY_HEADER = 104, DATA_MAX = 8192 };

/** What every request asks. */
struct request {
        uint8_t cdb[16]; /**< PERSISTENT RESERVE IN */
        int fd;          /**< of the device */
};

struct connection {
        int sock;
        int64_t sent_ns;  /**< when the request under way was sent */
        uint32_t got;     /**< bytes of its reply so far */
        uint8_t head[8];  /**< status and size of the payload */
};

/** Nanoseconds of CLOCK_MONOTONIC. */
int64_t now_ns(void);

/** PERSISTENT RESERVE IN for the device at `path`: service action, allocation length. */
void request_init(struct request *ret_request, const char *path, unsigned action, unsigned length);

/** A connected socket, or -1 with errno. */
int connection_try(const char *path);

/** Connect and shake hands. Ends the program where that fails. */
void connection_open(struct connection *connection, const char *path);

/** Send the request. Ends the program where that fails. */
void connection_send(struct connection *connection, const struct request *request, int64_t now);

/**
 * Take what has come of the reply; waits where the socket is blocking and nothing has.
 * Ends the program where the server has hung up.
 * @return whether the reply is complete
 */
bool connection_receive(struct connection *connection);

/** The SCSI status of the reply that is complete. */
uint32_t connection_status(const struct connection *connection);
