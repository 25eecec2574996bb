/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bytes of a stored logical unit, big-endian:
 *
 *     magic "PRSIM\r\n\x1a", version u32
 *     file: device major u32, minor u32, inode u64, born s64 and u32 nanoseconds
 *     aptpl u8, type u8, holder u16 (place in the list; FFFFh for none), count u16
 *     count times: key u64, all_tg_pt u8, port u16, TransportID (its own length)
 *     CRC-32 of everything before, u32
 */
#include <errno.h>
#include <string.h>
#include <zlib.h>

#include "sim/store.h"

static const uint8_t magic[] = { 'P', 'R', 'S', 'I', 'M', '\r', '\n', 0x1a };

enum {
        VERSION = 1,
        NO_HOLDER = 0xffff,
        CRC_SIZE = 4,
};

int initiator_list_add(struct initiator_list *list, const struct transportid *id)
{
        for (size_t i = 0; i < list->count; i++)
                if (transportid_equal(&list->ids[i], id))
                        return (int)i;
        if (list->count == ENGINE_INITIATORS_MAX)
                return -ENOSPC;
        list->ids[list->count] = *id;
        return (int)list->count++;
}

static uint32_t checksum(const uint8_t *bytes, size_t size)
{
        return (uint32_t)crc32_z(0, bytes, size);
}

static void write_id(struct writer *w, const struct lu_id *id)
{
        write_be32(w, id->device_major);
        write_be32(w, id->device_minor);
        write_be64(w, id->inode);
        write_be64(w, (uint64_t)id->born_s);
        write_be32(w, id->born_ns);
}

static struct lu_id read_id(struct reader *r)
{
        struct lu_id id;

        id.device_major = read_be32(r);
        id.device_minor = read_be32(r);
        id.inode = read_be64(r);
        id.born_s = (int64_t)read_be64(r);
        id.born_ns = read_be32(r);
        return id;
}

/* Of the all registrants types every registrant holds, and none is named. */
static bool has_holder(uint8_t type)
{
        return type != PR_TYPE_NONE && type != PR_TYPE_WRITE_EXCLUSIVE_ALL_REGISTRANTS &&
               type != PR_TYPE_EXCLUSIVE_ACCESS_ALL_REGISTRANTS;
}

/* The holder's place among the registrations. */
static uint16_t holder_place(const struct engine_pr *pr)
{
        for (uint16_t i = 0; has_holder(pr->type) && i < pr->count; i++)
                if (engine_nexus_equal(pr->registrations[i].nexus, pr->holder))
                        return i;
        return NO_HOLDER;
}

size_t store_encode(const struct lu_id *id, const struct initiator_list *initiators,
                    const struct engine_pr *pr, uint8_t *bytes, size_t size)
{
        struct writer w = writer_over(bytes, size);

        write_bytes(&w, magic, sizeof magic);
        write_be32(&w, VERSION);
        write_id(&w, id);
        write_u8(&w, pr->aptpl);
        write_u8(&w, pr->type);
        write_be16(&w, holder_place(pr));
        write_be16(&w, pr->count);
        for (size_t i = 0; i < pr->count; i++) {
                const struct engine_registration *r = &pr->registrations[i];
                write_be64(&w, r->key);
                write_u8(&w, r->all_tg_pt);
                write_be16(&w, r->nexus.port);
                transportid_encode(&initiators->ids[r->nexus.initiator], &w);
        }
        if (w.length + CRC_SIZE > size)
                return 0;
        write_be32(&w, checksum(bytes, w.length));
        return w.length;
}

static int read_registration(struct reader *r, struct initiator_list *initiators,
                             struct engine_registration *ret_registration)
{
        struct engine_registration registration = { .key = read_be64(r) };
        struct transportid id;
        uint8_t all_tg_pt = read_u8(r);

        registration.all_tg_pt = all_tg_pt == 1;
        registration.nexus.port = read_be16(r);
        if (r->failed || all_tg_pt > 1 || transportid_parse(r, &id) < 0)
                return -EBADMSG;
        int place = initiator_list_add(initiators, &id);
        if (place < 0)
                return place;
        registration.nexus.initiator = (uint16_t)place;
        *ret_registration = registration;
        return 0;
}

/* Everything between the file's identity and its checksum. */
static int read_pr(struct reader *r, struct initiator_list *initiators, struct engine_pr *pr)
{
        uint8_t aptpl = read_u8(r);
        uint8_t type = read_u8(r);
        uint16_t holder = read_be16(r);
        uint16_t count = read_be16(r);

        if (r->failed || aptpl != 1 || count > ENGINE_REGISTRATIONS_MAX ||
            has_holder(type) != (holder != NO_HOLDER) || (holder != NO_HOLDER && holder >= count))
                return -EBADMSG;
        pr->aptpl = true;
        pr->type = type;
        for (; pr->count < count; pr->count++) {
                int error = read_registration(r, initiators, &pr->registrations[pr->count]);
                if (error < 0)
                        return error;
        }
        if (holder != NO_HOLDER)
                pr->holder = pr->registrations[holder].nexus;
        return reader_finished(r) ? 0 : -EBADMSG;
}

int store_decode(const uint8_t *bytes, size_t size, const struct lu_id *id,
                 struct initiator_list *initiators, struct engine_pr *ret_pr)
{
        if (size < CRC_SIZE)
                return -EBADMSG;

        struct reader end = reader_over(bytes + size - CRC_SIZE, CRC_SIZE);
        struct reader r = reader_over(bytes, size - CRC_SIZE);
        const uint8_t *start = read_bytes(&r, sizeof magic);
        uint32_t version = read_be32(&r);
        struct lu_id stored = read_id(&r);
        struct engine_pr pr = { .count = 0 };

        if (r.failed || memcmp(start, magic, sizeof magic) != 0 || version != VERSION ||
            read_be32(&end) != checksum(bytes, size - CRC_SIZE) || !lu_id_equal(&stored, id))
                return -EBADMSG;
        int error = read_pr(&r, initiators, &pr);
        if (error < 0)
                return error;
        *ret_pr = pr;
        return 0;
}
