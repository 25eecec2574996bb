/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The simulated target: see target.h.
 *
 * `lock` guards the table of units and the list of initiators; a unit's own
 * lock guards its state and is held while it is stored, because no command
 * may see a state that a power loss would undo. The first is only taken
 * without or within the second.
 */
#include "sim/target.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "sim/engine.h"
#include "sim/store.h"

static const uint16_t target_ports[] = { 1 };

struct unit {
        struct unit *next;
        struct lu_id id;
        unsigned users;     /* commands that run or wait; guarded by the target's lock */
        pthread_mutex_t lock;
        bool loaded;        /* what is stored has been looked for, and was understood */
        bool reported;      /* that it was not */
        bool unsure;        /* what is stored may differ from the state */
        struct engine_state *state, *next_state;
};

struct nexus {
        struct target *target;
        struct engine_nexus place;
};

struct target {
        pthread_mutex_t lock;
        int folder;
        void (*report)(const char *message);
        struct initiator_list initiators;
        struct nexus nexuses[TARGET_NEXUSES_MAX];
        size_t nexus_count;
        struct unit *units;
        size_t unit_count;
};

struct target *target_new(int folder, void (*report)(const char *message))
{
        struct target *target = calloc(1, sizeof *target);

        if (!target)
                return NULL;
        pthread_mutex_init(&target->lock, NULL);
        target->folder = folder;
        target->report = report;
        return target;
}

/* Nothing but its PRGENERATION would be lost. Nobody uses it, so its lock is free. */
static bool is_empty(const struct unit *unit)
{
        static const struct engine_state empty;

        return !unit->unsure && !unit->state->pr.aptpl && unit->state->pr.count == 0 &&
               memcmp(unit->state->attentions, empty.attentions, sizeof empty.attentions) == 0;
}

static void free_unit(struct unit *unit)
{
        free(unit->state);
        free(unit->next_state);
        pthread_mutex_destroy(&unit->lock);
        free(unit);
}

/* Make room in a full table. */
static void forget_empty(struct target *target)
{
        for (struct unit **link = &target->units; *link;) {
                struct unit *unit = *link;
                if (unit->users > 0 || !is_empty(unit)) {
                        link = &unit->next;
                        continue;
                }
                *link = unit->next;
                target->unit_count--;
                free_unit(unit);
        }
}

static struct unit *new_unit(const struct lu_id *id)
{
        struct unit *unit = calloc(1, sizeof *unit);

        if (!unit)
                return NULL;
        unit->id = *id;
        pthread_mutex_init(&unit->lock, NULL);
        unit->state = calloc(1, sizeof *unit->state);
        unit->next_state = calloc(1, sizeof *unit->next_state);
        if (!unit->state || !unit->next_state) {
                free_unit(unit);
                return NULL;
        }
        return unit;
}

/* The unit of a file, and the right to use it until put_unit(). NULL: no room, no memory. */
static struct unit *get_unit(struct target *target, const struct lu_id *id)
{
        struct unit *unit;

        pthread_mutex_lock(&target->lock);
        for (unit = target->units; unit; unit = unit->next)
                if (lu_id_equal(&unit->id, id))
                        break;
        if (!unit) {
                if (target->unit_count >= TARGET_UNITS_MAX)
                        forget_empty(target);
                unit = target->unit_count < TARGET_UNITS_MAX ? new_unit(id) : NULL;
                if (unit) {
                        unit->next = target->units;
                        target->units = unit;
                        target->unit_count++;
                }
        }
        if (unit)
                unit->users++;
        pthread_mutex_unlock(&target->lock);
        return unit;
}

static void put_unit(struct target *target, struct unit *unit)
{
        pthread_mutex_lock(&target->lock);
        unit->users--;
        pthread_mutex_unlock(&target->lock);
}

