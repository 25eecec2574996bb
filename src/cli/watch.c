/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * watch: poll keys and reservation and tell what changes.
 *
 * PRGENERATION does not count RESERVE and RELEASE (SPC-4 6.15.2), so that the
 * lists themselves are compared. On a terminal the table is drawn again when
 * something changed; elsewhere a change is a line.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/report.h"
#include "cli/result.h"
#include "cli/watch.h"

enum {
        READS_MAX = 4,     /* of one look, while it changes under the reader */
        HISTORY_MAX = 256, /* changes that the screen can show */
        ROWS_DEFAULT = 24,
        FAILURE_SIZE = RESULT_TEXT_SIZE + 64,
};

static const struct column watch_columns[] = {
        { "KEY", "key" },
        { "REGISTRATIONS", "registrations", COLUMN_RIGHT },
        { "HOLDER", "holder" },
        { 0 },
};

const struct view watch_view = {
        .fields = (const struct field[]){
                { "Device", "device" },
                { "Generation", "generation" },
                { "Reservation", "reservation", format_reservation, "none" },
                { "Note", "note" },
                { 0 } },
        .tables = (const struct table[]){
                { "keys", watch_columns, .none = "Nobody is registered." }, { 0 } },
};

struct watch {
        const struct options *options;
        struct disk disk;
        bool screen;          /* a terminal: draw; else a line a change */
        int failure;          /* exit status of the last look, whose error was told; 0: it went well */
        struct snapshot now;
        json_t *history;      /* of events */
};

/* Nothing is under way at the device that it would miss: PERSISTENT RESERVE IN only reads. */
static void end(int number)
{
        (void)number;
        if (isatty(STDOUT_FILENO))
                (void)!write(STDOUT_FILENO, "\n", 1);
        _exit(CLI_GOOD);
}

static void wake(int number)
{
        (void)number;
}

/* What ends it is let in while it waits, for the device or for the time, and kept out while it prints. */
static void allow_ends(bool allow)
{
        sigset_t set;

        sigemptyset(&set);
        sigaddset(&set, SIGINT);
        sigaddset(&set, SIGTERM);
        sigprocmask(allow ? SIG_UNBLOCK : SIG_BLOCK, &set, NULL);
}

/* That the terminal changed waits for wait_output(): it would interrupt SG_IO. */
static void catch_signals(void)
{
        const struct sigaction ends = { .sa_handler = end }, wakes = { .sa_handler = wake };
        sigset_t set;

        sigemptyset(&set);
        sigaddset(&set, SIGWINCH);
        sigprocmask(SIG_BLOCK, &set, NULL);
        sigaction(SIGWINCH, &wakes, NULL);
        sigaction(SIGINT, &ends, NULL);
        sigaction(SIGTERM, &ends, NULL);
}

static void note_event(json_t *events, const char *name, const char *text)
{
        json_array_append_new(events, need_memory(json_pack("{s:s, s:o}", "event", name, "text",
                                                            json_text(text))));
}

/* What unit attentions a command took from the nexus, as events. */
static void attention_events(const struct prm_result *result, json_t *events)
{
        json_t *notes = need_memory(json_array());
        json_t *note;

        note_attentions(notes, result);
        for_each(note, notes)
                note_event(events, "unit-attention", json_string_value(note));
        json_decref(notes);
}

/* How a command ended: true where GOOD; else told once, as an event. */
static bool went_well(struct watch *watch, const char *action, int r, const struct prm_result *result,
                      json_t *events)
{
        char text[RESULT_TEXT_SIZE], line[FAILURE_SIZE];

        if (r == 0)
                attention_events(result, events);
        if (r == 0 && result->status == PRM_GOOD)
                return true;
        if (r == 0)
                result_format(result, false, text);
        else
                snprintf(text, sizeof text, "%s", strerror(-r));
        snprintf(line, sizeof line, "%s: %s", action, text);
        if (watch->failure == 0)
                note_event(events, "failed", line);
        watch->failure = r == 0 ? result_status(result) : errno_status(-r);
        return false;
}

/* Keys and reservation of one moment: both have the generation, so that they can be held together. */
static bool read_both(struct watch *watch, struct prm_keys *keys, struct prm_reservation *reservation,
                      json_t *events)
{
        for (int reads = 1;; reads++) {
                struct prm_result result;
                int r = prm_read_keys(&watch->disk.nexus, keys, &result);
                if (!went_well(watch, "READ KEYS", r, &result, events))
                        return false;
                r = prm_read_reservation(&watch->disk.nexus, reservation, &result);
                bool well = went_well(watch, "READ RESERVATION", r, &result, events);
                if (well && (keys->generation == reservation->generation || reads == READS_MAX))
                        return true;
                prm_keys_free(keys);
                if (!well)
                        return false;
        }
}

/* Look at the device; what is new goes to `events`. */
static void look(struct watch *watch, json_t *events)
{
        struct prm_keys keys = { 0 };
        struct prm_reservation reservation;

        if (!read_both(watch, &keys, &reservation, events))
                return;
        if (watch->failure != 0)
                note_event(events, "recovered", "the device answers again");
        watch->failure = 0;

        struct snapshot now = snapshot_of(&keys, &reservation);
        snapshot_compare(&watch->now, &now, events);
        snapshot_free(&watch->now);
        watch->now = now;
}

