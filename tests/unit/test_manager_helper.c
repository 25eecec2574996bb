/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pr-manager-helper against helpers that break the protocol or the connection,
 * in every way and at every byte: an error each time, the command sent once,
 * and the next command served by a new connection.
 */
#include <errno.h>
#include <fcntl.h>

#include "manager_server.h"

enum { ALLOCATION = 16, LIST = 24, REPLY = WIRE_REPLY_HEADER_SIZE + ALLOCATION };

static int device; /* any descriptor: these helpers do not look */

/* READ KEYS or RESERVE, with what it takes; 2 s are more than enough. */
static int send_in(struct prm_manager *manager, uint8_t data[static ALLOCATION],
                   struct prm_result *ret_result)
{
        const struct prm_nexus nexus = { manager, device, 2000, 0 };
        const uint8_t cdb[PRM_CDB_SIZE] = { 0x5e, [8] = ALLOCATION };

        return prm_command(&nexus, cdb, sizeof cdb, data, ALLOCATION, ret_result);
}

static int send_out(struct prm_manager *manager, struct prm_result *ret_result)
{
        const struct prm_nexus nexus = { manager, device, 2000, 0 };

        return prm_reserve(&nexus, 1, PRM_EXCLUSIVE_ACCESS, ret_result);
}

static int send_either(struct prm_manager *manager, bool out, struct prm_result *ret_result)
{
        uint8_t data[ALLOCATION];

        return out ? send_out(manager, ret_result) : send_in(manager, data, ret_result);
}

static bool sense_is(const struct prm_result *result, uint8_t key, uint8_t asc, uint8_t ascq)
{
        return result->status == PRM_CHECK_CONDITION && result->sense.key == key &&
               result->sense.asc == asc && result->sense.ascq == ascq;
}

/* Replies to READ KEYS of 16 bytes, or to RESERVE. */
static const struct reply {
        const char *name;
        bool out;
        uint32_t status, size;
        size_t sent; /* bytes behind the header */
        int error;   /* 0: it is a good reply */
} replies[] = {
        { "IN, as much as was asked for", false, 0, ALLOCATION, ALLOCATION, 0 },
        { "IN, less", false, 0, 8, 8, 0 },
        { "IN, nothing", false, 0, 0, 0, 0 },
        { "IN, conflict", false, 0x18, 0, 0, 0 },
        { "OUT, good", true, 0, 0, 0, 0 },
        { "OUT, conflict", true, 0x18, 0, 0, 0 },
        { "OUT, check condition", true, 2, 0, 0, 0 },
        { "a status that nobody knows", true, 0xff, 0, 0, 0 },
        { "IN, a byte more than was asked for", false, 0, ALLOCATION + 1, ALLOCATION + 1, -EPROTO },
        { "IN, as much as the protocol has", false, 0, PR_DATA_MAX, PR_DATA_MAX, -EPROTO },
        { "IN, a size of 2 GiB", false, 0, 0x80000000, 0, -EPROTO },
        { "IN, a size of -1", false, 0, 0xffffffff, 0, -EPROTO },
        { "IN, data with check condition", false, 2, 8, 8, -EPROTO },
        { "IN, data with conflict", false, 0x18, 8, 8, -EPROTO },
        { "IN, data with busy", false, 8, 1, 1, -EPROTO },
        { "OUT, data", true, 0, 8, 8, -EPROTO },
        { "OUT, data with check condition", true, 2, 24, 24, -EPROTO },
        { "a status of 256", false, 0x100, 0, 0, -EPROTO },
        { "a status of 2 in the wrong byte", true, 0x02000000, 0, 0, -EPROTO },
        { "a status of -1", true, 0xffffffff, 0, 0, -EPROTO },
};

/* The first request is answered with the reply of this number, all others well. */
static void serve_reply(struct server *server, int sock)
{
        static const uint8_t zeros[PR_DATA_MAX];
        const struct reply *reply = &replies[server->number];
        struct wire_request request;
        uint8_t list[PR_DATA_MAX];

        if (server->connections > 1) {
                serve_good(server, sock);
                return;
        }
        if (wire_accept_features(sock) != 0 || !server_read(server, sock, &request, list))
                return;
        server_reply(sock, reply->status, reply->size, SENSE(5, 0x24, 0), zeros, reply->sent);
        serve_requests(server, sock);
}

static void test_replies(void)
{
        for (int i = 0; i < (int)(sizeof replies / sizeof replies[0]); i++) {
                const struct reply *reply = &replies[i];
                struct server server;
                struct prm_result result;

                server_start(&server, serve_reply);
                server.number = i;
                struct prm_manager *manager = server_manager(&server);
                is_int(send_either(manager, reply->out, &result), 0, "%s", reply->name);
                if (reply->error == 0)
                        ok(result.error == 0 && !result.text[0] && result.status == reply->status &&
                                   result.size == reply->size && !result.in_doubt &&
                                   (reply->status == 2) == (result.sense_data[0] == 0x70),
                           "%s: as it came", reply->name);
                else
                        ok(result.error == reply->error && result.in_doubt && result.text[0] &&
                                   sense_is(&result, 0x0b, 8, 0) && result.size == 0,
                           "%s: B/08/00", reply->name);
                is_int(server.requests, 1, "%s: sent once", reply->name);
                ok(send_either(manager, false, &result) == 0 && result.status == 0 && result.size == 16,
                   "%s: the next command is served", reply->name);
                is_int(server.connections, reply->error == 0 ? 1 : 2, "%s: by %s connection", reply->name,
                       reply->error == 0 ? "the same" : "a new");
                prm_manager_unref(manager);
                server_stop(&server);
        }
}

