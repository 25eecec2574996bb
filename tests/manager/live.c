/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libprmanager on two nexuses of one disk, as two hosts of a cluster have them.
 *
 *     live PR-HELPER-SIM              the simulated target, through its sockets; all tests
 *     live NODE_A NODE_B [SOCKET]     real nodes, directly or through a helper; prm_move() only.
 *                                     Whatever is registered on the disk goes.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "prmanager.h"
#include "tap.h"

enum { KEY_A = 0xa1, KEY_B = 0xb2 };

static struct {
        const char *program;
        char folder[32], a[64], b[64], disk[64];
        pid_t pid;
        int fd;
} sim;

/* Start it, and wait until it listens: that is when the last socket is there. */
static void start(void)
{
        char a[128], b[128];

        snprintf(a, sizeof a, "--initiator=iqn.2000-01.org.example:a,socket=%s", sim.a);
        snprintf(b, sizeof b, "--initiator=iqn.2000-01.org.example:b,socket=%s", sim.b);
        sim.pid = fork();
        if (sim.pid == 0) {
                dup2(open("/dev/null", O_WRONLY), STDERR_FILENO); /* the audit */
                /* Unconfined, so that one with sanitizers in it runs too. */
                execl(sim.program, sim.program, "-q", "--no-sandbox", a, b, (char *)NULL);
                _exit(127);
        }
        for (int i = 0; i < 1000 && (access(sim.a, F_OK) < 0 || access(sim.b, F_OK) < 0); i++)
                usleep(10000);
}

static void stop(int signal_number)
{
        kill(sim.pid, signal_number);
        waitpid(sim.pid, NULL, 0);
        for (int i = 0; i < 500 && (access(sim.a, F_OK) == 0 || access(sim.b, F_OK) == 0); i++)
                usleep(10000);
}

static struct prm_nexus connect_to(const char *path)
{
        const struct prm_property properties[] = { { "path", path } };
        struct prm_manager *manager;
        struct prm_error error;

        if (prm_manager_create("pr-manager-helper", NULL, properties, 1, &manager, &error) < 0 ||
            prm_manager_connect(manager, &error) < 0) {
                printf("Bail out! %s\n", error.text);
                exit(1);
        }
        return (struct prm_nexus){ .manager = manager, .fd = sim.fd, .unit_attention_retries = 8 };
}

static bool good(int r, const struct prm_result *result)
{
        char text[PRM_TEXT_SIZE];

        if (r == 0 && result->status == PRM_GOOD)
                return true;
        prm_result_format(result, text, sizeof text);
        printf("# %d: %s\n", r, r == 0 ? text : "");
        return false;
}

#define GOOD(call, ...) ok(good(call, &result), __VA_ARGS__)

static void test_typed(const struct prm_nexus *a, const struct prm_nexus *b)
{
        struct prm_result result;
        struct prm_keys keys;
        struct prm_reservation reservation;
        struct prm_capabilities capabilities;
        struct prm_full_status status;
        struct prm_transport_id id;

        GOOD(prm_register(a, 0, KEY_A, 0, &result), "a registers");
        GOOD(prm_register_and_ignore(b, KEY_B, 0, &result), "b registers");
        GOOD(prm_reserve(a, KEY_A, PRM_WRITE_EXCLUSIVE_REGISTRANTS_ONLY, &result), "a reserves");
        ok(prm_reserve(b, KEY_B, PRM_EXCLUSIVE_ACCESS, &result) == 0 && result.status == PRM_RESERVATION_CONFLICT &&
                   result.error == 0, "b cannot");
        GOOD(prm_read_keys(b, &keys, &result), "b reads keys");
        ok(keys.count == 2 && keys.keys[0] == KEY_A && keys.keys[1] == KEY_B && !keys.truncated, "both");
        prm_keys_free(&keys);
        GOOD(prm_read_reservation(b, &reservation, &result), "b reads the reservation");
        ok(reservation.key == KEY_A && reservation.type == PRM_WRITE_EXCLUSIVE_REGISTRANTS_ONLY, "a's");
        GOOD(prm_report_capabilities(b, &capabilities, &result), "b reads capabilities");
        ok(capabilities.type_mask_valid && capabilities.types == 0x1ea, "all types");
        GOOD(prm_read_full_status(b, &status, &result), "b reads the full status");
        prm_transport_id_parse("iqn.2000-01.org.example:a", &id);
        ok(status.count == 2 && status.registrants[0].holder && status.registrants[0].initiator_known &&
                   prm_transport_id_equal(&status.registrants[0].initiator, &id) && !status.registrants[1].holder,
           "a holds, by name");
        prm_full_status_free(&status);

        prm_transport_id_parse("iqn.2000-01.org.example:b", &id);
        GOOD(prm_register_and_move(a, KEY_A, 0xbb, &id, 1, PRM_UNREGISTER, &result), "a moves all to b");
        GOOD(prm_release(b, 0xbb, PRM_WRITE_EXCLUSIVE_REGISTRANTS_ONLY, &result), "b releases");
        GOOD(prm_register(a, 0, KEY_A, 0, &result), "a registers");
        GOOD(prm_preempt_and_abort(a, KEY_A, 0xbb, PRM_WRITE_EXCLUSIVE, &result), "a preempts b");
        struct prm_nexus told = *b;
        told.unit_attention_retries = 0;
        ok(prm_read_keys(&told, &keys, &result) == 0 && prm_result_is_unit_attention(&result) &&
                   result.sense.asc == 0x2a && result.sense.ascq == 5, "b is told");
        GOOD(prm_clear(a, KEY_A, &result), "a clears");
}

