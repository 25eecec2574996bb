/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests in a closed loop: each connection sends its next request when it
 * has read the reply to the last.
 *
 * All connections belong to one thread, with epoll. The generator runs on the
 * machine that it measures: a thread for each connection would double what
 * the scheduler has to do and take both of two cores, while one thread leaves
 * the server at least one of them. A single connection needs no epoll and does
 * without, because that would be a third of the generator's system calls.
 */
#include "load.h"

#include <err.h>
#include <errno.h>
#include <scsi/sg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "connection.h"
#include "histogram.h"

enum { SG_TIMEOUT_MS = 30000, EVENTS = 256 };

/* A run and what has come of it. */
struct run {
        const struct load_options *options;
        clockid_t server_clock, own_clock;
        int64_t start_ns, end_ns; /* of what is measured */
        int64_t server_ns, own_ns; /* CPU time: at the start, then what was used */
        bool measuring;
        struct histogram histogram;
        uint64_t good, check, other; /* replies by SCSI status */
};

static int64_t clock_ns(clockid_t clock)
{
        struct timespec now = { 0 };

        if (clock_gettime(clock, &now) < 0)
                err(1, "clock_gettime");
        return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void begin(struct run *run, const struct load_options *options)
{
        run->options = options;
        run->own_clock = CLOCK_PROCESS_CPUTIME_ID;
        if (clock_getcpuclockid(options->server, &run->server_clock) != 0)
                errx(1, "there is no process %d", (int)options->server);
        run->start_ns = now_ns() + (int64_t)(options->warm_up * 1e9);
        run->end_ns = run->start_ns + (int64_t)(options->seconds * 1e9);
}

/* One reply at `now`. False when the time is over. */
static bool count(struct run *run, int64_t now, int64_t sent, uint32_t status)
{
        if (!run->measuring) {
                if (now < run->start_ns)
                        return true;
                run->measuring = true;
                run->start_ns = now;
                run->server_ns = clock_ns(run->server_clock);
                run->own_ns = clock_ns(run->own_clock);
                return true;
        }
        histogram_add(&run->histogram, now - sent);
        run->good += status == 0x00;
        run->check += status == 0x02;
        run->other += status != 0x00 && status != 0x02;
        if (now < run->end_ns)
                return true;
        run->end_ns = now;
        run->server_ns = clock_ns(run->server_clock) - run->server_ns;
        run->own_ns = clock_ns(run->own_clock) - run->own_ns;
        return false;
}

static void print(const struct run *run, unsigned connections)
{
        const struct histogram *h = &run->histogram;
        double seconds = (double)(run->end_ns - run->start_ns) / 1e9;
        double requests = (double)h->count;

        printf("{\"connections\": %u, \"seconds\": %.3f, \"requests\": %llu, "
               "\"per_second\": %.1f, \"p50\": %.2f, \"p99\": %.2f, \"p999\": %.2f, \"max\": %.2f, "
               "\"good\": %llu, \"check\": %llu, \"other\": %llu, "
               "\"server_cpu\": %.3f, \"generator_cpu\": %.3f}\n",
               connections, seconds, (unsigned long long)h->count, requests / seconds,
               histogram_us(h, 0.50), histogram_us(h, 0.99), histogram_us(h, 0.999),
               (double)h->max_ns / 1000, (unsigned long long)run->good,
               (unsigned long long)run->check, (unsigned long long)run->other,
               run->options->server ? (double)run->server_ns / 1000 / requests : 0.0,
               (double)run->own_ns / 1000 / requests);
}

static void run_one(struct run *run, struct connection *connection, const struct request *request)
{
        int64_t now = now_ns();

        do {
                connection_send(connection, request, now);
                while (!connection_receive(connection))
                        ;
                now = now_ns();
        } while (count(run, now, connection->sent_ns, connection_status(connection)));
}

static void run_many(struct run *run, struct connection *connections, const struct request *request)
{
        struct epoll_event events[EVENTS];
        int epoll = epoll_create1(EPOLL_CLOEXEC);

        if (epoll < 0)
                err(1, "epoll_create1");
        for (unsigned i = 0; i < run->options->connections; i++) {
                struct epoll_event event = { .events = EPOLLIN, .data.ptr = &connections[i] };
                if (epoll_ctl(epoll, EPOLL_CTL_ADD, connections[i].sock, &event) < 0)
                        err(1, "epoll_ctl");
                connection_send(&connections[i], request, now_ns());
        }
        for (;;) {
                int n = epoll_wait(epoll, events, EVENTS, -1);
                for (int i = 0; i < n; i++) {
                        struct connection *c = events[i].data.ptr;
                        if (!connection_receive(c))
                                continue;
                        int64_t now = now_ns();
                        if (!count(run, now, c->sent_ns, connection_status(c)))
                                return;
                        connection_send(c, request, now);
                }
        }
}

int load_run(const struct load_options *options, const char *path)
{
        static struct run run;
        struct request request;
        struct connection *connections = calloc(options->connections, sizeof *connections);

        if (!connections)
                err(1, "connections");
        request_init(&request, options->device, options->action, options->length);
        for (unsigned i = 0; i < options->connections; i++)
                connection_open(&connections[i], path);
        begin(&run, options);
        if (options->connections == 1)
                run_one(&run, connections, &request);
        else
                run_many(&run, connections, &request);
        print(&run, options->connections);
        return 0;
}

int load_direct(const struct load_options *options)
{
        static struct run run;
        static uint8_t sense[96];
        struct request request;
        uint8_t *data = aligned_alloc(4096, DATA_MAX + 4096);
        struct sg_io_hdr header = { 0 };
        int64_t now;

        if (!data)
                err(1, "data");
        request_init(&request, options->device, options->action, options->length);
        begin(&run, options);
        now = now_ns();
        do {
                header = (struct sg_io_hdr){
                        .interface_id = 'S', .dxfer_direction = SG_DXFER_FROM_DEV,
                        .cmd_len = sizeof request.cdb, .cmdp = request.cdb,
                        .mx_sb_len = sizeof sense, .sbp = sense,
                        .dxfer_len = options->length, .dxferp = data,
                        .timeout = SG_TIMEOUT_MS,
                };
                int64_t sent = now;
                if (ioctl(request.fd, SG_IO, &header) < 0)
                        err(1, "SG_IO on %s", options->device);
                now = now_ns();
                if (!count(&run, now, sent, header.status))
                        break;
        } while (true);
        print(&run, 0);
        free(data);
        return 0;
}
