/* SPDX-License-Identifier: BSD-2-Clause */
/* Down to CAP_SYS_RAWIO and nothing else. */
#pragma once

#include "helper/options.h"

/**
 * Become the user and group of -u and -g; give up every capability but, with
 * `keep_rawio`, CAP_SYS_RAWIO.
 *
 * What is absent already need not be dropped. What cannot be dropped is
 * tolerated where it adds nothing (an empty process with a full bounding set,
 * or in supplementary groups), and reported with -v. Logs what is wrong.
 *
 * To be called before the first thread: capabilities are a thread's own.
 *
 * @return 0 or -errno
 */
int privileges_drop(const struct helper_options *options, bool keep_rawio);

/**
 * Whether this process has no capability but `kept` (-1: none). Trusts nothing but what the
 * kernel says now. @return 0, or -errno where it has one
 */
int privileges_verify(int kept);

/** Why the kernel would answer SG_IO with EPERM to this process, in words. */
const char *privileges_explain_eperm(void);
