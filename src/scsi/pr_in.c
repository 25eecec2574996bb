/* SPDX-License-Identifier: BSD-2-Clause */
/* What PERSISTENT RESERVE IN returns, both ways: see pr_in.h. */
#include "scsi/pr_in.h"

#include <errno.h>

enum {
        KEY_SIZE = 8,
        RESERVATION_SIZE = 16,  /* READ RESERVATION behind its header */
        CAPABILITIES_SIZE = 8,  /* REPORT CAPABILITIES in all */
        BYTE12_ALL_TG_PT = 0x02, /* of a full status descriptor */
        BYTE12_R_HOLDER = 0x01,
};

void pr_in_header_encode(const struct pr_in_header *header, struct writer *w)
{
        write_be32(w, header->generation);
        write_be32(w, header->length);
}

/* The header, and the reader reduced to what belongs to the response of what arrived. */
static struct pr_in_header header_decode(struct reader *r)
{
        struct pr_in_header header = { .generation = read_be32(r) };

        header.length = read_be32(r);
        if (r->left > header.length)
                r->left = header.length;
        return header;
}

int pr_keys_decode(const uint8_t *data, size_t size, struct pr_keys *ret_keys)
{
        struct reader r = reader_over(data, size);
        struct pr_in_header header = header_decode(&r);

        if (r.failed || header.length % KEY_SIZE != 0)
                return -EBADMSG;
        *ret_keys = (struct pr_keys){ header.generation, header.length / KEY_SIZE, r };
        return 0;
}

bool pr_keys_next(struct pr_keys *keys, uint64_t *ret_key)
{
        uint64_t key = read_be64(&keys->rest);

        if (keys->rest.failed)
                return false;
        *ret_key = key;
        return true;
}

void pr_reservation_encode(const struct pr_reservation *reservation, struct writer *w)
{
        struct pr_in_header header = { reservation->generation, reservation->reserved ? RESERVATION_SIZE : 0 };

        pr_in_header_encode(&header, w);
        if (!reservation->reserved)
                return;
        write_be64(w, reservation->key);
        write_zeros(w, 5);
        write_u8(w, (uint8_t)(reservation->scope << 4 | reservation->type));
        write_zeros(w, 2);
}

int pr_reservation_decode(const uint8_t *data, size_t size, struct pr_reservation *ret_reservation)
{
        struct reader r = reader_over(data, size);
        struct pr_in_header header = header_decode(&r);
        struct pr_reservation reservation = { .generation = header.generation };

        if (r.failed || (header.length != 0 && header.length != RESERVATION_SIZE))
                return -EBADMSG;
        if (header.length != 0) {
                reservation.reserved = true;
                reservation.key = read_be64(&r);
                (void)read_bytes(&r, 5);
                uint8_t scope_type = read_u8(&r);
                reservation.scope = scope_type >> 4;
                reservation.type = scope_type & 0x0f;
                if (r.failed)
                        return -EBADMSG;
        }
        *ret_reservation = reservation;
        return 0;
}

void pr_capabilities_encode(const struct pr_capabilities *c, struct writer *w)
{
        write_be16(w, CAPABILITIES_SIZE);
        write_u8(w, (uint8_t)(c->rlr_c << 7 | c->crh << 4 | c->sip_c << 3 | c->atp_c << 2 | c->ptpl_c));
        write_u8(w, (uint8_t)(c->tmv << 7 | (c->allow_commands & 7) << 4 | c->ptpl_a));
        /* Table 209 puts type n at bit n of the first byte, and 8 at bit 0 of the second. */
        write_u8(w, (uint8_t)c->types);
        write_u8(w, (uint8_t)(c->types >> 8));
        write_zeros(w, 2);
}

int pr_capabilities_decode(const uint8_t *data, size_t size, struct pr_capabilities *ret_capabilities)
{
        struct reader r = reader_over(data, size);
        uint16_t length = read_be16(&r);
        uint8_t byte2 = read_u8(&r);
        uint8_t byte3 = read_u8(&r);
        uint16_t types = read_u8(&r);

        types |= (uint16_t)(read_u8(&r) << 8);
        if (r.failed || length < CAPABILITIES_SIZE)
                return -EBADMSG;
        *ret_capabilities = (struct pr_capabilities){
                .rlr_c = byte2 & 0x80,
                .crh = byte2 & 0x10,
                .sip_c = byte2 & 0x08,
                .atp_c = byte2 & 0x04,
                .ptpl_c = byte2 & 0x01,
                .tmv = byte3 & 0x80,
                .allow_commands = byte3 >> 4 & 7,
                .ptpl_a = byte3 & 0x01,
                .types = types,
        };
        return 0;
}

void pr_full_status_encode(const struct pr_full_status *d, struct writer *w)
{
        struct writer counter = writer_over(NULL, 0);

        transportid_encode(&d->initiator, &counter);
        write_be64(w, d->key);
        write_zeros(w, 4);
        write_u8(w, (uint8_t)((d->all_tg_pt ? BYTE12_ALL_TG_PT : 0) | (d->holder ? BYTE12_R_HOLDER : 0)));
        write_u8(w, (uint8_t)(d->holder ? d->scope << 4 | d->type : 0));
        write_zeros(w, 4);
        write_be16(w, d->port);
        write_be32(w, (uint32_t)counter.length);
        transportid_encode(&d->initiator, w);
}

int pr_full_status_decode(const uint8_t *data, size_t size, struct pr_full_status_list *ret_list)
{
        struct reader r = reader_over(data, size);
        struct pr_in_header header = header_decode(&r);

        if (r.failed)
                return -EBADMSG;
        *ret_list = (struct pr_full_status_list){ header.generation, header.length, r };
        return 0;
}

bool pr_full_status_next(struct pr_full_status_list *list, struct pr_full_status *ret_descriptor)
{
        struct reader *r = &list->rest;
        struct pr_full_status d = { .key = read_be64(r) };

        (void)read_be32(r);
        uint8_t flags = read_u8(r);
        uint8_t scope_type = read_u8(r);
        (void)read_be32(r);
        d.port = read_be16(r);
        uint32_t length = read_be32(r);
        const uint8_t *bytes = read_bytes(r, length);

        if (r->failed)
                return false;
        d.all_tg_pt = flags & BYTE12_ALL_TG_PT;
        d.holder = flags & BYTE12_R_HOLDER;
        if (d.holder) {
                d.scope = scope_type >> 4;
                d.type = scope_type & 0x0f;
        }
        struct reader id = reader_over(bytes, length);
        d.known = transportid_parse(&id, &d.initiator) == 0;
        *ret_descriptor = d;
        return true;
}
