/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * device/sgio against a scripted ioctl: what it has to be asked, what it
 * answers, and that it was asked for all of it and for no more.
 */
#include "device/sgio.h"

#include <scsi/sg.h>
#include <sys/sysmacros.h>

#include "fixture.h"
#include "tap.h"

enum { TIMEOUT_MS = 12345 };

/* One expected command and its canned result. */
struct step {
        const char *what;
        uint8_t cdb[PR_CDB_SIZE];
        uint32_t length; /* of data */
        int error;
        uint8_t status, sense_key;
        unsigned short host;
        int resid;
        /* what has to come of it */
        uint8_t want_status;
        uint32_t want_size;
};

static const struct step *expected; /* NULL: no ioctl is expected */
static const uint8_t *expected_data; /* OUT: what has to be sent; IN: what comes back */
static uint8_t *expected_buffer;
static int expected_fd, calls;

static void check_header(const struct sg_io_hdr *h)
{
        const struct step *s = expected;
        int direction = s->length == 0 ? SG_DXFER_NONE :
                        s->cdb[0] == 0x5f ? SG_DXFER_TO_DEV : SG_DXFER_FROM_DEV;

        is_int(h->interface_id, 'S', "%s: interface", s->what);
        is_int(h->dxfer_direction, direction, "%s: direction", s->what);
        is_int(h->cmd_len, 16, "%s: 16 bytes of CDB", s->what);
        is_bytes(h->cmdp, s->cdb, 16, "%s: the CDB as received", s->what);
        is_int(h->mx_sb_len, SENSE_SIZE, "%s: room for sense", s->what);
        is_int(h->dxfer_len, s->length, "%s: data length", s->what);
        ok(h->dxferp == expected_buffer, "%s: the caller's data", s->what);
        is_int(h->timeout, TIMEOUT_MS, "%s: time-out", s->what);
        ok(h->iovec_count == 0 && h->flags == 0 && h->pack_id == 0 && !h->usr_ptr,
           "%s: nothing else", s->what);
        if (s->cdb[0] == 0x5f && s->length > 0)
                is_bytes(h->dxferp, expected_data, s->length, "%s: parameter list as received",
                         s->what);
}

static int scripted_ioctl(int fd, unsigned long request, void *argument)
{
        struct sg_io_hdr *h = argument;

        calls++;
        if (!expected) {
                ok(false, "no ioctl may be issued");
                return -1;
        }
        is_int(request, SG_IO, "%s: SG_IO", expected->what);
        is_int(fd, expected_fd, "%s: on the descriptor", expected->what);
        check_header(h);
        h->status = expected->status;
        h->host_status = expected->host;
        h->resid = expected->resid;
        if (expected->status == SCSI_CHECK_CONDITION) {
                scsi_sense_build(SENSE(expected->sense_key, 0x29, 0x00), h->sbp);
                h->sb_len_wr = SENSE_FIXED_SIZE;
        }
        if (expected->cdb[0] == 0x5e && expected->error == 0 && expected->resid >= 0)
                memcpy(h->dxferp, expected_data, expected->length - (uint32_t)expected->resid);
        errno = expected->error;
        return expected->error ? -1 : 0;
}

/* Every descriptor is /dev/sg0. */
static int sg_fstat(int fd, struct stat *ret_stat)
{
        if (fstatat(fd, "", ret_stat, AT_EMPTY_PATH) < 0)
                return -1;
        ret_stat->st_mode = S_IFCHR | 0600;
        ret_stat->st_rdev = makedev(21, 0);
        return 0;
}

static const struct sgio_context context = {
        .sysfs = -1, .timeout_ms = TIMEOUT_MS, .ioctl = scripted_ioctl, .fstat = sg_fstat,
};

#define CDB_IN(action, length) { 0x5e, (action), [7] = (length) >> 8, [8] = (length) & 0xff }
#define CDB_OUT(action, length) { 0x5f, (action), 0x05, [8] = (length), [9] = 0x04, [10] = 0xaa, [15] = 0x55 }

static const struct step steps[] = {
        { "READ KEYS", CDB_IN(0, 8192), .length = 8192, .want_size = 8192 },
        { "READ KEYS, short answer", CDB_IN(0, 8192), .length = 8192, .resid = 8160, .want_size = 32 },
        { "READ RESERVATION, conflict", CDB_IN(1, 16), .length = 16, .status = 0x18,
          .want_status = 0x18 },
        { "REPORT CAPABILITIES of 0 bytes", CDB_IN(2, 0), .length = 0 },
        { "REGISTER", CDB_OUT(0, 24), .length = 24 },
        { "RESERVE, conflict", CDB_OUT(1, 24), .length = 24, .status = 0x18, .want_status = 0x18 },
        { "RESERVE without a list", CDB_OUT(1, 0), .length = 0 },
        { "PREEMPT AND ABORT, unit attention", CDB_OUT(5, 24), .length = 24, .status = 2,
          .sense_key = 6, .want_status = 2 },
        { "CLEAR, transport failed", CDB_OUT(3, 24), .length = 24, .host = 7, .want_status = 2 },
        { "REGISTER, EBADE", CDB_OUT(0, 24), .length = 24, .error = EBADE, .want_status = 0x18 },
};

