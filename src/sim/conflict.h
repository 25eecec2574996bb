/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which commands a reservation lets through, and from whom: for an emulator
 * that enforces what the engine grants (SPC-4 5.13.1 tables 65 and 66; SBC-3
 * has the like for block commands).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "sim/engine.h"

enum conflict_verdict {
        CONFLICT_ALLOWED,
        CONFLICT_RESERVED, /**< answer RESERVATION CONFLICT */
        CONFLICT_IGNORED,  /**< answer GOOD and do nothing: RESERVE and RELEASE with CRH (SPC-4 5.13.3) */
};

/**
 * Whether a command may run. For PERSISTENT RESERVE OUT this is table 66 and no more: the
 * engine itself answers as it says, and has further reasons to refuse.
 *
 * A command that the tables do not have, or that is cut short, is taken for one that writes.
 *
 * @param cdb_size bytes at `cdb`: 6, 10, 12, 16, or more of variable length
 */
enum conflict_verdict conflict_check(const struct engine_config *config, const struct engine_pr *pr,
                                     struct engine_nexus nexus, const uint8_t *cdb, size_t cdb_size);
