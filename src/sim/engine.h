/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Persistent reservations of one logical unit, as a state machine (SPC-4 5.13).
 *
 * Pure: a state and a command go in; status, sense, data and the next state
 * come out. No I/O, no time, no threads, nothing allocated. The caller keeps
 * the state of each logical unit, runs one command at a time on it, and does
 * what engine_result.storing says before it takes the next state for its own.
 *
 *     engine_run(&config, &command, &state, &next, &result);
 *     if (result.storing != ENGINE_KEEP && storing it failed)
 *             answer CHECK CONDITION 4/44/00, forget `next`
 *     else
 *             state = next, answer `result`
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scsi/pr.h"
#include "scsi/sense.h"
#include "scsi/transportid.h"

enum {
        /* Limits of the state; what does not fit is INSUFFICIENT REGISTRATION RESOURCES or the caller's matter. */
        ENGINE_INITIATORS_MAX = 256,
        ENGINE_PORTS_MAX = 4,
        ENGINE_REGISTRATIONS_MAX = 256,
        /* Unit attentions that can be pending for a nexus: one each of 2Ah/03h, 04h, 05h. */
        ENGINE_ATTENTIONS_MAX = 3,
};

/**
 * The target device around the logical unit. Borrowed for each call.
 *
 * States name ports by their place in these lists, so a place never changes
 * its meaning; initiators may be added at the end (for one that only a stored
 * registration knows, or a new one).
 */
struct engine_config {
        const struct transportid *initiators; /**< initiator ports known to the device server */
        size_t initiator_count;               /**< at most ENGINE_INITIATORS_MAX */
        const uint16_t *ports;                /**< relative target port identifiers, none twice */
        size_t port_count;                    /**< 1 to ENGINE_PORTS_MAX */
        size_t registrations_max;             /**< at most ENGINE_REGISTRATIONS_MAX */
        bool ptpl;                            /**< PTPL_C: this logical unit's state can be stored */
        bool crh;                             /**< CRH: RESERVE and RELEASE as in SPC-4 5.13.3, not SPC-2 */
};

/** An I_T nexus: places in engine_config.initiators and .ports. */
struct engine_nexus {
        uint16_t initiator, port;
};

static inline bool engine_nexus_equal(struct engine_nexus a, struct engine_nexus b)
{
        return a.initiator == b.initiator && a.port == b.port;
}

struct engine_registration {
        uint64_t key; /**< never 0 */
        struct engine_nexus nexus;
        bool all_tg_pt; /**< the request that set the key had ALL_TG_PT */
};

/** What outlives a power loss when `aptpl` is set: what the caller stores. */
struct engine_pr {
        bool aptpl;                 /**< APTPL of the last REGISTER, REGISTER AND IGNORE or REGISTER AND MOVE */
        uint8_t type;               /**< enum pr_type; the scope is always LU_SCOPE */
        struct engine_nexus holder; /**< zero where type is none or all registrants */
        uint16_t count;
        struct engine_registration registrations[ENGINE_REGISTRATIONS_MAX]; /**< oldest first */
};

/** Pending unit attentions of a nexus, oldest first; their additional sense code is 2Ah. */
struct engine_attentions {
        uint8_t count;
        uint8_t ascq[ENGINE_ATTENTIONS_MAX];
};

/** A logical unit's state. All zero: nothing registered, as after power on. */
struct engine_state {
        uint32_t generation; /**< PRGENERATION */
        struct engine_pr pr;
        struct engine_attentions attentions[ENGINE_INITIATORS_MAX][ENGINE_PORTS_MAX];
};

struct engine_command {
        struct engine_nexus nexus; /**< it came through; both places must be in the configuration */
        const uint8_t *cdb;        /**< PR_CDB_SIZE bytes */
        const uint8_t *list;       /**< PERSISTENT RESERVE OUT: the parameter list, all that the CDB announces */
        size_t list_size;
        uint8_t *data;    /**< PERSISTENT RESERVE IN: where the response goes */
        size_t data_size; /**< its room; less than the allocation length truncates further */
};

/** What has to be on stable storage before the answer goes out (SPC-4 5.13.5). */
enum engine_storing {
        ENGINE_KEEP,  /**< nothing: what is stored, if anything, is still right */
        ENGINE_STORE, /**< the next state's engine_pr */
        ENGINE_ERASE, /**< that there is nothing stored any more: persistence was turned off */
};

struct engine_result {
        uint8_t status;          /**< enum scsi_status */
        struct scsi_sense sense; /**< with CHECK CONDITION; else zero */
        size_t data_size;        /**< bytes written to engine_command.data */
        enum engine_storing storing;
};

/**
 * Run a PERSISTENT RESERVE IN or OUT.
 *
 * A command that does not end GOOD changes nothing, but for the unit attention
 * that it reports. Any other opcode is refused with INVALID COMMAND OPERATION CODE.
 *
 * @param ret_next the state after; may not be `state` itself.
 */
void engine_run(const struct engine_config *config, const struct engine_command *command,
                const struct engine_state *state, struct engine_state *ret_next,
                struct engine_result *ret_result);

/**
 * The state after power on from what was stored: PRGENERATION 0, no unit attentions (SPC-4 6.15.2).
 * @return 0, or -EINVAL where no engine with this configuration can have stored it: ports not in
 *         the configuration, a nexus twice, key 0, a type that is none, a holder not registered,
 *         an all registrants reservation without registrants, too many registrations.
 */
int engine_restore(const struct engine_config *config, const struct engine_pr *stored,
                   struct engine_state *ret_state);

/** Whether this nexus holds the reservation (SPC-4 5.13.10). */
bool engine_is_holder(const struct engine_pr *pr, struct engine_nexus nexus);

/** The registration of a nexus, or NULL. */
const struct engine_registration *engine_registration_of(const struct engine_pr *pr,
                                                         struct engine_nexus nexus);
