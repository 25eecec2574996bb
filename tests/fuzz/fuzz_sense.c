/* SPDX-License-Identifier: BSD-2-Clause */
/* Sense data, names of it, and what SG_IO's results become: never GOOD unless the device said so. */
#include <errno.h>
#include <scsi/sg.h>

#include "device/sgio.h"
#include "fuzz.h"

static void check_sense(struct reader *r)
{
        size_t size;
        const uint8_t *bytes = fuzz_bytes(r, read_u8(r), &size);
        uint8_t *copy = fuzz_copy(bytes, size), built[SENSE_SIZE];
        struct scsi_sense sense = { 0xee, 0xee, 0xee }, again;

        if (!scsi_sense_decode(copy, size, &sense)) {
                fuzz_check(sense.key == 0xee && sense.asc == 0xee, "touched on failure");
        } else {
                fuzz_check(sense.key < 16, "key %u", sense.key);
                const char *name = scsi_sense_name(sense);
                fuzz_check(!name || name[0] != '\0', "an empty name");
                scsi_sense_build(sense, built);
                fuzz_check(scsi_sense_decode(built, SENSE_SIZE, &again) &&
                           memcmp(&sense, &again, sizeof sense) == 0, "built and decoded differ");
        }
        free(copy);
}

/* What may follow from an SG_IO, by the rules of docs/protocol.md. */
static void check_result(const struct sg_io_hdr *h, int error, const struct pr_cdb *cdb,
                         const struct pr_result *result)
{
        bool good = error == 0 && h->host_status == 0 && (h->driver_status & 7) == 0 &&
                    h->status == SCSI_GOOD;

        fuzz_check((result->status == SCSI_GOOD) == good, "status %#x of %#x", result->status, h->status);
        fuzz_check(result->size <= cdb->length, "%u bytes of %u", result->size, cdb->length);
        fuzz_check(result->size == 0 || (good && !cdb->out), "data with status %#x", result->status);
        fuzz_check(result->error == error, "errno");
        for (size_t i = 0; result->status != SCSI_CHECK_CONDITION && i < SENSE_SIZE; i++)
                fuzz_check(result->sense[i] == 0, "sense with status %#x", result->status);
}

static void check_sgio(struct reader *r)
{
        struct pr_result result = { .reached = true };
        struct sg_io_hdr header = { .sbp = result.sense, .mx_sb_len = SENSE_SIZE };
        uint8_t flags = read_u8(r);
        int error = flags & 1 ? read_u8(r) : 0;
        struct pr_cdb cdb = { .out = flags & 2, .length = read_be16(r) % (PR_DATA_MAX + 1) };
        size_t size;

        header.status = read_u8(r);
        header.host_status = flags & 4 ? read_be16(r) : 0;
        header.driver_status = flags & 8 ? read_be16(r) : 0;
        header.resid = (int)read_be32(r);
        header.sb_len_wr = read_u8(r);
        const uint8_t *sense = fuzz_bytes(r, SENSE_SIZE, &size);
        if (size > 0)
                memcpy(result.sense, sense, size);
        sgio_result(error, &header, &cdb, &result);
        check_result(&header, error, &cdb, &result);
        fuzz_check(scsi_status_name(result.status) != NULL, "a name for every status");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct reader r = reader_over(data, size);

        check_sense(&r);
        check_sgio(&r);
        return 0;
}
