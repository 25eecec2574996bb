/* SPDX-License-Identifier: BSD-2-Clause */
/* The listening socket and its path. */
#pragma once

#include <sys/types.h>

#include "helper/owned_path.h"

struct listener_options {
        int mode;    /**< of the socket; -1: by umask */
        uid_t user;  /**< its owner; (uid_t)-1: who makes it */
        gid_t group; /**< the same */
};

/**
 * Listen on a unix socket at `path`, with this mode and owner.
 *
 * The path appears when the socket already listens, so that whoever sees it
 * can connect. What is there and is no socket is left alone; a socket behind
 * which a helper answers is in use; any other socket is stale and replaced.
 *
 * Logs what is wrong.
 *
 * @param ret_owned  the path, pinned; the caller's to remove
 * @return the socket, non-blocking, or -errno
 */
int listener_open(const char *path, const struct listener_options *options,
                  struct owned_path *ret_owned);
