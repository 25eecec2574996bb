/* SPDX-License-Identifier: BSD-2-Clause */
/* Down to CAP_SYS_RAWIO and nothing else: see privileges.h. */
#include "helper/privileges.h"

#include <cap-ng.h>
#include <errno.h>
#include <grp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"

static bool has(unsigned capability)
{
        return capng_have_capability(CAPNG_EFFECTIVE, capability);
}

static bool in_bounding_set(void)
{
        for (unsigned c = 0; c <= CAP_LAST_CAP; c++)
                if (prctl(PR_CAPBSET_READ, c, 0, 0, 0) == 1)
                        return true;
        return false;
}

/* Groups first: without CAP_SETGID they cannot be dropped, nor can they after setuid(2). */
static int drop_groups(const struct helper_options *options)
{
        gid_t group = options->group;

        if (setgroups(0, NULL) < 0 && getgroups(0, NULL) > 0)
                log_info("supplementary groups are kept: %s", strerror(errno));
        if (group != (gid_t)-1 && setresgid(group, group, group) < 0) {
                int error = errno;
                log_error("cannot change to group %u: %s", (unsigned)group, strerror(error));
                return -error;
        }
        return 0;
}

static int change_user(const struct helper_options *options)
{
        uid_t user = options->user;

        if (!options->set_user)
                return 0;
        if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0 || setresuid(user, user, user) < 0) {
                int error = errno;
                log_error("cannot change to user %u: %s", (unsigned)user, strerror(error));
                return -error;
        }
        (void)prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0);
        return 0;
}

/* Whether this process has no capability but that one (-1: none), by what the kernel says now. */
static int verify(int kept)
{
        struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];

        if (syscall(SYS_capget, &header, sets) < 0)
                return -errno;
        for (int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
                uint32_t allowed = kept >= 0 && kept / 32 == i ? UINT32_C(1) << kept % 32 : 0;
                if ((sets[i].effective | sets[i].permitted | sets[i].inheritable) & ~allowed)
                        return -EPERM;
        }
        return 0;
}

int privileges_keep(int kept)
{
        /* After setresuid(2) the permitted set is still there, the effective one is not. */
        capng_clear(CAPNG_SELECT_BOTH);
        bool held = kept >= 0 &&
                    capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, (unsigned)kept) == 0 &&
                    capng_apply(CAPNG_SELECT_CAPS) == 0;
        if (!held) {
                capng_clear(CAPNG_SELECT_BOTH);
                (void)capng_apply(CAPNG_SELECT_CAPS);
        }
        return verify(held ? kept : -1);
}

int privileges_bound(void)
{
        for (unsigned c = 0; c <= CAP_LAST_CAP; c++)
                (void)prctl(PR_CAPBSET_DROP, c, 0, 0, 0);
        if (in_bounding_set())
                log_info("the bounding set is kept: CAP_SETPCAP is missing");
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)
                return 0;
        int error = errno;
        log_error("cannot rule out new privileges: %s", strerror(error));
        return -error;
}

int privileges_drop(const struct helper_options *options, bool keep_rawio)
{
        int r = drop_groups(options);

        if (r == 0)
                r = change_user(options);
        if (r < 0)
                return r;
        r = privileges_keep(keep_rawio ? CAP_SYS_RAWIO : -1);
        if (r < 0) {
                log_error("cannot drop privileges: %s", strerror(-r));
                return r;
        }
        if (keep_rawio && !has(CAP_SYS_RAWIO))
                log_warning("running without CAP_SYS_RAWIO: the kernel will not let this helper "
                            "send PERSISTENT RESERVE commands");
        return 0;
}

/* The initial user namespace maps all ids onto themselves (user_namespaces(7)). */
static bool in_initial_user_namespace(void)
{
        unsigned inside, outside, count;
        FILE *map = fopen("/proc/self/uid_map", "re");

        if (!map)
                return true;
        int n = fscanf(map, "%u %u %u", &inside, &outside, &count);
        fclose(map);
        return n != 3 || (inside == 0 && outside == 0 && count == UINT32_MAX);
}

const char *privileges_explain_eperm(void)
{
        if (!in_initial_user_namespace())
                return "this helper runs inside a user namespace, and the kernel asks for "
                       "CAP_SYS_RAWIO in the initial one";
        if (!has(CAP_SYS_RAWIO))
                return "this helper runs without CAP_SYS_RAWIO";
        return "a security module or the device's driver forbids it";
}
