/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The abstract pr-manager, as its classes and the calls on top of it see it.
 * Private to manager/.
 *
 * A class is a constant `struct manager_class`; a manager of it is a struct that
 * begins with `struct prm_manager`.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "device/device.h"
#include "manager/properties.h"
#include "prmanager.h"

enum { CDB_SIZE_MIN = 10 }; /**< what PERSISTENT RESERVE IN and OUT have, bytes */

struct manager_class {
        const char *name;
        size_t size;                         /**< of the struct of its managers */
        const struct property_rule *rules;   /**< its properties, up to one without a name */
        uint32_t transfer_max;               /**< bytes of data that a command can have */

        /** Set up a zeroed manager; on failure nothing is left to destroy. Properties follow the rules. */
        int (*init)(struct prm_manager *manager, const struct properties *properties,
                    struct prm_error *ret_error);
        void (*destroy)(struct prm_manager *manager);

        /**
         * Carry out a command, whatever becomes of it. From any thread, several at a time.
         * @param timeout_ms as in `struct prm_nexus`
         * @param ret_result all zero; unit_attentions are the caller's
         */
        void (*run)(struct prm_manager *manager, int fd, const struct pr_command *command,
                    uint32_t timeout_ms, struct prm_result *ret_result);

        /**
         * Forget what belongs to the process that this one was forked from: its connections, its
         * threads' claims and locks. Must not block. NULL: there is nothing.
         */
        void (*begin_anew)(struct prm_manager *manager);

        /** As prm_manager_connect(); ret_error is never NULL. */
        int (*connect)(struct prm_manager *manager, struct prm_error *ret_error);
        bool (*is_connected)(struct prm_manager *manager);
};

extern const struct manager_class manager_class_helper, manager_class_direct;

struct request;

/** Commands that wait for the worker thread: see async.c. */
struct request_queue {
        pthread_mutex_t lock;
        pthread_cond_t changed;
        struct request *first, **last;
        bool running; /**< `worker` is a thread to be joined */
        bool stop;
        pthread_t worker;
};

struct prm_manager {
        const struct manager_class *class;
        char *id;                 /**< or NULL */
        uint32_t timeout_ms;      /**< from call to return, of a command without one; 0: the class' matter */
        unsigned references;      /**< the program's; guarded by the registry, as the next two */
        unsigned commands;        /**< in the background, which keep it when the program has dropped it */
        struct prm_manager *next; /**< in the registry */
        _Atomic pid_t process;    /**< that the rest belongs to: see manager_enter() */

        pthread_mutex_t status_lock; /**< held while the callback runs */
        prm_status_callback callback;
        void *opaque;

        struct request_queue queue;
};

/**
 * To be called before all else by whatever uses a manager: in a child of the process that used it
 * so far it begins anew.
 */
void manager_enter(struct prm_manager *manager);

/** Tell whom it concerns that the manager got connected or lost its connection. */
void manager_status_changed(struct prm_manager *manager, bool connected);

/** Keep the manager for a command in the background. */
void manager_keep(struct prm_manager *manager);

/** Such a command has ended. True where the manager is freed with it. */
bool manager_let_go(struct prm_manager *manager);

/** An empty queue without a worker, whatever it was. */
void request_queue_init(struct request_queue *queue);

/** End the worker, wait for it, and free what is left. The queue has to be empty. */
void request_queue_destroy(struct request_queue *queue);

/**
 * Carry out a command: what the class cannot transfer is answered with INVALID FIELD IN CDB.
 * @return 0, or -EBADF: `fd` is no descriptor
 */
int manager_run(struct prm_manager *manager, int fd, const struct pr_command *command,
                uint32_t timeout_ms, struct prm_result *ret_result);

/** manager_run() on the way that `nexus` describes, with its retries of unit attentions. */
int nexus_run(const struct prm_nexus *nexus, const struct pr_command *command,
              struct prm_result *ret_result);
