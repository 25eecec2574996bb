/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The keeper: a child that removes our paths when we are gone.
 *
 * The serving process cannot: it has given up the privilege to, and it may be
 * killed. The keeper keeps CAP_DAC_OVERRIDE and what it takes to unlink, and
 * waits for the end of a connection that only the serving process holds.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "helper/owned_path.h"

enum { KEEPER_PATHS_MAX = 66 }; /**< of sockets, and a pidfile */

/**
 * Fork the keeper; the paths are its to remove from here on.
 * To be called after privileges_bound(), before other privileges go and before the first thread.
 * @param sandbox  load its seccomp filter
 * @return the serving process's end of the connection, or -errno
 */
int keeper_start(const struct owned_path *paths, size_t count, bool sandbox);

/**
 * Wait until the keeper has given up all that it does not need, and has looked whether it has.
 * To be called once, before anybody is served. Where it has not, it is to be stopped all the same.
 * @return 0, or -errno: it has not, or is gone
 */
int keeper_confirm(int connection);

/** Let the keeper do its work and wait until it has, at most `timeout_ms`. Consumes the descriptor. */
void keeper_stop(int connection, int timeout_ms);
