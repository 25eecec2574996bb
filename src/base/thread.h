/* SPDX-License-Identifier: BSD-2-Clause */
/* Threads with a small stack that nobody waits for. */
#pragma once

/** @return 0 or -errno */
int thread_start(void *(*run)(void *), void *argument);
