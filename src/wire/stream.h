/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All of a message or none of it, by a deadline of the caller's: the client's
 * counterpart of transfer.h. Private to wire/.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

/** Receive exactly `size` bytes. Descriptors that come with them are dropped by the kernel. */
int stream_receive(int sock, void *bytes, size_t size, int64_t deadline);

/**
 * Send everything, with the descriptor `fd` on the first byte unless it is -1. Changes `parts`.
 * @param ret_begun on failure too: at least a byte went out
 */
int stream_send(int sock, struct iovec *parts, size_t count, int fd, int64_t deadline,
                bool *ret_begun);
