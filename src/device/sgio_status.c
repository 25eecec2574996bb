/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From what SG_IO says to a SCSI status and sense.
 *
 * The rule above all: nothing but a device's own GOOD becomes GOOD. A host
 * status says that the transport failed, and then the command may not have
 * been carried out, whatever the status byte says.
 */
#include <errno.h>
#include <scsi/sg.h>
#include <string.h>

#include "device/sgio.h"

/* A status, and a sense where the status is CHECK CONDITION. */
struct answer {
        int code; /* errno or host status; -1 for all others */
        uint8_t status;
        struct scsi_sense sense;
};

#define CHECK(code, key, asc, ascq) { (code), SCSI_CHECK_CONDITION, SENSE(key, asc, ascq) }

static const struct answer errno_answers[] = {
        { EDOM, SCSI_TASK_SET_FULL, { 0 } },
        { EBADE, SCSI_RESERVATION_CONFLICT, { 0 } },
        CHECK(ENODEV, 0x04, 0x44, 0x00),
        CHECK(EREMOTEIO, 0x04, 0x44, 0x00),
        CHECK(ENOMEM, 0x04, 0x44, 0x00),
        CHECK(ENODATA, 0x03, 0x11, 0x00),
        CHECK(ENOMEDIUM, 0x02, 0x3a, 0x00),
        CHECK(EINVAL, 0x05, 0x24, 0x00),
        CHECK(ENOSPC, 0x07, 0x27, 0x07),
        CHECK(-1, 0x0b, 0x00, 0x06),
};

/* The kernel's DID_ codes (include/scsi/scsi_status.h). */
static const struct answer host_answers[] = {
        CHECK(0x01, 0x0b, 0x05, 0x00),                   /* NO_CONNECT */
        { 0x02, SCSI_BUSY, { 0 } },                      /* BUS_BUSY */
        CHECK(0x03, 0x0b, 0x2e, 0x02),                   /* TIME_OUT */
        CHECK(0x04, 0x0b, 0x08, 0x00),                   /* BAD_TARGET */
        CHECK(0x05, 0x0b, 0x2f, 0x02),                   /* ABORT */
        CHECK(0x08, 0x06, 0x29, 0x00),                   /* RESET */
        CHECK(0x0e, 0x0b, 0x29, 0x07),                   /* TRANSPORT_DISRUPTED */
        CHECK(0x10, 0x04, 0x44, 0x00),                   /* TARGET_FAILURE */
        { 0x11, SCSI_RESERVATION_CONFLICT, { 0 } },      /* NEXUS_FAILURE */
        CHECK(0x12, 0x07, 0x27, 0x07),                   /* ALLOC_FAILURE */
        CHECK(0x13, 0x03, 0x11, 0x00),                   /* MEDIUM_ERROR */
        CHECK(-1, 0x0b, 0x08, 0x00),
};

enum { DRIVER_BUSY_OR_ERROR = 0x07 }; /* of which Linux from 5.14 sets none */

static void answer_from(const struct answer *answers, int code, struct pr_result *result)
{
        while (answers->code != code && answers->code != -1)
                answers++;
        result->status = answers->status;
        if (answers->status == SCSI_CHECK_CONDITION)
                scsi_sense_build(answers->sense, result->sense);
        else
                memset(result->sense, 0, SENSE_SIZE);
}

static uint32_t received(const struct sg_io_hdr *header, uint32_t length)
{
        if (header->resid <= 0)
                return length;
        return (uint32_t)header->resid >= length ? 0 : length - (uint32_t)header->resid;
}

void sgio_result(int error, const struct sg_io_hdr *header, const struct pr_cdb *cdb,
                 struct pr_result *result)
{
        result->error = error;
        result->size = 0;
        if (error != 0) {
                answer_from(errno_answers, error, result);
                return;
        }

        result->host = header->host_status;
        result->driver = header->driver_status;
        if (header->host_status != 0) {
                answer_from(host_answers, header->host_status, result);
        } else if (header->driver_status & DRIVER_BUSY_OR_ERROR) {
                result->status = SCSI_BUSY;
                memset(result->sense, 0, SENSE_SIZE);
        } else {
                result->status = header->status;
                if (result->status != SCSI_CHECK_CONDITION)
                        memset(result->sense, 0, SENSE_SIZE); /* nothing that means anything */
                if (result->status == SCSI_GOOD && !cdb->out)
                        result->size = received(header, cdb->length);
        }
}
