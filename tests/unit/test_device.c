/* SPDX-License-Identifier: BSD-2-Clause */
/* device/device: which descriptor allows which command, and what a refusal looks like. */
#include "device/device.h"

#include "fixture.h"
#include "tap.h"

static int executed, executed_fd;

static void execute(const struct device *device, int fd, const struct pr_command *command,
                    struct pr_result *ret_result)
{
        (void)device, (void)command;
        executed++;
        executed_fd = fd;
        *ret_result = (struct pr_result){ .reached = true, .status = SCSI_RESERVATION_CONFLICT };
}

static void no_wwid(const struct device *device, char *ret_name, size_t size)
{
        (void)device, (void)size;
        ret_name[0] = '\0';
}

static const struct device_ops ops = { "test", execute, no_wwid };

/* 5/20/00 in fixed format, no data, and the device was never asked. */
static bool is_refused(const struct pr_result *result, const char *refusal)
{
        static const uint8_t sense[SENSE_SIZE] = { 0x70, 0, 0x05, [7] = 10, [12] = 0x20 };

        return result->status == SCSI_CHECK_CONDITION && result->size == 0 && !result->reached &&
               result->error == 0 && result->host == 0 && result->driver == 0 &&
               memcmp(result->sense, sense, SENSE_SIZE) == 0 && result->refusal &&
               (!refusal || strcmp(result->refusal, refusal) == 0);
}

/* What a source says that has asked the descriptor which disk it is. */
static const struct device sequenced = { .ops = &ops, .sequence = 7 };

static struct pr_result run(const struct device *device, int fd, bool out)
{
        static const uint8_t bytes[PR_CDB_SIZE];
        struct pr_command command = { .bytes = bytes, .cdb = { .out = out } };
        struct pr_result result;

        executed = 0;
        executed_fd = -1;
        memset(&result, 0xee, sizeof result);
        device_execute(device, fd, &command, &result);
        return result;
}

static const struct {
        const char *name;
        int flags;
        bool in, out; /* allowed */
} modes[] = {
        { "O_RDONLY", O_RDONLY, true, false },
        { "O_WRONLY", O_WRONLY, true, true },
        { "O_RDWR", O_RDWR, true, true },
        { "O_RDONLY | O_NONBLOCK | O_APPEND", O_RDONLY | O_NONBLOCK | O_APPEND, true, false },
        { "O_RDWR | O_NONBLOCK", O_RDWR | O_NONBLOCK, true, true },
        { "access mode 3, which can neither read nor write", 3, true, false },
        { "O_PATH", O_PATH, false, false },
        { "O_PATH | O_RDWR", O_PATH | O_RDWR, false, false },
};

static void test_modes(void)
{
        const struct device device = { .ops = &ops };

        for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
                int fd = open("/dev/null", modes[i].flags | O_CLOEXEC);
                need(fd >= 0, "open /dev/null");
                for (int out = 0; out < 2; out++) {
                        bool allowed = out ? modes[i].out : modes[i].in;
                        struct pr_result r = run(&device, fd, out);

                        is_int(executed, allowed, "%s, PR %s: %s", modes[i].name, out ? "OUT" : "IN",
                               allowed ? "executed once" : "not executed");
                        if (allowed)
                                ok(executed_fd == fd && r.reached &&
                                           r.status == SCSI_RESERVATION_CONFLICT,
                                   "%s, PR %s: with this descriptor and its result", modes[i].name,
                                   out ? "OUT" : "IN");
                        else
                                ok(is_refused(&r, NULL), "%s, PR %s: refused with 5/20/00",
                                   modes[i].name, out ? "OUT" : "IN");
                }
                close(fd);
        }

        struct pr_result r = run(&device, -1, false);
        ok(executed == 0 && is_refused(&r, NULL), "no descriptor at all: refused");
}

/* That the descriptor has answered an ioctl says that it is none of O_PATH, and nothing of writing. */
static void test_modes_of_sequenced(void)
{
        for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
                int fd = open("/dev/null", modes[i].flags | O_CLOEXEC);
                need(fd >= 0, "open /dev/null");
                struct pr_result r = run(&sequenced, fd, true);
                is_int(executed, modes[i].out, "%s, its disk known, PR OUT: %s", modes[i].name,
                       modes[i].out ? "executed once" : "not executed");
                ok(modes[i].out || is_refused(&r, modes[i].in ? "the descriptor is not open for writing" :
                                              "the descriptor was opened with O_PATH"),
                   "%s, its disk known: and it says why", modes[i].name);
                if (modes[i].in) {
                        (void)run(&sequenced, fd, false);
                        is_int(executed, 1, "%s, its disk known, PR IN: executed", modes[i].name);
                }
                close(fd);
        }
}

static void test_refused(void)
{
        struct device device;
        char name[4] = "abc";
        int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

        memset(&device, 0xee, sizeof device);
        device_init_refused(&device, "because");
        ok(device.number == 0 && !device.block && !device.context, "a refused device has no number");
        for (int out = 0; out < 2; out++) {
                struct pr_result r = run(&device, fd, out);
                ok(is_refused(&r, "because"), "refused device, PR %s: 5/20/00, and why",
                   out ? "OUT" : "IN");

                memset(&r, 0xee, sizeof r);
                device.ops->execute(&device, fd, &(struct pr_command){ .cdb.out = out }, &r);
                ok(is_refused(&r, "because"), "the same from its own operation");
        }
        device.ops->wwid(&device, name, sizeof name);
        is_string(name, "", "a refused device has no name");
        device.ops->wwid(&device, NULL, 0);
        is_string(device.ops->kind, "refused", "its kind");

        device = (struct device){ .ops = &ops, .refusal = "of another kind" };
        struct pr_result r = run(&device, fd, false);
        ok(executed == 0 && is_refused(&r, "of another kind"),
           "a device with a refusal is not asked, whatever its operations");
        close(fd);
}

static void test_results(void)
{
        struct pr_result r;
        uint8_t sense[SENSE_SIZE] = { 0x70, 0, 0x0b, [7] = 10, [12] = 0x08, [13] = 0x01 };

        memset(&r, 0xee, sizeof r);
        pr_result_sense(&r, SENSE(0x0b, 0x08, 0x01));
        is_int(r.status, SCSI_CHECK_CONDITION, "sense: CHECK CONDITION");
        is_bytes(r.sense, sense, SENSE_SIZE, "sense: all 96 bytes");
        ok(r.size == 0 && !r.reached && !r.refusal && r.error == 0 && r.host == 0 && r.driver == 0,
           "sense: nothing else");

        memset(&r, 0xee, sizeof r);
        pr_result_refuse(&r, "no");
        ok(is_refused(&r, "no"), "refusal: 5/20/00, and nothing else");
}

int main(void)
{
        test_modes();
        test_modes_of_sequenced();
        test_refused();
        test_results();
        return done();
}