/* A node of sg: it takes no sysfs to make one, and only root can open one. */
static void make_device(struct device *ret_device);

static void run_step(const struct step *step, int error)
{
        struct step s = *step;
        uint8_t data[PR_DATA_MAX], buffer[PR_DATA_MAX] = { 0 };
        struct pr_command command = { .bytes = s.cdb, .data = buffer };
        struct pr_result r;
        struct device device = { 0 };

        s.error = error;
        for (size_t i = 0; i < sizeof data; i++)
                data[i] = (uint8_t)(i * 7 + 1);
        need(pr_cdb_decode(s.cdb, &command.cdb) == 0, "the test's own CDB");
        if (command.cdb.out)
                memcpy(buffer, data, s.length);
        expected = &s;
        expected_data = data;
        expected_buffer = buffer;
        expected_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
        calls = 0;
        make_device(&device);
        memset(&r, 0xee, sizeof r);
        device_execute(&device, expected_fd, &command, &r);
        close(expected_fd);
        expected = NULL;

        is_int(calls, 1, "%s: one ioctl", s.what);
        ok(r.reached && !r.refusal && r.error == error, "%s: it reached the device", s.what);
        if (error != step->error)
                return;
        is_int(r.status, s.want_status, "%s: status", s.what);
        is_int(r.size, s.want_size, "%s: size", s.what);
        is_bytes(buffer, data, s.want_size, "%s: data", s.what);
        if (s.status == SCSI_CHECK_CONDITION)
                ok(r.sense[2] == s.sense_key && r.sense[12] == 0x29, "%s: the device's sense", s.what);
        else if (s.want_status != SCSI_CHECK_CONDITION)
                is_bytes(r.sense, (uint8_t[SENSE_SIZE]){ 0 }, SENSE_SIZE, "%s: no sense", s.what);
}

static void make_device(struct device *ret_device)
{
        sgio_identify(&context, expected_fd, ret_device);
        need(!ret_device->refusal && strcmp(ret_device->ops->kind, "sg") == 0, "a node of sg");
}

/* A REGISTER that is sent twice answers with a conflict, so no errno is retried. */
static void test_errnos(void)
{
        static const int errors[] = { EINTR, EAGAIN, EIO, ENOMEM, EBUSY, ETIMEDOUT, ERESTART, EPERM };

        for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++)
                run_step(&steps[i % 2 ? 0 : 4], errors[i]);
}

static void test_not_sent(void)
{
        static const uint8_t bytes[PR_CDB_SIZE] = CDB_OUT(0, 24);
        uint8_t list[24] = { 0 };
        struct pr_command command = { .bytes = bytes, .data = list };
        static const int flags[] = { O_RDONLY, O_PATH };

        (void)pr_cdb_decode(bytes, &command.cdb);
        calls = 0;
        for (size_t i = 0; i < 2; i++) {
                struct pr_result r = { .status = 0xee };
                struct device device = { 0 };
                expected_fd = open("/dev/null", flags[i] | O_CLOEXEC);
                make_device(&device);
                device_execute(&device, expected_fd, &command, &r);
                close(expected_fd);
                ok(r.refusal && r.status == SCSI_CHECK_CONDITION && r.sense[12] == 0x20,
                   "PR OUT on %s: 5/20/00", i ? "O_PATH" : "O_RDONLY");
        }
        is_int(calls, 0, "and no ioctl");
}

int main(void)
{
        int fds = count_fds();

        for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
                run_step(&steps[i], steps[i].error);
        test_errnos();
        test_not_sent();

        int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
        struct sg_io_hdr header = { .interface_id = 'S' };
        errno = 0;
        ok(sgio_ioctl(null, SG_IO, &header) == -1 && errno == ENOTTY, "sgio_ioctl() is ioctl(2)");
        struct stat st = { 0 }, real;
        ok(fstat(null, &real) == 0 && sgio_fstat(null, &st) == 0 && st.st_mode == real.st_mode &&
                   st.st_rdev == real.st_rdev && st.st_ino == real.st_ino, "sgio_fstat() is fstat(2)");
        ok(sgio_fstat(-1, &st) == -1 && errno == EBADF, "and sets errno");
        close(null);
        is_int(count_fds(), fds, "no descriptor is left open");
        return done();
}
