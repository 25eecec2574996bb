/* SPDX-License-Identifier: BSD-2-Clause */
/* Down to CAP_SYS_RAWIO and nothing else. */
#pragma once

#include "helper/options.h"

/**
 * Rule out that this process or a child of it ever has more: no new privileges, the bounding set
 * empty where CAP_SETPCAP is there. Logs what is wrong. @return 0 or -errno
 */
int privileges_bound(void);

/**
 * Become the user and group of -u and -g; give up every capability but, with
 * `keep_rawio`, CAP_SYS_RAWIO.
 *
 * What is absent already need not be dropped. What cannot be dropped is
 * tolerated where it adds nothing (supplementary groups, and above the bounding
 * set, of an empty process), and reported with -v. Logs what is wrong.
 *
 * To be called before the first thread: capabilities are a thread's own.
 *
 * @return 0 or -errno
 */
int privileges_drop(const struct helper_options *options, bool keep_rawio);

/**
 * Give up every capability but `kept` (-1: every one), where that is permitted.
 * @return 0, or -errno where the kernel says that another one is left
 */
int privileges_keep(int kept);

/** Why the kernel would answer SG_IO with EPERM to this process, in words. */
const char *privileges_explain_eperm(void);
