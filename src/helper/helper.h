/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The daemon, all but what it serves: a program gives its name, its options
 * and its endpoints, and gets a helper.
 */
#pragma once

#include "helper/options.h"
#include "helper/server.h"

/** Where to listen, and what is served there. */
struct helper_endpoint {
        const char *path; /**< absolute */
        struct device_source source;
};

/** A program. */
struct helper_program {
        const char *name;
        const char *summary; /**< one line, for --help */
        /** Options of its own, or none. */
        struct option_table options;
        /**
         * Get the devices ready and say where they are served; runs when the options are known
         * and before anything can be seen from outside. Logs what is wrong.
         * @return how many of ret_endpoints (ENDPOINTS_MAX) are filled, or -errno
         */
        int (*start)(const struct helper_options *options, struct helper_endpoint *ret_endpoints);
        /** A last look with the privileges that are left, or NULL. Logs what is wrong. 0 or -errno. */
        int (*check)(void);
        /** A directory that it writes in while it serves, or -1. NULL: none. */
        int (*folder)(void);
        bool rawio; /**< it needs CAP_SYS_RAWIO */
};

/** main(): everything from the options to the exit status. */
int helper_main(int argc, char **argv, const struct helper_program *program);