/* A reservation of every type from a to b and back, the key kept or not. */
static void test_move(const struct prm_nexus *a, const struct prm_nexus *b)
{
        static const enum prm_type types[] = {
                PRM_WRITE_EXCLUSIVE, PRM_EXCLUSIVE_ACCESS, PRM_WRITE_EXCLUSIVE_REGISTRANTS_ONLY,
                PRM_EXCLUSIVE_ACCESS_REGISTRANTS_ONLY, PRM_WRITE_EXCLUSIVE_ALL_REGISTRANTS,
                PRM_EXCLUSIVE_ACCESS_ALL_REGISTRANTS,
        };

        for (size_t i = 0; i < 2 * sizeof types / sizeof types[0]; i++) {
                enum prm_type type = types[i / 2];
                uint64_t key = i % 2 ? KEY_A : KEY_B;
                struct prm_result result;
                struct prm_move there, back;
                struct prm_keys keys;
                struct prm_reservation reservation;

                if (!good(prm_register(a, 0, KEY_A, 0, &result), &result) ||
                    !good(prm_reserve(a, KEY_A, type, &result), &result))
                        ok(false, "%s: reserved", prm_type_name(type));
                ok(prm_move(b, KEY_A, key, 0, &there) == 0 && there.state == PRM_MOVE_DONE && there.held,
                   "%s: to b, %s key", prm_type_name(type), i % 2 ? "the same" : "a new");
                ok(prm_move(a, key, KEY_A, 0, &back) == 0 && back.state == PRM_MOVE_DONE, "%s: and back",
                   prm_type_name(type));
                ok(good(prm_read_keys(a, &keys, &result), &result) && keys.count == 1 && keys.keys[0] == KEY_A,
                   "%s: one registration", prm_type_name(type));
                prm_keys_free(&keys);
                ok(good(prm_read_reservation(a, &reservation, &result), &result) && reservation.type == type,
                   "%s: the type is kept", prm_type_name(type));
                GOOD(prm_clear(a, KEY_A, &result), "%s: it is a's", prm_type_name(type));
        }
}

static void test_restart(const struct prm_nexus *a)
{
        struct prm_result result;

        for (int i = 0; i < 3; i++) {
                stop(i == 1 ? SIGTERM : SIGKILL);
                start();
                GOOD(prm_register(a, 0, KEY_A, 0, &result), "a helper started anew: the next command is served");
        }
}

static void test_refused(const struct prm_nexus *a)
{
        struct prm_nexus nexus = *a;
        struct prm_result result;
        struct prm_keys keys;

        nexus.fd = open(sim.disk, O_RDONLY | O_CLOEXEC);
        ok(prm_register_and_ignore(&nexus, KEY_A, 0, &result) == 0 && result.sense.key == 5 &&
                   result.sense.asc == 0x20 && result.error == 0, "a descriptor that cannot write cannot register");
        GOOD(prm_read_keys(&nexus, &keys, &result), "but read keys");
        prm_keys_free(&keys);
        close(nexus.fd);
        prm_manager_from_string("pr-manager-direct", &nexus.manager, NULL);
        nexus.fd = sim.fd;
        ok(prm_read_keys(&nexus, &keys, &result) == 0 && result.sense.asc == 0x20 &&
                   strcmp(result.text, "refused: not a SCSI device") == 0, "directly, a file is no disk: %s", result.text);
        prm_manager_unref(nexus.manager);
}

static int test_simulated(const char *program)
{
        sim.program = program;
        strcpy(sim.folder, "/tmp/prm-live.XXXXXX");
        if (!mkdtemp(sim.folder))
                return 1;
        snprintf(sim.a, sizeof sim.a, "%s/a.sock", sim.folder);
        snprintf(sim.b, sizeof sim.b, "%s/b.sock", sim.folder);
        snprintf(sim.disk, sizeof sim.disk, "%s/disk", sim.folder);
        sim.fd = open(sim.disk, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        start();

        struct prm_nexus a = connect_to(sim.a), b = connect_to(sim.b);
        test_typed(&a, &b);
        test_move(&a, &b);
        test_refused(&a);
        test_restart(&a);
        prm_manager_unref(a.manager);
        prm_manager_unref(b.manager);

        stop(SIGTERM);
        close(sim.fd);
        unlink(sim.disk);
        unlink(sim.a);
        unlink(sim.b);
        ok(rmdir(sim.folder) == 0, "nothing is left behind");
        return done();
}

/* A node as a nexus, with nothing registered. */
static struct prm_nexus open_node(const char *path, const char *socket)
{
        struct prm_nexus nexus;
        struct prm_result result;

        sim.fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
        if (socket) {
                nexus = connect_to(socket);
        } else {
                nexus = (struct prm_nexus){ .fd = sim.fd, .unit_attention_retries = 8 };
                prm_manager_from_string("pr-manager-direct", &nexus.manager, NULL);
        }
        if (!good(prm_register_and_ignore(&nexus, KEY_A, 0, &result), &result) ||
            !good(prm_clear(&nexus, KEY_A, &result), &result)) {
                printf("Bail out! %s\n", path);
                exit(1);
        }
        return nexus;
}

static int test_nodes(const char *node_a, const char *node_b, const char *socket)
{
        struct prm_nexus a = open_node(node_a, socket), b = open_node(node_b, socket);

        test_move(&a, &b);
        prm_manager_unref(a.manager);
        prm_manager_unref(b.manager);
        close(a.fd);
        close(b.fd);
        return done();
}

int main(int argc, char **argv)
{
        if (argc == 2)
                return test_simulated(argv[1]);
        if (argc == 3 || argc == 4)
                return test_nodes(argv[1], argv[2], argv[3]);
        fprintf(stderr, "usage: live PR-HELPER-SIM | NODE_A NODE_B [SOCKET]\n");
        return 2;
}