/* Sense by which a helper may mean that its own way to the disk failed, and sense by which it does not. */
static const struct attention {
        struct scsi_sense sense;
        bool out, in_doubt, again;
} attentions[] = {
        { SENSE(6, 0x29, 0), true, true, false },
        { SENSE(6, 0x29, 2), true, true, false },
        { SENSE(6, 0x29, 7), true, true, false },
        { SENSE(0xb, 0x2e, 2), true, true, false },
        { SENSE(6, 0x2a, 5), true, false, true },
        { SENSE(5, 0x26, 4), true, false, false },
        { SENSE(6, 0x29, 0), false, false, true },
        { SENSE(0xb, 0x2e, 2), false, false, false },
};

/* The first request gets the sense of this number. */
static void serve_attention(struct server *server, int sock)
{
        struct wire_request request;
        uint8_t list[PR_DATA_MAX];

        if (wire_accept_features(sock) != 0 || !server_read(server, sock, &request, list))
                return;
        server_reply(sock, 2, 0, attentions[server->number].sense, NULL, 0);
        serve_requests(server, sock);
}

static void test_attentions(void)
{
        for (int i = 0; i < (int)(sizeof attentions / sizeof attentions[0]); i++) {
                const struct attention *a = &attentions[i];
                const uint8_t in[PRM_CDB_SIZE] = { 0x5e, [8] = ALLOCATION };
                uint8_t data[ALLOCATION];
                char name[16], text[PRM_TEXT_SIZE];
                struct server server;
                struct prm_result result;

                server_start(&server, serve_attention);
                server.number = i;
                struct prm_manager *manager = server_manager(&server);
                const struct prm_nexus nexus = { manager, device, 2000, 8 };
                int r = a->out ? prm_register(&nexus, 0, 1, 0, &result)
                               : prm_command(&nexus, in, sizeof in, data, sizeof data, &result);
                prm_result_format(&result, text, sizeof text);
                snprintf(name, sizeof name, "%s %X/%02X/%02X", a->out ? "OUT" : "IN", a->sense.key,
                         a->sense.asc, a->sense.ascq);
                is_int(r, 0, "%s", name);
                is_int(server.requests, a->again ? 2 : 1, "%s: sent %s", name, a->again ? "again" : "once");
                ok(result.error == 0 && result.status == (a->again ? PRM_GOOD : PRM_CHECK_CONDITION) &&
                           result.unit_attentions == a->again, "%s: as it came", name);
                ok(result.in_doubt == a->in_doubt && !strstr(text, "may have been carried out") == !a->in_doubt,
                   "%s: %s", name, text);
                prm_manager_unref(manager);
                server_stop(&server);
        }
}

/* GOOD, and behind it bytes that mean nothing. */
static void serve_garbage_sense(struct server *server, int sock)
{
        struct wire_request request;
        uint8_t list[PR_DATA_MAX], bytes[WIRE_REPLY_HEADER_SIZE];

        if (wire_accept_features(sock) != 0 || !server_read(server, sock, &request, list))
                return;
        memset(bytes, 0xaa, sizeof bytes);
        memset(bytes, 0, 8);
        (void)!send(sock, bytes, sizeof bytes, MSG_NOSIGNAL);
}

static void test_garbage_sense(void)
{
        static const uint8_t zeros[PRM_SENSE_SIZE];
        struct server server;
        struct prm_result result;

        server_start(&server, serve_garbage_sense);
        struct prm_manager *manager = server_manager(&server);
        is_int(send_out(manager, &result), 0, "sense with GOOD is garbage that some helpers send");
        ok(result.status == 0 && memcmp(result.sense_data, zeros, sizeof zeros) == 0, "and is not passed on");
        prm_manager_unref(manager);
        server_stop(&server);
}

/* Words that a helper may begin with; `number` is one of them. */
static const uint32_t words[] = { 1, 2, 0x80000000, 0xffffffff, 0x48545450 /* HTTP */ };

static void serve_word(struct server *server, int sock)
{
        uint8_t word[4];
        struct writer w = writer_over(word, sizeof word);

        write_be32(&w, words[server->number]);
        (void)!send(sock, word, sizeof word, MSG_NOSIGNAL);
        (void)!recv(sock, word, sizeof word, 0);
}

/* `number` bytes of the feature word. */
static void serve_part_of_word(struct server *server, int sock)
{
        (void)!send(sock, "\0\0\0", (size_t)server->number, MSG_NOSIGNAL);
}

