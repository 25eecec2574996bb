/* SPDX-License-Identifier: BSD-2-Clause */
/* What is going on at each device: see device_stats.h. */
#include "helper/device_stats.h"

#include <pthread.h>
#include <string.h>

#include "base/clock.h"

static struct {
        pthread_mutex_t lock;
        size_t count; /* those before it are known */
        struct device_stats devices[DEVICE_STATS_MAX];
} table = { .lock = PTHREAD_MUTEX_INITIALIZER };

static struct device_stats *lookup(const struct device *device)
{
        for (struct device_stats *d = table.devices; d < table.devices + table.count; d++)
                if (d->id == device->id && d->nexus == device->context)
                        return d;
        return NULL;
}

/* A new entry, or the idle one that was used least recently; NULL where all are busy. */
static struct device_stats *claim(void)
{
        struct device_stats *oldest = NULL;

        if (table.count < DEVICE_STATS_MAX)
                return &table.devices[table.count++];
        for (struct device_stats *d = table.devices; d < table.devices + table.count; d++)
                if (d->in_flight_count == 0 && (!oldest || d->used_us < oldest->used_us))
                        oldest = d;
        return oldest;
}

/* With the lock held. The name was read before: reading it may block. */
static struct device_stats *find_or_add(const struct device *device, const char *wwid)
{
        struct device_stats *d = lookup(device);

        if (d)
                return d;
        d = claim();
        if (!d)
                return NULL;
        *d = (struct device_stats){
                .id = device->id,
                .nexus = device->context,
                .number = device->number,
        };
        strcpy(d->wwid, wwid);
        return d;
}

/* The client's place among the device's users, made where there is room; or NULL. */
static struct device_user *user(struct device_stats *d, unsigned client, pid_t pid)
{
        struct device_user *free_place = NULL;

        for (struct device_user *u = d->users; u < d->users + DEVICE_USERS_MAX; u++) {
                if (u->client == client)
                        return u;
                if (u->client == 0 && !free_place)
                        free_place = u;
        }
        if (free_place)
                *free_place = (struct device_user){ .client = client, .pid = pid };
        return free_place;
}

struct device_stats_token device_stats_begin(const struct device *device, unsigned client,
                                             pid_t pid, const struct pr_cdb *cdb)
{
        struct device_stats_token token = { .since_us = clock_us() };
        char wwid[DEVICE_WWID_SIZE] = "";

        pthread_mutex_lock(&table.lock);
        struct device_stats *d = lookup(device);
        if (!d) {
                pthread_mutex_unlock(&table.lock);
                device->ops->wwid(device, wwid, sizeof wwid);
                pthread_mutex_lock(&table.lock);
                d = find_or_add(device, wwid);
        }
        if (d) {
                token.device = d;
                d->in_flight_count++;
                d->used_us = token.since_us;
                (void)user(d, client, pid);
                for (struct in_flight *f = d->in_flight; f < d->in_flight + IN_FLIGHT_MAX; f++) {
                        if (f->client != 0)
                                continue;
                        *f = (struct in_flight){ client, *cdb, token.since_us };
                        token.place = f;
                        break;
                }
        }
        pthread_mutex_unlock(&table.lock);
        return token;
}

static unsigned bucket(int64_t us)
{
        unsigned i = 0;

        while (i < LATENCY_BUCKETS - 1 && us >= INT64_C(64) << i)
                i++;
        return i;
}

/* Whether the client has a key there now. */
static void note_registration(struct device_stats *d, unsigned client,
                              const struct pr_command *command)
{
        struct pr_out_keys keys;
        struct device_user *u = user(d, client, 0);

        if (u && pr_out_keys_decode(command->data, command->cdb.length, &keys) &&
            (command->cdb.action == PR_OUT_REGISTER ||
             command->cdb.action == PR_OUT_REGISTER_AND_IGNORE))
                u->registered = keys.action_key != 0;
}

void device_stats_end(const struct device_stats_token *token, unsigned client,
                      const struct pr_command *command, const struct pr_result *result)
{
        struct device_stats *d = token->device;
        int64_t now = clock_us();

        if (!d)
                return;
        pthread_mutex_lock(&table.lock);
        d->in_flight_count--;
        if (token->place)
                token->place->client = 0;
        if (result->reached) {
                d->commands++;
                d->latency[bucket(now - token->since_us)]++;
                d->conflicts += result->status == SCSI_RESERVATION_CONFLICT;
                d->errors += result->error != 0 || result->host != 0 || result->driver != 0;
                if (command->cdb.out && result->status == SCSI_GOOD)
                        note_registration(d, client, command);
        }
        pthread_mutex_unlock(&table.lock);
}

void device_stats_forget_client(unsigned client)
{
        pthread_mutex_lock(&table.lock);
        for (struct device_stats *d = table.devices; d < table.devices + table.count; d++)
                for (struct device_user *u = d->users; u < d->users + DEVICE_USERS_MAX; u++)
                        if (u->client == client)
                                *u = (struct device_user){ 0 };
        pthread_mutex_unlock(&table.lock);
}

size_t device_stats_snapshot(struct device_stats *ret_stats, size_t max)
{
        size_t count = 0;

        pthread_mutex_lock(&table.lock);
        for (struct device_stats *d = table.devices; d < table.devices + table.count; d++)
                if (count < max)
                        ret_stats[count++] = *d;
        pthread_mutex_unlock(&table.lock);
        return count;
}
