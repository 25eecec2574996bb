/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading and checking the helper's status document, which is not trusted: see status.h. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include "base/cleanup.h"
#include "cli/cli.h"
#include "cli/disk.h"
#include "cli/status.h"

enum {
        TIMEOUT_MS = 5000,          /* for all of it */
        DOCUMENT_MAX = 16 << 20,    /* bytes; 10000 clients take 3 MB */
        PART_SIZE = 64 << 10,
        LIST_MAX = 100000,          /* of any array */
};

static int64_t now_ms(void)
{
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int cannot_connect(const char *path, int error)
{
        char owner[256];

        if (is_no_socket(path)) {
                message("connect %s: it is no socket", path);
        } else if (error == EACCES) {
                describe_socket(path, owner, sizeof owner);
                message("connect %s: permission denied: %s; run this as that user or as root", path,
                        owner);
        } else if (error == ENOENT) {
                message("connect %s: there is no such socket: start qemu-pr-helper with "
                        "--status-socket=%s, or name the right one here", path, path);
        } else if (error == ECONNREFUSED) {
                message("connect %s: the helper that made this socket is gone", path);
        } else {
                message("connect %s: %s", path, strerror(error));
        }
        return CLI_FILE;
}

static int open_socket(const char *path, int *ret_fd)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        cleanup_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        if (strlen(path) >= sizeof address.sun_path) {
                message("%s: a socket's path has at most %zu bytes", path, sizeof address.sun_path - 1);
                return CLI_SYNTAX;
        }
        strcpy(address.sun_path, path);
        if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof address) < 0)
                return cannot_connect(path, errno);
        *ret_fd = steal_fd(&fd);
        return 0;
}

/* The next bytes, or 0 at their end. @return bytes, or -errno */
static ssize_t read_part(int fd, char *part, int64_t deadline)
{
        for (;;) {
                ssize_t n = read(fd, part, PART_SIZE);
                if (n >= 0)
                        return n;
                if (errno != EAGAIN && errno != EINTR)
                        return -errno;
                struct pollfd readable = { .fd = fd, .events = POLLIN };
                int64_t left = deadline - now_ms();
                if (left <= 0 || poll(&readable, 1, (int)left) == 0)
                        return -ETIMEDOUT;
        }
}

int status_fetch(const char *path, char **ret_text, size_t *ret_size)
{
        cleanup_fd int fd = -1;
        cleanup_free char *text = NULL;
        size_t size = 0, room = 0;
        int64_t deadline = now_ms() + TIMEOUT_MS;
        int status = open_socket(path, &fd);

        if (status != 0)
                return status;
        for (;;) {
                if (room < size + PART_SIZE + 1) {
                        room = 2 * room + PART_SIZE + 1;
                        text = need_memory(realloc(text, room));
                }
                ssize_t n = read_part(fd, text + size, deadline);
                if (n < 0) {
                        message("%s: %s", path, n == -ETIMEDOUT ? "the helper did not answer in 5 seconds"
                                                                : strerror((int)-n));
                        return n == -ETIMEDOUT ? CLI_TIMEOUT : CLI_FILE;
                }
                if (n == 0)
                        break;
                size += (size_t)n;
                if (text[0] == '\0') { /* the feature word, with which helpers greet */
                        message("%s: this looks like the socket for commands (-k); status is told on that "
                                "of --status-socket", path);
                        return CLI_MALFORMED;
                }
                if (size > DOCUMENT_MAX) {
                        message("%s: more than %d bytes: this is no helper's status", path, DOCUMENT_MAX);
                        return CLI_MALFORMED;
                }
        }
        text[size] = '\0';
        *ret_text = text;
        *ret_size = size;
        text = NULL;
        return 0;
}

/* What a member has to be. */
enum member_kind { TEXT, NUMBER, COUNT, LIST, OBJECT };

struct member {
        const char *name;
        enum member_kind kind;
        const struct member *inside; /* of an object, or of each object of a list; NULL: texts */
};

static const struct member in_flight_members[] = {
        { "client", COUNT }, { "command", TEXT }, { "seconds", NUMBER }, { 0 } };
static const struct member latency_members[] = {
        { "below_us", COUNT }, { "count", COUNT }, { 0 } };
static const struct member client_members[] = {
        { "client", COUNT }, { "pid", COUNT }, { "uid", COUNT }, { "connected_seconds", NUMBER },
        { "commands", COUNT }, { "last_command", TEXT }, { "last_status", TEXT },
        { "idle_seconds", NUMBER }, { 0 } };
static const struct member device_members[] = {
        { "device", TEXT }, { "wwid", TEXT }, { "clients", COUNT }, { "commands", COUNT },
        { "conflicts", COUNT }, { "errors", COUNT }, { "in_flight", LIST, in_flight_members },
        { "latency", LIST, latency_members }, { "latency_seconds", NUMBER }, { 0 } };
static const struct member limit_members[] = { { "clients", COUNT }, { 0 } };
static const struct member document_members[] = {
        { "version", TEXT }, { "pid", COUNT }, { "uptime_seconds", NUMBER },
        { "limits", OBJECT, limit_members }, { "clients", LIST, client_members },
        { "devices", LIST, device_members }, { "warnings", LIST }, { 0 } };

static bool has_kind(const json_t *value, enum member_kind kind)
{
        switch (kind) {
        case TEXT:
                return json_is_string(value);
        case NUMBER:
                return json_is_number(value) && json_number_value(value) >= 0;
        case COUNT:
                return json_is_integer(value) && json_integer_value(value) >= 0;
        case LIST:
                return json_is_array(value) && json_array_size(value) <= LIST_MAX;
        default:
                return json_is_object(value);
        }
}

/* @return the name of a member that is not what it has to be, or NULL */
static const char *find_wrong(const json_t *object, const struct member *members)
{
        for (const struct member *m = members; m->name; m++) {
                const json_t *value = json_object_get(object, m->name);
                const char *wrong = NULL;
                if (!value || json_is_null(value))
                        continue;
                if (!has_kind(value, m->kind))
                        return m->name;
                if (m->kind == OBJECT)
                        wrong = find_wrong(value, m->inside);
                for (size_t i = 0; m->kind == LIST && !wrong && i < json_array_size(value); i++) {
                        const json_t *item = json_array_get(value, i);
                        if (!has_kind(item, m->inside ? OBJECT : TEXT))
                                return m->name;
                        if (m->inside)
                                wrong = find_wrong(item, m->inside);
                }
                if (wrong)
                        return wrong;
        }
        return NULL;
}

int status_check(const char *path, const json_t *document)
{
        const char *wrong = json_is_object(document) ? find_wrong(document, document_members) : "the whole";

        if (!wrong)
                return 0;
        message("%s: this is no helper's status: \"%s\" is not what it should be", path, wrong);
        return CLI_MALFORMED;
}
