/* SPDX-License-Identifier: BSD-2-Clause */
/* The devices in use: see devices.h. */
#include "helper/devices.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "helper/waiters.h"

enum {
        HANGS_US = 1000000, /* a device with no room from which nothing came back for so long */
        BUCKETS = 1024,
        USERS_FIRST = 4, /* room for so many, which doubles */
};

struct entry {
        struct device_use use;
        uint64_t id;       /* of struct device */
        const void *nexus; /* the device's context: through which nexus it is reached */
        struct in_flight **in_flight_end;
        int64_t last_end_us; /* when the device gave a command back */
        struct waiters *waiters;
        unsigned user_room;
        bool busy;                     /* in which list it is */
        struct entry *next, *previous; /* in that list */
        struct entry *same_bucket;
};

struct list {
        struct entry *first, *last;
        size_t count;
};

static struct {
        pthread_mutex_t lock;
        bool stopping;
        unsigned commands_per_user, commands;
        struct list busy; /* something is in flight, or waits */
        struct list idle; /* the least recently used first */
        struct entry *buckets[BUCKETS];
} table = { .lock = PTHREAD_MUTEX_INITIALIZER };

void devices_init(unsigned commands)
{
        table.commands_per_user = commands < DEVICE_COMMANDS_MAX ? commands : DEVICE_COMMANDS_MAX;
        table.commands = table.commands_per_user + (table.commands_per_user + 2) / 3;
}

static void append(struct list *list, struct entry *e)
{
        e->next = NULL;
        e->previous = list->last;
        *(list->last ? &list->last->next : &list->first) = e;
        list->last = e;
        list->count++;
}

static void take_out(struct list *list, struct entry *e)
{
        *(e->previous ? &e->previous->next : &list->first) = e->next;
        *(e->next ? &e->next->previous : &list->last) = e->previous;
        list->count--;
}

static struct entry **bucket_of(uint64_t id, const void *nexus)
{
        uint64_t mixed = (id ^ (uintptr_t)nexus) * UINT64_C(0x9e3779b97f4a7c15);

        return &table.buckets[mixed >> 32 & (BUCKETS - 1)];
}

static struct entry *lookup(const struct device *device)
{
        for (struct entry *e = *bucket_of(device->id, device->context); e; e = e->same_bucket)
                if (e->id == device->id && e->nexus == device->context)
                        return e;
        return NULL;
}

/* Forget an idle device. */
static void forget(struct entry *e)
{
        struct entry **link = bucket_of(e->id, e->nexus);

        while (*link != e)
                link = &(*link)->same_bucket;
        *link = e->same_bucket;
        take_out(&table.idle, e);
        free(e->use.users);
        free(e);
}

/* To the list where it belongs now. What went idle last is not what makes way. */
static void settle(struct entry *e)
{
        bool busy = e->use.in_flight || e->waiters;

        if (busy == e->busy)
                return;
        take_out(e->busy ? &table.busy : &table.idle, e);
        append(busy ? &table.busy : &table.idle, e);
        e->busy = busy;
        if (table.idle.count > DEVICES_MAX)
                forget(table.idle.first);
}

static struct entry *add(const struct device *device, const char *wwid)
{
        struct entry **bucket = bucket_of(device->id, device->context);
        struct entry *e = calloc(1, sizeof *e);

        if (!e)
                return NULL;
        e->id = device->id;
        e->nexus = device->context;
        e->use.number = device->number;
        strcpy(e->use.wwid, wwid);
        e->in_flight_end = &e->use.in_flight;
        e->same_bucket = *bucket;
        *bucket = e;
        append(&table.idle, e);
        if (table.idle.count > DEVICES_MAX)
                forget(table.idle.first);
        return e;
}

/*
 * The entry of a device, with the lock held on entry and on return. Its name is
 * read without: that may block.
 */
static struct entry *find_or_add(const struct device *device)
{
        char wwid[DEVICE_WWID_SIZE] = "";
        struct entry *e = lookup(device);

