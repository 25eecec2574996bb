/* SPDX-License-Identifier: BSD-2-Clause */
/* The last stage before serving: see confine.h. */
#include "helper/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/fs.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <scsi/sg.h>
#include <seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"

#ifdef __s390__
enum { CLONE_FLAGS_ARGUMENT = 1 };
#else
enum { CLONE_FLAGS_ARGUMENT = 0 };
#endif

/* What serving takes, with whatever arguments. */
static const int allowed[] = {
        /* clients */
        SCMP_SYS(accept4), SCMP_SYS(recvmsg), SCMP_SYS(recvfrom), SCMP_SYS(recv),
        SCMP_SYS(sendmsg), SCMP_SYS(sendto), SCMP_SYS(send), SCMP_SYS(shutdown),
        SCMP_SYS(getsockopt), SCMP_SYS(setsockopt), SCMP_SYS(poll), SCMP_SYS(ppoll),
        SCMP_SYS(ppoll_time64),
        /* what a descriptor is; sysfs */
        SCMP_SYS(fstat), SCMP_SYS(fstat64), SCMP_SYS(newfstatat), SCMP_SYS(fstatat64),
        SCMP_SYS(statx), SCMP_SYS(readlinkat), SCMP_SYS(faccessat), SCMP_SYS(faccessat2),
        SCMP_SYS(getdents64), SCMP_SYS(lseek), SCMP_SYS(_llseek),
        /* the log, events */
        SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(close), SCMP_SYS(dup2), SCMP_SYS(dup3),
        SCMP_SYS(eventfd2), SCMP_SYS(signalfd4),
        /* threads, memory, time, the end */
        SCMP_SYS(futex), SCMP_SYS(futex_time64), SCMP_SYS(set_robust_list), SCMP_SYS(rseq),
        SCMP_SYS(sched_yield), SCMP_SYS(gettid), SCMP_SYS(getpid), SCMP_SYS(rt_sigprocmask),
        SCMP_SYS(rt_sigreturn), SCMP_SYS(restart_syscall), SCMP_SYS(munmap), SCMP_SYS(mremap),
        SCMP_SYS(madvise), SCMP_SYS(brk), SCMP_SYS(getrandom), SCMP_SYS(clock_gettime),
        SCMP_SYS(clock_gettime64), SCMP_SYS(gettimeofday), SCMP_SYS(exit), SCMP_SYS(exit_group),
};

/* What writing files in a folder takes on top. */
static const int allowed_with_folder[] = {
        SCMP_SYS(openat), SCMP_SYS(fsync), SCMP_SYS(renameat), SCMP_SYS(renameat2),
        SCMP_SYS(unlinkat),
};

/* Nothing here ever does this: whoever does is somebody else. */
static const int deadly[] = {
        SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(ptrace), SCMP_SYS(process_vm_readv),
        SCMP_SYS(process_vm_writev), SCMP_SYS(bpf), SCMP_SYS(socket), SCMP_SYS(socketpair),
        SCMP_SYS(connect), SCMP_SYS(pkey_mprotect),
};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static int add_all(scmp_filter_ctx filter, uint32_t action, const int *calls, size_t count)
{
        int r = 0;

        for (size_t i = 0; r == 0 && i < count; i++)
                r = seccomp_rule_add(filter, action, calls[i], 0);
        return r;
}

/* One rule for a call whose argument number `argument` compares so. */
static int add(scmp_filter_ctx filter, uint32_t action, int call, unsigned argument,
               enum scmp_compare compare, uint64_t a, uint64_t b)
{
        struct scmp_arg_cmp condition = {
                .arg = argument, .op = compare, .datum_a = a, .datum_b = b };

        return seccomp_rule_add_array(filter, action, call, 1, &condition);
}

/* `action` for a call with a certain bit of an argument set. */
static int add_bit(scmp_filter_ctx filter, uint32_t action, int call, unsigned argument, uint64_t bit)
{
        return add(filter, action, call, argument, SCMP_CMP_MASKED_EQ, bit, bit);
}

/* Files are only opened to be read. */
static int add_open(scmp_filter_ctx filter)
{
        const uint64_t writing =
                O_ACCMODE | O_CREAT | O_TRUNC | (O_TMPFILE & ~(unsigned)O_DIRECTORY);

        return add(filter, SCMP_ACT_ALLOW, SCMP_SYS(openat), 2, SCMP_CMP_MASKED_EQ, writing,
                   O_RDONLY);
}

