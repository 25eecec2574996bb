/* SPDX-License-Identifier: BSD-2-Clause */
/* Which file is a logical unit. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/**
 * An inode and its time of birth, so that a new file which is given a deleted
 * one's inode number is not taken for it.
 */
struct lu_id {
        uint32_t device_major, device_minor; /**< of the file system */
        uint64_t inode;
        int64_t born_s;
        uint32_t born_ns;
};

static inline bool lu_id_equal(const struct lu_id *a, const struct lu_id *b)
{
        return a->device_major == b->device_major && a->device_minor == b->device_minor &&
               a->inode == b->inode && a->born_s == b->born_s && a->born_ns == b->born_ns;
}
