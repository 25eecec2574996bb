/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A histogram of times with a constant relative error: 128 buckets an octave,
 * so that no percentile is off by more than 0.8 %, whatever its size.
 */
#pragma once

#include <stdint.h>

enum {
        HISTOGRAM_SUB_BITS = 7,
        HISTOGRAM_OCTAVES = 40, /* up to 2^46 ns, 19 hours */
        HISTOGRAM_BUCKETS = (HISTOGRAM_OCTAVES + 1) << HISTOGRAM_SUB_BITS,
};

struct histogram {
        uint64_t count;
        int64_t max_ns;
        uint64_t buckets[HISTOGRAM_BUCKETS];
};

/** Count one time, in nanoseconds; below 0 counts as 0. */
void histogram_add(struct histogram *histogram, int64_t ns);

/** The time below which `share` (0 to 1) of all are, in microseconds; 0 where there are none. */
double histogram_us(const struct histogram *histogram, double share);
