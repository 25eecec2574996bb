/* SPDX-License-Identifier: BSD-2-Clause */
/* TransportIDs: parsed, encoded and parsed again they are the same; text of them is text. */
#include "fuzz.h"
#include "scsi/transportid.h"

static void check_text(const struct transportid *id, size_t room)
{
        char whole[TRANSPORTID_TEXT_SIZE], *cut = malloc(room ? room : 1);

        if (!cut)
                abort();
        transportid_format(id, whole, sizeof whole);
        fuzz_check(strlen(whole) < sizeof whole - 1, "no room for '%s'", whole);
        for (const char *c = whole; *c != '\0'; c++)
                fuzz_check(*c > ' ' && *c < 0x7f, "byte %#x in its text", (unsigned char)*c);
        transportid_format(id, cut, room);
        if (room > 0)
                fuzz_check(strlen(cut) < room && strncmp(cut, whole, strlen(cut)) == 0,
                           "cut to %zu: '%s'", room, cut);
        free(cut);
}

static void check_id(const struct transportid *id, size_t taken)
{
        uint8_t bytes[TRANSPORTID_SIZE_MAX], *copy;
        struct writer w = writer_over(bytes, sizeof bytes);
        struct transportid again, named;

        transportid_encode(id, &w);
        fuzz_check(w.length <= sizeof bytes && w.length >= TRANSPORTID_SIZE_MIN && w.length % 4 == 0,
                   "%zu bytes", w.length);
        /* Any length is taken; the shortest form is not longer but for what an ISID left out. */
        fuzz_check(taken % 4 == 0 && w.length <= taken + 12, "%zu bytes became %zu", taken, w.length);

        copy = fuzz_copy(bytes, w.length);
        struct reader r = reader_over(copy, w.length);
        fuzz_check(transportid_parse(&r, &again) == 0 && reader_finished(&r), "its own bytes");
        fuzz_check(transportid_equal(id, &again) && memcmp(id, &again, sizeof again) == 0, "another one");
        fuzz_check(transportid_selects(id, &again), "does not select itself");
        free(copy);

        if (id->protocol == TRANSPORTID_ISCSI && !id->has_isid)
                fuzz_check(transportid_from_name(id->name, &named) == 0 &&
                           transportid_equal(id, &named), "name '%s'", id->name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct reader r = reader_over(data, size);
        size_t room = read_u8(&r);
        struct transportid id, last;
        bool any = false;

        if (r.failed)
                return 0;
        while (r.left > 0) {
                size_t before = r.left;
                memset(&id, 0, sizeof id);
                if (transportid_parse(&r, &id) < 0)
                        break;
                check_id(&id, before - r.left);
                check_text(&id, room);
                if (any) {
                        fuzz_check(transportid_equal(&id, &last) == transportid_equal(&last, &id), "equal");
                        (void)transportid_selects(&id, &last);
                }
                last = id;
                any = true;
        }
        char *name = fuzz_text(&r, r.left);
        if (transportid_from_name(name, &id) == 0)
                check_id(&id, TRANSPORTID_SIZE_MAX);
        free(name);
        return 0;
}
