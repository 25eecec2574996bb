/* SPDX-License-Identifier: BSD-2-Clause */
/* Into the background, with a parent that waits to see how it ends. */
#pragma once

/** A child in the background that is not ready yet. */
struct background {
        int parent; /**< who waits; -1: nobody */
        int null;   /**< /dev/null */
};

#define BACKGROUND_NONE ((struct background){ .parent = -1, .null = -1 })

/**
 * Go on in a child of its own session. The parent waits there until the child
 * calls daemonize_ready() and exits 0, or 1 where the child dies before.
 * @param ret_background in the child: for daemonize_ready()
 * @return in the child: 0 or -errno
 */
int daemonize(struct background *ret_background);

/**
 * Tell the parent that all is well, and let go of its terminal. Consumes `background`.
 * @return 0, or -EPIPE where the parent was ended meanwhile: whoever started us wants us no more
 */
int daemonize_ready(struct background *background);
