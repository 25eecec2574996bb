/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * helper/audit: which command gets a line, which is only counted, when counts
 * are told; and that every reserved place is used or given back.
 */
#include "helper/audit.h"

#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/log.h"
#include "fake_clock.h"
#include "fake_log.h"
#include "tap.h"

static void no_wwid(const struct device *device, char *ret_name, size_t size)
{
        (void)device, (void)size;
        ret_name[0] = '\0';
}

static const struct device_ops ops = { "test", NULL, no_wwid };
static int event = -1;

enum { GOOD = 0, CONFLICT = 0x18, REFUSED = -1 };

/* One PR OUT: its service action, the key in its list, what came of it. */
static void record(struct audit *audit, unsigned minor_number, uint8_t action, uint8_t key, int result)
{
        uint8_t bytes[PR_CDB_SIZE] = { 0x5f, action, [8] = 24 }, list[24] = { [7] = key };
        struct device device = { .ops = &ops, .number = makedev(8, minor_number), .block = true,
                                 .id = minor_number + 1 };
        struct pr_command command = { .bytes = bytes, .data = list };
        struct pr_result r = { .reached = result >= 0, .status = (uint8_t)result };

        if (result < 0)
                pr_result_refuse(&r, "no");
        else if (audit_begin() < 0)
                return;
        (void)pr_cdb_decode(bytes, &command.cdb);
        audit_record(audit, &device, &command, &r);
}

static void begin(struct audit *audit, uid_t uid)
{
        struct ucred peer = { .pid = 5, .uid = uid };

        line_count = dropped = reserved = underflows = refusals = 0;
        log_full = false;
        audit_init(audit, 1, &peer, event);
}

/* Every place is used, and the lines are these; NULL at the end. Each `want` is a part of a line. */
static void check_lines(const char *what, const char *const *want)
{
        int i = 0;

        ok(reserved == 0 && underflows == 0, "%s: each reserved place was used or given back", what);
        for (; want[i]; i++)
                if (!ok(i < line_count && strstr(lines[i], want[i]), "%s: line %d: %s", what, i, want[i]))
                        printf("# got \"%s\"\n", i < line_count ? lines[i] : "(none)");
        is_int(line_count, i, "%s: no other line", what);
}

#define CHECK(what, ...) check_lines((what), (const char *const[]){ __VA_ARGS__, NULL })

static void test_repeats(void)
{
        struct audit audit;

        begin(&audit, 1);
        for (int i = 0; i < 5; i++)
                record(&audit, 0, 6, 1, GOOD);
        CHECK("repeats are counted", "device=8:0 REGISTER AND IGNORE EXISTING KEY key=0x1");
        record(&audit, 0, 6, 2, GOOD);
        CHECK("another key ends the count", "key=0x1", "key=0x1 action-key=0: GOOD, repeated 4 times",
              "key=0x2");
        record(&audit, 0, 6, 2, CONFLICT);
        CHECK("another result is another line", "key=0x1", "repeated 4", "key=0x2", "CONFLICT");
        record(&audit, 0, 6, 2, CONFLICT);
        audit_finish(&audit);
        CHECK("the end tells the count", "key=0x1", "repeated 4", "key=0x2", "CONFLICT",
              "RESERVATION CONFLICT, repeated 1 times");

        begin(&audit, 1);
        record(&audit, 0, 3, 1, GOOD);
        record(&audit, 0, 4, 1, GOOD);
        record(&audit, 0, 3, 1, GOOD);
        audit_finish(&audit);
        CHECK("only the last command counts", "CLEAR", "PREEMPT", "CLEAR");

        begin(&audit, 1);
        audit_finish(&audit);
        ok(line_count == 0, "a client that sent nothing leaves no line");
}

/* What the line does not show may differ too: the rest of the list, the sense, the host status. */
static void test_hidden_differences(void)
{
        struct audit audit;
        uint8_t bytes[PR_CDB_SIZE] = { 0x5f, 0, [8] = 24 }, list[24] = { 0 };
        struct device device = { .ops = &ops, .id = 1 };
        struct pr_command command = { .bytes = bytes, .data = list };
        struct pr_result result = { .status = 2 };

        (void)pr_cdb_decode(bytes, &command.cdb);
        begin(&audit, 1);
        result.refusal = "no";
        for (int i = 0; i < 8; i++) {
                if (i == 1)
                        list[23] = 1;
                else if (i == 2)
                        bytes[9] = 4;
                else if (i == 3)
                        result.sense[SENSE_SIZE - 1] = 1;
                else if (i == 4)
                        result.error = EIO;
                else if (i == 5)
                        result.host = 1;
                else if (i == 6)
                        result.driver = 1;
                else if (i == 7)
                        result.refusal = "never";
                audit_record(&audit, &device, &command, &result);
                is_int(line_count, i + 1, "whatever differs is another line (%d)", i);
        }
        audit_record(&audit, &device, &command, &result);
        is_int(line_count, 8, "what does not, is none");
        audit_finish(&audit);
        is_int(line_count, 9, "but a count");
}

