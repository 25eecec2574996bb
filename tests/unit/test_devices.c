/* SPDX-License-Identifier: BSD-2-Clause */
/* The bound on commands in flight: for one user, for others, and on a device that hangs. */
#include "helper/devices.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "base/clock.h"
#include "fake_clock.h"
#include "fixture.h"
#include "tap.h"

enum { LIMIT = 3, FOR_ALL = 4, MANY = 2 * DEVICES_MAX + 88, HERD = 50, ROUNDS = 100,
       LONG = 20000 /* milliseconds that nothing here takes */ };

static atomic_uint waiting, woken;

/* In place of the C library's: who waits for room, and how often somebody went on. */
int pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *lock,
                           const struct timespec *deadline)
{
        atomic_fetch_add(&waiting, 1);
        int r = pthread_cond_clockwait(cond, lock, CLOCK_MONOTONIC, deadline);
        atomic_fetch_sub(&waiting, 1);
        atomic_fetch_add(&woken, 1);
        return r;
}

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
        atomic_uint *count = argument;
        struct devices_token token;

        for (int i = 0; i < 200; i++) {
                if (begin(&disk, 20, 1000, &token) != 0)
                        continue;
                atomic_fetch_add(count, 1);
                end(&token, SCSI_GOOD);
        }
        return NULL;
}

static void test_waiting(void)
{
        pthread_t threads[4 * LIMIT];
        atomic_uint count = 0;

        for (size_t i = 0; i < sizeof threads / sizeof threads[0]; i++)
                pthread_create(&threads[i], NULL, run_commands, &count);
        for (size_t i = 0; i < sizeof threads / sizeof threads[0]; i++)
                pthread_join(threads[i], NULL);
        is_int(atomic_load(&count), 4 * LIMIT * 200, "a device that answers turns nobody away");
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
        struct devices_token token;

        is_int(begin(&other_disk, 9, 1000, &token), 0, "a command that is not back");
        is_int(devices_snapshot(uses, 2), 2, "two devices are known");
        is_string(uses[0].wwid, "wwid-2", "the one that is busy first");
        is_int(uses[0].in_flight_count, 1, "one command is in flight there");
        ok(uses[0].in_flight != &token.command && uses[0].in_flight->client.number == 9 &&
           !uses[0].in_flight->next, "it is a copy");
        is_string(uses[1].wwid, "wwid-1", "then the one that is idle");
        is_int((long long)uses[1].conflicts, FOR_ALL, "conflicts are counted");
        is_int(uses[1].in_flight_count, 0, "nothing is in flight");
        ok(!uses[1].in_flight, "nothing at all");
        devices_snapshot_free(uses, 2);
        end(&token, SCSI_GOOD);
        devices_forget_client(9);
        int count = devices_snapshot(uses, 2);
        bool found = false;
        for (int i = 0; i < count; i++)
                for (unsigned u = 0; u < uses[i].user_count; u++)
                        found |= uses[i].users[u].client.number == 9;
        ok(!found && uses[0].user_count > 0, "a client that has left is forgotten, and no other");
        devices_snapshot_free(uses, count);
}

static void test_users(void)
{
        struct device_use use;
        struct devices_token token;
        bool in_order = true;

        for (unsigned i = 1; i <= DEVICE_CLIENTS_MAX + 3; i++)
                if (begin(&other_disk, 100 + i, 1000, &token) == 0)
                        end(&token, SCSI_GOOD);
        devices_forget_client(102);
        is_int(begin(&other_disk, 99, 1000, &token), 0, "one more client");
        is_int(devices_snapshot(&use, 1), 1, "of many");
        is_int(use.user_count, DEVICE_CLIENTS_MAX, "not all are shown");
        for (unsigned i = 1; i < use.user_count - 1; i++)
                in_order &= use.users[i].client.number == 102 + i;
        ok(in_order && use.users[0].client.number == 101 &&
           use.users[use.user_count - 1].client.number == 99, "the first that came are");
        devices_snapshot_free(&use, 1);
        end(&token, SCSI_GOOD);
}

/* What is in flight always has its entry; what is idle makes way. */
static void test_many_devices(void)
{
        static struct devices_token tokens[MANY];
        static struct device_use uses[MANY];
        struct device device = { .ops = &ops };
        struct devices_token token;
        unsigned begun = 0, kept = 0;

        for (unsigned i = 0; i < MANY; i++) {
                device.id = 1000 + i;
                begun += begin(&device, i + 1, 1000, &tokens[i]) == 0;
        }
        is_int(begun, MANY, "a command in flight on each of very many devices");
        device.id = 999;
        is_int(begin(&device, MANY + 1, 1001, &token), 0, "locks nobody out of another");
        end(&token, SCSI_GOOD);
        int count = devices_snapshot(uses, DEVICES_MAX);
        is_int(count, DEVICES_MAX, "a snapshot has as many as there is room for");
        devices_snapshot_free(uses, count);

        for (unsigned i = 0; i < MANY; i++)
                end(&tokens[i], SCSI_GOOD);
        count = devices_snapshot(uses, MANY);
        is_int(count, DEVICES_MAX, "of those that are idle so many are remembered");
        for (int i = 0; i < count; i++) {
                char last[DEVICE_WWID_SIZE];
                snprintf(last, sizeof last, "wwid-%d", 1000 + MANY - DEVICES_MAX + i);
                kept += strcmp(uses[i].wwid, last) == 0 && uses[i].commands == 1;
        }
        is_int(kept, DEVICES_MAX, "those that were used last");
        devices_snapshot_free(uses, count);
}