/* The target around a unit as it is now. Initiators are only ever appended. */
static struct engine_config config_of(struct target *target, bool can_store)
{
        struct engine_config config = {
                .initiators = target->initiators.ids,
                .ports = target_ports,
                .port_count = 1,
                .registrations_max = ENGINE_REGISTRATIONS_MAX,
                .ptpl = can_store,
        };

        pthread_mutex_lock(&target->lock);
        config.initiator_count = target->initiators.count;
        pthread_mutex_unlock(&target->lock);
        return config;
}

static void report(const struct target *target, const struct unit *unit, const char *what, int r)
{
        char name[STORE_NAME_SIZE], message[256];

        store_name(&unit->id, name);
        snprintf(message, sizeof message, "state file %s: %s%s%s", name, what, r < 0 ? ": " : "",
                 r < 0 ? strerrordesc_np(-r) : "");
        target->report(message);
}

static int read_stored(struct target *target, struct unit *unit)
{
        cleanup_free uint8_t *bytes = NULL;
        struct engine_pr stored;
        size_t size;
        int r = store_read(target->folder, &unit->id, &bytes, &size);

        if (r <= 0)
                return r;
        pthread_mutex_lock(&target->lock);
        r = store_decode(bytes, size, &unit->id, &target->initiators, &stored);
        pthread_mutex_unlock(&target->lock);
        if (r < 0)
                return r;
        struct engine_config config = config_of(target, true);
        return engine_restore(&config, &stored, unit->state);
}

/*
 * Look for what is stored, until it was understood once. What cannot be read
 * is never taken for nothing.
 */
static int load(struct target *target, struct unit *unit)
{
        int r = unit->loaded || target->folder < 0 ? 0 : read_stored(target, unit);

        if (r == 0) {
                unit->loaded = true;
                return 0;
        }
        if (!unit->reported && (r == -EBADMSG || r == -EINVAL))
                report(target, unit, "damaged or not this file's; its logical unit is not served "
                       "until it is repaired, or removed with what it holds", 0);
        else if (!unit->reported)
                report(target, unit, "cannot be read, so its logical unit is not served", r);
        unit->reported = true;
        return r;
}

static int store(struct target *target, struct unit *unit, const struct engine_state *state)
{
        return state->pr.aptpl ?
                       store_write(target->folder, &unit->id, &target->initiators, &state->pr) :
                       store_erase(target->folder, &unit->id);
}

/*
 * Put what the next state needs on stable storage. Where that fails the state
 * stays, and what is stored has to be what it was: it is put back, now or
 * before the next command.
 */
static int keep(struct target *target, struct unit *unit, enum engine_storing storing)
{
        if (storing == ENGINE_KEEP)
                return 0;
        int r = store(target, unit, unit->next_state);
        if (r < 0) {
                report(target, unit, "cannot be written, so the command fails", r);
                unit->unsure = store(target, unit, unit->state) < 0;
        }
        return r;
}

/* What a command has to find: the stored state loaded, and the same as ours. */
static const char *make_ready(struct target *target, struct unit *unit)
{
        if (load(target, unit) < 0)
                return "what is stored of it cannot be read";
        if (unit->unsure && store(target, unit, unit->state) < 0)
                return "its state cannot be stored";
        unit->unsure = false;
        return NULL;
}

/* Run the command on the unit, which is locked. */
static void run(const struct nexus *nexus, struct unit *unit, bool can_store,
                const struct pr_command *command, struct pr_result *ret_result)
{
        struct target *target = nexus->target;
        struct engine_config config = config_of(target, can_store);
        struct engine_command engine = {
                .nexus = nexus->place,
                .cdb = command->bytes,
                .list = command->cdb.out ? command->data : NULL,
                .list_size = command->cdb.out ? command->cdb.length : 0,
                .data = command->cdb.out ? NULL : command->data,
                .data_size = command->cdb.out ? 0 : command->cdb.length,
        };
        struct engine_result result;

        engine_run(&config, &engine, unit->state, unit->next_state, &result);
        if (keep(target, unit, result.storing) < 0) {
                pr_result_sense(ret_result, SENSE_INTERNAL_TARGET_FAILURE);
                ret_result->reached = true;
                return;
        }
        struct engine_state *before = unit->state;
        unit->state = unit->next_state;
        unit->next_state = before;

        *ret_result = (struct pr_result){
                .status = result.status,
                .size = (uint32_t)result.data_size,
                .reached = true,
        };
        if (result.status == SCSI_CHECK_CONDITION)
                scsi_sense_build(result.sense, ret_result->sense);
}

