/* SPDX-License-Identifier: BSD-2-Clause */
/* The simulated target's files: their bytes, what is refused, and the folder's lock. */
#include "sim/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tap.h"

static const struct lu_id id = { 8, 1, 4711, 1700000000, 123456789 };

static void add(struct engine_pr *pr, struct initiator_list *list, const char *name, uint64_t key)
{
        struct transportid port;

        transportid_from_name(name, &port);
        pr->registrations[pr->count++] = (struct engine_registration){
                .key = key,
                .nexus.initiator = (uint16_t)initiator_list_add(list, &port),
                .all_tg_pt = key % 2,
        };
}

/* Two registrants, the second holds. */
static struct engine_pr sample(struct initiator_list *list)
{
        struct engine_pr pr = { .aptpl = true, .type = PR_TYPE_WRITE_EXCLUSIVE_REGISTRANTS_ONLY };

        add(&pr, list, "iqn.2026-11.org.example:a", 0xa1);
        add(&pr, list, "iqn.2026-11.org.example:b", 0xb20000000000000b);
        pr.holder = pr.registrations[1].nexus;
        return pr;
}

static bool same(const struct engine_pr *a, const struct engine_pr *b)
{
        bool equal = a->aptpl == b->aptpl && a->type == b->type && a->count == b->count &&
                     engine_nexus_equal(a->holder, b->holder);

        for (size_t i = 0; equal && i < a->count; i++) {
                const struct engine_registration *x = &a->registrations[i], *y = &b->registrations[i];
                equal = x->key == y->key && x->all_tg_pt == y->all_tg_pt &&
                        engine_nexus_equal(x->nexus, y->nexus);
        }
        return equal;
}

static void test_round_trip(void)
{
        struct initiator_list list = { .count = 0 }, other = { .count = 0 };
        struct engine_pr pr = sample(&list), read = { .count = 0 };
        uint8_t bytes[1024];
        size_t size = store_encode(&id, &list, &pr, bytes, sizeof bytes);

        ok(size > 0, "a state is encoded, %zu bytes", size);
        is_int(store_decode(bytes, size, &id, &list, &read), 0, "and decoded");
        ok(same(&pr, &read), "to the same");
        is_int(store_decode(bytes, size, &id, &other, &read), 0,
               "also by a target that did not know its initiators");
        is_int((long long)other.count, 2, "and knows them then");
        is_int((long long)store_encode(&id, &list, &pr, bytes, size - 1), 0,
               "what does not fit is not encoded");

        pr.type = PR_TYPE_EXCLUSIVE_ACCESS_ALL_REGISTRANTS;
        memset(&pr.holder, 0, sizeof pr.holder);
        size = store_encode(&id, &list, &pr, bytes, sizeof bytes);
        is_int(store_decode(bytes, size, &id, &list, &read), 0, "all registrants: no holder");
        ok(same(&pr, &read), "the same again");
}

static void test_damage(void)
{
        struct initiator_list list = { .count = 0 };
        struct engine_pr pr = sample(&list), read;
        uint8_t bytes[1024];
        size_t size = store_encode(&id, &list, &pr, bytes, sizeof bytes);
        unsigned accepted = 0;

        for (size_t i = 0; i < size; i++)
                for (unsigned bit = 0; bit < 8; bit++) {
                        bytes[i] ^= (uint8_t)(1U << bit);
                        accepted += store_decode(bytes, size, &id, &list, &read) == 0;
                        bytes[i] ^= (uint8_t)(1U << bit);
                }
        is_int(accepted, 0, "no flipped bit goes unnoticed");

        for (size_t shorter = 0; shorter < size; shorter++)
                accepted += store_decode(bytes, shorter, &id, &list, &read) == 0;
        is_int(accepted, 0, "nor does a file that was cut");
        pr.aptpl = false;
        uint8_t other[1024];
        size_t other_size = store_encode(&id, &list, &pr, other, sizeof other);
        is_int(store_decode(other, other_size, &id, &list, &read), -EBADMSG,
               "a state that says it is not to be kept was never stored");
        is_int(store_decode(bytes, size + 1, &id, &list, &read), -EBADMSG, "nor one that grew");

        struct lu_id reborn = id;
        reborn.born_ns++;
        is_int(store_decode(bytes, size, &reborn, &list, &read), -EBADMSG,
               "another file's state is not taken");
}

/* 1: something is stored and understood. */
static int load(int folder, struct initiator_list *list, struct engine_pr *ret_pr)
{
        uint8_t *bytes = NULL;
        size_t size;
        int r = store_read(folder, &id, &bytes, &size);

        if (r == 1)
                r = store_decode(bytes, size, &id, list, ret_pr) < 0 ? -EBADMSG : 1;
        free(bytes);
        return r;
}

static void test_folder(void)
{
        char path[] = "/tmp/pr-store.XXXXXX", inner[64], name[STORE_NAME_SIZE];
        struct initiator_list list = { .count = 0 };
        struct engine_pr pr = sample(&list), read = { .count = 0 };

        if (!mkdtemp(path))
                abort();
        snprintf(inner, sizeof inner, "%s/state", path);
        int folder = store_open(inner);
        ok(folder >= 0, "the folder is made");
        is_int(store_open(inner), -EBUSY, "a second opener is refused");

        is_int(load(folder, &list, &read), 0, "nothing is stored at first");
        is_int(store_write(folder, &id, &list, &pr), 0, "a state is stored");
        is_int(load(folder, &list, &read), 1, "and read");
        ok(same(&pr, &read), "the same");
        is_int(store_erase(folder, &id), 0, "erased");
        is_int(load(folder, &list, &read), 0, "it is gone");
        is_int(store_erase(folder, &id), 0, "erasing nothing is no error");

        store_name(&id, name);
        int fd = openat(folder, name, O_WRONLY | O_CREAT, 0600);
        close(fd);
        is_int(load(folder, &list, &read), -EBADMSG, "an empty file is no empty state");
        unlinkat(folder, name, 0);
        close(folder);
        rmdir(inner);
        is_int(rmdir(path), 0, "nothing else was left");
}

int main(void)
{
        test_round_trip();
        test_damage();
        test_folder();
        return done();
}
