/* SPDX-License-Identifier: BSD-2-Clause */
/* What confine() leaves of the file system: see confine.h and landlock(7). */
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "helper/confine.h"

/* Rights that came after the headers that we may be built with (ABI 2, 3, 5). */
enum {
        RIGHTS_1 = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1,
        RIGHT_REFER = 1 << 13,
        RIGHT_TRUNCATE = 1 << 14,
        RIGHT_IOCTL_DEV = 1 << 15,
};

static uint64_t handled_rights(int abi)
{
        uint64_t rights = RIGHTS_1;

        if (abi >= 2)
                rights |= RIGHT_REFER;
        if (abi >= 3)
                rights |= RIGHT_TRUNCATE;
        if (abi >= 5)
                rights |= RIGHT_IOCTL_DEV;
        return rights;
}

static int allow(int rules, int directory, uint64_t rights)
{
        struct landlock_path_beneath_attr beneath = {
                .allowed_access = rights,
                .parent_fd = directory,
        };

        return syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0) < 0 ?
                       -errno : 0;
}

int confine_files(int folder)
{
        long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

        if (abi < 0 && errno != ENOSYS && errno != EOPNOTSUPP) /* not built in, or switched off */
                log_warning("this process is not kept from files by Landlock, which somebody's "
                            "seccomp filter refuses: %s", strerror(errno));
        if (abi < 1)
                return 0;

        struct landlock_ruleset_attr handled = {
                .handled_access_fs = handled_rights((int)abi),
        };
        cleanup_fd int rules =
                (int)syscall(SYS_landlock_create_ruleset, &handled, sizeof handled, 0);
        if (rules < 0)
                return -errno;
        cleanup_fd int sysfs = open("/sys", O_PATH | O_DIRECTORY | O_CLOEXEC);
        int r = 0;
        if (sysfs >= 0)
                r = allow(rules, sysfs, LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR);
        else if (errno != ENOENT) /* none is none; else volumes would be refused, and nobody told */
                r = -errno;
        if (r == 0 && folder >= 0)
                r = allow(rules, folder,
                          LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR |
                                  LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG |
                                  LANDLOCK_ACCESS_FS_REMOVE_FILE |
                                  (handled.handled_access_fs & RIGHT_TRUNCATE));
        if (r == 0 && syscall(SYS_landlock_restrict_self, rules, 0) < 0)
                r = -errno;
        return r;
}
