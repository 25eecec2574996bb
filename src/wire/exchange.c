/* SPDX-License-Identifier: BSD-2-Clause */
/* A command and its reply, as a client sees them: see wire_client.h. */
#include <string.h>

#include "base/bytes.h"
#include "wire/stream.h"
#include "wire/wire_client.h"

int wire_send_request(int sock, const uint8_t *cdb, int fd, const uint8_t *list, uint32_t size,
                      int64_t deadline, bool *ret_begun)
{
        struct iovec parts[] = {
                { .iov_base = (void *)cdb, .iov_len = PR_CDB_SIZE },
                { .iov_base = (void *)list, .iov_len = size },
        };

        return stream_send(sock, parts, 2, fd, deadline, ret_begun);
}

/* What a reply's header has to be, before anything in it is used. */
static int check_header(const struct pr_cdb *cdb, uint32_t status, uint32_t size)
{
        if (status > UINT8_MAX)
                return WIRE_FAULT_STATUS;
        if (size > 0 && (cdb->out || status != SCSI_GOOD))
                return WIRE_FAULT_PAYLOAD;
        return size > cdb->length ? WIRE_FAULT_SIZE : 0;
}

int wire_read_answer(int sock, const struct pr_cdb *cdb, uint8_t *data, int64_t deadline,
                     struct wire_answer *ret_answer)
{
        uint8_t header[WIRE_REPLY_HEADER_SIZE];
        struct wire_answer answer = { 0 };
        int r = stream_receive(sock, header, sizeof header, deadline);

        if (r != 0)
                return r;
        struct reader reader = reader_over(header, sizeof header);
        uint32_t status = read_be32(&reader);
        answer.size = read_be32(&reader);
        r = check_header(cdb, status, answer.size);
        if (r != 0)
                return r;

        /* Sense that belongs to no CHECK CONDITION is undefined, and some helpers leave garbage there. */
        answer.status = (uint8_t)status;
        if (answer.status == SCSI_CHECK_CONDITION)
                memcpy(answer.sense, read_bytes(&reader, SENSE_SIZE), SENSE_SIZE);

        r = stream_receive(sock, data, answer.size, deadline);
        if (r == 0)
                *ret_answer = answer;
        return r;
}
