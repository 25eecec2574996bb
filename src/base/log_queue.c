/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bounded queue between those who log and the thread that writes.
 *
 * A ring of lines. `used` of them wait to be written, `reserved` are promised
 * to somebody, and the two together never exceed the ring.
 */
#include "base/log_queue.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/thread.h"

enum {
        LINES = 256, /* waiting to be written: when there are more, whoever reads the log does not */
        SHARE = LINES / 4 * 3, /* of one owner's */
        PLACES = LINES + LOG_RESERVED_MAX,
        NOBODY = -1,
};

static _Thread_local int64_t owner = NOBODY;

struct line {
        enum log_stream stream;
        int priority;
        int64_t owner;
        size_t size;
        char text[LOG_LINE_MAX];
};

static struct {
        pthread_mutex_t lock;
        pthread_cond_t filled; /* for the thread: there is something to write */
        pthread_cond_t room;   /* for log_reserve() and log_flush(): a line was written */
        bool running;
        bool writing; /* the thread holds a line that it took out */
        unsigned first, used, reserved, lost;
        struct line lines[PLACES];
} queue = { .lock = PTHREAD_MUTEX_INITIALIZER };

__attribute__((format(printf, 2, 0))) static size_t format_line(char *text, const char *format,
                                                                va_list args)
{
        int length = vsnprintf(text, LOG_LINE_MAX, format, args);

        if (length < 0)
                return 0;
        return length < LOG_LINE_MAX ? (size_t)length : LOG_LINE_MAX - 1;
}

void log_queue_put(enum log_stream stream, int priority, bool reserved, const char *format,
                   va_list args)
{
        if (!queue.running) {
                char text[LOG_LINE_MAX];
                size_t size = format_line(text, format, args);
                log_sink_write(stream, priority, text, size, false);
                return;
        }

        pthread_mutex_lock(&queue.lock);
        if (reserved)
                queue.reserved--;
        if (reserved || queue.used < LINES) {
                struct line *line = &queue.lines[(queue.first + queue.used) % PLACES];
                line->stream = stream;
                line->priority = priority;
                line->owner = owner;
                line->size = format_line(line->text, format, args);
                if (queue.used++ == 0)
                        pthread_cond_signal(&queue.filled);
        } else {
                queue.lost++;
        }
        pthread_mutex_unlock(&queue.lock);
}

static void write_lost(unsigned lost)
{
        char text[64];
        int length = snprintf(text, sizeof text, "%u log lines were lost: the log is not read", lost);

        log_sink_write(LOG_STREAM_MESSAGES, LOG_WARNING, text, (size_t)length, true);
}

static void *write_lines(void *unused)
{
        static struct line line; /* this thread's own */

        (void)unused;
        pthread_mutex_lock(&queue.lock);
        for (;;) {
                while (queue.used == 0)
                        pthread_cond_wait(&queue.filled, &queue.lock);

                struct line *next = &queue.lines[queue.first];
                line.stream = next->stream;
                line.priority = next->priority;
                line.size = next->size;
                memcpy(line.text, next->text, next->size);
                queue.used--;
                /* from the begin where that is possible: most places have never been touched */
                queue.first = queue.used == 0 ? 0 : (queue.first + 1) % PLACES;
                unsigned lost = queue.lost;
                queue.lost = 0;
                queue.writing = true;
                pthread_mutex_unlock(&queue.lock);

                if (lost > 0)
                        write_lost(lost);
                log_sink_write(line.stream, line.priority, line.text, line.size, true);

                pthread_mutex_lock(&queue.lock);
                queue.writing = false;
                pthread_cond_broadcast(&queue.room);
        }
        return NULL;
}

static struct timespec after_ms(int timeout_ms)
{
        struct timespec when;

        clock_gettime(CLOCK_MONOTONIC, &when);
        when.tv_sec += timeout_ms / 1000;
        when.tv_nsec += timeout_ms % 1000 * 1000000L;
        if (when.tv_nsec >= 1000000000L) {
                when.tv_sec++;
                when.tv_nsec -= 1000000000L;
        }
        return when;
}

void log_set_owner(unsigned who)
{
        owner = who;
}

/* One owner's lines leave room for others', however many of them wait. */
static bool may_reserve(void)
{
        unsigned own = 0;

        if (queue.reserved >= LOG_RESERVED_MAX || queue.used + queue.reserved >= PLACES)
                return false;
        if (owner == NOBODY)
                return queue.used < LINES;
        for (unsigned i = 0; i < queue.used; i++)
                own += queue.lines[(queue.first + i) % PLACES].owner == owner;
        return own < SHARE;
}

int log_reserve(int timeout_ms)
{
        struct timespec deadline = after_ms(timeout_ms);
        int r = 0;

        if (!queue.running)
                return 0;
        pthread_mutex_lock(&queue.lock);
        while (r == 0 && !may_reserve())
                r = pthread_cond_timedwait(&queue.room, &queue.lock, &deadline);
        if (may_reserve()) {
                queue.reserved++;
                r = 0;
        }
        pthread_mutex_unlock(&queue.lock);
        return r == 0 ? 0 : -EAGAIN;
}

void log_release(void)
{
        if (!queue.running)
                return;
        pthread_mutex_lock(&queue.lock);
        queue.reserved--;
        pthread_cond_broadcast(&queue.room);
        pthread_mutex_unlock(&queue.lock);
}

int log_start(void)
{
        pthread_condattr_t monotonic;

        pthread_condattr_init(&monotonic);
        pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
        pthread_cond_init(&queue.filled, &monotonic);
        pthread_cond_init(&queue.room, &monotonic);
        pthread_condattr_destroy(&monotonic);

        queue.running = true;
        int r = thread_start(write_lines, NULL);
        if (r < 0)
                queue.running = false;
        return r;
}

int log_flush(int timeout_ms)
{
        struct timespec deadline = after_ms(timeout_ms);
        int r = 0;

        if (!queue.running)
                return 0;
        pthread_mutex_lock(&queue.lock);
        while (r == 0 && (queue.used > 0 || queue.writing))
                r = pthread_cond_timedwait(&queue.room, &queue.lock, &deadline);
        pthread_mutex_unlock(&queue.lock);
        return -r;
}
