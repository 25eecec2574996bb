/* SPDX-License-Identifier: BSD-2-Clause */
/* The devices in use: see devices.h. */
#include "helper/devices.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"

enum { HANGS_US = 1000000 }; /* a device with no room from which nothing came back for so long */

static struct {
        pthread_mutex_t lock;
        pthread_cond_t returned; /* a command came back; of CLOCK_MONOTONIC */
        unsigned waiting;
        unsigned commands_per_user, commands;
        size_t count;
        struct device_use devices[DEVICES_MAX];
} table = { .lock = PTHREAD_MUTEX_INITIALIZER };

void devices_init(unsigned commands)
{
        pthread_condattr_t monotonic;

        table.commands_per_user = commands < DEVICE_COMMANDS_MAX ? commands : DEVICE_COMMANDS_MAX;
        table.commands = table.commands_per_user + (table.commands_per_user + 2) / 3;
        pthread_condattr_init(&monotonic);
        pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
        pthread_cond_init(&table.returned, &monotonic);
        pthread_condattr_destroy(&monotonic);
}

static struct device_use *lookup(const struct device *device)
{
        for (struct device_use *d = table.devices; d < table.devices + table.count; d++)
                if (d->id == device->id && d->nexus == device->context)
                        return d;
        return NULL;
}

/* A new entry, or the idle one that was used least recently; NULL where all are busy. */
static struct device_use *claim(void)
{
        struct device_use *oldest = NULL;

        if (table.count < DEVICES_MAX)
                return &table.devices[table.count++];
        for (struct device_use *d = table.devices; d < table.devices + table.count; d++)
                if (d->in_flight_count == 0 && (!oldest || d->used_us < oldest->used_us))
                        oldest = d;
        return oldest;
}

static struct device_use *add(const struct device *device, const char *wwid)
{
        struct device_use *d = claim();

        if (!d)
                return NULL;
        *d = (struct device_use){
                .id = device->id,
                .nexus = device->context,
                .number = device->number,
        };
        strcpy(d->wwid, wwid);
        return d;
}

/*
 * The entry of a device, with the lock held on entry and on return. Its name is
 * read without: that may block.
 */
static struct device_use *find_or_add(const struct device *device)
{
        char wwid[DEVICE_WWID_SIZE] = "";
        struct device_use *d = lookup(device);

        if (d)
                return d;
        pthread_mutex_unlock(&table.lock);
        device->ops->wwid(device, wwid, sizeof wwid);
        pthread_mutex_lock(&table.lock);
        d = lookup(device);
        return d ? d : add(device, wwid);
}

static bool has_room(const struct device_use *d, uid_t uid)
{
        unsigned own = 0;

        if (d->in_flight_count < table.commands_per_user)
                return true;
        if (d->in_flight_count >= table.commands)
                return false;
        for (const struct in_flight *f = d->in_flight; f < d->in_flight + IN_FLIGHT_MAX; f++)
                own += f->client.number != 0 && f->client.uid == uid;
        return own < table.commands_per_user;
}

/* Wait for a command to come back. False where the device hangs. */
static bool wait_for_room(const struct device_use *d)
{
        int64_t oldest = INT64_MAX;

        for (const struct in_flight *f = d->in_flight; f < d->in_flight + IN_FLIGHT_MAX; f++)
                if (f->client.number != 0 && f->since_us < oldest)
                        oldest = f->since_us;
        if (clock_us() - oldest >= HANGS_US)
                return false;

        int64_t until = oldest + HANGS_US;
        struct timespec deadline = { .tv_sec = until / 1000000,
                                     .tv_nsec = until % 1000000 * 1000 };
        table.waiting++;
        (void)pthread_cond_timedwait(&table.returned, &table.lock, &deadline);
        table.waiting--;
        return true;
}

/* The client's place among the device's clients, made where there is room; or a negative number. */
static int place_of(struct device_use *d, const struct device_client *client)
{
        int free_place = -1;

        for (int i = 0; i < DEVICE_CLIENTS_MAX; i++) {
                if (d->clients[i].client.number == client->number)
                        return i;
                if (d->clients[i].client.number == 0 && free_place < 0)
                        free_place = i;
        }
        if (free_place >= 0)
                d->clients[free_place].client = *client;
        return free_place;
}

