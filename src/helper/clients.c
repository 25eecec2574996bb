/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All clients that are connected: see clients.h.
 *
 * The lock guards the list and nothing that blocks. A client is on it, and
 * counts, until its connection is closed, which may take long.
 */
#include "helper/clients.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/thread.h"
#include "helper/client.h"
#include "helper/devices.h"
#include "helper/farewell.h"

struct member {
        struct client client;
        struct member *next, *previous;
        bool was_idle; /* at the last clients_cut_off() */
};

static struct {
        pthread_mutex_t lock;
        struct member *first;
        unsigned count, numbers;
        const struct limits *limits;
        int event;
        const char *eperm_cause;
        atomic_bool stopping;
} clients = { .lock = PTHREAD_MUTEX_INITIALIZER };

void clients_init(const struct limits *limits, int event, const char *eperm_cause)
{
        clients.limits = limits;
        clients.event = event;
        clients.eperm_cause = eperm_cause;
}

static void raise_event(void)
{
        static const uint64_t one = 1;

        (void)!write(clients.event, &one, sizeof one);
}

static void insert(struct member *member)
{
        member->next = clients.first;
        if (member->next)
                member->next->previous = member;
        clients.first = member;
        clients.count++;
}

static void take_out(struct member *member)
{
        if (member->next)
                member->next->previous = member->previous;
        if (member->previous)
                member->previous->next = member->next;
        else
                clients.first = member->next;
        clients.count--;
}

static void *serve(void *argument)
{
        struct member *member = argument;

        client_serve(&member->client);
        audit_finish(&member->client.audit);
        devices_forget_client(member->client.number);

        pthread_mutex_lock(&clients.lock);
        int sock = steal_fd(&member->client.sock); /* nobody shuts down what has its number next */
        pthread_mutex_unlock(&clients.lock);
        farewell_close(sock);

        pthread_mutex_lock(&clients.lock);
        take_out(member);
        bool stopping = atomic_load(&clients.stopping);
        pthread_mutex_unlock(&clients.lock);
        free(member);
        if (stopping)
                raise_event();
        return NULL;
}

/* Whether one more of this user fits. */
static int check_limits(uid_t user)
{
        unsigned own = 0;
        int r = 0;

        pthread_mutex_lock(&clients.lock);
        for (struct member *m = clients.first; m; m = m->next)
                own += m->client.audit.uid == user;
        if (clients.count >= clients.limits->clients)
                r = -EUSERS;
        else if (own >= clients.limits->clients_per_user)
                r = -EDQUOT;
        pthread_mutex_unlock(&clients.lock);
        return r;
}

int clients_add(int sock, const struct device_source *source)
{
        struct ucred peer = { .pid = 0, .uid = (uid_t)-1 };
        socklen_t size = sizeof peer;

        (void)getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &peer, &size);
        int r = check_limits(peer.uid);
        if (r < 0)
                return r;
        struct member *member = calloc(1, sizeof *member);
        if (!member)
                return -ENOMEM;

        member->client.sock = sock;
        member->client.connected_us = clock_us();
        if (++clients.numbers == 0)
                clients.numbers = 1; /* 0 is nobody's */
        member->client.number = clients.numbers;
        member->client.source = source;
        member->client.stopping = &clients.stopping;
        member->client.eperm_cause = clients.eperm_cause;
        audit_init(&member->client.audit, member->client.number, &peer, clients.event);

        pthread_mutex_lock(&clients.lock);
        insert(member);
        pthread_mutex_unlock(&clients.lock);
        r = thread_start(serve, member);
        if (r < 0) {
                pthread_mutex_lock(&clients.lock);
                take_out(member);
                pthread_mutex_unlock(&clients.lock);
                free(member);
        }
        return r;
}

bool clients_flush_audit(int64_t until_ms)
{
        bool counting = false;

        pthread_mutex_lock(&clients.lock);
        for (struct member *m = clients.first; m; m = m->next)
                counting |= audit_flush(&m->client.audit, until_ms);
        pthread_mutex_unlock(&clients.lock);
        return counting;
}

void clients_each(void (*each)(const struct client_status *, void *), void *argument)
{
        pthread_mutex_lock(&clients.lock);
        for (struct member *m = clients.first; m; m = m->next) {
                struct client_status status;
                client_get_status(&m->client, &status);
                each(&status, argument);
        }
        pthread_mutex_unlock(&clients.lock);
}

void clients_stop(void)
{
        pthread_mutex_lock(&clients.lock);
        atomic_store(&clients.stopping, true);
        for (struct member *m = clients.first; m; m = m->next)
                (void)shutdown(m->client.sock, SHUT_RD);
        pthread_mutex_unlock(&clients.lock);
}

void clients_cut_off_all(void)
{
        pthread_mutex_lock(&clients.lock);
        for (struct member *m = clients.first; m; m = m->next)
                (void)shutdown(m->client.sock, SHUT_RDWR);
        pthread_mutex_unlock(&clients.lock);
}

void clients_cut_off(void)
{
        pthread_mutex_lock(&clients.lock);
        for (struct member *m = clients.first; m; m = m->next) {
                bool idle = !atomic_load(&m->client.on_device);
                if (idle && m->was_idle)
                        (void)shutdown(m->client.sock, SHUT_RDWR);
                m->was_idle = idle;
        }
        pthread_mutex_unlock(&clients.lock);
}

unsigned clients_count(void)
{
        pthread_mutex_lock(&clients.lock);
        unsigned count = clients.count;
        pthread_mutex_unlock(&clients.lock);
        return count;
}