/* A list is chosen by a client: what looks the same by any sum over it must not count as the same. */
static void test_lists(void)
{
        /* two that have the same FNV-1a sum of 64 bits */
        static const char first[PR_OUT_BASIC_SIZE + 1] = "8yn0iYCKYHlIj4-BwPqk",
                          second[PR_OUT_BASIC_SIZE + 1] = "GReLUrM4wMqfg9yzV3KQ";
        struct audit audit;
        uint8_t bytes[PR_CDB_SIZE] = { 0x5f, PR_OUT_REGISTER_AND_IGNORE, [8] = PR_OUT_BASIC_SIZE };
        uint8_t list[PR_OUT_BASIC_SIZE + 4];
        struct device device = { .ops = &ops, .id = 1 };
        struct pr_command command = { .bytes = bytes, .data = list };
        struct pr_result result = { .refusal = "no" };

        begin(&audit, 80);
        (void)pr_cdb_decode(bytes, &command.cdb);
        memcpy(list, first, PR_OUT_BASIC_SIZE);
        audit_record(&audit, &device, &command, &result);
        memcpy(list, second, PR_OUT_BASIC_SIZE);
        audit_record(&audit, &device, &command, &result);
        audit_finish(&audit);
        CHECK("two keys that somebody has chosen well", "key=0x38796e306959434b",
              "key=0x4752654c55724d34");

        begin(&audit, 81);
        for (uint8_t size = PR_OUT_BASIC_SIZE; size <= sizeof list; size += 4) {
                memset(list, 0, sizeof list);
                bytes[8] = size;
                (void)pr_cdb_decode(bytes, &command.cdb);
                for (int i = 0; i < 3; i++)
                        audit_record(&audit, &device, &command, &result);
        }
        audit_finish(&audit);
        CHECK("a list that is longer than the basic one is never a repetition", "REGISTER",
              "repeated 2 times", "REGISTER", "REGISTER", "REGISTER");

        begin(&audit, 82);
        for (uint8_t size = 0; size <= 8; size += 8) {
                bytes[8] = size;
                (void)pr_cdb_decode(bytes, &command.cdb);
                audit_record(&audit, &device, &command, &result);
        }
        audit_finish(&audit);
        CHECK("nor is one of another length, of zeros", "REGISTER", "REGISTER");
}

static void test_devices(void)
{
        struct audit audit;

        begin(&audit, 1);
        for (int i = 0; i < 3; i++)
                for (unsigned d = 0; d < 4; d++)
                        record(&audit, d, 0, 1, GOOD);
        CHECK("four devices at a time are told apart", "8:0", "8:1", "8:2", "8:3");
        clock_ahead_ms += 10;
        for (unsigned d = 1; d < 4; d++)
                record(&audit, d, 0, 1, GOOD);
        record(&audit, 4, 0, 1, GOOD);
        CHECK("for a fifth the one not used for longest goes, with its count", "8:0", "8:1", "8:2",
              "8:3", "8:0 REGISTER key=0x1 action-key=0: GOOD, repeated 2 times", "8:4");
        line_count = 0;
        audit_finish(&audit);
        CHECK("all counts at the end", "repeated 3", "repeated 3", "repeated 3");
}

static uint64_t events(void)
{
        uint64_t count = 0;

        return read(event, &count, sizeof count) == sizeof count ? count : 0;
}

