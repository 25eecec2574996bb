/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where log and trace lines end up.
 *
 * stderr is shared with whoever started us, so its O_NONBLOCK is not ours to
 * set: poll(2) tells whether it would block (a pipe with room for PIPE_BUF
 * bytes takes a line whole), and a line that syslog has got does not wait.
 *
 * What may take lines again is waited for: a file whose disk is full, a syslog
 * that restarts. What cannot is not: a pipe whose reader has gone.
 */
#include "base/log_sink.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"

enum { RETRY_MS = 1000 };

/* Where lines are written to, rather than sent. */
struct stream {
        int fd;
        bool file; /* an error of today is none of tomorrow's */
        bool torn; /* its last line is not whole */
        atomic_bool gone; /* there is nobody behind it any more */
};

static struct stream standard = { .fd = STDERR_FILENO };
static struct stream trace = { .fd = -1, .file = true };

static struct {
        const char *program;
        bool journal;     /* stderr is a stream of the journal */
        bool spare;       /* syslog is for when stderr has gone */
        bool has_syslog;  /* it has been there */
        int syslog;
} sink = { .program = "", .syslog = -1 };

/* The second is what the first is a link to under systemd: libvirt gives each machine a /dev without it. */
static const struct sockaddr_un addresses[] = {
        { .sun_family = AF_UNIX, .sun_path = "/dev/log" },
        { .sun_family = AF_UNIX, .sun_path = "/run/systemd/journal/dev-log" },
};
enum { ADDRESSES = sizeof addresses / sizeof addresses[0] };

/* JOURNAL_STREAM is "device:inode" of the stream (systemd.exec(5)). */
static bool is_journal(const struct stat *st)
{
        const char *stream = getenv("JOURNAL_STREAM");
        unsigned long long device, inode;
        char rest;

        return stream && sscanf(stream, "%llu:%llu%c", &device, &inode, &rest) == 2 &&
               device == st->st_dev && inode == st->st_ino;
}

/* Blocking, for a second: to poll(2), a socket whose peer has gone is always writable. */
static void open_syslog(void)
{
        static const struct timeval patience = { .tv_sec = RETRY_MS / 1000 };

        sink.syslog = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (sink.syslog < 0)
                return;
        (void)setsockopt(sink.syslog, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
        for (size_t i = 0; !sink.has_syslog && i < ADDRESSES; i++)
                sink.has_syslog = connect(sink.syslog, (const struct sockaddr *)&addresses[i],
                                          sizeof addresses[i]) == 0;
}

int log_sink_use_syslog(void)
{
        if (sink.syslog < 0)
                open_syslog();
        if (sink.syslog < 0)
                return -errno;
        sink.spare = false;
        return sink.has_syslog;
}

void log_sink_open(const char *program)
{
        struct stat st;

        sink.program = program;
        if (fstat(STDERR_FILENO, &st) < 0)
                return;
        sink.journal = is_journal(&st);
        standard.file = S_ISREG(st.st_mode);
        if (!standard.file)
                open_syslog();
        sink.spare = !S_ISFIFO(st.st_mode);
}

void log_sink_leave_stderr(void)
{
        standard.gone = true;
}

void log_sink_set_trace(int fd)
{
        close_fd(&trace.fd);
        trace.fd = fd;
}

static bool is_writable(int fd, int timeout_ms)
{
        struct pollfd out = { .fd = fd, .events = POLLOUT };

        return poll(&out, 1, timeout_ms) > 0;
}

/*
 * Without a time stamp: every syslog daemon puts its own, and localtime(3) would read files.
 * A daemon that was started again has another socket, and connect(2) is not for us any more.
 */
static bool write_syslog(int priority, const char *text, size_t size, int flags)
{
        char line[LOG_LINE_MAX + 64];
        int length = snprintf(line, sizeof line, "<%d>%s[%d]: %.*s", LOG_DAEMON | priority,
                              sink.program, (int)getpid(), (int)size, text);

        size_t bytes = (size_t)length < sizeof line ? (size_t)length : sizeof line - 1;
        bool sent = send(sink.syslog, line, bytes, flags) >= 0;
        for (size_t i = 0; !sent && errno != EAGAIN && i < ADDRESSES; i++)
                sent = sendto(sink.syslog, line, bytes, flags,
                              (const struct sockaddr *)&addresses[i], sizeof addresses[i]) >= 0;
        sink.has_syslog |= sent;
        return sent;
}

/*
 * Write a line, which begins with a newline for where the last one is not whole.
 * `wait` where that may take as long as a disk is full. True once all is written.
 */
static bool write_line(struct stream *to, const char *line, size_t size, bool wait)
{
        const char *end = line + size;

        if (!to->torn)
                line++;
        while (line < end) {
                ssize_t n = write(to->fd, line, (size_t)(end - line));
                if (n > 0) {
                        line += n;
                        to->torn = line[-1] != '\n';
                } else if (n < 0 && errno == EAGAIN) {
                        (void)is_writable(to->fd, RETRY_MS);
                } else if (n < 0 && errno != EINTR) {
                        bool for_now = to->file || errno == ENOMEM || errno == ENOBUFS;
                        to->gone |= !for_now || errno == EPIPE || errno == EBADF;
                        if (to->gone || !wait)
                                return false;
                        (void)poll(NULL, 0, RETRY_MS);
                }
        }
        return true;
}

static bool write_stderr(int priority, const char *text, size_t size, bool wait)
{
        char line[LOG_LINE_MAX + 64];
        int length = sink.journal ?
                snprintf(line, sizeof line, "\n<%d>%.*s\n", priority, (int)size, text) :
                snprintf(line, sizeof line, "\n%s: %.*s\n", sink.program, (int)size, text);

        size_t bytes = (size_t)length < sizeof line ? (size_t)length : sizeof line - 1;
        return write_line(&standard, line, bytes, wait);
}

static void write_message(int priority, const char *text, size_t size, bool insist)
{
        bool taken = false;

        do {
                bool gone = standard.gone;
                if (sink.syslog >= 0 && (gone || !sink.spare))
                        taken = write_syslog(priority, text, size,
                                             MSG_NOSIGNAL | (gone ? 0 : MSG_DONTWAIT));
                if (!gone && is_writable(STDERR_FILENO, taken ? 0 : RETRY_MS))
                        taken |= write_stderr(priority, text, size, insist && !taken);
                else if (gone && !taken && insist && sink.has_syslog)
                        (void)poll(NULL, 0, RETRY_MS);
        } while (!taken && insist && (sink.has_syslog || !standard.gone));
}

static void write_trace(const char *text, size_t size)
{
        char line[1 + LOG_LINE_MAX + 1];
        struct stream *to = trace.fd >= 0 ? &trace : &standard;

        if (to == &standard && (to->gone || !is_writable(to->fd, RETRY_MS)))
                return;
        line[0] = line[size + 1] = '\n';
        memcpy(line + 1, text, size);
        (void)write_line(to, line, size + 2, false);
}

void log_sink_write(enum log_stream stream, int priority, const char *text, size_t size,
                    bool insist)
{
        if (size > LOG_LINE_MAX)
                size = LOG_LINE_MAX;
        if (stream == LOG_STREAM_TRACE)
                write_trace(text, size);
        else
                write_message(priority, text, size, insist);
}
