/* SPDX-License-Identifier: BSD-2-Clause */
/* SCSI status and sense data: see sense.h. */
#include "scsi/sense.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"

void scsi_sense_build(struct scsi_sense sense, uint8_t ret_bytes[static SENSE_SIZE])
{
        memset(ret_bytes, 0, SENSE_SIZE);
        ret_bytes[0] = 0x70;
        ret_bytes[2] = sense.key;
        ret_bytes[7] = SENSE_FIXED_SIZE - 8; /* ADDITIONAL SENSE LENGTH */
        ret_bytes[12] = sense.asc;
        ret_bytes[13] = sense.ascq;
}

bool scsi_sense_decode(const uint8_t *bytes, size_t size, struct scsi_sense *ret_sense)
{
        struct reader r = reader_over(bytes, size);
        struct scsi_sense sense;
        uint8_t code = read_u8(&r) & 0x7f;

        if (code == 0x70 || code == 0x71) {
                (void)read_u8(&r);
                sense.key = read_u8(&r) & 0x0f;
                (void)read_bytes(&r, 9);
        } else if (code == 0x72 || code == 0x73) {
                sense.key = read_u8(&r) & 0x0f;
        } else {
                return false;
        }
        sense.asc = read_u8(&r);
        sense.ascq = read_u8(&r);
        if (r.failed)
                return false;
        *ret_sense = sense;
        return true;
}

const char *scsi_sense_name(struct scsi_sense sense)
{
        static const struct {
                uint8_t asc, ascq;
                const char *name;
        } names[] = {
                { 0x00, 0x00, "no additional sense information" },
                { 0x00, 0x06, "I/O process terminated" },
                { 0x05, 0x00, "logical unit does not respond to selection" },
                { 0x08, 0x00, "logical unit communication failure" },
                { 0x11, 0x00, "unrecovered read error" },
                { 0x1a, 0x00, "parameter list length error" },
                { 0x20, 0x00, "invalid command operation code" },
                { 0x24, 0x00, "invalid field in CDB" },
                { 0x25, 0x00, "logical unit not supported" },
                { 0x26, 0x00, "invalid field in parameter list" },
                { 0x26, 0x04, "invalid release of persistent reservation" },
                { 0x27, 0x07, "space allocation failed write protect" },
                { 0x29, 0x00, "power on, reset, or bus device reset occurred" },
                { 0x29, 0x07, "I_T nexus loss occurred" },
                { 0x2a, 0x03, "reservations preempted" },
                { 0x2a, 0x04, "reservations released" },
                { 0x2a, 0x05, "registrations preempted" },
                { 0x2e, 0x02, "command timeout during processing" },
                { 0x2f, 0x02, "commands cleared by device server" },
                { 0x3a, 0x00, "medium not present" },
                { 0x44, 0x00, "internal target failure" },
                { 0x55, 0x04, "insufficient registration resources" },
        };

        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
                if (names[i].asc == sense.asc && names[i].ascq == sense.ascq)
                        return names[i].name;
        return NULL;
}

const char *scsi_status_name(uint8_t status)
{
        switch (status) {
        case SCSI_GOOD:
                return "GOOD";
        case SCSI_CHECK_CONDITION:
                return "CHECK CONDITION";
        case 0x04:
                return "CONDITION MET";
        case SCSI_BUSY:
                return "BUSY";
        case SCSI_RESERVATION_CONFLICT:
                return "RESERVATION CONFLICT";
        case SCSI_TASK_SET_FULL:
                return "TASK SET FULL";
        case 0x30:
                return "ACA ACTIVE";
        case 0x40:
                return "TASK ABORTED";
        default:
                return "status";
        }
}

void scsi_status_format(uint8_t status, char *ret_text, size_t size)
{
        const char *name = scsi_status_name(status);

        if (strcmp(name, "status") == 0)
                snprintf(ret_text, size, "status %#x", status);
        else
                snprintf(ret_text, size, "%s", name);
}
