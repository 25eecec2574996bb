/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TransportIDs: how SCSI names an initiator port in parameter data (SPC-4 7.6.4).
 *
 * Bytes are parsed into one decoded form, so that two TransportIDs that name
 * the same port compare equal whatever their padding or reserved bytes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

/** PROTOCOL IDENTIFIER (SPC-4 7.6.1, table 477), those that have a TransportID (table 499). */
enum transportid_protocol {
        TRANSPORTID_FCP = 0x0,
        TRANSPORTID_SPI = 0x1,
        TRANSPORTID_SBP = 0x3,
        TRANSPORTID_SRP = 0x4,
        TRANSPORTID_ISCSI = 0x5,
        TRANSPORTID_SAS = 0x6,
        TRANSPORTID_SOP = 0xa,
};

enum {
        TRANSPORTID_SIZE_MIN = 24,   /**< and a multiple of four (SPC-4 7.6.4.1) */
        TRANSPORTID_SIZE_MAX = 248,  /**< the longest that transportid_encode() writes */
        TRANSPORTID_NAME_MAX = 223,  /**< an iSCSI name, bytes (RFC 7143 4.2.7.2) */
        TRANSPORTID_TEXT_SIZE = 910, /**< room for any text of transportid_format(), with its NUL */
};

/** A decoded TransportID. Unused members are zero. */
struct transportid {
        uint8_t protocol;                    /**< enum transportid_protocol */
        bool has_isid;                       /**< iSCSI, format 01b: a port; else the whole initiator device */
        uint8_t id[16];                      /**< the port's identifier from its first byte; iSCSI: 6 bytes of ISID */
        char name[TRANSPORTID_NAME_MAX + 1]; /**< iSCSI: the initiator's name */
};

/**
 * Take one TransportID from the reader.
 * Reserved bytes are not looked at, nor is what follows an iSCSI name's NUL (7.6.4.6).
 * @return 0, or -EINVAL: protocol or format code not known, too short, a length that is
 *         no multiple of four, an iSCSI name or ISID that is none.
 */
int transportid_parse(struct reader *r, struct transportid *ret_id);

/** Write it in its shortest form, zero padded. */
void transportid_encode(const struct transportid *id, struct writer *w);

/**
 * An iSCSI initiator by its name (format 00b).
 * @return 0, or -EINVAL: empty, longer than TRANSPORTID_NAME_MAX, or with a comma, a space or a control character.
 */
int transportid_from_name(const char *name, struct transportid *ret_id);

/** The same initiator port, or the same iSCSI initiator device. */
bool transportid_equal(const struct transportid *a, const struct transportid *b);

/**
 * Whether a TransportID in a PERSISTENT RESERVE OUT list means this port: it is equal, or
 * it is an iSCSI name without ISID, which means every port of that initiator (SPC-4 7.6.4.6).
 */
bool transportid_selects(const struct transportid *listed, const struct transportid *port);

/**
 * Text for people: an iSCSI name as it is ("iqn...", "iqn...,i,0x00023d000001"), others as
 * "fc:0x2100...", "sas:0x5000...", "srp:0x...", "sbp:0x...", "sop:0x0100", "spi:7,1" (address, port).
 * Bytes of a name that are not printable ASCII become \xNN, and so do a backslash and the first
 * byte of a name that would read as another protocol's: no two TransportIDs have the same text.
 * @param size of `ret_text`; TRANSPORTID_TEXT_SIZE always suffices. What does not fit is cut.
 */
void transportid_format(const struct transportid *id, char *ret_text, size_t size);
