/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A helper out of a script, in the process of its client: connect(2), sendmsg(2)
 * and the waits of the library are replaced, so that every reply is there when
 * it is asked for or never comes, and nothing waits.
 */
#pragma once

#include "base/bytes.h"

/** What the server does next is read from here. */
void server_reset(struct reader script);

/** Whole requests that have come since the last call of this. */
unsigned server_requests(void);

/**
 * A command was answered by a reply with this status and so many bytes of data: is that what was
 * read from the connection last?
 */
void server_check_reply(uint8_t status, uint32_t size, const uint8_t *data);

/** Close everything. */
void server_end(void);
