/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who holds a disk? An example of the typed calls.
 *
 *     cc holders.c $(pkg-config --cflags --libs libprmanager) -o holders
 *     ./holders pr-manager-helper,path=/run/qemu-pr-helper.sock /dev/sdb
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <prmanager.h>

/* True where the command was carried out; otherwise says what became of it. */
static int failed(int r, const struct prm_result *result)
{
        char text[PRM_TEXT_SIZE];

        if (r == 0 && result->status == PRM_GOOD)
                return 0;
        if (r == 0)
                prm_result_format(result, text, sizeof text);
        fprintf(stderr, "holders: %s\n", r == 0 ? text : strerror(-r));
        return 1;
}

static void print_registrant(const struct prm_registrant *registrant)
{
        char initiator[PRM_TRANSPORT_TEXT_SIZE] = "an initiator of an unknown kind";

        if (registrant->initiator_known)
                prm_transport_id_format(&registrant->initiator, initiator, sizeof initiator);
        printf("%#" PRIx64 "  %s%s%s\n", registrant->key, initiator, registrant->holder ? "  holds " : "",
               registrant->holder ? prm_type_name(registrant->type) : "");
}

static int print_holders(const struct prm_nexus *nexus)
{
        struct prm_full_status status;
        struct prm_result result;
        int r = prm_read_full_status(nexus, &status, &result);

        if (failed(r, &result))
                return 1;
        printf("generation %" PRIu32 ", %zu registered%s\n", status.generation, status.count,
               status.truncated ? ", and more" : "");
        for (size_t i = 0; i < status.count; i++)
                print_registrant(&status.registrants[i]);
        prm_full_status_free(&status);
        return 0;
}

int main(int argc, char **argv)
{
        struct prm_nexus nexus = { .unit_attention_retries = 8 };
        struct prm_error error;

        if (argc != 3) {
                fprintf(stderr, "usage: holders MANAGER DEVICE\n");
                return 2;
        }
        if (prm_manager_from_string(argv[1], &nexus.manager, &error) < 0) {
                fprintf(stderr, "holders: %s\n", error.text);
                return 1;
        }
        nexus.fd = open(argv[2], O_RDONLY | O_CLOEXEC);
        int exit_status = 1;
        if (nexus.fd < 0)
                perror(argv[2]);
        else if (prm_manager_connect(nexus.manager, &error) < 0)
                fprintf(stderr, "holders: %s\n", error.text);
        else
                exit_status = print_holders(&nexus);
        if (nexus.fd >= 0)
                close(nexus.fd);
        prm_manager_unref(nexus.manager);
        return exit_status;
}
