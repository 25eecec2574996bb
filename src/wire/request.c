/* SPDX-License-Identifier: BSD-2-Clause */
/* What a server reads: feature word, CDB with a descriptor, parameter list. See wire.h. */
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "wire/transfer.h"
#include "wire/wire.h"

const char *wire_end_text(int result)
{
        static const char *const texts[] = {
                [0] = "all is well",
                [WIRE_END_CLOSED] = "closed by the client",
                [WIRE_END_PARTIAL] = "closed by the client within a message",
                [WIRE_END_LATE] = "the client took too long over a message",
                [WIRE_END_FEATURES] = "a feature was requested that was not offered",
                [WIRE_END_OPCODE] = "neither PERSISTENT RESERVE IN nor OUT",
                [WIRE_END_LENGTH] = "transfer length above the limit of 8192 bytes",
                [WIRE_END_NO_FD] = "no file descriptor in request",
                [WIRE_END_FDS] = "more than one file descriptor in request",
                [WIRE_END_CONTROL] = "file descriptors were lost on the way",
        };

        if (result < 0)
                return strerrordesc_np(-result);
        return (size_t)result < sizeof texts / sizeof texts[0] ? texts[result] : "unknown";
}

int wire_accept_features(int sock)
{
        uint8_t word[4];
        struct writer w = writer_over(word, sizeof word);
        struct iovec part = { .iov_base = word, .iov_len = sizeof word };

        write_be32(&w, WIRE_SUPPORTED_FEATURES);
        int r = transfer_send(sock, &part, 1);
        if (r != 0)
                return r;

        r = transfer_receive(sock, word, sizeof word, true, NULL);
        if (r != 0)
                return r;
        struct reader reader = reader_over(word, sizeof word);
        return read_be32(&reader) & ~(uint32_t)WIRE_SUPPORTED_FEATURES ? WIRE_END_FEATURES : 0;
}

int wire_read_request(int sock, struct wire_request *ret_request)
{
        struct wire_request request;
        cleanup_fd int fd = -1;
        int r = transfer_receive(sock, request.bytes, sizeof request.bytes, true, &fd);

        if (r != 0)
                return r;
        if (fd < 0)
                return WIRE_END_NO_FD;
        if (pr_cdb_decode(request.bytes, &request.cdb) < 0)
                return WIRE_END_OPCODE;
        if (request.cdb.length > PR_DATA_MAX)
                return WIRE_END_LENGTH;

        request.fd = steal_fd(&fd);
        *ret_request = request;
        return 0;
}

int wire_read_parameters(int sock, uint8_t *list, uint32_t size)
{
        int r = transfer_receive(sock, list, size, false, NULL);

        return r == WIRE_END_CLOSED ? WIRE_END_PARTIAL : r;
}