        if (e)
                return e;
        pthread_mutex_unlock(&table.lock);
        device->ops->wwid(device, wwid, sizeof wwid);
        pthread_mutex_lock(&table.lock);
        e = lookup(device);
        return e ? e : add(device, wwid);
}

static bool has_room(const struct entry *e, uid_t uid)
{
        unsigned own = 0;

        if (e->use.in_flight_count < table.commands_per_user)
                return true;
        if (e->use.in_flight_count >= table.commands)
                return false;
        for (const struct in_flight *f = e->use.in_flight; f; f = f->next)
                own += f->client.uid == uid;
        return own < table.commands_per_user;
}

/* Wait for a command to come back, where some are in flight. False where it is not to wait. */
static bool wait_for_room(struct entry *e, uid_t uid)
{
        int64_t oldest = e->use.in_flight->since_us;
        int64_t until = (oldest > e->last_end_us ? oldest : e->last_end_us) + HANGS_US;

        if (clock_us() >= until ||
            !waiters_wait(&e->waiters, uid, DEVICE_WAITING_MAX, &table.lock, until))
                return false;
        settle(e);
        return true;
}

/*
 * A command came back, which makes room for one. Who is woken may find it
 * taken, by another user's or by one that has just come, and waits again: then
 * that one wakes the next when it comes back.
 */
static void wake(struct entry *e)
{
        for (struct waiters *w = e->waiters; w; w = w->next)
                if (has_room(e, w->uid))
                        pthread_cond_signal(&w->wake);
}

/* The client among the device's, put there where there is room; or NULL. */
static struct device_user *user_of(struct entry *e, const struct device_client *client)
{
        struct device_use *d = &e->use;

        for (unsigned i = 0; i < d->user_count; i++)
                if (d->users[i].client.number == client->number)
                        return &d->users[i];
        if (d->user_count == DEVICE_CLIENTS_MAX)
                return NULL;
        if (d->user_count == e->user_room) {
                unsigned room = e->user_room ? 2 * e->user_room : USERS_FIRST;
                struct device_user *users = realloc(d->users, room * sizeof *users);
                if (!users)
                        return NULL;
                d->users = users;
                e->user_room = room;
        }
        struct device_user *user = &d->users[d->user_count++];
        *user = (struct device_user){ .client = *client };
        return user;
}

static void enter(struct entry *e, const struct device_client *client,
                  const struct pr_command *command, struct devices_token *ret_token)
{
        const struct pr_cdb *cdb = &command->cdb;
        struct in_flight *f = &ret_token->command;
        size_t known = !cdb->out ? 0 : cdb->length < PR_OUT_KEYS_SIZE ? cdb->length : PR_OUT_KEYS_SIZE;

        ret_token->entry = e;
        *f = (struct in_flight){
                .link = e->in_flight_end, .client = *client, .cdb = *cdb, .since_us = clock_us()
        };
        if (known > 0)
                memcpy(f->keys, command->data, known);
        *e->in_flight_end = f;
        e->in_flight_end = &f->next;
        e->use.in_flight_count++;
        (void)user_of(e, client);
        settle(e);
}

int devices_begin(const struct device *device, const struct device_client *client,
                  const struct pr_command *command, struct devices_token *ret_token)
{
        int r = -EBUSY;

        pthread_mutex_lock(&table.lock);
        struct entry *e = find_or_add(device);
        while (e && !table.stopping) {
                if (has_room(e, client->uid)) {
                        enter(e, client, command, ret_token);
                        r = 0;
                        break;
                }
                if (!wait_for_room(e, client->uid))
                        break;
        }
        pthread_mutex_unlock(&table.lock);
        return r;
}

static unsigned latency_bucket(int64_t us)
{
        unsigned i = 0;

        while (i < LATENCY_BUCKETS - 1 && us >= INT64_C(64) << i)
                i++;
        return i;
}

/* Whether the client has a key there now. */
static void note_registration(struct entry *e, const struct device_client *client,
                              const struct pr_command *command)
{
        struct pr_out_keys keys;
        struct device_user *user = user_of(e, client);

        if (user && pr_out_keys_decode(command->data, command->cdb.length, &keys) &&
            (command->cdb.action == PR_OUT_REGISTER ||
             command->cdb.action == PR_OUT_REGISTER_AND_IGNORE))
                user->registered = keys.action_key != 0;
}

