/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A stored logical unit's file: whatever it holds, what is decoded is within
 * bounds, the same after it was encoded again, and engine_restore() takes it
 * or leaves it.
 *
 * Input: how many initiators are known before; then the file. 80h: the magic,
 * the identity and the checksum are put right, so that the rest is looked at.
 */
#include <errno.h>
#include <zlib.h>

#include "fuzz.h"
#include "sim/store.h"

enum { HEAD_SIZE = 8 + 4 + 28, CRC_SIZE = 4, FILE_MAX = 128 * 1024 };

static const struct lu_id id = { 8, 1, 4711, 1700000000, 123456789 };
static const uint16_t ports[] = { 1, 2 };
static struct initiator_list list, other;
static struct engine_pr pr, again;
static struct engine_state state;
static struct transportid known[ENGINE_INITIATORS_MAX];

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
        char name[32];

        (void)argc, (void)argv;
        for (unsigned i = 0; i < ENGINE_INITIATORS_MAX; i++) {
                snprintf(name, sizeof name, "iqn.2026-11.org.example:%u", i);
                (void)transportid_from_name(name, &known[i]);
        }
        return 0;
}

/* The head of a file as store_encode() writes it, and the checksum of the rest. */
static void put_right(uint8_t *bytes, size_t size)
{
        static const struct engine_pr nothing;
        uint8_t file[256];

        if (size < HEAD_SIZE + CRC_SIZE)
                return;
        (void)store_encode(&id, &list, &nothing, file, sizeof file);
        memcpy(bytes, file, HEAD_SIZE);
        struct writer w = writer_over(bytes + size - CRC_SIZE, CRC_SIZE);
        write_be32(&w, (uint32_t)crc32_z(0, bytes, size - CRC_SIZE));
}

static void check_again(void)
{
        static uint8_t file[FILE_MAX], second[FILE_MAX];
        size_t size = store_encode(&id, &list, &pr, file, sizeof file);

        fuzz_check(size > 0, "what was decoded does not fit");
        other.count = 0;
        memset(&again, 0, sizeof again);
        fuzz_check(store_decode(file, size, &id, &other, &again) == 0, "its own bytes");
        fuzz_check(again.count == pr.count && again.type == pr.type && again.aptpl == pr.aptpl, "changed");
        fuzz_check(store_encode(&id, &other, &again, second, sizeof second) == size &&
                   memcmp(file, second, size) == 0, "not the same file");
}

static void check_restore(void)
{
        struct engine_config config = {
                .initiators = list.ids,
                .initiator_count = list.count,
                .ports = ports,
                .port_count = 2,
                .registrations_max = ENGINE_REGISTRATIONS_MAX,
                .ptpl = true,
        };

        if (engine_restore(&config, &pr, &state) < 0)
                return;
        fuzz_check(state.pr.count == pr.count && state.pr.type == pr.type, "restored another one");
        for (size_t i = 0; i < state.pr.count; i++)
                fuzz_check(state.pr.registrations[i].key != 0 &&
                           state.pr.registrations[i].nexus.port < config.port_count, "registration %zu", i);
}

static void check_decoded(void)
{
        fuzz_check(pr.count <= ENGINE_REGISTRATIONS_MAX && list.count <= ENGINE_INITIATORS_MAX, "limits");
        for (size_t i = 0; i < pr.count; i++)
                fuzz_check(pr.registrations[i].nexus.initiator < list.count, "registration %zu", i);
        check_again();
        check_restore();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct reader r = reader_over(data, size);
        uint8_t how = read_u8(&r);

        if (r.failed)
                return 0;
        list.count = (how & 3u) * 85;
        memcpy(list.ids, known, list.count * sizeof known[0]);
        uint8_t *file = fuzz_copy(r.at, r.left);
        if (how & 0x80)
                put_right(file, r.left);
        memset(&pr, 0, sizeof pr);
        pr.count = 77;
        int decoded = store_decode(file, r.left, &id, &list, &pr);
        fuzz_check(decoded == 0 || decoded == -EBADMSG ||
                   (decoded == -ENOSPC && list.count == ENGINE_INITIATORS_MAX), "returned %d", decoded);
        if (decoded == 0)
                check_decoded();
        else
                fuzz_check(pr.count == 77, "touched on failure");
        free(file);
        return 0;
}
