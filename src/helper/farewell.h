/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Closing connections of clients.
 *
 * What a client has sent and nobody has read is closed with its connection,
 * descriptors too, by whoever closes that; and a descriptor may be made to be
 * long in closing: a TCP socket that lingers, for as long as its owner likes.
 * A signal ends such a wait. No other thread has SIGALRM unblocked, so that a
 * timer's goes to those who close, again and again as long as one of them waits.
 * Not every wait: a file of a file system in user space, with what was written to
 * it still to be taken, may be as long as its owner likes in closing.
 */
#pragma once

#include <stdbool.h>

/** Before any thread and before confine(). @return 0 or -errno */
int farewell_init(void);

/** Close it. Waits for some hundredths of a second, or for a disk or a file system. */
void farewell_close(int fd);

/**
 * The same for who must not wait: in a thread of its own. Consumes `fd` on success only.
 * @return false where there is no thread for it now
 */
bool farewell(int fd);
