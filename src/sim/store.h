/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What survives a power loss: one file a logical unit, in a folder.
 *
 * A file is replaced as a whole: written under a temporary name, synced,
 * renamed, and the folder synced, before the command that caused it is
 * answered. So it holds the state before or the state after, never less.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "scsi/transportid.h"
#include "sim/engine.h"
#include "sim/lu_id.h"

enum { STORE_NAME_SIZE = 96 };

/** The initiator ports that registrations may name, at most ENGINE_INITIATORS_MAX. */
struct initiator_list {
        struct transportid ids[ENGINE_INITIATORS_MAX];
        size_t count;
};

/** The place of a port in the list, appended where it is new. @return it, or -ENOSPC */
int initiator_list_add(struct initiator_list *list, const struct transportid *id);

/**
 * Open a folder and lock it; it is made where it is not there.
 * @return a descriptor, -EBUSY where another process has it, or -errno
 */
int store_open(const char *path);

/** The name of a logical unit's file. */
void store_name(const struct lu_id *id, char ret_name[static STORE_NAME_SIZE]);

/**
 * Read the file of a logical unit, for store_decode().
 * @param ret_bytes  malloc'ed; the caller's
 * @return 1 where something is stored, 0 where nothing is, or -errno
 */
int store_read(int folder, const struct lu_id *id, uint8_t **ret_bytes, size_t *ret_size);

/**
 * Understand what was read. Initiators that it names and `initiators` has not are appended there.
 * @return 0; -EBADMSG where it is damaged, another logical unit's, or nothing that a target can
 *         have stored; -ENOSPC where there are too many initiators
 */
int store_decode(const uint8_t *bytes, size_t size, const struct lu_id *id,
                 struct initiator_list *initiators, struct engine_pr *ret_pr);

/** Store it, durably. @return 0, or -errno and then the old state or the new one is stored */
int store_write(int folder, const struct lu_id *id, const struct initiator_list *initiators,
                const struct engine_pr *pr);

/** Let nothing be stored any more, durably. @return 0 or -errno */
int store_erase(int folder, const struct lu_id *id);

/** The file's format: see store_format.c. @return bytes, 0 if it does not fit */
size_t store_encode(const struct lu_id *id, const struct initiator_list *initiators,
                    const struct engine_pr *pr, uint8_t *bytes, size_t size);
