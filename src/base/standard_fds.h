/* SPDX-License-Identifier: BSD-2-Clause */
/* Descriptors 0, 1 and 2: numbers that nothing else may get. */
#pragma once

/**
 * Open /dev/null in place of each standard descriptor that we were started without, so that no
 * socket and no disk takes its place and gets what is meant for people.
 * @param mode O_RDWR: what is written there is gone; O_RDONLY: to write there fails with EBADF
 * @return 0 or -errno
 */
int standard_fds_fill(int mode);
