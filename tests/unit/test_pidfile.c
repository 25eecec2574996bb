/* SPDX-License-Identifier: BSD-2-Clause */
/* helper/pidfile: its contents, its lock, and that a second helper is refused. */
#include "helper/pidfile.h"

#include <signal.h>
#include <sys/resource.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "fixture.h"
#include "tap.h"

static char said[1024];

/* pidfile_create(); what it says is in `said`. */
static int create(const char *path, struct owned_path *ret_owned)
{
        struct capture c = capture_begin(STDERR_FILENO);

        *ret_owned = OWNED_PATH_NONE;
        int fd = pidfile_create(path, ret_owned);
        snprintf(said, sizeof said, "%.1000s", capture_end(&c));
        return fd;
}

static const char *contents(const char *path)
{
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        const char *text = fd < 0 ? "(missing)" : read_file(fd);

        close_fd(&fd);
        return text;
}

static void test_create(void)
{
        struct owned_path owned;
        char want[32];
        struct stat st;

        snprintf(want, sizeof want, "%d\n", (int)getpid());
        int fd = create(temp_path("pid"), &owned);
        ok(fd >= 0, "it is created");
        is_string(said, "", "nothing is said");
        is_string(contents(temp_path("pid")), want, "it has our process id and a newline");
        ok(fcntl(fd, F_GETFD) & FD_CLOEXEC, "no other program gets its lock");
        ok(stat(temp_path("pid"), &st) == 0 && (st.st_mode & 07777) == 0600, "it is ours alone");
        owned_path_remove(&owned);
        is_string(contents(temp_path("pid")), "(missing)", "it can be removed");
        owned_path_close(&owned);
        close(fd);

        write_file(temp_path("pid"), "a long text of somebody who has crashed\n");
        fd = create(temp_path("pid"), &owned);
        is_string(contents(temp_path("pid")), want, "a stale one is taken over and overwritten");
        owned_path_close(&owned);
        close(fd);
}

/* In another process: whether the file is locked for those who use fcntl(2), lockf(3) or we do. */
static int try_lock(const void *path)
{
        struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
        struct owned_path owned = OWNED_PATH_NONE;
        int fd = open(path, O_RDWR | O_CLOEXEC);
        int r = fcntl(fd, F_SETLK, &lock) == 0 ? 1 : 0;

        close(fd);
        log_set_level(-1);
        return r | (pidfile_create(path, &owned) >= 0 ? 2 : 0);
}

static void test_lock(void)
{
        struct owned_path owned, second;
        char path[256], want[32], line[512];

        snprintf(path, sizeof path, "%s", temp_path("lock"));
        snprintf(want, sizeof want, "%d\n", (int)getpid());
        int fd = create(path, &owned), fds = count_fds();
        is_int(create(path, &second), -EAGAIN, "a second one on the same file is refused");
        snprintf(line, sizeof line, "test: Cannot lock pid file '%s': another helper runs with it\n", path);
        is_string(said, line, "and says why");
        ok(second.directory == -1 && second.inode == -1, "it owns nothing");
        is_string(contents(path), want, "the first one's contents stay");
        is_int(run_child(try_lock, path), 0, "other processes are refused too");
        is_int(count_fds(), fds, "no descriptor is left open");

        int other = open(path, O_RDWR | O_CLOEXEC);
        close(other);
        is_int(run_child(try_lock, path), 0, "closing another descriptor of it loses no lock");
        close(fd);
        is_int(run_child(try_lock, path), 3, "the lock goes with the descriptor");
        owned_path_close(&owned);
}

/* Somebody else's lock, as QEMU's helper or libvirt take it. */
static void test_foreign_lock(void)
{
        struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
        struct owned_path owned;
        int ready[2], done_[2];
        char byte;

        write_file(temp_path("foreign"), "1\n");
        need(pipe2(ready, O_CLOEXEC) == 0 && pipe2(done_, O_CLOEXEC) == 0, "pipe");
        fflush(NULL);
        pid_t child = fork();
        if (child == 0) {
                int fd = open(temp_path("foreign"), O_RDWR | O_CLOEXEC);
                close(done_[1]);
                if (fcntl(fd, F_SETLK, &lock) == 0)
                        (void)!write(ready[1], "", 1);
                (void)!read(done_[0], &byte, 1);
                _exit(0);
        }
        need(read(ready[0], &byte, 1) == 1, "a lock");
        is_int(create(temp_path("foreign"), &owned), -EAGAIN, "another program's lock is respected");
        is_string(contents(temp_path("foreign")), "1\n", "and its contents");
        for (int i = 0; i < 2; i++) {
                close(ready[i]);
                close(done_[i]);
        }
        (void)waitpid(child, NULL, 0);
}

static pid_t start_zombie(void)
{
        siginfo_t info;

        fflush(NULL);
        pid_t child = fork();
        if (child == 0)
                _exit(0);
        need(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT) == 0, "waitid");
        return child;
}

