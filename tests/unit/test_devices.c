/* SPDX-License-Identifier: BSD-2-Clause */
/* The bound on commands in flight: for one user, for others, and on a device that hangs. */
#include "helper/devices.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "tap.h"

enum { LIMIT = 3, FOR_ALL = 4 };

static void wwid(const struct device *device, char *ret_name, size_t size)
{
        snprintf(ret_name, size, "wwid-%llu", (unsigned long long)device->id);
}

static const struct device_ops ops = { .kind = "test", .wwid = wwid };
static const struct device disk = { .ops = &ops, .id = 1 }, other_disk = { .ops = &ops, .id = 2 };
static const struct pr_cdb read_keys = { .length = 8 };

static int begin(const struct device *device, unsigned client, uid_t uid, struct devices_token *token)
{
        struct device_client who = { .number = client, .pid = (pid_t)client, .uid = uid };

        return devices_begin(device, &who, &(struct pr_command){ .cdb = read_keys }, token);
}

static void end(const struct devices_token *token, uint8_t status)
{
        struct pr_command command = { .cdb = read_keys };
        struct pr_result result = { .status = status, .reached = true };

        devices_end(token, &command, &result);
}

static void test_bounds(void)
{
        struct devices_token tokens[FOR_ALL], more, elsewhere;

        for (unsigned i = 0; i < LIMIT; i++)
                is_int(begin(&disk, i + 1, 1000, &tokens[i]), 0, "command %u of one user", i + 1);
        int64_t start = clock_us();
        is_int(begin(&disk, 9, 1000, &more), -EBUSY, "one more is busy, when none came back");
        ok(clock_us() - start > 500000, "after it had waited for that");
        start = clock_us();
        is_int(begin(&disk, 9, 1000, &more), -EBUSY, "and the next is");
        ok(clock_us() - start < 500000, "at once");

        is_int(begin(&disk, 10, 1001, &tokens[LIMIT]), 0, "another user has a place of its own");
        is_int(begin(&disk, 11, 1002, &more), -EBUSY, "a third one has not");
        is_int(begin(&other_disk, 9, 1000, &elsewhere), 0, "another disk is another matter");
        end(&elsewhere, SCSI_GOOD);

        end(&tokens[0], SCSI_GOOD);
        is_int(begin(&disk, 9, 1000, &tokens[0]), 0, "what came back makes room");
        for (unsigned i = 0; i < FOR_ALL; i++)
                end(&tokens[i], SCSI_RESERVATION_CONFLICT);
}

/* Many more commands than there is room for, which all come back. */
static void *run_commands(void *argument)
{
        atomic_uint *served = argument;
        struct devices_token token;

        for (int i = 0; i < 200; i++) {
                if (begin(&disk, 20, 1000, &token) != 0)
                        continue;
                atomic_fetch_add(served, 1);
                end(&token, SCSI_GOOD);
        }
        return NULL;
}

static void test_waiting(void)
{
        pthread_t threads[4 * LIMIT];
        atomic_uint served = 0;

        for (size_t i = 0; i < sizeof threads / sizeof threads[0]; i++)
                pthread_create(&threads[i], NULL, run_commands, &served);
        for (size_t i = 0; i < sizeof threads / sizeof threads[0]; i++)
                pthread_join(threads[i], NULL);
        is_int(atomic_load(&served), 4 * LIMIT * 200, "a device that answers turns nobody away");
}

static unsigned seen;

static void look(const struct device_use *d, const struct in_flight *f)
{
        seen++;
        is_string(d->wwid, "wwid-1", "a command that is not back: its disk");
        is_int(f->client.pid, 5, "its client");
        is_int(f->keys[0] == 'a' && f->keys[PR_OUT_KEYS_SIZE - 1] == 'p', true, "its keys");
}

static void test_in_flight(void)
{
        uint8_t list[] = "abcdefghijklmnopqrstuvwx";
        struct device_client who = { .number = 5, .pid = 5 };
        struct pr_command out = { .cdb = { .out = true, .length = 24 }, .data = list };
        struct pr_command empty = { .cdb = { .out = true } };
        struct pr_result result = { .reached = true, .status = SCSI_BUSY };
        struct devices_token token, other;

        is_int(devices_begin(&disk, &who, &out, &token), 0, "PR OUT");
        devices_each_in_flight(look);
        is_int(seen, 1, "is not back");
        is_int(devices_begin(&disk, &who, &empty, &other), 0, "PR OUT without a parameter list");
        devices_end(&other, &empty, &result);
        devices_end(&token, &out, &result);
        devices_each_in_flight(look);
        is_int(seen, 1, "and then it is");
}

static void test_snapshot(void)
{
        struct device_use uses[2] = { 0 };

        is_int((long long)devices_snapshot(uses, 2), 2, "two devices are known");
        is_string(uses[0].wwid, "wwid-1", "by their names");
        is_int((long long)uses[0].conflicts, FOR_ALL, "conflicts are counted");
        is_int((long long)uses[0].in_flight_count, 0, "nothing is in flight");
        devices_forget_client(9);
        (void)devices_snapshot(uses, 2);
        bool found = false;
        for (unsigned i = 0; i < DEVICE_CLIENTS_MAX; i++)
                found |= uses[0].clients[i].client.number == 9;
        ok(!found, "a client that has left is forgotten");
}

int main(void)
{
        devices_init(LIMIT);
        test_bounds();
        test_waiting();
        test_snapshot();
        test_in_flight();
        return done();
}
