/* SPDX-License-Identifier: BSD-2-Clause */
/* helper/owned_path: what is ours goes, and nothing else ever does. */
#include "helper/owned_path.h"

#include <sys/socket.h>
#include <sys/un.h>

#include "fixture.h"
#include "tap.h"

static bool exists(const char *path)
{
        struct stat st;

        return lstat(path, &st) == 0;
}

/* Own a new file of this name. */
static struct owned_path own(const char *name)
{
        struct owned_path owned = OWNED_PATH_NONE;

        write_file(temp_path("%s", name), "x");
        need(owned_path_init(&owned, temp_path("%s", name)) == 0, "owned_path_init");
        need(owned_path_pin(&owned) == 0, "owned_path_pin");
        return owned;
}

static void check(const char *what, struct owned_path *owned, const char *name, bool stays)
{
        owned_path_remove(owned);
        ok(exists(temp_path("%s", name)) == stays, "%s: %s", what, stays ? "left alone" : "removed");
        owned_path_close(owned);
}

static void test_remove(void)
{
        struct owned_path owned = own("a");
        check("our file", &owned, "a", false);

        owned = own("a");
        (void)unlink(temp_path("a"));
        check("already gone", &owned, "a", false);

        owned = own("a");
        (void)unlink(temp_path("a"));
        write_file(temp_path("a"), "of somebody else");
        check("another file in its place", &owned, "a", true);

        owned = own("a");
        need(rename(temp_path("a"), temp_path("b")) == 0, "rename");
        need(symlink("b", temp_path("a")) == 0, "symlink");
        check("a link to our file in its place", &owned, "a", true);
        ok(exists(temp_path("b")), "and where it leads to is too");
        (void)unlink(temp_path("a"));

        owned = own("a");
        (void)unlink(temp_path("a"));
        need(mkdir(temp_path("a"), 0700) == 0, "mkdir");
        check("a directory in its place", &owned, "a", true);
        (void)rmdir(temp_path("a"));

        write_file(temp_path("target"), "x");
        need(symlink("target", temp_path("a")) == 0, "symlink");
        need(owned_path_init(&owned, temp_path("a")) == 0 && owned_path_pin(&owned) == 0, "pin");
        check("a link that is ours", &owned, "a", false);
        ok(exists(temp_path("target")), "where it leads to stays");

        owned = own("a");
        need(link(temp_path("a"), temp_path("c")) == 0, "link");
        check("our file with another name", &owned, "a", false);
        ok(exists(temp_path("c")), "the other name stays");
}

/* The number of an inode that is held open is not given away: that is what pinning is for. */
static void test_number(void)
{
        struct owned_path owned = own("n");
        struct stat ours, there = { 0 };
        int same = 0;

        need(fstat(owned.inode, &ours) == 0, "fstat");
        for (int i = 0; i < 100; i++) {
                (void)unlink(temp_path("n"));
                write_file(temp_path("n"), "of somebody else");
                need(stat(temp_path("n"), &there) == 0, "stat");
                same += there.st_ino == ours.st_ino && there.st_dev == ours.st_dev;
        }
        is_int(same, 0, "no other file gets the number of ours");
        check("the hundredth file in its place", &owned, "n", true);
}

/* The directory is held too: it may move, and the process may go elsewhere. */
static void test_directory(void)
{
        struct owned_path owned = OWNED_PATH_NONE;
        int here = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);

        need(mkdir(temp_path("d"), 0700) == 0 && chdir(temp_path("d")) == 0, "chdir");
        write_file("relative", "x");
        is_int(owned_path_init(&owned, "relative"), 0, "a relative path");
        is_int(owned_path_pin(&owned), 0, "is pinned");
        need(fchdir(here) == 0 && rename(temp_path("d"), temp_path("e")) == 0, "rename");
        check("another working directory, the directory renamed", &owned, "e/relative", false);
        close(here);
}

static void test_init(void)
{
        static const struct {
                const char *what, *path;
                int r;
        } paths[] = {
                { "a directory", "/", -EISDIR },
                { "a slash at the end", "/tmp/", -EISDIR },
                { "nothing", "", -EISDIR },
                { "no such directory", "/nonexistent/x", -ENOENT },
                { "a file as directory", "/dev/null/x", -ENOTDIR },
        };
        char path[600], name[300];
        int fds = count_fds();

        for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
                struct owned_path owned = OWNED_PATH_NONE;
                is_int(owned_path_init(&owned, paths[i].path), paths[i].r, "%s: refused", paths[i].what);
                ok(owned.directory == -1 && owned.inode == -1, "%s: result untouched", paths[i].what);
        }

        memset(name, 'n', sizeof name);
        for (int length = NAME_MAX; length <= NAME_MAX + 1; length++) {
                struct owned_path owned = OWNED_PATH_NONE;
                snprintf(path, sizeof path, "/tmp/%.*s", length, name);
                is_int(owned_path_init(&owned, path), length > NAME_MAX ? -ENAMETOOLONG : 0,
                       "a name of %d bytes", length);
                owned_path_close(&owned);
        }
        struct owned_path owned = OWNED_PATH_NONE;
        is_int(owned_path_init(&owned, temp_path("missing")), 0, "a path where nothing is yet");
        is_int(owned_path_pin(&owned), -ENOENT, "nothing to pin");
        ok(owned.inode == -1, "nothing is pinned");
        write_file(temp_path("missing"), "x");
        check("what was not pinned", &owned, "missing", true);
        ok(owned.directory == -1 && owned.inode == -1, "closed");
        owned_path_remove(&OWNED_PATH_NONE);
        is_int(count_fds(), fds, "no descriptor is left open");
}

static void test_socket(void)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        struct owned_path owned = OWNED_PATH_NONE;
        int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        snprintf(address.sun_path, sizeof address.sun_path, "%s", temp_path("s"));
        need(bind(sock, (const struct sockaddr *)&address, sizeof address) == 0, "bind");
        is_int(owned_path_init(&owned, temp_path("s")), 0, "a socket");
        is_int(owned_path_pin(&owned), 0, "can be pinned");
        ok((fcntl(owned.inode, F_GETFD) & FD_CLOEXEC) && (fcntl(owned.directory, F_GETFD) & FD_CLOEXEC),
           "by descriptors that no other program gets");
        close(sock);
        check("our socket", &owned, "s", false);
}

int main(void)
{
        (void)temp_directory();
        int fds = count_fds();
        test_remove();
        test_number();
        test_directory();
        test_init();
        test_socket();
        is_int(count_fds(), fds, "no descriptor is left open");
        remove_temp_directory();
        return done();
}
