/* SPDX-License-Identifier: BSD-2-Clause */
/* Down to CAP_SYS_RAWIO and nothing else. */
#pragma once

#include "helper/options.h"

/**
 * Give up everything but CAP_SYS_RAWIO, become the user and group of -u and -g.
 *
 * What is absent already need not be dropped. What cannot be dropped is
 * tolerated where it adds nothing (an empty process with a full bounding set,
 * or in supplementary groups), and reported with -v. Logs what is wrong.
 *
 * To be called before the first thread: capabilities are a thread's own.
 *
 * @return 0 or -errno
 */
int privileges_drop(const struct helper_options *options);

/** Why the kernel would answer SG_IO with EPERM to this process, in words. */
const char *privileges_explain_eperm(void);
