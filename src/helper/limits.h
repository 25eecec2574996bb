/* SPDX-License-Identifier: BSD-2-Clause */
/* How much of everything clients may have. */
#pragma once

/** 0 in the first three: the default. */
struct limits {
        unsigned clients;          /**< connections at a time */
        unsigned clients_per_user; /**< of one user */
        unsigned commands;         /**< in flight on one device for one user */
};

/**
 * Raise RLIMIT_NOFILE as far as it goes and fill in the defaults by what the
 * system allows: a client takes two descriptors (its connection, and the
 * device that it passes; looking that up may take some more for a moment, of
 * those that are kept back) and a thread. What was asked for and cannot be is
 * lowered, with a warning.
 */
void limits_settle(struct limits *limits);
