/* SPDX-License-Identifier: BSD-2-Clause */
/* The file that says who we are, and that nobody else is. */
#pragma once

#include "helper/owned_path.h"

/**
 * Write our process id to `path` and lock it (fcntl(2)) until this process ends.
 * Logs what is wrong.
 * @param ret_owned  the path, pinned; the caller's to remove
 * @return the descriptor that holds the lock, or -errno
 */
int pidfile_create(const char *path, struct owned_path *ret_owned);
