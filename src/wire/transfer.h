/* SPDX-License-Identifier: BSD-2-Clause */
/* All of a message or none of it, over a blocking stream socket. Private to wire/. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/uio.h>

/**
 * Receive exactly `size` bytes.
 * @param patient  wait for the first byte for ever; the rest always has WIRE_PATIENCE_MS
 * @param ret_fd   the one descriptor that came on any of the bytes, -1 for none; the caller's to
 *                 close, also on failure. With NULL the kernel drops what comes.
 * @return 0; WIRE_END_CLOSED before the first byte, WIRE_END_PARTIAL, WIRE_END_LATE; WIRE_END_FDS
 *         at the second descriptor, WIRE_END_CONTROL where the kernel dropped some; or -errno
 */
int transfer_receive(int sock, void *bytes, size_t size, bool patient, int *ret_fd);

/** Step over `done` bytes of what `message` still has to send. */
void transfer_advance(struct msghdr *message, size_t done);

/** Send everything within WIRE_PATIENCE_MS. Changes `parts`. */
int transfer_send(int sock, struct iovec *parts, size_t count);
