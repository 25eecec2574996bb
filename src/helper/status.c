/* SPDX-License-Identifier: BSD-2-Clause */
/* The status socket: see status.h. */
#include "helper/status.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/thread.h"
#include "helper/status_document.h"

enum {
        PATIENCE_MS = 2000,
        READERS_MAX = 8, /* at a time; more are turned away */
        PAUSE_MS = 100,  /* when accept(2) fails for want of something */
};

static struct {
        struct status_options options;
        int64_t started_us;
        atomic_uint readers;
} status;

static void send_document(int sock, const struct json *j)
{
        int64_t deadline = clock_ms() + PATIENCE_MS;

        for (size_t sent = 0; sent < j->length;) {
                ssize_t n = send(sock, j->text + sent, j->length - sent,
                                 MSG_NOSIGNAL | MSG_DONTWAIT);
                struct pollfd ready = { .fd = sock, .events = POLLOUT };
                if (n >= 0)
                        sent += (size_t)n;
                else if (errno != EAGAIN || poll(&ready, 1, clock_left(deadline)) <= 0)
                        return;
        }
}

static void *serve_reader(void *argument)
{
        cleanup_fd int sock = (int)(intptr_t)argument;
        struct json document = { 0 };

        status_document(&status.options, status.started_us, &document);
        if (!document.failed)
                send_document(sock, &document);
        free(document.text);
        atomic_fetch_sub(&status.readers, 1);
        return NULL;
}

static void *serve_readers(void *unused)
{
        struct pollfd polled = { .fd = status.options.listener, .events = POLLIN };

        (void)unused;
        for (;;) {
                int sock = accept4(status.options.listener, NULL, NULL, SOCK_CLOEXEC);
                if (sock < 0) {
                        (void)poll(&polled, 1, errno == EAGAIN ? -1 : PAUSE_MS);
                        continue;
                }
                if (atomic_fetch_add(&status.readers, 1) >= READERS_MAX ||
                    thread_start(serve_reader, (void *)(intptr_t)sock) < 0) {
                        atomic_fetch_sub(&status.readers, 1);
                        close(sock);
                }
        }
        return NULL;
}

int status_start(const struct status_options *options)
{
        status.options = *options;
        status.started_us = clock_us();
        return thread_start(serve_readers, NULL);
}
