/* SPDX-License-Identifier: BSD-2-Clause */
/* pr-helper-sim: the helper over a simulated SCSI target, whose disks are files. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "helper/helper.h"
#include "sim/store.h"
#include "sim/target.h"

#define DEFAULT_INITIATOR "iqn.2026-11.org.pr-manager:initiator"

/* One --initiator. */
struct initiator {
        const char *name, *path;
};

static struct {
        const char *state_dir;
        int folder; /* the same, opened; the target's to close */
        struct initiator initiators[TARGET_NEXUSES_MAX];
        int count;
} options;

static int apply_state_dir(void *into, const char *value)
{
        (void)into;
        options.state_dir = value;
        return 0;
}

/* NAME,socket=PATH: an iSCSI name has no comma, and the path is all the rest. */
static int apply_initiator(void *into, const char *value)
{
        static const char key[] = ",socket=";
        const char *comma = strchr(value, ',');

        (void)into;
        if (!comma || comma == value || strncmp(comma, key, sizeof key - 1) != 0 ||
            comma[sizeof key - 1] == '\0') {
                log_error("invalid initiator '%s': NAME,socket=PATH is what it looks like", value);
                return OPTIONS_ERROR;
        }
        if (options.count == TARGET_NEXUSES_MAX) {
                log_error("too many initiators: at most %d", TARGET_NEXUSES_MAX);
                return OPTIONS_ERROR;
        }
        char *name = strndup(value, (size_t)(comma - value));
        if (!name) {
                log_error("%s", strerror(ENOMEM));
                return OPTIONS_ERROR;
        }
        options.initiators[options.count++] =
                (struct initiator){ .name = name, .path = comma + sizeof key - 1 };
        return 0;
}

static const struct option_entry entries[] = {
        { "state-dir", '\0', "DIR",
          "keep there what has to survive a power loss\n"
          "(default: nothing does, and APTPL is not offered)", apply_state_dir },
        { "initiator", '\0', "NAME,socket=PATH",
          "an initiator's iSCSI name, and its socket instead of\n"
          "-k's; may be given many times", apply_initiator },
        { 0 },
};

static void report(const char *message)
{
        log_error("%s", message);
}

static int open_state_dir(void)
{
        int folder = store_open(options.state_dir);

        if (folder == -EBUSY)
                log_error("state folder '%s' is in use by another simulated target",
                          options.state_dir);
        else if (folder < 0)
                log_error("state folder '%s': %s", options.state_dir, strerror(-folder));
        return folder;
}

static int folder(void)
{
        return options.folder;
}

/* Root without its capabilities, or the user of -u, may not be the one to whom the folder belongs. */
static int check(void)
{
        if (options.folder < 0 || faccessat(options.folder, ".", R_OK | W_OK | X_OK, AT_EACCESS) == 0)
                return 0;
        int error = errno;
        log_error("state folder '%s' cannot be written by user %u: %s", options.state_dir,
                  (unsigned)geteuid(), strerror(error));
        return -error;
}

static int add_endpoint(struct target *target, const struct initiator *initiator,
                        struct helper_endpoint *ret_endpoint)
{
        int r = target_add_nexus(target, initiator->name, &ret_endpoint->source);

        if (r == -EINVAL)
                log_error("invalid initiator name '%s': an iSCSI name, such as "
                          "iqn.2026-11.org.example:a", initiator->name);
        else if (r == -EEXIST)
                log_error("initiator '%s' is given twice", initiator->name);
        else if (r < 0)
                log_error("initiator '%s': %s", initiator->name, strerror(-r));
        ret_endpoint->path = initiator->path;
        return r;
}

static int start(const struct helper_options *helper, struct helper_endpoint *ret_endpoints)
{
        options.folder = options.state_dir ? open_state_dir() : -1;
        if (options.folder < 0 && options.state_dir)
                return options.folder;
        if (options.count > 0 && helper->socket_path_given) {
                log_error("-k and --initiator both name sockets: give one or the other");
                return -EINVAL;
        }
        if (options.count == 0)
                options.initiators[options.count++] = (struct initiator){
                        .name = DEFAULT_INITIATOR, .path = helper->socket_path };

        struct target *target = target_new(options.folder, report);
        if (!target) {
                log_error("%s", strerror(ENOMEM));
                return -ENOMEM;
        }
        for (int i = 0; i < options.count; i++) {
                int r = add_endpoint(target, &options.initiators[i], &ret_endpoints[i]);
                if (r < 0)
                        return r;
        }
        return options.count;
}

int main(int argc, char **argv)
{
        static const struct helper_program program = {
                .name = "pr-helper-sim",
                .summary = "Persistent reservations for virtual machines, simulated: qemu-pr-helper\n"
                           "over a SCSI target whose logical units are regular files",
                .options = { .entries = entries },
                .start = start,
                .check = check,
                .folder = folder,
        };

        return helper_main(argc, argv, &program);
}
