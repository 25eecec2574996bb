/* SPDX-License-Identifier: BSD-2-Clause */
/* Into the background, with a parent that waits to see how it ends. */
#pragma once

/**
 * Go on in a child of its own session. The parent waits there until the child
 * calls daemonize_ready() and exits 0, or 1 where the child dies before.
 * @return in the child: a descriptor for daemonize_ready(), or -errno
 */
int daemonize(void);

/** Tell the parent that all is well, and let go of its terminal. Consumes the descriptor. */
void daemonize_ready(int fd);
