/* SPDX-License-Identifier: BSD-2-Clause */
/* The question before something destroys what other hosts have registered. */
#pragma once

#include "cli/options.h"

/**
 * Ask on the terminal, unless --yes was given.
 * @param what it does: "clear removes ... of all hosts"
 * @return 0: go on; CLI_SYNTAX after a message: the answer was no, or there is no terminal to ask at
 */
int confirm(const struct options *options, const char *what);
