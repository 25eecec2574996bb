/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Waiting awake for a client's next request, for a moment and where it pays.
 *
 * To wake a thread that sleeps, on a core that idles, takes the kernel longer
 * than we take for a request. So a thread looks some times whether the next one
 * is there before it sleeps, as KVM does with a halted processor (halt_poll_ns).
 */
#pragma once

/** How a client has been. All zero: nothing is known. */
struct busy_poll {
        unsigned skip;    /**< so many requests are not waited for awake */
        unsigned penalty; /**< what a wait in vain doubles, and sets `skip` to */
        unsigned streak;  /**< requests that were found in a row since */
};

/**
 * Return when there is something to read from `sock`, or its end, or after some microseconds.
 *
 * A wait in vain doubles the number of requests that are not waited for after it, up to 1023, so
 * that a client that pauses between its requests costs nothing; 32 in a row that were found halve
 * it. Only one thread at a time waits awake: all clients together never cost more than one core.
 */
void busy_poll(struct busy_poll *state, int sock);
