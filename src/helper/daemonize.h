/* SPDX-License-Identifier: BSD-2-Clause */
/* Into the background, with a parent that waits to see how it ends. */
#pragma once

/**
 * Go on in a child of its own session. The parent waits there until the child
 * calls daemonize_ready() and exits 0, or 1 where the child dies before.
 * @return in the child: a descriptor for daemonize_ready(), or -errno
 */
int daemonize(void);

/**
 * Tell the parent that all is well, and let go of its terminal. Consumes the descriptor.
 * @return 0, or -EPIPE where the parent was ended meanwhile: whoever started us wants us no more
 */
int daemonize_ready(int fd);

/**
 * Open /dev/null in place of each standard descriptor that we were started without, so that no
 * socket takes its place and gets what is meant for people.
 */
void daemonize_fill_standard_fds(void);