static void enter(struct device_use *d, const struct device_client *client,
                  const struct pr_command *command, struct devices_token *ret_token)
{
        const struct pr_cdb *cdb = &command->cdb;
        struct in_flight *place = d->in_flight;
        size_t known = !cdb->out ? 0 : cdb->length < PR_OUT_KEYS_SIZE ? cdb->length : PR_OUT_KEYS_SIZE;

        while (place->client.number != 0)
                place++; /* there is one: has_room() has counted */
        d->used_us = clock_us();
        *place = (struct in_flight){ .client = *client, .cdb = *cdb, .since_us = d->used_us };
        if (known > 0)
                memcpy(place->keys, command->data, known);
        d->in_flight_count++;
        (void)place_of(d, client);
        *ret_token = (struct devices_token){ .device = d, .place = place };
}

int devices_begin(const struct device *device, const struct device_client *client,
                  const struct pr_command *command, struct devices_token *ret_token)
{
        bool may_wait = true;
        struct device_use *d;

        pthread_mutex_lock(&table.lock);
        do {
                d = find_or_add(device);
                if (d && has_room(d, client->uid)) {
                        enter(d, client, command, ret_token);
                        pthread_mutex_unlock(&table.lock);
                        return 0;
                }
                may_wait = d && wait_for_room(d);
        } while (may_wait);
        pthread_mutex_unlock(&table.lock);
        return -EBUSY;
}

static unsigned bucket(int64_t us)
{
        unsigned i = 0;

        while (i < LATENCY_BUCKETS - 1 && us >= INT64_C(64) << i)
                i++;
        return i;
}

/* Whether the client has a key there now. */
static void note_registration(struct device_use *d, const struct device_client *client,
                              const struct pr_command *command)
{
        struct pr_out_keys keys;
        int place = place_of(d, client);

        if (place >= 0 && pr_out_keys_decode(command->data, command->cdb.length, &keys) &&
            (command->cdb.action == PR_OUT_REGISTER ||
             command->cdb.action == PR_OUT_REGISTER_AND_IGNORE))
                d->clients[place].registered = keys.action_key != 0;
}

void devices_end(const struct devices_token *token, const struct pr_command *command,
                 const struct pr_result *result)
{
        struct device_use *d = token->device;
        int64_t took = clock_us() - token->place->since_us;

        pthread_mutex_lock(&table.lock);
        if (result->reached) {
                d->commands++;
                d->latency[bucket(took)]++;
                d->latency_us += took;
                d->conflicts += result->status == SCSI_RESERVATION_CONFLICT;
                d->errors += pr_result_is_lost(result);
                if (command->cdb.out && result->status == SCSI_GOOD)
                        note_registration(d, &token->place->client, command);
        }
        token->place->client.number = 0;
        d->in_flight_count--;
        if (table.waiting > 0)
                pthread_cond_broadcast(&table.returned);
        pthread_mutex_unlock(&table.lock);
}

void devices_forget_client(unsigned number)
{
        pthread_mutex_lock(&table.lock);
        for (struct device_use *d = table.devices; d < table.devices + table.count; d++)
                for (int i = 0; i < DEVICE_CLIENTS_MAX; i++)
                        if (d->clients[i].client.number == number)
                                memset(&d->clients[i], 0, sizeof d->clients[i]);
        pthread_mutex_unlock(&table.lock);
}

void devices_each_in_flight(void (*each)(const struct device_use *, const struct in_flight *))
{
        pthread_mutex_lock(&table.lock);
        for (struct device_use *d = table.devices; d < table.devices + table.count; d++)
                for (struct in_flight *f = d->in_flight; f < d->in_flight + IN_FLIGHT_MAX; f++)
                        if (f->client.number != 0)
                                each(d, f);
        pthread_mutex_unlock(&table.lock);
}

size_t devices_snapshot(struct device_use *ret_devices, size_t max)
{
        size_t count = 0;

        pthread_mutex_lock(&table.lock);
        for (struct device_use *d = table.devices; d < table.devices + table.count; d++)
                if (count < max)
                        ret_devices[count++] = *d;
        pthread_mutex_unlock(&table.lock);
        return count;
}
