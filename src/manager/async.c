/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Commands in the background: a queue of each manager, and one thread that
 * serves it, started with the first command and ended with the manager.
 *
 * A command keeps its manager, so that it may be the thread itself that frees it.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/descriptor.h"
#include "manager/execute.h"
#include "manager/manager.h"

struct request {
        struct request *next;
        struct prm_manager *manager; /* kept */
        int fd;                      /* its own */
        struct sg_io_hdr *header;
        int64_t called_ms; /* its time runs from here, not from its turn */
        prm_completion done;
        void *opaque;
        int event; /* the caller's, or -1 */
};

static void request_free(struct request *request)
{
        close_fd(&request->fd);
        free(request);
}

void request_queue_init(struct request_queue *queue)
{
        pthread_mutex_init(&queue->lock, NULL);
        pthread_cond_init(&queue->changed, NULL);
        queue->first = NULL;
        queue->last = &queue->first;
        queue->running = false;
        queue->stop = false;
}

void request_queue_destroy(struct request_queue *queue)
{
        pthread_mutex_lock(&queue->lock);
        queue->stop = true;
        pthread_cond_signal(&queue->changed);
        pthread_mutex_unlock(&queue->lock);

        if (queue->running && pthread_equal(queue->worker, pthread_self()))
                pthread_detach(queue->worker);
        else if (queue->running)
                pthread_join(queue->worker, NULL);
        pthread_cond_destroy(&queue->changed);
        pthread_mutex_destroy(&queue->lock);
}

/* The next command, or NULL when the manager ends. */
static struct request *queue_wait(struct request_queue *queue)
{
        pthread_mutex_lock(&queue->lock);
        while (!queue->first && !queue->stop)
                pthread_cond_wait(&queue->changed, &queue->lock);
        struct request *request = queue->first;
        if (request) {
                queue->first = request->next;
                if (!queue->first)
                        queue->last = &queue->first;
        }
        pthread_mutex_unlock(&queue->lock);
        return request;
}

/* Carry one out and tell. What remains of it, its manager included, is the caller's to drop. */
static void request_run(struct request *request)
{
        /* The header was found to be well-formed, and the descriptor is open: there is no other failure. */
        (void)execute_called(request->manager, request->fd, request->header, request->called_ms);
        close_fd(&request->fd);
        if (request->done)
                request->done(request->header, request->opaque);
        else
                (void)eventfd_write(request->event, 1);
}

static void *worker(void *argument)
{
        struct prm_manager *manager = argument;
        const pid_t process = getpid();
        struct request *request;

        while ((request = queue_wait(&manager->queue))) {
                request_run(request);
                request_free(request);
                if (process != getpid())
                        break; /* a fork of `done` that came back: what is queued is the parent's */
                if (manager_let_go(manager))
                        break;
        }
        return NULL;
}

/* Start the thread unless it runs, with all signals blocked: they are the program's. */
static int queue_start(struct prm_manager *manager)
{
        struct request_queue *queue = &manager->queue;
        sigset_t all, before;

        if (queue->running)
                return 0;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        int r = pthread_create(&queue->worker, NULL, worker, manager);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        queue->running = r == 0;
        return -r;
}

static int queue_add(struct request *request)
{
        struct request_queue *queue = &request->manager->queue;

        pthread_mutex_lock(&queue->lock);
        int r = queue_start(request->manager);
        if (r == 0) {
                *queue->last = request;
                queue->last = &request->next;
                pthread_cond_signal(&queue->changed);
        }
        pthread_mutex_unlock(&queue->lock);
        return r;
}

/* Queue a command. `event` is borrowed until it is written to. */
static int start(struct prm_manager *manager, int fd, struct sg_io_hdr *header, prm_completion done,
                 void *opaque, int event)
{
        struct request *request = malloc(sizeof *request);
        struct sgio_request decoded;

        if (!request)
                return -ENOMEM;
        *request = (struct request){
                .manager = manager,
                .fd = descriptor_copy(fd),
                .header = header,
                .called_ms = clock_ms(),
                .done = done,
                .opaque = opaque,
                .event = event,
        };
        int r = request->fd < 0 ? -errno : sgio_request_decode(header, &decoded);
        if (r == 0) {
                manager_enter(manager);
                manager_keep(manager);
                r = queue_add(request);
                if (r < 0)
                        (void)manager_let_go(manager);
        }
        if (r < 0)
                request_free(request);
        return r;
}

int prm_execute_async(struct prm_manager *manager, int fd, struct sg_io_hdr *header,
                      prm_completion done, void *opaque)
{
        return done ? start(manager, fd, header, done, opaque, -1) : -EINVAL;
}

int prm_execute_event(struct prm_manager *manager, int fd, struct sg_io_hdr *header, int *ret_event)
{
        cleanup_fd int event = descriptor_move(eventfd(0, EFD_CLOEXEC));

        if (event < 0)
                return -errno;
        int r = start(manager, fd, header, NULL, NULL, event);
        if (r == 0)
                *ret_event = steal_fd(&event);
        return r;
}
