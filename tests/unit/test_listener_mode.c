/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * helper/listener: a new socket's mode and owner, also where somebody who may
 * write in the directory puts another file in its place.
 */
#include <sys/syscall.h>
#include <sys/xattr.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "listener_at.h"
#include "tap.h"

/* What somebody who may write in the directory puts in the place of the new socket, and when: at once. */
static void (*swap)(const char *name);

/* In place of the C library's. */
int bind(int sock, const struct sockaddr *address, socklen_t size)
{
        int r = (int)syscall(SYS_bind, sock, address, size);

        if (r == 0 && swap)
                swap(((const struct sockaddr_un *)address)->sun_path);
        return r;
}

static void test_modes(void)
{
        static const int modes[] = { 0, 0600, 0660, 0777 };
        struct owned_path owned;
        struct stat st = { 0 };
        mode_t old = umask(0027);

        for (size_t i = 0; i <= sizeof modes / sizeof modes[0]; i++) {
                struct listener_options options = by_umask;
                bool given = i < sizeof modes / sizeof modes[0];
                options.mode = given ? modes[i] : -1;
                int sock = open_at(temp_path("m"), &options, &owned);
                (void)lstat(temp_path("m"), &st);
                is_int(st.st_mode & 07777, given ? modes[i] : 0750, "mode %o, umask 027", options.mode);
                is_int(umask(0027), 0027, "and the umask is what it was");
                owned_path_remove(&owned);
                owned_path_close(&owned);
                close(sock);
        }
        (void)umask(old);

        struct listener_options options = { -1, getuid(), getgid() };
        int sock = open_at(temp_path("m"), &options, &owned);
        ok(sock >= 0, "an owner that it has anyway");
        owned_path_remove(&owned);
        owned_path_close(&owned);
        close_fd(&sock);

        options = (struct listener_options){ 0640, 12, 34 };
        sock = open_at(temp_path("m"), &options, &owned);
        if (geteuid() == 0) {
                ok(lstat(temp_path("m"), &st) == 0 && st.st_uid == 12 && st.st_gid == 34 &&
                           (st.st_mode & 07777) == 0640, "another owner");
                owned_path_remove(&owned);
                owned_path_close(&owned);
                close_fd(&sock);
                options = (struct listener_options){ -1, (uid_t)-1, 34 };
                sock = open_at(temp_path("m"), &options, &owned);
                ok(lstat(temp_path("m"), &st) == 0 && st.st_uid == getuid() && st.st_gid == 34,
                   "another group alone");
                owned_path_remove(&owned);
                owned_path_close(&owned);
                close_fd(&sock);
        } else {
                ok(sock == -EPERM && strstr(said, "--socket-owner"), "another owner is not allowed");
                is_int(count_names(), 0, "and nothing is left");
        }
}

static void by_link(const char *name)
{
        need(rename(name, "away") == 0 && symlink("victim", name) == 0, "swap");
}

static void by_file(const char *name)
{
        need(rename(name, "away") == 0 && link("victim", name) == 0, "swap");
}

static void by_socket(const char *name)
{
        need(rename(name, "away") == 0 && rename("other", name) == 0 && link(name, "other") == 0, "swap");
}

/* Whoever may write in the directory must not get another file's mode or owner changed. */
static void test_swapped(void)
{
        static const struct {
                const char *by;
                void (*swap)(const char *name);
        } swaps[] = { { "a link", by_link }, { "a file", by_file }, { "a socket", by_socket } };
        struct listener_options options[] = { { 0666, (uid_t)-1, (gid_t)-1 }, { 0666, 12, 34 } };
        struct owned_path owned;

        for (size_t i = 0; i < 6; i++) {
                const char *file = i / 2 == 2 ? "other" : "victim";
                struct stat st = { 0 };

                if (i == 4) /* a socket alone may have another's mode: nothing is done to it */
                        continue;
                write_file(temp_path("victim"), "root's");
                close(bind_to(temp_path("other"), SOCK_STREAM, true));
                need(chmod(temp_path("other"), 0600) == 0, "chmod");
                swap = swaps[i / 2].swap;
                is_int(open_at(temp_path("s"), &options[i % 2], &owned), -EEXIST,
                       "%s in the socket's place is refused%s", swaps[i / 2].by,
                       i % 2 ? ", and has no owner given" : "");
                swap = NULL;
                ok(strstr(said, "somebody has put something else"), "that is said: %s", said);
                ok(lstat(temp_path("%s", file), &st) == 0 && (st.st_mode & 07777) == 0600 &&
                           st.st_uid == geteuid() && st.st_gid == getegid(),
                   "%s: the other file's mode and owner are what they were", swaps[i / 2].by);
                (void)unlink(temp_path("victim"));
                (void)unlink(temp_path("other"));
                (void)unlink(temp_path("away"));
                is_int(count_names(), 0, "%s: nothing else is left", swaps[i / 2].by);
        }
}

/* A directory may have the last word on modes: then nothing is served with another one. */
static void test_default_acl(void)
{
        /* version 2; u::rwx, g::rw-, o::---: tag, permissions, no id (include/uapi/linux/posix_acl_xattr.h) */
        static const uint8_t acl[] = { 2, 0, 0, 0, 1, 0, 7, 0, 255, 255, 255, 255, 4, 0, 6, 0, 255, 255,
                                       255, 255, 32, 0, 0, 0, 255, 255, 255, 255 };
        struct listener_options options = { 0666, (uid_t)-1, (gid_t)-1 };
        struct owned_path owned;

        need(mkdir(temp_path("acl"), 0700) == 0, "mkdir");
        if (setxattr(temp_path("acl"), "system.posix_acl_default", acl, sizeof acl, 0) < 0) {
                ok(true, "a default ACL # SKIP %s", strerror(errno));
        } else {
                is_int(open_at(temp_path("acl/s"), &options, &owned), -EACCES,
                       "a default ACL that takes from --socket-mode is an error");
                ok(strstr(said, "default ACL makes it 660"), "and that is said: %s", said);
                options.mode = 0660;
                int sock = open_at(temp_path("acl/s"), &options, &owned);
                ok(sock >= 0, "one that does not, is none");
                owned_path_remove(&owned);
                owned_path_close(&owned);
                close_fd(&sock);
        }
        is_int(rmdir(temp_path("acl")), 0, "nothing is left in it");
}

int main(void)
{
        struct capture c = capture_begin(STDERR_FILENO);

        log_open("test");
        (void)capture_end(&c);
        (void)temp_directory();
        int fds = count_fds();
        test_modes();
        test_swapped();
        test_default_acl();
        is_int(count_fds(), fds, "no descriptor is left open");
        remove_temp_directory();
        return done();
}