/* Memory is never executable that was not from the start. */
static int add_maps(scmp_filter_ctx filter)
{
        static const int maps[] = { SCMP_SYS(mmap), SCMP_SYS(mmap2), SCMP_SYS(mprotect) };
        int r = 0;

        for (size_t i = 0; r == 0 && i < COUNT(maps); i++) {
                r = add_bit(filter, SCMP_ACT_KILL_PROCESS, maps[i], 2, PROT_EXEC);
                if (r == 0)
                        r = add(filter, SCMP_ACT_ALLOW, maps[i], 2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
        }
        return r;
}

/* Calls that are allowed for some of their arguments only. */
static int add_by_argument(scmp_filter_ctx filter, bool writes)
{
        int r = add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1, SCMP_CMP_EQ, SG_IO, 0);

        if (r == 0)
                r = add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1, SCMP_CMP_EQ, BLKGETDISKSEQ, 0);
        if (r == 0)
                r = add_bit(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), CLONE_FLAGS_ARGUMENT,
                            CLONE_THREAD);
        for (uint64_t get = F_GETFD; r == 0 && get <= F_GETFL; get++) { /* and F_SETFD, between them */
                r = add(filter, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1, SCMP_CMP_EQ, get, 0);
                if (r == 0) /* what a C library of 32 bits calls; elsewhere no call has that number */
                        r = add(filter, SCMP_ACT_ALLOW, SCMP_SYS(fcntl64), 1, SCMP_CMP_EQ, get, 0);
        }
        if (r == 0 && !writes)
                r = add_open(filter);
        return r ? r : add_maps(filter);
}

/* The last number before those from pidfd_send_signal's on, which are the same everywhere. */
#ifdef __x86_64__
enum { LAST_OWN = SYS_rseq };
#else
enum { LAST_OWN = SYS_pidfd_send_signal - 1 };
#endif

/*
 * Load the filter, and in front of it: ENOSYS for numbers that no call has
 * here and for calls that are newer than our headers, which tells the C library to
 * use an older one. libseccomp compares arguments but not a call's number, so
 * its program gets five instructions before it; jumps are relative.
 */
static int load(scmp_filter_ctx filter)
{
        enum { NEWEST = SYS_landlock_restrict_self, OWN = 5, ROOM = 1024 };
        static const struct sock_filter own[OWN] = {
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
                BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, SYS_pidfd_send_signal, 0, 1),
                BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, NEWEST, 1, 2),
                BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, LAST_OWN, 0, 1),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        };
        static struct sock_filter code[OWN + ROOM];
        int ends[2];

        if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
                return -errno;
        cleanup_fd int from = ends[0];
        cleanup_fd int to = ends[1];
        int r = seccomp_export_bpf(filter, to);
        if (r < 0)
                return r;
        ssize_t size = read(from, code + OWN, ROOM * sizeof code[0]);
        if (size <= 0 || size == (ssize_t)(ROOM * sizeof code[0]))
                return -EOVERFLOW; /* it may be longer than there is room for */

        memcpy(code, own, sizeof own);
        struct sock_fprog program = {
                .len = (unsigned short)(OWN + (size_t)size / sizeof code[0]),
                .filter = code,
        };
        return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_LOG, &program) < 0 ?
                       -errno : 0;
}

/*
 * What the C library tries for every thread, and for the first: refused by a
 * filter of its own, because the kernel's log has a line for each call that the
 * other one refuses. The strictest filter counts, so that one allows them.
 */
static const int expected[] = { SCMP_SYS(clone3), SCMP_SYS(rt_sigaction) };

static int refuse_expected(void)
{
        static struct sock_filter code[] = {
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 1, 0),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_rt_sigaction, 1, 2),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        };
        struct sock_fprog program = { .len = COUNT(code), .filter = code };

        return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0 ? -errno : 0;
}

static int confine_calls(bool writes)
{
        scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));

        if (!filter)
                return -ENOMEM;
        (void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
        /* for calls by another ABI's numbers: libseccomp's own choice ends the thread alone */
        int r = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
        if (r == 0)
                r = add_all(filter, SCMP_ACT_ALLOW, allowed, COUNT(allowed));
        if (r == 0 && writes)
                r = add_all(filter, SCMP_ACT_ALLOW, allowed_with_folder, COUNT(allowed_with_folder));
        if (r == 0)
                r = add_all(filter, SCMP_ACT_KILL_PROCESS, deadly, COUNT(deadly));
        if (r == 0)
                r = add_all(filter, SCMP_ACT_ALLOW, expected, COUNT(expected));
        if (r == 0)
                r = add_by_argument(filter, writes);
        if (r == 0)
                r = refuse_expected();
        if (r == 0)
                r = load(filter);
        seccomp_release(filter);
        return r;
}

int confine(int folder)
{
        static const struct rlimit none = { 0, 0 };

        (void)setrlimit(RLIMIT_CORE, &none);
        (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
        int r = confine_files(folder);
        if (r < 0) {
                log_error("cannot confine this process (Landlock): %s; --no-sandbox does without",
                          strerror(-r));
                return r;
        }
        r = confine_calls(folder >= 0);
        if (r < 0)
                log_error("cannot confine this process (seccomp): %s; --no-sandbox does without",
                          strerror(-r));
        return r;
}
