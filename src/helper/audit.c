/* SPDX-License-Identifier: BSD-2-Clause */
/* The audit: see audit.h. What a line says: audit_line.c. */
#include "helper/audit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "helper/audit_line.h"
#include "helper/limiter.h"

enum {
        DEVICES = 4,            /* remembered a client; more of them only means more lines */
        RESERVE_MS = 2000,      /* a command waits so long for the log, and is then answered BUSY */
};

/* What makes two commands and their results the same. Compared as bytes: no padding is left unset. */
struct signature {
        uint64_t device;
        uint8_t cdb[PR_CDB_SIZE];
        uint8_t list[PR_OUT_BASIC_SIZE]; /* zeros after its end */
        uint8_t sense[SENSE_SIZE];
        const char *refusal;
        int error;
        uint16_t host, driver;
        uint8_t status;
};

/* The last command on one device. `text` is changed by the client's thread under the lock. */
struct audit_entry {
        struct signature signature;
        char *text;
        unsigned count;      /* of repetitions not logged yet */
        bool reached;
        int64_t since_ms;    /* of the first of them */
        int64_t used_ms;
};

static struct limiter refused_limiter = LIMITER(20, 1000);
static atomic_int_fast64_t give_up_ms; /* when the log is waited for no longer; 0: nothing ends */

void audit_init(struct audit *audit, unsigned client, const struct ucred *peer, int event)
{
        *audit = (struct audit){
                .client = client,
                .pid = peer->pid,
                .uid = peer->uid,
                .event = event,
        };
        pthread_mutex_init(&audit->lock, NULL);
}

/* At the end all that is waited for has one time together. */
static int patience(void)
{
        int64_t until = atomic_load(&give_up_ms);

        return until == 0 ? RESERVE_MS : clock_left(until);
}

int audit_begin(void)
{
        return log_reserve(patience());
}

/* Of a list that is not remembered as a whole, nobody knows whether the next one is the same. */
static bool has_longer_list(const struct pr_command *command)
{
        return command->cdb.out && command->cdb.length > PR_OUT_BASIC_SIZE;
}

static void sign(const struct device *device, const struct pr_command *command,
                 const struct pr_result *result, struct signature *ret_signature)
{
        memset(ret_signature, 0, sizeof *ret_signature);
        ret_signature->device = device->id;
        if (command->cdb.out && command->cdb.length > 0 && !has_longer_list(command))
                memcpy(ret_signature->list, command->data, command->cdb.length);
        memcpy(ret_signature->cdb, command->bytes, PR_CDB_SIZE);
        memcpy(ret_signature->sense, result->sense, SENSE_SIZE);
        ret_signature->refusal = result->refusal;
        ret_signature->error = result->error;
        ret_signature->host = result->host;
        ret_signature->driver = result->driver;
        ret_signature->status = result->status;
}

static struct audit_entry *find(struct audit *audit, uint64_t device)
{
        if (!audit->entries)
                return NULL;
        for (struct audit_entry *e = audit->entries; e < audit->entries + DEVICES; e++)
                if (e->text && e->signature.device == device)
                        return e;
        return NULL;
}

/* Count a repetition. False where it is none. */
static bool count_repetition(struct audit *audit, const struct signature *signature)
{
        pthread_mutex_lock(&audit->lock);
        struct audit_entry *e = find(audit, signature->device);
        bool same = e && memcmp(&e->signature, signature, sizeof *signature) == 0;
        if (same) {
                e->used_ms = clock_ms();
                if (e->count++ == 0)
                        e->since_ms = e->used_ms;
        }
        pthread_mutex_unlock(&audit->lock);
        if (same && !atomic_exchange(&audit->counting, true)) {
                static const uint64_t one = 1;
                (void)!write(audit->event, &one, sizeof one);
        }
        return same;
}

static void log_suppressed(const struct audit *audit, unsigned suppressed)
{
        if (suppressed > 0)
                log_notice("%u more refused commands of uid %u were not logged",
                           suppressed, (unsigned)audit->uid);
}

/* Log a count. The place of a line that must not be lost has been reserved, but at the end. */
static void log_count(const struct audit *audit, const struct audit_entry *e, unsigned count,
                      bool reserved)
{
        unsigned suppressed = 0;

        if (reserved)
                log_reserved(LOG_NOTICE, "%s, repeated %u times", e->text, count);
        else if (e->reached || limiter_allow(&refused_limiter, audit->uid, &suppressed))
                log_notice("%s, repeated %u times", e->text, count);
        log_suppressed(audit, suppressed);
}

