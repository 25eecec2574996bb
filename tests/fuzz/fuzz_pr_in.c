/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a device returns to PERSISTENT RESERVE IN: decoded within its bytes, and
 * what was decoded says the same when it is encoded and decoded again.
 */
#include "fuzz.h"
#include "scsi/pr.h"
#include "scsi/pr_in.h"

static void check_keys(const uint8_t *data, size_t size)
{
        struct pr_keys keys;
        uint64_t key;
        size_t count = 0;

        if (pr_keys_decode(data, size, &keys) < 0)
                return;
        while (pr_keys_next(&keys, &key))
                count++;
        fuzz_check(count <= keys.count && 8 + 8 * count <= size, "%zu keys of %u", count, keys.count);
        fuzz_check(!pr_keys_next(&keys, &key), "a key behind the end");
}

static void check_reservation(const uint8_t *data, size_t size)
{
        struct pr_reservation one = { 0 }, two = { 0 };
        uint8_t bytes[24];
        struct writer w = writer_over(bytes, sizeof bytes);

        if (pr_reservation_decode(data, size, &one) < 0)
                return;
        pr_reservation_encode(&one, &w);
        fuzz_check(w.length <= sizeof bytes, "%zu bytes", w.length);
        fuzz_check(pr_reservation_decode(bytes, w.length, &two) == 0, "its own bytes");
        fuzz_check(one.generation == two.generation && one.reserved == two.reserved &&
                   one.key == two.key && one.scope == two.scope && one.type == two.type, "changed");
        fuzz_check(one.reserved || (one.key == 0 && one.type == 0), "not zero where nothing is reserved");
}

static void check_capabilities(const uint8_t *data, size_t size)
{
        struct pr_capabilities one = { 0 }, two = { 0 };
        uint8_t bytes[8], again[8];
        struct writer w = writer_over(bytes, sizeof bytes), v = writer_over(again, sizeof again);

        if (pr_capabilities_decode(data, size, &one) < 0)
                return;
        pr_capabilities_encode(&one, &w);
        fuzz_check(w.length == sizeof bytes, "%zu bytes", w.length);
        fuzz_check(pr_capabilities_decode(bytes, w.length, &two) == 0, "its own bytes");
        pr_capabilities_encode(&two, &v);
        fuzz_check(memcmp(bytes, again, sizeof bytes) == 0, "changed");
}

static void check_descriptor(const struct pr_full_status *d)
{
        uint8_t bytes[8 + 24 + TRANSPORTID_SIZE_MAX];
        struct writer w = writer_over(bytes, sizeof bytes), counter = writer_over(NULL, 0);
        struct pr_full_status again;
        struct pr_full_status_list list;

        pr_full_status_encode(d, &counter);
        struct pr_in_header header = { 1, (uint32_t)counter.length };
        pr_in_header_encode(&header, &w);
        pr_full_status_encode(d, &w);
        fuzz_check(w.length <= sizeof bytes, "%zu bytes", w.length);
        fuzz_check(pr_full_status_decode(bytes, w.length, &list) == 0 &&
                   pr_full_status_next(&list, &again), "its own bytes");
        fuzz_check(list.rest.left == 0 && again.known && again.key == d->key &&
                   again.holder == d->holder && again.all_tg_pt == d->all_tg_pt &&
                   again.scope == d->scope && again.type == d->type && again.port == d->port &&
                   transportid_equal(&again.initiator, &d->initiator), "changed");
}

static void check_full_status(const uint8_t *data, size_t size)
{
        struct pr_full_status_list list;
        struct pr_full_status descriptor;
        size_t count = 0;

        if (pr_full_status_decode(data, size, &list) < 0)
                return;
        while (pr_full_status_next(&list, &descriptor)) {
                count++;
                if (descriptor.known)
                        check_descriptor(&descriptor);
                fuzz_check(descriptor.holder || (descriptor.scope == 0 && descriptor.type == 0),
                           "a type without a holder");
        }
        fuzz_check(8 + 24 * count <= size, "%zu descriptors in %zu bytes", count, size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct reader r = reader_over(data, size);
        uint8_t action = read_u8(&r);

        if (r.failed)
                return 0;
        uint8_t *copy = fuzz_copy(r.at, r.left);
        switch (action & 3) {
        case PR_IN_READ_KEYS:
                check_keys(copy, r.left);
                break;
        case PR_IN_READ_RESERVATION:
                check_reservation(copy, r.left);
                break;
        case PR_IN_REPORT_CAPABILITIES:
                check_capabilities(copy, r.left);
                break;
        default:
                check_full_status(copy, r.left);
        }
        free(copy);
        return 0;
}
