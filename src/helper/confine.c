/* SPDX-License-Identifier: BSD-2-Clause */
/* The last stage before serving: see confine.h. */
#include "helper/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <scsi/sg.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

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

static bool contains(const int *calls, size_t count, int call)
{
        for (size_t i = 0; i < count; i++)
                if (calls[i] == call)
                        return true;
        return false;
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
        static const uint64_t bits[] = { O_WRONLY, O_RDWR, O_CREAT, O_TRUNC,
                                         O_TMPFILE & ~O_DIRECTORY };
        uint64_t all = 0;
        int r = 0;

        for (size_t i = 0; r == 0 && i < COUNT(bits); i++) {
                all |= bits[i];
                r = add_bit(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(openat), 2, bits[i]);
        }
        return r ? r : add(filter, SCMP_ACT_ALLOW, SCMP_SYS(openat), 2, SCMP_CMP_MASKED_EQ, all, 0);
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

/* Calls that are allowed for some of their arguments only, and EPERM for all others. */
static int add_by_argument(scmp_filter_ctx filter, bool writes)
{
        const uint32_t allow = SCMP_ACT_ALLOW, deny = SCMP_ACT_ERRNO(EPERM);
        const int ioctl = SCMP_SYS(ioctl), clone = SCMP_SYS(clone), fcntl = SCMP_SYS(fcntl);
        int r = add(filter, allow, ioctl, 1, SCMP_CMP_EQ, SG_IO, 0);

        if (r == 0)
                r = add(filter, deny, ioctl, 1, SCMP_CMP_NE, SG_IO, 0);
        if (r == 0)
                r = add_bit(filter, allow, clone, CLONE_FLAGS_ARGUMENT, CLONE_THREAD);
        if (r == 0)
                r = add(filter, deny, clone, CLONE_FLAGS_ARGUMENT, SCMP_CMP_MASKED_EQ,
                        CLONE_THREAD, 0);
        for (uint64_t get = F_GETFD; r == 0 && get <= F_GETFL; get++) /* and F_SETFD, between them */
                r = add(filter, allow, fcntl, 1, SCMP_CMP_EQ, get, 0);
        if (r == 0)
                r = add(filter, deny, fcntl, 1, SCMP_CMP_LT, F_GETFD, 0);
        if (r == 0)
                r = add(filter, deny, fcntl, 1, SCMP_CMP_GT, F_GETFL, 0);
        if (r == 0 && !writes)
                r = add_open(filter);
        return r ? r : add_maps(filter);
}

/*
 * Every other call that libseccomp knows: EPERM. So the default is left for
 * those that are newer, and ENOSYS tells the C library to use an older one.
 */
static int add_forbidden(scmp_filter_ctx filter, bool writes)
{
        static const int by_argument[] = { SCMP_SYS(ioctl), SCMP_SYS(clone), SCMP_SYS(openat),
                                           SCMP_SYS(fcntl), SCMP_SYS(mmap), SCMP_SYS(mmap2),
                                           SCMP_SYS(mprotect), SCMP_SYS(clone3) };
        enum { NUMBERS = 1024 };

        for (int call = 0; call < NUMBERS; call++) {
                char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, call);
                bool known = name != NULL;
                free(name);
                if (!known || contains(allowed, COUNT(allowed), call) ||
                    contains(deadly, COUNT(deadly), call) ||
                    (writes && contains(allowed_with_folder, COUNT(allowed_with_folder), call)) ||
                    contains(by_argument, COUNT(by_argument), call))
                        continue;
                int r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), call, 0);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int confine_calls(bool writes)
{
        scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));

        if (!filter)
                return -ENOMEM;
        (void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_LOG, 1);
        (void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
        int r = add_all(filter, SCMP_ACT_ALLOW, allowed, COUNT(allowed));
        if (r == 0 && writes)
                r = add_all(filter, SCMP_ACT_ALLOW, allowed_with_folder, COUNT(allowed_with_folder));
        if (r == 0)
                r = add_all(filter, SCMP_ACT_KILL_PROCESS, deadly, COUNT(deadly));
        if (r == 0)
                r = add_by_argument(filter, writes);
        if (r == 0)
                r = add_forbidden(filter, writes);
        if (r == 0)
                r = seccomp_load(filter);
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
