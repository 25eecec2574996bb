/* SPDX-License-Identifier: BSD-2-Clause */
/* Socket activation, as sd_listen_fds(3) describes it. */
#pragma once

/**
 * The listening socket that a service manager passed.
 * Logs what is wrong. Takes LISTEN_PID and its like out of the environment.
 * @return the descriptor, 0 where there is no activation, or -errno
 */
int activation_socket(void);
