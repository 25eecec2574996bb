/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * In place of base/log_queue.c: lines are formatted and looked at, and go
 * nowhere. What a client can bring into a line must not end it or move the
 * cursor.
 */
#pragma once

#include <stdbool.h>

/** Reservations that were neither used nor given back. */
extern int quiet_log_reserved;

/** So many of the next reservations fail: nobody reads the log. */
extern unsigned quiet_log_full;

/** Lines may hold what the environment brought: do not look at them. */
extern bool quiet_log_any;
