/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pr-manager-helper and time: helpers that are not there, come back, are slow,
 * or talk out of turn; deadlines and the status callback.
 */
#include <errno.h>
#include <fcntl.h>

#include "base/clock.h"
#include "manager_server.h"

static int device;

/* RESERVE; how long it took, in milliseconds. */
static int64_t reserve(struct prm_manager *manager, uint32_t timeout_ms, struct prm_result *ret_result)
{
        const struct prm_nexus nexus = { manager, device, timeout_ms, 0 };
        int64_t start = clock_ms();

        if (prm_reserve(&nexus, 1, PRM_WRITE_EXCLUSIVE, ret_result) < 0)
                abort();
        return clock_ms() - start;
}

static bool unavailable(const struct prm_result *result, int error, bool in_doubt)
{
        bool is = result->status == PRM_CHECK_CONDITION && result->sense.key == 0x0b &&
                  result->sense.asc == 8 && result->sense.ascq == 0 && result->error == error &&
                  result->in_doubt == in_doubt;
        if (!is)
                printf("# status %d error %d in doubt %d: %s\n", result->status, result->error,
                       result->in_doubt, result->text);
        return is;
}

/* What a status callback was told, as text: '+' and '-'. */
static void note_status(struct prm_manager *manager, bool connected, void *opaque)
{
        char *notes = opaque;

        notes[strlen(notes)] = prm_manager_is_connected(manager) != connected ? '?' : connected ? '+' : '-';
}

/* Accepted, and closed without a word. */
static void serve_nothing(struct server *server, int sock)
{
        (void)server, (void)sock;
}

static void test_attempts(void)
{
        struct server server;
        struct prm_result result;
        struct prm_error error;
        char notes[16] = "";

        server_start(&server, serve_nothing);
        struct prm_manager *manager = server_manager(&server);
        prm_manager_set_status_callback(manager, note_status, notes);
        int64_t took = reserve(manager, 0, &result);
        ok(unavailable(&result, -ECONNRESET, false), "no helper there: B/08/00, and nothing was sent");
        is_int(server.connections, 5, "after five attempts");
        ok(took >= 3900 && took < 6000, "a second apart: %d ms", (int)took);
        is_string(notes, "", "it never was connected");

        took = reserve(manager, 1500, &result);
        ok(unavailable(&result, -ECONNRESET, false) && took < 1600, "a deadline ends the attempts: %d ms", (int)took);
        is_int(server.connections, 7, "after two");
        is_int(prm_manager_connect(manager, &error), -ECONNRESET, "connecting without a command");
        is_int(server.connections, 8, "is one attempt");
        prm_manager_unref(manager);
        server_stop(&server);

        server_prepare(&server, serve_good);
        manager = server_manager(&server);
        is_int(prm_manager_connect(manager, &error), -ENOENT, "no socket there");
        ok(strstr(error.text, "connect to /tmp/prm.") && strstr(error.text, ": No such file or directory"),
           "says what and why: %s", error.text);
        prm_manager_unref(manager);
        server_stop(&server);
}

static void *listen_late(void *argument)
{
        usleep(1300000);
        server_listen(argument);
        return NULL;
}

/* The helper starts while the command tries. */
static void test_late_helper(void)
{
        struct server server;
        struct prm_result result;
        pthread_t thread;

        server_prepare(&server, serve_good);
        struct prm_manager *manager = server_manager(&server);
        pthread_create(&thread, NULL, listen_late, &server);
        int64_t took = reserve(manager, 0, &result);
        pthread_join(thread, NULL);
        ok(result.status == PRM_GOOD && result.error == 0, "a helper that starts late");
        ok(took >= 1900 && took < 4000, "is found by the third attempt: %d ms", (int)took);
        is_int(server.requests, 1, "the command came once");
        prm_manager_unref(manager);
        server_stop(&server);
}

/* One request, and the connection ends. */
static void serve_once(struct server *server, int sock)
{
        struct wire_request request;
        uint8_t list[PR_DATA_MAX];

        if (wire_accept_features(sock) == 0 && server_read(server, sock, &request, list))
                server_reply(sock, 0, 0, SENSE(0, 0, 0), NULL, 0);
}

/* Wait for what another thread does, up to two seconds. */
static bool becomes_disconnected(struct prm_manager *manager)
{
        for (int i = 0; i < 2000 && prm_manager_is_connected(manager); i++)
                usleep(1000);
        return !prm_manager_is_connected(manager);
}

static void test_restart(void)
{
        struct server server;
        struct prm_result result;
        char notes[64] = "";
        int64_t took = 0;

        server_start(&server, serve_once);
        struct prm_manager *manager = server_manager(&server);
        prm_manager_set_status_callback(manager, note_status, notes);
        is_int(prm_manager_connect(manager, NULL), 0, "connected by hand");
        ok(prm_manager_is_connected(manager), "it is");
        is_int(prm_manager_connect(manager, NULL), 0, "twice is once");
        for (int i = 0; i < 5; i++) {
                took += reserve(manager, 0, &result);
                ok(result.status == PRM_GOOD && result.error == 0, "command %d", i);
                ok(becomes_disconnected(manager), "after command %d the helper goes, and that is seen", i);
        }
        is_int(server.connections, 5, "each by a new connection");
        is_int(server.requests, 5, "each came once");
        ok(took < 900, "without a pause: %d ms", (int)took);
        is_string(notes, "+-+-+-+-+-", "the callback was told each time");

        prm_manager_set_status_callback(manager, NULL, NULL);
        reserve(manager, 0, &result);
        is_string(notes, "+-+-+-+-+-", "and nothing after it was removed");
        prm_manager_unref(manager);
        server_stop(&server);
}

