/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * device/sgio_status: what an SG_IO came to, row by row. The row that matters
 * most is the last: what nobody knows is never GOOD.
 */
#include <errno.h>
#include <scsi/sg.h>

#include "device/sgio.h"
#include "tap.h"

enum { LENGTH = 128 };

static const struct pr_cdb read_keys = { .length = LENGTH };
static const struct pr_cdb register_key = { .out = true, .length = 24 };

/* Run one, with a sense buffer that the kernel is made to have filled. */
static struct pr_result come_to(int error, struct sg_io_hdr header, const struct pr_cdb *cdb)
{
        struct pr_result result = { .reached = true, .status = 0xee, .size = 0xeeee };

        memset(result.sense, 0xa5, SENSE_SIZE);
        header.sbp = result.sense;
        sgio_result(error, &header, cdb, &result);
        return result;
}

/* Status and all 96 bytes of sense as the table has them, no data. */
static bool is_answer(const struct pr_result *result, uint8_t status, struct scsi_sense sense)
{
        uint8_t want[SENSE_SIZE] = { 0 };

        if (status == SCSI_CHECK_CONDITION)
                scsi_sense_build(sense, want);
        return result->status == status && memcmp(result->sense, want, SENSE_SIZE) == 0 &&
               result->size == 0 && result->reached;
}

struct row {
        int code;
        const char *name;
        uint8_t status;
        struct scsi_sense sense;
};

static const struct row errnos[] = {
        { EDOM, "EDOM", SCSI_TASK_SET_FULL, { 0 } },
        { EBADE, "EBADE", SCSI_RESERVATION_CONFLICT, { 0 } },
        { ENODEV, "ENODEV", SCSI_CHECK_CONDITION, { 0x04, 0x44, 0x00 } },
        { EREMOTEIO, "EREMOTEIO", SCSI_CHECK_CONDITION, { 0x04, 0x44, 0x00 } },
        { ENOMEM, "ENOMEM", SCSI_CHECK_CONDITION, { 0x04, 0x44, 0x00 } },
        { ENODATA, "ENODATA", SCSI_CHECK_CONDITION, { 0x03, 0x11, 0x00 } },
        { ENOMEDIUM, "ENOMEDIUM", SCSI_CHECK_CONDITION, { 0x02, 0x3a, 0x00 } },
        { EINVAL, "EINVAL", SCSI_CHECK_CONDITION, { 0x05, 0x24, 0x00 } },
        { ENOSPC, "ENOSPC", SCSI_CHECK_CONDITION, { 0x07, 0x27, 0x07 } },
};

static const struct row hosts[] = {
        { 0x01, "NO_CONNECT", SCSI_CHECK_CONDITION, { 0x0b, 0x05, 0x00 } },
        { 0x02, "BUS_BUSY", SCSI_BUSY, { 0 } },
        { 0x03, "TIME_OUT", SCSI_CHECK_CONDITION, { 0x0b, 0x2e, 0x02 } },
        { 0x04, "BAD_TARGET", SCSI_CHECK_CONDITION, { 0x0b, 0x08, 0x00 } },
        { 0x05, "ABORT", SCSI_CHECK_CONDITION, { 0x0b, 0x2f, 0x02 } },
        { 0x08, "RESET", SCSI_CHECK_CONDITION, { 0x06, 0x29, 0x00 } },
        { 0x0e, "TRANSPORT_DISRUPTED", SCSI_CHECK_CONDITION, { 0x0b, 0x29, 0x07 } },
        { 0x10, "TARGET_FAILURE", SCSI_CHECK_CONDITION, { 0x04, 0x44, 0x00 } },
        { 0x11, "NEXUS_FAILURE", SCSI_RESERVATION_CONFLICT, { 0 } },
        { 0x12, "ALLOC_FAILURE", SCSI_CHECK_CONDITION, { 0x07, 0x27, 0x07 } },
        { 0x13, "MEDIUM_ERROR", SCSI_CHECK_CONDITION, { 0x03, 0x11, 0x00 } },
};

static const struct row *find(const struct row *rows, size_t count, int code)
{
        for (size_t i = 0; i < count; i++)
                if (rows[i].code == code)
                        return &rows[i];
        return NULL;
}

#define FIND(rows, code) find((rows), sizeof(rows) / sizeof(rows)[0], (code))

static void test_errno(void)
{
        int other = 0, wrong = 0;

        for (int error = 1; error < 256; error++) {
                const struct row *row = FIND(errnos, error);
                /* What the header says then is not to be looked at. */
                struct sg_io_hdr header = { .host_status = 0x02, .driver_status = 0x06 };
                struct pr_result r = come_to(error, header, &read_keys);

                if (row)
                        ok(is_answer(&r, row->status, row->sense), "errno %s", row->name);
                else if (is_answer(&r, SCSI_CHECK_CONDITION, SENSE(0x0b, 0x00, 0x06)))
                        other++;
                else
                        wrong = error;
                if (r.error != error || r.host != 0 || r.driver != 0)
                        ok(false, "errno %d is reported, and nothing of the header", error);
        }
        is_int(wrong, 0, "any other errno is b/00/06");
        is_int(other, 255 - (int)(sizeof errnos / sizeof errnos[0]), "and there are many of them");
}