void devices_end(const struct devices_token *token, const struct pr_command *command,
                 const struct pr_result *result)
{
        struct entry *e = token->entry;
        struct device_use *d = &e->use;
        const struct in_flight *f = &token->command;
        int64_t now = clock_us(), took = now - f->since_us;

        pthread_mutex_lock(&table.lock);
        if (result->reached) {
                e->last_end_us = now;
                d->commands++;
                d->latency[latency_bucket(took)]++;
                d->latency_us += took;
                d->conflicts += result->status == SCSI_RESERVATION_CONFLICT;
                d->errors += pr_result_is_lost(result);
                if (command->cdb.out && result->status == SCSI_GOOD)
                        note_registration(e, &f->client, command);
        }
        *f->link = f->next;
        *(f->next ? &f->next->link : &e->in_flight_end) = f->link;
        d->in_flight_count--;
        wake(e);
        settle(e);
        pthread_mutex_unlock(&table.lock);
}

static void forget_user(struct device_use *d, unsigned number)
{
        for (unsigned i = 0; i < d->user_count; i++)
                if (d->users[i].client.number == number) {
                        d->user_count--;
                        memmove(&d->users[i], &d->users[i + 1],
                                (d->user_count - i) * sizeof d->users[0]);
                        return;
                }
}

void devices_forget_client(unsigned number)
{
        pthread_mutex_lock(&table.lock);
        for (struct entry *e = table.busy.first; e; e = e->next)
                forget_user(&e->use, number);
        for (struct entry *e = table.idle.first; e; e = e->next)
                forget_user(&e->use, number);
        pthread_mutex_unlock(&table.lock);
}

void devices_each_in_flight(void (*each)(const struct device_use *, const struct in_flight *))
{
        pthread_mutex_lock(&table.lock);
        for (struct entry *e = table.busy.first; e; e = e->next)
                for (struct in_flight *f = e->use.in_flight; f; f = f->next)
                        each(&e->use, f);
        pthread_mutex_unlock(&table.lock);
}

void devices_stop(void)
{
        pthread_mutex_lock(&table.lock);
        table.stopping = true;
        for (struct entry *e = table.busy.first; e; e = e->next)
                waiters_wake_all(e->waiters);
        pthread_mutex_unlock(&table.lock);
}

/* Copy with all that it points to. */
static int copy(const struct device_use *d, struct device_use *ret_copy)
{
        struct in_flight *commands = NULL;
        struct device_user *users = NULL;

        if (d->in_flight_count > 0 && !(commands = calloc(d->in_flight_count, sizeof *commands)))
                return -ENOMEM;
        if (d->user_count > 0 && !(users = calloc(d->user_count, sizeof *users))) {
                free(commands);
                return -ENOMEM;
        }
        *ret_copy = *d;
        ret_copy->in_flight = commands;
        ret_copy->users = users;
        for (const struct in_flight *f = d->in_flight; f; f = f->next, commands++) {
                *commands = *f;
                commands->next = f->next ? commands + 1 : NULL;
        }
        for (unsigned i = 0; i < d->user_count; i++)
                users[i] = d->users[i];
        return 0;
}

int devices_snapshot(struct device_use *ret_devices, size_t max)
{
        int count = 0, r = 0;

        pthread_mutex_lock(&table.lock);
        const struct entry *lists[] = { table.busy.first, table.idle.first };
        for (int i = 0; i < 2; i++)
                for (const struct entry *e = lists[i]; e && r == 0 && (size_t)count < max; e = e->next) {
                        r = copy(&e->use, &ret_devices[count]);
                        count += r == 0;
                }
        pthread_mutex_unlock(&table.lock);
        if (r < 0)
                devices_snapshot_free(ret_devices, count);
        return r < 0 ? r : count;
}

void devices_snapshot_free(struct device_use *devices, int count)
{
        for (int i = 0; i < count; i++) {
                free(devices[i].in_flight);
                free(devices[i].users);
        }
}
