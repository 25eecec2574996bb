/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The server: see server.h.
 *
 * This thread never waits for a client or a device: it polls the listeners,
 * the signals, and an event that client threads raise when they leave.
 */
#include "helper/server.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "helper/audit.h"
#include "helper/audit_line.h"
#include "helper/clients.h"
#include "helper/devices.h"
#include "helper/events.h"
#include "helper/farewell.h"
#include "helper/limiter.h"
#include "helper/status.h"

#ifndef SO_PASSPIDFD
#define SO_PASSPIDFD 76 /* Linux 6.5 */
#endif

#define NOBODY ((uid_t)-1)

enum {
        ACCEPTS_AT_ONCE = 64,
        ACCEPT_PAUSE_MS = 100, /* when accept(2) fails for want of descriptors or memory */
        KEPT_MAX = 8,          /* with those of farewell.c's threads, limits.c keeps them back */
        CUT_OFF_MS = 500,      /* for a reply to be read, when it ends */
        TICK_MS = 5000,        /* while the audit counts repetitions */
};

/* Connections that were turned away and that no thread is free to close: this one might wait for ever. */
static struct {
        int socks[KEPT_MAX];
        unsigned count;
        int pause_ms; /* until the next try, which grows: mostly a thread is free in a moment */
} kept;

static struct limiter limiter = LIMITER(5, 10000); /* by user; NOBODY's are about all newcomers */
static int accept_error;                           /* that was told, 0: it works */

/*
 * Close a connection that is shut down without a thread, where nothing is in it that may be long
 * in closing. A byte out of band, and descriptors with it, would be passed over but for the option.
 * With a thread is better: older kernels collect the garbage of all sockets where one is closed.
 */
static bool close_empty(int sock)
{
        static const int on = 1;
        char byte;

        if (setsockopt(sock, SOL_SOCKET, SO_OOBINLINE, &on, sizeof on) < 0 ||
            recv(sock, &byte, 1, MSG_PEEK | MSG_DONTWAIT) != 0)
                return false;
        close(sock);
        return true;
}

/* Hand them over. False where there is no room for one more: then nobody is accepted. */
static bool let_go(void)
{
        while (kept.count > 0) {
                int sock = kept.socks[kept.count - 1];
                if (!farewell(sock) && !close_empty(sock))
                        break;
                kept.count--;
                kept.pause_ms = 0;
        }
        return kept.count < KEPT_MAX;
}

/* Turn a connection away: its end tells the client, the log tells the administrator. */
static void refuse(int sock, const char *why)
{
        struct ucred peer = { .pid = 0, .uid = NOBODY };
        socklen_t size = sizeof peer;
        unsigned suppressed;

        (void)getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &peer, &size);
        (void)shutdown(sock, SHUT_RDWR);
        kept.socks[kept.count++] = sock;
        TRACE(EVENT_CLIENT_REFUSED, "pid=%d uid=%u why=\"%s\"", (int)peer.pid, (unsigned)peer.uid,
              why);
        if (limiter_allow(&limiter, peer.uid, &suppressed))
                log_warning("turned a client away, pid %d, uid %u: %s (and %u more of them)",
                            (int)peer.pid, (unsigned)peer.uid, why, suppressed);
        if (!let_go() && limiter_allow(&limiter, NOBODY, &suppressed))
                log_warning("nobody is taken in until threads are free to close what clients "
                            "that were turned away had sent");
}

/*
 * What whoever made the listener may have asked the kernel to send along with
 * every message would leave no room for descriptors, and some of it is one.
 */
static void want_descriptors_only(int sock)
{
        static const int options[] = { SO_PASSCRED, SO_PASSSEC, SO_PASSPIDFD };
        static const int off = 0;

        for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
                (void)setsockopt(sock, SOL_SOCKET, options[i], &off, sizeof off);
}