static atomic_uint served, refused;

/* One command that has to wait at first. */
static void *run_one(void *unused)
{
        struct devices_token token;

        if (begin(&disk, 30, 1000, &token) == 0) {
                atomic_fetch_add(&served, 1);
                end(&token, SCSI_GOOD);
        } else {
                atomic_fetch_add(&refused, 1);
        }
        return unused;
}

/* They have their places when all of them wait (or were refused): the lock is held until then. */
static void start_waiting(pthread_t *threads, unsigned count)
{
        int64_t deadline = clock_ms() + LONG;

        for (unsigned i = 0; i < count; i++)
                if (pthread_create(&threads[i], NULL, run_one, NULL) != 0)
                        ok(false, "thread %u", i);
        while (atomic_load(&waiting) + atomic_load(&refused) < count) {
                need(clock_ms() < deadline, "threads that wait");
                usleep(100);
        }
}

/* It is not the age of what is in flight that counts. */
static void test_slow_one(void)
{
        struct devices_token slow, quick[LIMIT - 1], token;
        pthread_t thread;

        is_int(begin(&disk, 1, 1000, &slow), 0, "a command that takes long");
        clock_ahead_ms += 2000;
        for (unsigned i = 0; i < LIMIT - 1; i++)
                is_int(begin(&disk, i + 2, 1000, &quick[i]), 0, "another beside it");
        end(&quick[0], SCSI_GOOD);
        is_int(begin(&disk, 2, 1000, &quick[0]), 0, "one came back, and one more is sent");
        start_waiting(&thread, 1);
        end(&quick[0], SCSI_GOOD);
        pthread_join(thread, NULL);
        is_int(atomic_exchange(&served, 0), 1, "the next waits until one comes back");
        is_int(begin(&disk, 2, 1000, &quick[0]), 0, "and one more is sent");
        clock_ahead_ms += 2000;
        is_int(begin(&disk, 5, 1001, &token), 0, "another user's");
        devices_end(&token, &(struct pr_command){ .cdb = read_keys }, &(struct pr_result){ 0 });
        is_int(begin(&disk, 9, 1000, &token), -EBUSY,
               "when none has for a second, but for what never reached the device, the next is busy");
        is_int(atomic_load(&refused), 0, "and that one alone");
        for (unsigned i = 0; i < LIMIT - 1; i++)
                end(&quick[i], SCSI_GOOD);
        end(&slow, SCSI_GOOD);
}

static void test_herd(void)
{
        struct devices_token held[LIMIT], token;
        pthread_t threads[HERD];

        for (unsigned i = 0; i < LIMIT; i++)
                is_int(begin(&disk, i + 1, 1000, &held[i]), 0, "command %u of one user", i + 1);
        start_waiting(threads, HERD);
        atomic_store(&woken, 0);
        for (unsigned i = 0; i < ROUNDS; i++) {
                if (begin(&other_disk, 40, 1000, &token) == 0)
                        end(&token, SCSI_GOOD);
                if (begin(&disk, 41, 1001, &token) == 0)
                        end(&token, SCSI_GOOD);
        }
        end(&held[0], SCSI_GOOD);
        for (unsigned i = 0; i < HERD; i++)
                pthread_join(threads[i], NULL);
        is_int(atomic_load(&served), HERD, "one that comes back lets all go on, one after the other");
        ok(atomic_load(&woken) < HERD + HERD / 2,
           "nobody was woken by another disk's commands, by another user's, or in vain");
        end(&held[1], SCSI_GOOD);
        end(&held[2], SCSI_GOOD);
}

/* The last test: nothing can be sent any more. */
static void test_stop(void)
{
        static pthread_t threads[DEVICE_WAITING_MAX];
        struct devices_token held[LIMIT], token;

        for (unsigned i = 0; i < LIMIT; i++)
                is_int(begin(&disk, i + 1, 1000, &held[i]), 0, "command %u of one user", i + 1);
        start_waiting(threads, DEVICE_WAITING_MAX);
        int64_t start = clock_us();
        is_int(begin(&disk, 40, 1000, &token), -EBUSY, "where very many wait, one more does not");
        ok(clock_us() - start < 200000, "for a moment");
        is_int(begin(&disk, 41, 1001, &token), 0, "another user has its place");
        end(&token, SCSI_GOOD);

        start = clock_us();
        devices_stop();
        end(&held[0], SCSI_GOOD);
        is_int(begin(&disk, 41, 1001, &token), -EBUSY, "after the stop nothing is sent");
        is_int(begin(&other_disk, 41, 1001, &token), -EBUSY, "to no disk");
        for (unsigned i = 0; i < DEVICE_WAITING_MAX; i++)
                pthread_join(threads[i], NULL);
        ok(clock_us() - start < 2000000, "nobody waits any longer");
        is_int(atomic_load(&refused), DEVICE_WAITING_MAX, "and none of them was sent");
        end(&held[1], SCSI_GOOD);
        end(&held[2], SCSI_GOOD);
}

int main(void)
{
        devices_init(LIMIT);
        test_bounds();
        test_waiting();
        test_snapshot();
        test_users();
        test_in_flight();
        test_many_devices();
        if (under_valgrind()) {
                skip("many that wait", "valgrind runs one thread at a time, too slowly for a second");
                return done();
        }
        test_slow_one();
        test_herd();
        test_stop();
        return done();
}
