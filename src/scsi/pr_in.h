/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What PERSISTENT RESERVE IN returns, encoded for a target and decoded for a
 * client (SPC-4 6.15.2 to 6.15.5).
 *
 * Encoders write the whole response; the writer keeps what fits into the
 * allocation length and the length fields speak of the whole (4.2.5.6).
 * Decoders take what arrived, which may be cut anywhere past the header.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "scsi/transportid.h"

/** What READ KEYS, READ RESERVATION and READ FULL STATUS begin with: 8 bytes. */
struct pr_in_header {
        uint32_t generation; /**< PRGENERATION */
        uint32_t length;     /**< ADDITIONAL LENGTH: bytes that follow at the target */
};

void pr_in_header_encode(const struct pr_in_header *header, struct writer *w);

/** READ KEYS as it arrived; pr_keys_next() takes the keys from it. */
struct pr_keys {
        uint32_t generation;
        uint32_t count;     /**< keys that the target has; fewer may have arrived */
        struct reader rest; /**< those that have */
};

/** @return 0, or -EBADMSG: shorter than its header, or a length that is no multiple of a key's. */
int pr_keys_decode(const uint8_t *data, size_t size, struct pr_keys *ret_keys);

/** The next key in *ret_key; false at the end of what arrived. */
bool pr_keys_next(struct pr_keys *keys, uint64_t *ret_key);

/** READ RESERVATION. */
struct pr_reservation {
        uint32_t generation;
        bool reserved; /**< the rest is zero where not */
        uint64_t key;  /**< 0 for the all registrants types */
        uint8_t scope, type;
};

void pr_reservation_encode(const struct pr_reservation *reservation, struct writer *w);

/** @return 0, or -EBADMSG: cut short, or a length that is neither 0 nor 16. */
int pr_reservation_decode(const uint8_t *data, size_t size, struct pr_reservation *ret_reservation);

/** REPORT CAPABILITIES; a bit of the response is a member. */
struct pr_capabilities {
        bool rlr_c, crh, sip_c, atp_c, ptpl_c;
        bool tmv, ptpl_a;
        uint8_t allow_commands; /**< 3 bits, table 208 */
        uint16_t types;         /**< bit n for type n; PR_TYPES_ALL is all of them */
};

void pr_capabilities_encode(const struct pr_capabilities *capabilities, struct writer *w);

/** @return 0, or -EBADMSG: cut short, or a LENGTH below 8. */
int pr_capabilities_decode(const uint8_t *data, size_t size, struct pr_capabilities *ret_capabilities);

/** A full status descriptor of READ FULL STATUS. */
struct pr_full_status {
        uint64_t key;
        bool all_tg_pt; /**< stands for the initiator port's nexuses through every target port */
        bool holder;
        uint8_t scope, type; /**< of a holder; else 0 */
        uint16_t port;       /**< RELATIVE TARGET PORT IDENTIFIER; means nothing with all_tg_pt */
        bool known;          /**< decoded: the TransportID is one that transportid_parse() understands */
        struct transportid initiator;
};

void pr_full_status_encode(const struct pr_full_status *descriptor, struct writer *w);

/** READ FULL STATUS as it arrived; pr_full_status_next() takes the descriptors from it. */
struct pr_full_status_list {
        uint32_t generation;
        uint32_t length;    /**< bytes of descriptors that the target has */
        struct reader rest; /**< those that have arrived */
};

/** @return 0, or -EBADMSG: shorter than its header. */
int pr_full_status_decode(const uint8_t *data, size_t size, struct pr_full_status_list *ret_list);

/** The next whole descriptor; false at the end, or where the rest is cut in the middle of one. */
bool pr_full_status_next(struct pr_full_status_list *list, struct pr_full_status *ret_descriptor);