/* A pidfile with its lock, which lives as long as a thread that hangs on a device. */
static int write_zombies(const char *path, pid_t zombie)
{
        struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
        char text[32];

        snprintf(text, sizeof text, "%d\n", (int)zombie);
        (void)unlink(path);
        write_file(path, text);
        int held = open(path, O_RDWR | O_CLOEXEC);
        need(held >= 0 && fcntl(held, F_OFD_SETLK, &lock) == 0, "lock");
        return held;
}

static void test_zombie(void)
{
        struct owned_path owned;
        char path[256], text[32];
        pid_t zombie = start_zombie();

        snprintf(path, sizeof path, "%s", temp_path("zombie"));
        int held = write_zombies(path, zombie);
        int fd = create(path, &owned);
        ok(fd >= 0, "a zombie's file is replaced, though it is locked");
        snprintf(text, sizeof text, "%d\n", (int)getpid());
        is_string(contents(path), text, "by ours");
        owned_path_close(&owned);
        close_fd(&fd);
        close(held);
        (void)waitpid(zombie, NULL, 0);
}

enum { COMPETITORS = 4 };

/* Wait for `go` to end, then run with the file until `end` does: 1 with it, 0 without. */
static int compete(const char *path, int go, int told, int end)
{
        struct owned_path owned = OWNED_PATH_NONE;
        char byte;

        log_set_level(-1);
        (void)!read(go, &byte, 1);
        byte = pidfile_create(path, &owned) >= 0;
        (void)!write(told, &byte, 1);
        (void)!read(end, &byte, 1);
        return 0;
}

/* How many of so many that start at once run with a zombie's file. */
static int count_winners(const char *path)
{
        int go[2], told[2], end[2], winners = 0;
        pid_t pids[COMPETITORS];
        char byte;

        need(pipe2(go, O_CLOEXEC) == 0 && pipe2(told, O_CLOEXEC) == 0 && pipe2(end, O_CLOEXEC) == 0, "pipe");
        fflush(NULL);
        for (int i = 0; i < COMPETITORS; i++) {
                pids[i] = fork();
                if (pids[i] == 0) {
                        close(go[1]);
                        close(end[1]);
                        _exit(compete(path, go[0], told[1], end[0]));
                }
        }
        close(go[1]);
        for (int i = 0; i < COMPETITORS; i++) {
                need(read(told[0], &byte, 1) == 1, "an outcome");
                winners += byte;
        }
        close(end[1]);
        for (int i = 0; i < COMPETITORS; i++)
                need(waitpid(pids[i], NULL, 0) == pids[i], "wait");
        const int left[] = { go[0], told[0], told[1], end[0] };
        for (size_t i = 0; i < sizeof left / sizeof left[0]; i++)
                close(left[i]);
        return winners;
}

static void test_successors(void)
{
        enum { ROUNDS = 100 };
        char path[256];
        int alone = 0;
        pid_t zombie = start_zombie();

        snprintf(path, sizeof path, "%s", temp_path("successors"));
        for (int i = 0; i < ROUNDS; i++) {
                int held = write_zombies(path, zombie);
                alone += count_winners(path) == 1;
                close(held);
        }
        is_int(alone, ROUNDS, "of many that find a zombie's file at once, one runs with it");
        (void)waitpid(zombie, NULL, 0);
}

static void test_errors(void)
{
        struct owned_path owned;
        char line[600];
        int fds = count_fds();

        is_int(create(temp_path("no/such/directory"), &owned), -ENOENT, "no such directory");
        snprintf(line, sizeof line, "test: Could not create '%s': No such file or directory\n",
                 temp_path("no/such/directory"));
        is_string(said, line, "says so");
        need(mkdir(temp_path("directory"), 0700) == 0, "mkdir");
        is_int(create(temp_path("directory"), &owned), -EISDIR, "a directory");
        need(symlink("target", temp_path("symlink")) == 0, "symlink");
        is_int(create(temp_path("symlink"), &owned), -ELOOP, "a symbolic link is not followed");
        is_string(contents(temp_path("target")), "(missing)", "and nothing is made where it leads");
        is_int(count_fds(), fds, "no descriptor is left open");
}

/* In another process, which may write no byte: EFBIG. */
static int create_unwritable(const void *path)
{
        static const struct rlimit none = { 0, 0 };
        struct owned_path owned = OWNED_PATH_NONE;

        signal(SIGXFSZ, SIG_IGN);
        log_set_level(-1);
        return setrlimit(RLIMIT_FSIZE, &none) < 0 ? 1 : -pidfile_create(path, &owned);
}

static void test_unwritable(void)
{
        is_int(run_child(create_unwritable, temp_path("full")), EFBIG, "a file that cannot be written");
        is_string(contents(temp_path("full")), "(missing)", "is not left behind");
        write_file(temp_path("full"), "");
        is_int(run_child(create_unwritable, temp_path("full")), EFBIG, "one that was there before");
        is_string(contents(temp_path("full")), "", "stays: it is not ours to remove");
}

int main(void)
{
        struct capture c = capture_begin(STDERR_FILENO);

        log_open("test");
        (void)capture_end(&c);
        (void)temp_directory();
        test_create();
        test_lock();
        test_foreign_lock();
        test_zombie();
        test_successors();
        test_unwritable();
        test_errors();
        remove_temp_directory();
        return done();
}
