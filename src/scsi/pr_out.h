/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Parameter lists of PERSISTENT RESERVE OUT: the basic one, the one with
 * TransportIDs (SPEC_I_PT), and REGISTER AND MOVE's (SPC-4 6.16.3, 6.16.4).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

enum {
        PR_OUT_SPEC_I_PT_SIZE = 28, /**< a list with SPEC_I_PT, before the TransportIDs */
        PR_OUT_MOVE_SIZE = 24,      /**< REGISTER AND MOVE's, before the TransportID */
};

/** A parameter list. What a service action's list does not have is zero. */
struct pr_out_list {
        uint64_t key;        /**< RESERVATION KEY */
        uint64_t action_key; /**< SERVICE ACTION RESERVATION KEY */
        bool spec_i_pt, all_tg_pt, aptpl;
        bool unreg;    /**< REGISTER AND MOVE: the sender's registration goes */
        uint16_t port; /**< REGISTER AND MOVE: RELATIVE TARGET PORT IDENTIFIER of the destination */
        const uint8_t *transportids; /**< SPEC_I_PT, REGISTER AND MOVE: still encoded, borrowed */
        size_t transportids_size;    /**< bytes; any value but what transportid_parse() accepts is for it to refuse */
};

/**
 * Decode a list for a service action and check its length.
 *
 * Where a list is wrong in both ways the first of these is reported (the standard gives
 * additional sense for the first line only):
 *   - shorter than its fixed part, or without SPEC_I_PT not 24 bytes (6.16.1): -EMSGSIZE;
 *     REGISTER AND MOVE's fixed part counts the 24 bytes that its TransportID has at least
 *   - SPEC_I_PT with a service action other than REGISTER (6.16.3): -EINVAL
 *   - not as long as its TransportID length says (6.16.3, 6.16.4): -EINVAL
 *
 * @param action enum pr_out_action
 * @return 0, -EMSGSIZE: PARAMETER LIST LENGTH ERROR, -EINVAL: INVALID FIELD IN PARAMETER LIST.
 */
int pr_out_list_decode(uint8_t action, const uint8_t *bytes, size_t size, struct pr_out_list *ret_list);

/** Encode a list; the inverse of pr_out_list_decode(). */
void pr_out_list_encode(uint8_t action, const struct pr_out_list *list, struct writer *w);
