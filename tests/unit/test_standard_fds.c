/* SPDX-License-Identifier: BSD-2-Clause */
/* base/standard_fds: what we were started without is /dev/null, and nobody else's. */
#include "base/standard_fds.h"

#include <sys/resource.h>

#include "fixture.h"
#include "tap.h"

static int fill(const void *mode)
{
        close(0);
        close(2);
        if (standard_fds_fill(*(const int *)mode) != 0)
                return 1;
        int fd = open("/", O_PATH);
        struct stat null, st;
        bool filled = stat("/dev/null", &null) == 0;
        for (int standard = 0; standard <= 2; standard += 2)
                filled = filled && fstat(standard, &st) == 0 && st.st_rdev == null.st_rdev;
        if (!filled || fd <= 2)
                return 2;
        bool written = write(2, "x", 1) == 1;
        return written == (*(const int *)mode == O_RDWR) && (written || errno == EBADF) ? 0 : 3;
}

static int fill_none(const void *unused)
{
        int fds = count_fds();

        (void)unused;
        return standard_fds_fill(O_RDWR) == 0 && count_fds() == fds ? 0 : 1;
}

static int fill_without_room(const void *unused)
{
        const struct rlimit none = { 0, 0 };

        (void)unused;
        close(1);
        need(setrlimit(RLIMIT_NOFILE, &none) == 0, "setrlimit");
        return standard_fds_fill(O_RDWR) == -EMFILE ? 0 : 1;
}

int main(void)
{
        int to_drop = O_RDWR, to_fail = O_RDONLY;

        is_int(run_child(fill, &to_drop), 0, "missing ones are filled; what is written there is gone");
        is_int(run_child(fill, &to_fail), 0, "or cannot be written");
        is_int(run_child(fill_none, NULL), 0, "where none is missing nothing is opened");
        if (under_valgrind())
                skip("one that cannot be filled", "valgrind has its own limit of descriptors");
        else
                is_int(run_child(fill_without_room, NULL), 0, "one that cannot be filled is an error");
        return done();
}
