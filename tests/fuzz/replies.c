/* SPDX-License-Identifier: BSD-2-Clause */
/* The replies of a daemon, held against what its ioctl was answered: see replies.h. */
#include "replies.h"

#include <scsi/sg.h>
#include <sys/socket.h>

#include "fuzz.h"
#include "wire/wire.h"

enum { EXPECTED_MAX = 64 };

/* What became of a request. */
struct expectation {
        bool sent; /* to the device */
        struct ioctl_answer answer;
        bool out;
        uint32_t length;
};

static struct {
        struct expectation expected[EXPECTED_MAX];
        unsigned count, checked;
        bool greeted;
        uint8_t bytes[4 + WIRE_REPLY_HEADER_SIZE + PR_DATA_MAX];
        size_t size;
} replies;

void replies_reset(void)
{
        memset(&replies, 0, sizeof replies);
}

bool replies_expect(void)
{
        fuzz_check(replies.count < EXPECTED_MAX, "too many requests");
        return ++replies.count < EXPECTED_MAX;
}

static uint8_t pattern(size_t i)
{
        return (uint8_t)(i * 7 + 1);
}

void replies_note_ioctl(struct sg_io_hdr *h, const struct ioctl_answer *a)
{
        fuzz_check(replies.count > 0, "an ioctl without a request");
        struct expectation *e = &replies.expected[replies.count - 1];
        uint32_t data = a->data < h->dxfer_len ? a->data : h->dxfer_len;

        fuzz_check(!e->sent, "a second ioctl for one request");
        *e = (struct expectation){ .sent = true, .answer = *a, .out = h->cmdp[0] == PR_OPCODE_OUT,
                                   .length = h->dxfer_len };
        for (uint32_t i = 0; !e->out && i < h->dxfer_len; i++) {
                fuzz_check(((uint8_t *)h->dxferp)[i] == 0, "byte %u of the room is not zero", i);
                if (i < data)
                        ((uint8_t *)h->dxferp)[i] = pattern(i);
        }
        memcpy(h->sbp, a->sense, a->sense_size);
        h->sb_len_wr = a->sense_size;
        h->status = a->status;
        h->masked_status = a->status >> 1;
        h->host_status = a->host;
        h->driver_status = a->driver;
        h->resid = a->resid;
        h->info = a->sense[0];
        h->duration = a->sense[1];
}

static void check_payload(const struct expectation *e, const uint8_t *payload, uint32_t size)
{
        const struct ioctl_answer *a = &e->answer;
        uint32_t want = a->resid <= 0              ? e->length :
                        (uint32_t)a->resid >= e->length ? 0 :
                                                     e->length - (uint32_t)a->resid;

        fuzz_check(size == (e->out ? 0 : want), "%u bytes, not %u", size, want);
        for (uint32_t i = 0; i < size; i++)
                fuzz_check(payload[i] == (i < a->data ? pattern(i) : 0), "byte %u", i);
}

static void check_status(const struct expectation *e, uint32_t status)
{
        const struct ioctl_answer *a = &e->answer;

        if (!e->sent)
                fuzz_check(status == SCSI_CHECK_CONDITION || status == SCSI_BUSY, "%#x unsent", status);
        else if (a->error != 0 || a->host != 0)
                fuzz_check(status != SCSI_GOOD, "GOOD for errno %d, host %#x", a->error, a->host);
        else if (a->driver & 7)
                fuzz_check(status == SCSI_BUSY, "%#x for driver %#x", status, a->driver);
        else
                fuzz_check(status == a->status, "%#x for %#x", status, a->status);
}

static void check_sense(const struct expectation *e, uint32_t status, const uint8_t *sense)
{
        const struct ioctl_answer *a = &e->answer;
        bool devices_own = e->sent && a->error == 0 && a->host == 0 && (a->driver & 7) == 0;

        for (size_t i = 0; i < SENSE_SIZE; i++) {
                if (status != SCSI_CHECK_CONDITION)
                        fuzz_check(sense[i] == 0, "sense byte %zu with status %#x", i, status);
                else if (devices_own)
                        fuzz_check(sense[i] == a->sense[i], "sense byte %zu changed", i);
                else
                        fuzz_check(i < SENSE_FIXED_SIZE || sense[i] == 0, "sense byte %zu", i);
        }
        if (status == SCSI_CHECK_CONDITION && !devices_own)
                fuzz_check(sense[0] == 0x70 && sense[7] == 10, "fixed format");
}

/* Check the reply at the beginning of the bytes. @return its size, 0 where it is not complete */
static size_t check_reply(void)
{
        struct reader r = reader_over(replies.bytes, replies.size);
        uint32_t status = read_be32(&r), size = read_be32(&r);
        const uint8_t *sense = read_bytes(&r, SENSE_SIZE);

        if (r.failed)
                return 0;
        fuzz_check(replies.checked < replies.count, "a reply to nothing");
        const struct expectation *e = &replies.expected[replies.checked];
        fuzz_check(status <= UINT8_MAX && size <= PR_DATA_MAX, "status %u, %u bytes", status, size);
        check_status(e, status);
        check_sense(e, status, sense);
        const uint8_t *payload = read_bytes(&r, size);
        if (r.failed)
                return 0;
        if (status == SCSI_GOOD)
                check_payload(e, payload, size);
        else
                fuzz_check(size == 0, "%u bytes with status %#x", size, status);
        replies.checked++;
        return WIRE_REPLY_HEADER_SIZE + size;
}

static size_t check_greeting(void)
{
        if (replies.size < 4)
                return 0;
        fuzz_check(memcmp(replies.bytes, "\0\0\0\0", 4) == 0, "features");
        replies.greeted = true;
        return 4;
}

void replies_drain(int sock)
{
        for (;;) {
                ssize_t n = recv(sock, replies.bytes + replies.size, sizeof replies.bytes - replies.size,
                                 MSG_DONTWAIT);
                if (n <= 0)
                        return;
                replies.size += (size_t)n;
                for (size_t done; (done = replies.greeted ? check_reply() : check_greeting()) > 0;) {
                        replies.size -= done;
                        memmove(replies.bytes, replies.bytes + done, replies.size);
                }
        }
}

void replies_finish(int sock)
{
        replies_drain(sock);
        fuzz_check(replies.size == 0, "%zu bytes of half a reply", replies.size);
        fuzz_check(replies.greeted, "no feature word");
        fuzz_check(replies.count - replies.checked <= 1, "%u replies are missing",
                   replies.count - replies.checked);
}
