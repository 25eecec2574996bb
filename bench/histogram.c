/* SPDX-License-Identifier: BSD-2-Clause */
/* Times, counted in buckets that grow with them: see histogram.h. */
#include "histogram.h"

enum { SUB = 1 << HISTOGRAM_SUB_BITS };

/* Up to 2 * SUB every value has a bucket; from there on SUB buckets for each doubling. */
static unsigned bucket_of(uint64_t ns)
{
        unsigned shift = 0;

        while (ns >> shift >= 2 * SUB)
                shift++;
        unsigned bucket = shift * SUB + (unsigned)(ns >> shift);
        return bucket < HISTOGRAM_BUCKETS ? bucket : HISTOGRAM_BUCKETS - 1;
}

/* The middle of a bucket. */
static double bucket_ns(unsigned bucket)
{
        if (bucket < 2 * SUB)
                return bucket;
        unsigned shift = bucket / SUB - 1;
        return ((double)(bucket - shift * SUB) + 0.5) * (double)(UINT64_C(1) << shift);
}

void histogram_add(struct histogram *histogram, int64_t ns)
{
        int64_t time = ns < 0 ? 0 : ns;

        histogram->count++;
        histogram->buckets[bucket_of((uint64_t)time)]++;
        if (time > histogram->max_ns)
                histogram->max_ns = time;
}

double histogram_us(const struct histogram *histogram, double share)
{
        double rank = share * (double)histogram->count;
        uint64_t seen = 0;

        for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
                seen += histogram->buckets[i];
                if (seen > 0 && (double)seen >= rank)
                        return bucket_ns(i) / 1000;
        }
        return 0;
}