static void test_features(void)
{
        struct prm_error error;
        struct server server;

        for (int i = 0; i < (int)(sizeof words / sizeof words[0]); i++) {
                server_start(&server, serve_word);
                server.number = i;
                struct prm_manager *manager = server_manager(&server);
                is_int(prm_manager_connect(manager, &error), -EPROTO, "feature word %08x", words[i]);
                ok(strstr(error.text, "no helper") && !prm_manager_is_connected(manager),
                   "feature word %08x: %s", words[i], error.text);
                prm_manager_unref(manager);
                server_stop(&server);
        }
        for (int i = 0; i < 4; i++) {
                server_start(&server, serve_part_of_word);
                server.number = i;
                struct prm_manager *manager = server_manager(&server);
                is_int(prm_manager_connect(manager, &error), -ECONNRESET, "%d bytes of the feature word", i);
                prm_manager_unref(manager);
                server_stop(&server);
        }
}

/* `number` bytes of a reply, and the connection ends. Then good service. */
static void serve_part_of_reply(struct server *server, int sock)
{
        static const uint8_t reply[REPLY] = { [7] = ALLOCATION };
        struct wire_request request;
        uint8_t list[PR_DATA_MAX];

        if (server->connections > 1)
                serve_good(server, sock);
        else if (wire_accept_features(sock) == 0 && server_read(server, sock, &request, list))
                (void)!send(sock, reply, (size_t)server->number, MSG_NOSIGNAL);
}

/* Reads `number` bytes of a request, and the connection ends. Then good service. */
static void serve_part_of_request(struct server *server, int sock)
{
        uint8_t bytes[PR_CDB_SIZE + LIST];

        if (server->connections > 1)
                serve_good(server, sock);
        else if (wire_accept_features(sock) == 0)
                for (int i = 0; i < server->number; i++)
                        (void)!recv(sock, bytes, 1, MSG_WAITALL);
}

static void test_cut(void (*serve)(struct server *, int), int bytes, bool out, const char *what)
{
        struct prm_result result;
        struct server server;

        server_start(&server, serve);
        server.number = bytes;
        struct prm_manager *manager = server_manager(&server);
        int r = send_either(manager, out, &result);
        /* A helper that is gone before anything was sent is no doubt, and is tried again. */
        bool unsent = r == 0 && result.error == 0 && result.status == 0 && server.connections == 2;
        bool cut = r == 0 && result.error == -ECONNRESET && result.in_doubt &&
                   sense_is(&result, 0x0b, 8, 0) && server.connections == 1;
        int requests = server.requests;

        ok((cut && requests <= 1) || (unsent && bytes == 0 && out), "%d bytes %s", bytes, what);
        ok(send_either(manager, out, &result) == 0 && result.error == 0 && server.connections == 2,
           "%d bytes %s: the next command is served", bytes, what);
        prm_manager_unref(manager);
        server_stop(&server);
}

static void test_arguments(void)
{
        const uint8_t other[16] = { 0x12 }, keys[16] = { 0x5e, [7] = 0x20, [8] = 1 }, out[16] = { 0x5f, [8] = 24 };
        uint8_t data[ALLOCATION], big[PRM_TRANSFER_MAX + 1];
        struct server server;
        struct prm_result result = { .size = 77 };

        server_start(&server, serve_good);
        struct prm_manager *manager = server_manager(&server);
        struct prm_nexus nexus = { manager, -1, 0, 0 };
        is_int(send_in(manager, data, &result) || prm_reserve(&nexus, 1, PRM_WRITE_EXCLUSIVE, &result), true,
               "a descriptor that is none");
        is_int(prm_reserve(&nexus, 1, PRM_WRITE_EXCLUSIVE, &result), -EBADF, "is EBADF");
        nexus.fd = device;
        is_int(prm_command(&nexus, other, 16, data, ALLOCATION, &result), -EINVAL, "INQUIRY");
        is_int(prm_command(&nexus, out, 16, data, 23, &result), -EINVAL, "a list shorter than the CDB says");
        is_int(prm_command(&nexus, out, 9, data, 24, &result), -EINVAL, "a CDB of 9 bytes");
        is_int(prm_command(&nexus, out, 17, data, 24, &result), -EINVAL, "a CDB of 17 bytes");
        is_int(prm_command(&nexus, keys, 16, big, sizeof big, &result), 0, "a transfer above the limit");
        ok(sense_is(&result, 5, 0x24, 0) && result.error == 0 && strstr(result.text, "8193"),
           "is an invalid field in CDB: %s", result.text);
        nexus.manager = NULL;
        is_int(prm_command(&nexus, keys, 16, big, sizeof big, &result), -EINVAL, "no manager");
        prm_manager_unref(manager);
        server_stop(&server);
}

int main(void)
{
        device = open("/dev/null", O_RDWR | O_CLOEXEC);
        test_replies();
        test_attentions();
        test_garbage_sense();
        test_features();
        for (int i = 0; i < REPLY; i++)
                test_cut(serve_part_of_reply, i, false, "of the reply");
        for (int i = 0; i <= PR_CDB_SIZE + LIST; i++)
                test_cut(serve_part_of_request, i, true, "of the request read");
        test_arguments();
        close(device);
        return done();
}