/* When they were found out. */
static void stamp(json_t *events)
{
        char text[40];
        time_t now = time(NULL);
        struct tm local;
        json_t *event;

        localtime_r(&now, &local);
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S%z", &local);
        for_each(event, events) {
                json_t *stamped = need_memory(json_pack("{s:s}", "time", text));
                json_object_update(stamped, event);
                json_array_set_new(events, event_index, stamped);
        }
}

static void print_lines(const struct options *options, const json_t *events)
{
        json_t *event;

        for_each(event, events) {
                if (options->json) {
                        cleanup_free char *line = need_memory(
                                json_dumps(event, JSON_COMPACT | JSON_PRESERVE_ORDER));
                        put_json(line, stdout);
                } else {
                        cleanup_free char *text = event_text(event);
                        printf("%s ", json_string_value(json_object_get(event, "time")));
                        put_text(text, stdout);
                        putchar('\n');
                }
        }
}

static size_t count_lines(const char *text)
{
        size_t count = 0;

        for (; *text; text++)
                count += *text == '\n';
        return count;
}

/* When and what, on a line that ends with the terminal's; `>` says that it was cut. */
static void print_cut(const json_t *event, size_t columns)
{
        cleanup_free char *text = event_text(event), *line = NULL;

        if (asprintf(&line, "%.19s %s", json_string_value(json_object_get(event, "time")), text) < 0)
                line = NULL;
        line = need_memory(line);
        if (strlen(line) > columns) {
                line[columns - 1] = '>';
                line[columns] = '\0';
        }
        put_text(line, stdout);
        putchar('\n');
}

/* The whole screen: what is, and below it as many of the last changes as fit. */
static void draw(const struct watch *watch)
{
        struct winsize size = { 0 };
        cleanup_free char *text = NULL;
        size_t length;
        FILE *memory = need_memory(open_memstream(&text, &length));

        if (watch->now.known) {
                json_t *document = snapshot_json(watch->options->device, &watch->now);
                view_write(&watch_view, watch->options, document, memory);
                json_decref(document);
        }
        fclose(memory);
        need_memory(text);
        (void)ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
        size_t rows = size.ws_row > 0 ? size.ws_row : ROWS_DEFAULT;
        size_t columns = size.ws_col > 1 ? size.ws_col : 80;
        size_t used = count_lines(text) + 4; /* two empty ones, a heading, the cursor's */
        size_t count = json_array_size(watch->history);
        size_t shown = used < rows ? rows - used : 1;

        printf("\033[H\033[J%s\nChanges, looked for every %u s; Ctrl-C ends:\n", text,
               watch->options->interval_s);
        for (size_t i = count > shown ? count - shown : 0; i < count; i++)
                print_cut(json_array_get(watch->history, i), columns);
}

enum waited { ELAPSED, RESIZED, UNREAD };

/* Wait for so long; less where the terminal changed, or where nobody reads the output any more. */
static enum waited wait_output(unsigned seconds)
{
        const struct timespec time = { .tv_sec = seconds };
        struct pollfd out = { .fd = STDOUT_FILENO };
        sigset_t set;

        sigprocmask(SIG_BLOCK, NULL, &set);
        sigdelset(&set, SIGINT);
        sigdelset(&set, SIGTERM);
        sigdelset(&set, SIGWINCH);
        int r = ppoll(&out, 1, &time, &set);

        if (r < 0)
                return RESIZED;
        return r > 0 && out.revents & (POLLERR | POLLHUP | POLLNVAL) ? UNREAD : ELAPSED;
}

/* Look, and tell what is new. @return 0 to go on, or the exit status */
static int step(struct watch *watch)
{
        json_t *events = need_memory(json_array());
        size_t count;

        allow_ends(true);
        look(watch, events);
        allow_ends(false);
        stamp(events);
        json_array_extend(watch->history, events);
        while ((count = json_array_size(watch->history)) > HISTORY_MAX)
                json_array_remove(watch->history, 0);
        if (!watch->now.known) {
                cleanup_free char *text = event_text(json_array_get(watch->history, count - 1));
                message("%s: %s", watch->options->device, text);
                json_decref(events);
                return watch->failure;
        }
        if (!watch->screen)
                print_lines(watch->options, events);
        else if (json_array_size(events) > 0)
                draw(watch);
        json_decref(events);
        return flush_output();
}

/* @return the exit status */
static int follow(struct watch *watch)
{
        for (;;) {
                int status = step(watch);
                if (status != 0)
                        return wait_output(0) == UNREAD && watch->now.known ? CLI_GOOD : status;
                enum waited waited = wait_output(watch->options->interval_s);
                if (waited == UNREAD)
                        return CLI_GOOD;
                if (waited == RESIZED && watch->screen)
                        draw(watch);
        }
}

int run_watch(const struct options *options)
{
        struct watch watch = { .options = options, .disk = DISK_CLOSED };

        catch_signals();
        int status = disk_open(options, false, &watch.disk);
        if (status != 0)
                return status;
        watch.disk.nexus.unit_attention_retries = PRM_UNIT_ATTENTIONS_MAX;
        watch.screen = !options->json && isatty(STDOUT_FILENO);
        watch.history = need_memory(json_array());
        allow_ends(false);
        status = follow(&watch);
        snapshot_free(&watch.now);
        json_decref(watch.history);
        disk_close(&watch.disk);
        return status;
}
