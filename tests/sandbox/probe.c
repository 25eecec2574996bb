/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From inside a confined helper: preloaded, this waits until a client's thread
 * receives a message, and then does what PROBE names, as code that took the
 * thread over would. It writes "probe: ERRNO" to stderr, 0 for success.
 * What PROBE_KEEPER names the keeper does when it removes a path, and tells nobody.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/landlock.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

static int file(const char *path, int flags)
{
        return open(path, flags, 0600);
}

static long open_write(void) { return file(getenv("PROBE_FILE"), O_WRONLY); }
static long open_create(void) { return file("/tmp/pr-probe-was-here", O_RDONLY | O_CREAT); }
static long open_truncate(void) { return file(getenv("PROBE_FILE"), O_RDONLY | O_TRUNC); }
static long open_read(void) { return file("/etc/passwd", O_RDONLY); }
static long open_sysfs(void) { return file("/sys/kernel/uevent_seqnum", O_RDONLY); }
static long open_directory(void) { return file("/sys/dev", O_PATH | O_DIRECTORY | O_CLOEXEC); }
static long list_directory(void) { return file("/sys/dev", O_RDONLY | O_DIRECTORY | O_CLOEXEC); }
static long open_temporary(void) { return file("/tmp", O_RDWR | O_TMPFILE); }
static long do_unlink(void) { return unlink(getenv("PROBE_FILE")); }
static long do_chmod(void) { return chmod(getenv("PROBE_FILE"), 0777); }
static long do_mkdir(void) { return mkdir("/tmp/pr-probe-was-here", 0700); }
static long do_fork(void) { return syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0); }
static long do_clone3(void) { return syscall(SYS_clone3, NULL, 0); }
static long do_kill(void) { return kill(getppid(), 0); }
static long do_setuid(void) { return syscall(SYS_setuid, 0); }
static long do_prctl(void) { return syscall(SYS_prctl, 4, 1, 0, 0, 0); }
static long do_mount(void) { return syscall(SYS_mount, "a", "/tmp", "tmpfs", 0, NULL); }
static long do_unshare(void) { return unshare(CLONE_NEWUSER); }
static long foreign_ioctl(void) { return syscall(SYS_ioctl, 0, BLKROGET, NULL); }
static long sequence_ioctl(void) { return syscall(SYS_ioctl, 0, BLKGETDISKSEQ, NULL); }
static long do_setfl(void) { return syscall(SYS_fcntl, 2, F_SETFL, O_NONBLOCK); }
static long unknown_call(void) { return syscall(1000); }

#ifdef __x86_64__
static long call_in_hole(void) { return syscall(400); }

/* execve(NULL) of 32 bits: the number is munmap's here, which is allowed. */
static long foreign_abi(void)
{
        int r = 11;

        __asm__ volatile("int $0x80" : "+a"(r) : "b"(0), "c"(0), "d"(0) : "memory");
        errno = r < 0 ? -r : 0;
        return r;
}
#else
static long call_in_hole(void) { return errno = ENOTSUP, -1; }
static long foreign_abi(void) { return errno = ENOTSUP, -1; }
#endif

static char *const arguments[] = { (char *)"true", NULL };

static long do_exec(void) { return execv("/bin/true", arguments); }

static long do_execveat(void)
{
        return syscall(SYS_execveat, AT_FDCWD, "/bin/true", arguments, NULL, 0);
}

static long do_socket(void) { return socket(AF_UNIX, SOCK_STREAM, 0); }

static long do_socketpair(void)
{
        int ends[2];

        return socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
}

static long do_connect(void)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "/dev/log" };

        return connect(0, (struct sockaddr *)&address, sizeof address);
}

static long do_ptrace(void) { return ptrace(PTRACE_TRACEME, 0, NULL, NULL); }
static long do_bpf(void) { return syscall(SYS_bpf, 0, NULL, 0); }

static long read_process(void)
{
        return syscall(SYS_process_vm_readv, getppid(), NULL, 0, NULL, 0, 0);
}

static long write_process(void)
{
        return syscall(SYS_process_vm_writev, getppid(), NULL, 0, NULL, 0, 0);
}

static long map_executable(void)
{
        void *memory = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        return memory == MAP_FAILED ? -1 : 0;
}

static long protect_executable(void)
{
        void *memory = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        return mprotect(memory, 4096, PROT_READ | PROT_EXEC);
}

static long pkey_executable(void)
{
        void *memory = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        return syscall(SYS_pkey_mprotect, memory, 4096, PROT_READ | PROT_EXEC, -1);
}

#define PROBE(name) { #name, name }

static const struct {
        const char *name;
        long (*run)(void);
} probes[] = {
        PROBE(open_write), PROBE(open_create), PROBE(open_truncate), PROBE(open_read),
        PROBE(open_sysfs), PROBE(open_directory), PROBE(list_directory), PROBE(open_temporary),
        PROBE(do_unlink), PROBE(do_chmod), PROBE(do_mkdir), PROBE(do_fork), PROBE(do_clone3),
        PROBE(do_kill), PROBE(do_setuid), PROBE(do_prctl), PROBE(do_mount), PROBE(do_unshare),
        PROBE(foreign_ioctl), PROBE(sequence_ioctl), PROBE(do_setfl), PROBE(unknown_call),
        PROBE(call_in_hole), PROBE(foreign_abi), PROBE(do_exec), PROBE(do_execveat),
        PROBE(do_socket), PROBE(do_socketpair), PROBE(do_connect), PROBE(do_ptrace),
        PROBE(do_bpf), PROBE(read_process), PROBE(write_process), PROBE(map_executable),
        PROBE(protect_executable), PROBE(pkey_executable),
};

static void run_probe(const char *name)
{
        char text[32];

        for (size_t i = 0; name && i < sizeof probes / sizeof probes[0]; i++) {
                if (strcmp(probes[i].name, name) != 0)
                        continue;
                long r = probes[i].run();
                int length = snprintf(text, sizeof text, "probe: %d\n", r < 0 ? errno : 0);
                (void)!write(STDERR_FILENO, text, (size_t)length);
        }
}

__attribute__((visibility("default"))) ssize_t recvmsg(int sock, struct msghdr *message, int flags)
{
        ssize_t (*real)(int, struct msghdr *, int) = dlsym(RTLD_NEXT, "recvmsg");
        static int probed;
        ssize_t n = real(sock, message, flags);

        if (!probed++)
                run_probe(getenv("PROBE"));
        return n;
}

__attribute__((visibility("default"))) int unlinkat(int folder, const char *name, int flags)
{
        if (strncmp(name, ".pr-helper.", 11) != 0) /* a temporary name is the daemon's, at its start */
                run_probe(getenv("PROBE_KEEPER"));
        return (int)syscall(SYS_unlinkat, folder, name, flags);
}
