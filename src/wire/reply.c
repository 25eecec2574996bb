/* SPDX-License-Identifier: BSD-2-Clause */
/* What a server writes back. See wire.h. */
#include "base/bytes.h"
#include "wire/transfer.h"
#include "wire/wire.h"

int wire_write_reply(int sock, const struct wire_reply *reply)
{
        uint8_t header[WIRE_REPLY_HEADER_SIZE];
        struct writer w = writer_over(header, sizeof header);

        write_be32(&w, reply->status);
        write_be32(&w, reply->size);
        write_bytes(&w, reply->sense, SENSE_SIZE);

        struct iovec parts[] = {
                { .iov_base = header, .iov_len = sizeof header },
                { .iov_base = (void *)reply->payload, .iov_len = reply->size },
        };
        return transfer_send(sock, parts, 2);
}
