/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The status socket: who connects reads one JSON document and then EOF.
 *
 * Nothing is read from a reader. One that does not take the document within
 * two seconds is cut off, and others do not wait for it.
 */
#pragma once

#include "helper/limits.h"

struct status_options {
        int listener;
        struct limits limits;
        unsigned timeout_ms; /**< of a command: one that takes longer hangs */
};

/** Serve the socket in threads of its own until the process ends. @return 0 or -errno */
int status_start(const struct status_options *options);