static void test_host(void)
{
        int good = 0, wrong = 0;

        for (unsigned host = 1; host <= UINT16_MAX; host++) {
                const struct row *row = FIND(hosts, (int)host);
                /* The status byte may say anything then; the driver too. */
                struct sg_io_hdr header = { .host_status = (unsigned short)host, .status = SCSI_GOOD };
                struct pr_result in = come_to(0, header, &read_keys);
                struct pr_result out = come_to(0, header, &register_key);
                header.driver_status = 0x06;
                header.status = SCSI_RESERVATION_CONFLICT;
                struct pr_result both = come_to(0, header, &read_keys);
                struct row want = { .status = SCSI_CHECK_CONDITION, .sense = { 0x0b, 0x08, 0x00 } };

                if (row)
                        want = *row;
                bool same = is_answer(&in, want.status, want.sense) &&
                            is_answer(&out, want.status, want.sense) &&
                            is_answer(&both, want.status, want.sense) && in.host == host;
                if (row)
                        ok(same, "host status %#x %s", host, row->name);
                else if (!same && wrong++ < 5)
                        ok(false, "host status %#x is b/08/00", host);
                good += in.status == SCSI_GOOD || out.status == SCSI_GOOD;
        }
        is_int(wrong, 0, "every other host status is b/08/00");
        is_int(good, 0, "no host status but 0 is ever GOOD");
}

static void test_driver(void)
{
        uint8_t sense[SENSE_SIZE];
        int wrong = 0;

        memset(sense, 0xa5, sizeof sense);
        for (unsigned driver = 0; driver <= UINT16_MAX; driver++) {
                struct sg_io_hdr header = { .driver_status = (unsigned short)driver,
                                            .status = SCSI_CHECK_CONDITION };
                struct pr_result r = come_to(0, header, &read_keys);
                bool right = driver & 0x07 ? is_answer(&r, SCSI_BUSY, SENSE(0, 0, 0)) :
                                             r.status == SCSI_CHECK_CONDITION &&
                                                     memcmp(r.sense, sense, SENSE_SIZE) == 0;
                if ((!right || r.driver != driver) && wrong++ < 5)
                        ok(false, "driver status %#x", driver);
        }
        is_int(wrong, 0, "a driver status with 0x07 in it is BUSY, any other the device's answer");

        struct sg_io_hdr header = { .driver_status = 0x04, .status = SCSI_GOOD };
        struct pr_result r = come_to(0, header, &read_keys);
        ok(is_answer(&r, SCSI_BUSY, SENSE(0, 0, 0)), "and BUSY comes without data");
}

static void test_device(void)
{
        static const uint8_t zeros[SENSE_SIZE];
        uint8_t sense[SENSE_SIZE];
        int wrong = 0;

        memset(sense, 0xa5, sizeof sense);
        for (unsigned status = 0; status < 256; status++) {
                const uint8_t *wanted = status == SCSI_CHECK_CONDITION ? sense : zeros;
                struct sg_io_hdr header = { .status = (uint8_t)status, .resid = 8 };
                struct pr_result r = come_to(0, header, &read_keys);
                uint32_t size = status == SCSI_GOOD ? LENGTH - 8 : 0;
                if (r.status != status || r.size != size || memcmp(r.sense, wanted, SENSE_SIZE) != 0 ||
                    r.error != 0 || r.host != 0)
                        wrong++;
        }
        is_int(wrong, 0, "the device's status comes back, with its sense if that means anything; only GOOD has data");
}

static void test_resid(void)
{
        static const struct {
                int resid;
                uint32_t length, size;
        } rows[] = {
                { 0, 128, 128 }, { 1, 128, 127 }, { 127, 128, 1 }, { 128, 128, 0 },
                { 129, 128, 0 }, { INT32_MAX, 128, 0 }, { -1, 128, 128 }, { INT32_MIN, 128, 128 },
                { 0, 0, 0 }, { 1, 0, 0 }, { -1, 0, 0 }, { 8184, 8192, 8 }, { 0, 8192, 8192 },
        };

        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
                struct sg_io_hdr header = { .resid = rows[i].resid };
                struct pr_cdb cdb = { .length = rows[i].length };
                struct pr_result r = come_to(0, header, &cdb);

                is_int(r.size, rows[i].size, "resid %d of %u", rows[i].resid, rows[i].length);
                cdb.out = true;
                r = come_to(0, header, &cdb);
                is_int(r.size, 0, "resid %d of %u: never data with PR OUT", rows[i].resid,
                       rows[i].length);
        }
}

/* Sense that comes with another status means nothing, and the protocol has zeros there. */
static void test_sense_beside_conflict(void)
{
        static const uint8_t zeros[SENSE_SIZE];
        struct pr_result result = { .sense = { 0x70, 0, 6 } };
        struct sg_io_hdr header = { .status = SCSI_RESERVATION_CONFLICT };
        struct pr_cdb cdb = { .out = true };

        sgio_result(0, &header, &cdb, &result);
        is_int(result.status, SCSI_RESERVATION_CONFLICT, "a conflict with sense is a conflict");
        is_bytes(result.sense, zeros, SENSE_SIZE, "without sense");
}

int main(void)
{
        test_sense_beside_conflict();
        test_errno();
        test_host();
        test_driver();
        test_device();
        test_resid();
        return done();
}