/* Replies that a client does not read wait in the kernel's memory: not more of them than the largest. */
static void bound_unread(int sock)
{
        static const int size = 16384;

        (void)setsockopt(sock, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
}

/* accept(2) does not work: newcomers stay in the listener's queue. Once until it works again. */
static void newcomers_wait(int error)
{
        unsigned suppressed;

        TRACE(EVENT_ACCEPT_PAUSE, "errno=%d", error);
        if (error != accept_error && limiter_allow(&limiter, NOBODY, &suppressed)) {
                log_warning("newcomers have to wait: %s", strerrordesc_np(error));
                accept_error = error;
        }
}

/* Accept who waits, a few at a time: signals come first. False where that needs better times. */
static bool accept_some(const struct endpoint *endpoint)
{
        for (int i = 0; let_go() && i < ACCEPTS_AT_ONCE; i++) {
                int sock = accept4(endpoint->listener, NULL, NULL, SOCK_CLOEXEC);
                if (sock >= 0) {
                        accept_error = 0;
                        want_descriptors_only(sock);
                        bound_unread(sock);
                        int r = clients_add(sock, &endpoint->source);
                        if (r == -EUSERS)
                                refuse(sock, "as many clients as possible are connected "
                                             "(--max-clients)");
                        else if (r == -EDQUOT)
                                refuse(sock, "its user has as many connections as one user may "
                                             "have (--max-clients-per-user)");
                        else if (r < 0)
                                refuse(sock, strerrordesc_np(-r));
                } else if (errno == EAGAIN) {
                        return true;
                } else if (errno != EINTR && errno != ECONNABORTED) {
                        newcomers_wait(errno);
                        return false;
                }
        }
        return kept.count < KEPT_MAX;
}

static void drain(int event)
{
        uint64_t count;

        (void)!read(event, &count, sizeof count);
}

/* What poll(2) has to wake up for by itself: accepting again, and what the audit has counted. */
static int poll_timeout(bool paused, bool counting, int64_t tick)
{
        int timeout = counting ? clock_left(tick) : -1;
        int pause = ACCEPT_PAUSE_MS;

        if (kept.count > 0 && kept.pause_ms < ACCEPT_PAUSE_MS)
                pause = kept.pause_ms = 2 * kept.pause_ms + 1;
        return (paused || kept.count > 0) && (timeout < 0 || timeout > pause) ? pause : timeout;
}

/* Until a signal comes; returns its number. */
static int serve(const struct server_options *options, int signals, int event)
{
        struct pollfd polled[2 + ENDPOINTS_MAX] = {
                { .fd = signals, .events = POLLIN },
                { .fd = event, .events = POLLIN },
        };
        bool paused = false, counting = false;
        int64_t tick = 0;

        for (size_t i = 0; i < options->count; i++)
                polled[2 + i] = (struct pollfd){ .fd = options->endpoints[i].listener,
                                                 .events = POLLIN };
        for (;;) {
                nfds_t count = paused ? 2 : 2 + (nfds_t)options->count;
                int n = poll(polled, count, poll_timeout(paused, counting, tick));

                paused = !let_go();
                if (n > 0 && polled[1].revents)
                        drain(event);
                if ((n > 0 && polled[1].revents) || (counting && clock_left(tick) == 0)) {
                        counting = clients_flush_audit(0);
                        tick = clock_ms() + TICK_MS;
                }
                if (n > 0 && polled[0].revents) {
                        struct signalfd_siginfo info;
                        if (read(signals, &info, sizeof info) == (ssize_t)sizeof info)
                                return (int)info.ssi_signo;
                }
                for (nfds_t i = 2; n > 0 && i < count; i++)
                        if (polled[i].revents && !accept_some(&options->endpoints[i - 2]))
                                paused = true;
        }
}

/* Let running commands finish. @return how many clients are left when patience is out */
static unsigned wait_for_clients(int event, int64_t deadline)
{
        struct pollfd polled = { .fd = event, .events = POLLIN };

        devices_stop();
        audit_stop();
        clients_stop();
        for (int left; clients_count() > 0 && (left = clock_left(deadline)) > 0;) {
                if (poll(&polled, 1, left < CUT_OFF_MS ? left : CUT_OFF_MS) > 0)
                        drain(event);
                else
                        clients_cut_off();
        }
        return clients_count();
}

static int64_t tell_until;

/*
 * What may yet be carried out, when nobody is there any more to say how it
 * ended. As long as whoever reads the log does, none of it gets lost.
 */
static void tell_in_flight(const struct device_use *device, const struct in_flight *f)
{
        char line[LOG_LINE_MAX];

        audit_line_in_flight(device, f, line, sizeof line);
        if (log_reserve(clock_left(tell_until)) == 0)
                log_reserved(LOG_WARNING, "%s", line);
        else
                log_warning("%s", line);
}

void server_tell_left(int64_t until_ms)
{
        tell_until = until_ms;
        (void)clients_flush_audit(until_ms);
        devices_each_in_flight(tell_in_flight);
}

int server_run(const struct server_options *options, int (*ready)(void *), void *ready_argument,
               int64_t *ret_until_ms)
{
        cleanup_fd int signals = signalfd(-1, options->signals, SFD_CLOEXEC | SFD_NONBLOCK);
        cleanup_fd int event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        sigset_t all;

        if (signals < 0 || event < 0)
                return -errno;
        sigfillset(&all); /* threads inherit it: no signal interrupts a command */
        sigprocmask(SIG_SETMASK, &all, NULL);
        clients_init(&options->limits, event, options->eperm_cause);
        devices_init(options->limits.commands);
        int r = log_start();
        if (r < 0)
                return r;

        if (options->status_listener >= 0) {
                struct status_options status = {
                        .listener = options->status_listener,
                        .limits = options->limits,
                        .timeout_ms = options->timeout_ms,
                };
                r = status_start(&status);
                if (r < 0)
                        return r;
        }

        r = ready(ready_argument);
        if (r < 0)
                return r;
        TRACE(EVENT_SERVE, "clients_max=%u", options->limits.clients);
        int signal_number = serve(options, signals, event);
        int64_t start = clock_ms();
        *ret_until_ms = start + SERVER_END_MS;
        log_info("stopping: signal %d", signal_number);
        TRACE(EVENT_STOP, "signal=%d clients=%u", signal_number, clients_count());

        /* Without a thread: with the process. Shut down it would be for all who share it, for good. */
        for (size_t i = 0; i < options->count; i++)
                if (!farewell(options->endpoints[i].listener) && !options->endpoints[i].activated)
                        (void)shutdown(options->endpoints[i].listener, SHUT_RDWR);
        unsigned left = wait_for_clients(event, start + SERVER_PATIENCE_MS);
        if (left == 0)
                return 0;
        clients_cut_off_all();
        log_warning("%u clients are left behind: what they sent has not come back for %d s", left,
                    SERVER_PATIENCE_MS / 1000);
        (void)steal_fd(&event); /* they may still raise it */
        return 1;
}