static unsigned take_count(struct audit *audit, struct audit_entry *e)
{
        pthread_mutex_lock(&audit->lock);
        unsigned count = e->count;
        e->count = 0;
        pthread_mutex_unlock(&audit->lock);
        return count;
}

/* The client's thread only: log the count of `e`, and wait for that, but not long at the end. */
static void flush_entry(struct audit *audit, struct audit_entry *e)
{
        bool reserved = false;

        pthread_mutex_lock(&audit->lock);
        bool none = e->count == 0; /* and so it stays: only this thread counts up */
        pthread_mutex_unlock(&audit->lock);
        if (none)
                return;
        if (e->reached)
                do
                        reserved = log_reserve(patience()) == 0;
                while (!reserved && atomic_load(&give_up_ms) == 0);
        unsigned count = take_count(audit, e);
        if (count > 0)
                log_count(audit, e, count, reserved);
        else if (reserved)
                log_release();
}

void audit_stop(void)
{
        atomic_store(&give_up_ms, clock_ms() + RESERVE_MS);
}

/* The entry for a device: its own, a free one, or the one that was not used for longest. */
static struct audit_entry *entry_for(struct audit *audit, uint64_t device)
{
        struct audit_entry *e = find(audit, device);

        if (!audit->entries)
                audit->entries = calloc(DEVICES, sizeof *audit->entries);
        if (e || !audit->entries)
                return e;
        e = audit->entries;
        for (struct audit_entry *other = e; other < audit->entries + DEVICES; other++)
                if (!other->text || (e->text && other->used_ms < e->used_ms))
                        e = other;
        return e;
}

/* Remember a command as the last one on its device. Without memory it is just never repeated. */
static void remember(struct audit *audit, const struct signature *signature, const char *text,
                     bool reached)
{
        struct audit_entry *e = entry_for(audit, signature->device);

        if (!e)
                return;
        if (e->text)
                flush_entry(audit, e);
        pthread_mutex_lock(&audit->lock);
        free(e->text);
        *e = (struct audit_entry){
                .text = strdup(text),
                .reached = reached,
                .used_ms = clock_ms(),
        };
        memcpy(&e->signature, signature, sizeof *signature);
        pthread_mutex_unlock(&audit->lock);
}

void audit_record(struct audit *audit, const struct device *device,
                  const struct pr_command *command, const struct pr_result *result)
{
        struct signature signature;
        unsigned suppressed = 0;
        char text[LOG_LINE_MAX - 32];

        sign(device, command, result, &signature);
        if (!has_longer_list(command) && count_repetition(audit, &signature)) {
                if (result->reached)
                        log_release();
                return;
        }
        if (!result->reached && !limiter_allow(&refused_limiter, audit->uid, &suppressed))
                return;

        audit_line(audit, device, command, result, text, sizeof text);
        remember(audit, &signature, text, result->reached);
        if (result->reached)
                log_reserved(LOG_NOTICE, "%s", text);
        else
                log_notice("%s", text);
        log_suppressed(audit, suppressed);
}

bool audit_flush(struct audit *audit, int64_t until_ms)
{
        int64_t now = clock_ms();
        bool remain = false;

        if (!atomic_load(&audit->counting))
                return false;
        atomic_store(&audit->counting, false);
        pthread_mutex_lock(&audit->lock);
        for (unsigned i = 0; audit->entries && i < DEVICES; i++) {
                struct audit_entry *e = &audit->entries[i];
                if (e->count == 0)
                        continue;
                bool due = until_ms != 0 || now - e->since_ms >= AUDIT_PERIOD_MS;
                if (due && (!e->reached || log_reserve(clock_left(until_ms)) == 0)) {
                        log_count(audit, e, e->count, e->reached);
                        e->count = 0;
                } else {
                        remain = true;
                }
        }
        pthread_mutex_unlock(&audit->lock);
        if (remain)
                atomic_store(&audit->counting, true);
        return remain;
}

void audit_finish(struct audit *audit)
{
        for (unsigned i = 0; audit->entries && i < DEVICES; i++)
                flush_entry(audit, &audit->entries[i]);
        pthread_mutex_lock(&audit->lock); /* audit_flush() may still come */
        for (unsigned i = 0; audit->entries && i < DEVICES; i++)
                free(audit->entries[i].text);
        free(audit->entries);
        audit->entries = NULL;
        pthread_mutex_unlock(&audit->lock);
}
