/* SPDX-License-Identifier: BSD-2-Clause */
/* Parameter lists of PERSISTENT RESERVE OUT: see pr_out.h. */
#include "scsi/pr_out.h"

#include <errno.h>

#include "scsi/pr.h"
#include "scsi/transportid.h"

enum {
        BYTE20_SPEC_I_PT = 0x08,
        BYTE20_ALL_TG_PT = 0x04,
        BYTE20_APTPL = 0x01,
        BYTE17_UNREG = 0x02,
        BYTE17_APTPL = 0x01,
};

static int basic_decode(uint8_t action, struct reader *r, size_t size, struct pr_out_list *list)
{
        (void)read_be32(r);
        uint8_t flags = read_u8(r);
        (void)read_bytes(r, 3);

        if (r->failed)
                return -EMSGSIZE;
        list->spec_i_pt = flags & BYTE20_SPEC_I_PT;
        list->all_tg_pt = flags & BYTE20_ALL_TG_PT;
        list->aptpl = flags & BYTE20_APTPL;
        if (!list->spec_i_pt)
                return size == PR_OUT_BASIC_SIZE ? 0 : -EMSGSIZE;
        if (action != PR_OUT_REGISTER)
                return -EINVAL;

        list->transportids_size = read_be32(r);
        if (r->failed)
                return -EMSGSIZE;
        list->transportids = read_bytes(r, list->transportids_size);
        return reader_finished(r) ? 0 : -EINVAL;
}

static int move_decode(struct reader *r, size_t size, struct pr_out_list *list)
{
        (void)read_u8(r);
        uint8_t flags = read_u8(r);

        list->unreg = flags & BYTE17_UNREG;
        list->aptpl = flags & BYTE17_APTPL;
        list->port = read_be16(r);
        list->transportids_size = read_be32(r);
        if (size < PR_OUT_MOVE_SIZE + TRANSPORTID_SIZE_MIN)
                return -EMSGSIZE;
        list->transportids = read_bytes(r, list->transportids_size);
        return reader_finished(r) ? 0 : -EINVAL;
}

int pr_out_list_decode(uint8_t action, const uint8_t *bytes, size_t size, struct pr_out_list *ret_list)
{
        struct reader r = reader_over(bytes, size);
        struct pr_out_list list = { .key = read_be64(&r) };

        list.action_key = read_be64(&r);
        int decoded = action == PR_OUT_REGISTER_AND_MOVE ? move_decode(&r, size, &list)
                                                         : basic_decode(action, &r, size, &list);
        if (decoded == 0)
                *ret_list = list;
        return decoded;
}

void pr_out_list_encode(uint8_t action, const struct pr_out_list *list, struct writer *w)
{
        write_be64(w, list->key);
        write_be64(w, list->action_key);
        if (action == PR_OUT_REGISTER_AND_MOVE) {
                write_u8(w, 0);
                write_u8(w, (uint8_t)((list->unreg ? BYTE17_UNREG : 0) | (list->aptpl ? BYTE17_APTPL : 0)));
                write_be16(w, list->port);
        } else {
                write_be32(w, 0);
                write_u8(w, (uint8_t)((list->spec_i_pt ? BYTE20_SPEC_I_PT : 0) |
                                      (list->all_tg_pt ? BYTE20_ALL_TG_PT : 0) |
                                      (list->aptpl ? BYTE20_APTPL : 0)));
                write_zeros(w, 3);
        }
        if (action == PR_OUT_REGISTER_AND_MOVE || list->spec_i_pt) {
                write_be32(w, (uint32_t)list->transportids_size);
                write_bytes(w, list->transportids, list->transportids_size);
        }
}