/* @return whether the file has a name, and so can be found again */
static int identify_file(int fd, struct lu_id *ret_id, bool *ret_named)
{
        struct statx stx;

        if (statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_BTIME, &stx) < 0)
                return -errno;
        if (!(stx.stx_mask & STATX_BTIME))
                return -EOPNOTSUPP;
        *ret_id = (struct lu_id){
                .device_major = stx.stx_dev_major,
                .device_minor = stx.stx_dev_minor,
                .inode = stx.stx_ino,
                .born_s = stx.stx_btime.tv_sec,
                .born_ns = stx.stx_btime.tv_nsec,
        };
        *ret_named = stx.stx_nlink > 0;
        return 0;
}

static void execute(const struct device *device, int fd, const struct pr_command *command,
                    struct pr_result *ret_result)
{
        const struct nexus *nexus = device->context;
        struct lu_id id;
        bool named;

        int r = identify_file(fd, &id, &named);
        if (r < 0) {
                pr_result_refuse(ret_result, r == -EOPNOTSUPP ?
                                 "its file system does not tell a file's time of birth" :
                                 "statx failed on the descriptor");
                return;
        }
        struct unit *unit = get_unit(nexus->target, &id);
        if (!unit) {
                pr_result_sense(ret_result, SENSE_INTERNAL_TARGET_FAILURE);
                ret_result->refusal = "too many simulated logical units, or no memory for one";
                return;
        }

        pthread_mutex_lock(&unit->lock);
        const char *broken = make_ready(nexus->target, unit);
        if (broken) {
                pr_result_sense(ret_result, SENSE_INTERNAL_TARGET_FAILURE);
                ret_result->refusal = broken;
        } else {
                /* What has no name, a memfd, cannot be found again; but a promise given is kept. */
                bool can_store = nexus->target->folder >= 0 && (named || unit->state->pr.aptpl);
                run(nexus, unit, can_store, command, ret_result);
        }
        pthread_mutex_unlock(&unit->lock);
        put_unit(nexus->target, unit);
}

static void wwid(const struct device *device, char *ret_name, size_t size)
{
        const struct nexus *nexus = device->context;

        snprintf(ret_name, size, "inode.%" PRIu64 "@%s", device->id,
                 nexus->target->initiators.ids[nexus->place.initiator].name);
}

static const struct device_ops file_ops = { "file", execute, wwid };

static void identify(const void *context, int fd, struct device *device)
{
        struct stat st;

        if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
                *device = (struct device){
                        .ops = &file_ops,
                        .context = context,
                        .id = st.st_ino,
                };
        else
                device_init_refused(device, "not a regular file, which is what a simulated "
                                            "logical unit is");
}

int target_add_nexus(struct target *target, const char *initiator,
                     struct device_source *ret_source)
{
        struct transportid id;
        size_t known = target->initiators.count;

        if (transportid_from_name(initiator, &id) < 0)
                return -EINVAL;
        if (target->nexus_count == TARGET_NEXUSES_MAX)
                return -ENOSPC;
        int place = initiator_list_add(&target->initiators, &id);
        if (place < 0)
                return place;
        if ((size_t)place < known)
                return -EEXIST;

        struct nexus *nexus = &target->nexuses[target->nexus_count++];
        *nexus = (struct nexus){ .target = target, .place = { .initiator = (uint16_t)place } };
        *ret_source = (struct device_source){ .context = nexus, .identify = identify };
        return 0;
}