/* The process behind the socket is exchanged between two commands. */
static void test_exchange(void)
{
        struct server server, other;
        struct prm_result result;

        server_start(&server, serve_once);
        struct prm_manager *manager = server_manager(&server);
        reserve(manager, 0, &result);
        server_stop(&server);
        server_prepare(&other, serve_good);
        rmdir(other.folder);
        if (mkdir(server.folder, 0700) < 0)
                abort();
        memcpy(other.folder, server.folder, sizeof other.folder);
        memcpy(other.path, server.path, sizeof other.path);
        server_listen(&other);
        ok(reserve(manager, 0, &result) < 900 && result.status == PRM_GOOD, "a helper was started anew");
        is_int(other.requests, 1, "and got the command, once");
        prm_manager_unref(manager);
        server_stop(&other);
}

/* Bytes that nobody asked for, behind a good reply. */
static void serve_too_much(struct server *server, int sock)
{
        struct wire_request request;
        uint8_t list[PR_DATA_MAX], byte;

        if (server->connections > 1) {
                serve_good(server, sock);
        } else if (wire_accept_features(sock) == 0 && server_read(server, sock, &request, list)) {
                server_reply(sock, 0, 0, SENSE(0, 0, 0), "\1\2\3\4", 4);
                (void)!recv(sock, &byte, 1, 0);
        }
}

static void test_unasked(void)
{
        struct server server;
        struct prm_result result;

        server_start(&server, serve_too_much);
        struct prm_manager *manager = server_manager(&server);
        reserve(manager, 0, &result);
        is_int(result.status, PRM_GOOD, "a reply with bytes behind it");
        reserve(manager, 0, &result);
        ok(result.status == PRM_GOOD && result.error == 0, "they are not taken for the next reply");
        is_int(server.connections, 2, "that connection is not used again");
        prm_manager_unref(manager);
        server_stop(&server);
}

/* Silence: before the feature word (number 0), after it (1), after the request (2); a byte each 30 ms (3). */
static void serve_slow(struct server *server, int sock)
{
        struct wire_request request;
        uint8_t list[PR_DATA_MAX], byte;

        if (server->number > 0 && wire_accept_features(sock) != 0)
                return;
        if (server->number > 1 && !server_read(server, sock, &request, list))
                return;
        for (int i = 0; server->number == 3 && i < WIRE_REPLY_HEADER_SIZE; i++) {
                usleep(30000);
                if (send(sock, "", 1, MSG_NOSIGNAL) < 0)
                        return;
        }
        while (recv(sock, &byte, 1, 0) > 0)
                ;
}

static void test_deadline(int number, bool in_doubt, const char *what)
{
        struct server server;
        struct prm_result result;

        server_start(&server, serve_slow);
        server.number = number;
        struct prm_manager *manager = server_manager(&server);
        int64_t took = reserve(manager, 300, &result);
        ok(unavailable(&result, -ETIMEDOUT, in_doubt), "silence %s", what);
        ok(took >= 290 && took < 800, "ends by the deadline: %d ms", (int)took);
        ok(!prm_manager_is_connected(manager), "and so does the connection: the reply may still come");
        prm_manager_unref(manager);
        server_stop(&server);
}

static void *reserve_slowly(void *argument)
{
        struct prm_result result;

        reserve(argument, 1000, &result);
        ok(unavailable(&result, -ETIMEDOUT, true), "the one that hangs waits for its own deadline");
        return NULL;
}

/* Two commands: the second one's time is up while the first has the connection. */
static void test_queue_deadline(void)
{
        struct server server;
        struct prm_result result;
        pthread_t thread;

        server_start(&server, serve_slow);
        server.number = 2;
        struct prm_manager *manager = server_manager(&server);
        pthread_create(&thread, NULL, reserve_slowly, manager);
        while (server.requests == 0)
                usleep(1000);
        int64_t took = reserve(manager, 100, &result);
        bool waited = unavailable(&result, -ETIMEDOUT, false) && took >= 95 && took < 500;
        bool connected = prm_manager_is_connected(manager);
        pthread_join(thread, NULL);
        ok(waited, "a deadline counts the wait for others: %d ms", (int)took);
        ok(connected, "asked meanwhile, it is connected");
        prm_manager_unref(manager);
        server_stop(&server);
}

/* A helper that does not accept: the backlog is full, and connect(2) would wait. */
static void test_backlog(void)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        struct server server;
        struct prm_result result;
        int clients[4];

        server_prepare(&server, serve_good);
        int listener = socket(AF_UNIX, SOCK_STREAM, 0);
        memcpy(address.sun_path, server.path, strlen(server.path));
        if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(listener, 1) < 0)
                abort();
        for (int i = 0; i < 4; i++) {
                clients[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
                (void)!connect(clients[i], (struct sockaddr *)&address, sizeof address);
        }
        struct prm_manager *manager = server_manager(&server);
        int64_t took = reserve(manager, 300, &result);
        ok(unavailable(&result, -ETIMEDOUT, false) && took < 800, "a full backlog: %d ms", (int)took);
        prm_manager_unref(manager);
        for (int i = 0; i < 4; i++)
                close(clients[i]);
        close(listener);
        server_stop(&server);
}

int main(void)
{
        device = open("/dev/null", O_RDWR | O_CLOEXEC);
        test_restart();
        test_exchange();
        test_unasked();
        test_deadline(0, false, "instead of the feature word");
        test_deadline(1, true, "after the handshake");
        test_deadline(2, true, "after the request");
        test_deadline(3, true, "between the bytes of the reply");
        test_queue_deadline();
        test_backlog();
        test_late_helper();
        test_attempts();
        close(device);
        return done();
}
