/* SPDX-License-Identifier: BSD-2-Clause */
/* What the load generator can do; load.c picks one of these. */
#pragma once

#include <sys/types.h>

struct load_options {
        unsigned connections;
        double seconds;     /**< measured, after the warm-up */
        double warm_up;
        const char *device; /**< whose descriptor is passed */
        unsigned action;    /**< service action of PERSISTENT RESERVE IN */
        unsigned length;    /**< allocation length */
        pid_t server;       /**< whose CPU time is measured, or 0 */
        unsigned starts;
};

/** Requests in a closed loop through the helper at `path`. */
int load_run(const struct load_options *options, const char *path);

/** The same commands straight to the device, by SG_IO. */
int load_direct(const struct load_options *options);

/** Hold idle connections, say so, and stay until stdin ends. */
int load_idle(const struct load_options *options, const char *path);

/** How long a program takes from its start to the feature word at `path`. */
int load_start(const struct load_options *options, const char *path, char *const *program);