static void test_period(void)
{
        struct audit audit;

        (void)events();
        begin(&audit, 1);
        record(&audit, 0, 0, 1, GOOD);
        is_int(events(), 0, "a line raises no event");
        ok(!audit_flush(&audit, 0), "nothing is counted yet");
        for (int i = 0; i < 3; i++)
                record(&audit, 0, 0, 1, GOOD);
        is_int(events(), 1, "the first repetition raises one");
        ok(audit_flush(&audit, 0), "a count is not due at once");
        clock_ahead_ms += AUDIT_PERIOD_MS - 1000;
        ok(audit_flush(&audit, 0), "nor before its time");
        is_int(line_count, 1, "and nothing is told");
        record(&audit, 0, 0, 1, GOOD);
        clock_ahead_ms += 2000;
        ok(!audit_flush(&audit, 0), "after it none remains, whenever the last one was");
        CHECK("it is told once a minute", "REGISTER", "REGISTER key=0x1 action-key=0: GOOD, repeated 4 times");
        ok(!audit_flush(&audit, 0), "and told once");
        record(&audit, 0, 0, 1, GOOD);
        is_int(events(), 1, "the next repetition raises an event again");

        clock_ahead_ms += 2 * AUDIT_PERIOD_MS;
        log_full = true;
        ok(audit_flush(&audit, 0), "a log that takes nothing: the count remains");
        is_int(line_count, 2, "and is not told");
        log_full = false;
        ok(!audit_flush(&audit, 0), "until there is room");
        audit_finish(&audit);
        CHECK("and is told then, once", "REGISTER", "repeated 4 times", "repeated 1 times");
}

/* What did not reach a device is limited; what did never is. */
static void test_limits(void)
{
        struct audit audit;

        begin(&audit, 77);
        for (int i = 0; i < 60; i++)
                record(&audit, 0, 0, (uint8_t)i, REFUSED);
        is_int(line_count, 20, "refused commands: a burst of lines");
        clock_ahead_ms += 1000;
        record(&audit, 0, 0, 99, REFUSED);
        is_int(line_count, 22, "later one more, and how many there were not");
        ok(strstr(lines[21], "40 more refused commands of uid 77 were not logged") != NULL, "%s",
           lines[21]);
        line_count = 0;
        for (int i = 0; i < 100; i++)
                record(&audit, 1, 0, (uint8_t)i, i % 2 ? CONFLICT : GOOD);
        is_int(line_count, 100, "commands that reached a device: a line each");
        ok(reserved == 0 && underflows == 0, "in the places that were reserved");
        audit_finish(&audit);

        begin(&audit, 78);
        record(&audit, 0, 0, 1, REFUSED);
        is_int(line_count, 1, "another user is not limited by it");
        audit_finish(&audit);
}

/* The count of a refused command takes a line too, and must not swallow how many were denied. */
static void test_suppressed_count(void)
{
        struct audit audit;
        bool told = false;

        begin(&audit, 79);
        for (int i = 0; i < 30; i++)
                record(&audit, 0, 0, (uint8_t)i, REFUSED); /* 10 are denied */
        record(&audit, 0, 0, 19, REFUSED);                 /* repeats the last one that was logged */
        clock_ahead_ms += 5000;
        audit_finish(&audit);
        audit_init(&audit, 2, &(struct ucred){ .uid = 79 }, event);
        record(&audit, 0, 0, 98, REFUSED);
        audit_finish(&audit);
        for (int i = 0; i < line_count; i++)
                told = told || strstr(lines[i], "10 more refused commands of uid 79");
        ok(told, "the number of those that were not logged is told in any case");
}

static void test_full_log(void)
{
        struct audit audit;

        begin(&audit, 1);
        log_full = true;
        record(&audit, 0, 0, 1, GOOD);
        is_int(line_count, 0, "a log that takes nothing: the command must not be sent");
        log_full = false;
        record(&audit, 0, 0, 1, GOOD);
        record(&audit, 0, 0, 1, GOOD);
        log_full = true;
        refusals = 0;
        audit_finish(&audit);
        ok(refusals >= 3, "at the end it is waited for");
        CHECK("so that no count is lost", "REGISTER", "repeated 1 times");
}

/* For good: the last of all tests. */
static void test_stop(void)
{
        struct audit audit;

        begin(&audit, 1);
        record(&audit, 0, 0, 1, GOOD);
        record(&audit, 0, 0, 1, GOOD);
        audit_stop();
        log_full = true;
        audit_finish(&audit);
        is_int(refusals, 1, "when the helper stops, a log that takes nothing is not waited for again");
        is_int(dropped, 1, "the count takes a place only if there is one");
        is_int(underflows, 0, "in no place that was not reserved");

        log_full = false;
        begin(&audit, 2);
        for (unsigned i = 0; i < 8; i++)
                record(&audit, i / 2, 0, 1, GOOD);
        audit_stop();
        log_full = true;
        refusals = -100; /* for good */
        int64_t before = clock_ahead_ms;
        audit_finish(&audit);
        ok(clock_ahead_ms - before <= 2000, "nor for each disk in turn");
        log_full = false;
}

int main(void)
{
        event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        test_repeats();
        test_hidden_differences();
        test_lists();
        test_devices();
        test_period();
        test_limits();
        test_suppressed_count();
        test_full_log();
        test_stop();
        close(event);
        return done();
}
