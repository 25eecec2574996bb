/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Preloaded into a helper: counts its calls of the C library's functions, and
 * makes the n-th call of one of them fail. FAULT_MAP is the file that says
 * which (fault.h); without it nothing is done.
 *
 * FAULT_SG is the inode of a file that fstat(2) calls a node of sg, and SG_IO
 * a device: it carries out every PERSISTENT RESERVE OUT and counts it, and
 * answers IN with the count.
 */
#include "fault.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <link.h>
#include <poll.h>
#include <pthread.h>
#include <pwd.h>
#include <scsi/sg.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "functions.h"

#define EXPORT __attribute__((visibility("default")))

enum function {
#define NAME_OF(result, name, parameters, arguments) F_##name,
        FUNCTIONS_MINUS_ONE(NAME_OF)
        FUNCTIONS_NULL(NAME_OF)
        FUNCTIONS_LOOK_UP(NAME_OF)
#undef NAME_OF
#define NAME_OF(name) F_##name,
        FUNCTIONS_OTHER(NAME_OF)
#undef NAME_OF
        FUNCTIONS,
};

static const char *const names[] = {
#define NAME_OF(result, name, parameters, arguments) [F_##name] = #name,
        FUNCTIONS_MINUS_ONE(NAME_OF)
        FUNCTIONS_NULL(NAME_OF)
        FUNCTIONS_LOOK_UP(NAME_OF)
#undef NAME_OF
#define NAME_OF(name) [F_##name] = #name,
        FUNCTIONS_OTHER(NAME_OF)
#undef NAME_OF
};

static struct fault_map *map;
static void *real[FUNCTIONS];
static ino_t sg_inode;
static _Thread_local int looks_up; /* within getpwnam(3) or its like */
static uintptr_t seccomp_from, seccomp_to;

/* Looked up before anybody is confined; a function that is called before that is looked up then. */
static void *real_of(enum function function)
{
        if (!real[function])
                real[function] = dlsym(RTLD_NEXT, names[function]);
        return real[function];
}

/* Where libseccomp's code is. */
static int find_seccomp(struct dl_phdr_info *info, size_t size, void *symbol)
{
        (void)size;
        for (int i = 0; i < info->dlpi_phnum; i++) {
                uintptr_t from = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
                uintptr_t to = from + info->dlpi_phdr[i].p_memsz;
                if (info->dlpi_phdr[i].p_type != PT_LOAD || (uintptr_t)symbol < from || (uintptr_t)symbol >= to)
                        continue;
                seccomp_from = from;
                seccomp_to = to;
                return 1;
        }
        return 0;
}

__attribute__((constructor)) static void begin(void)
{
        const char *path = getenv("FAULT_MAP"), *sg = getenv("FAULT_SG");

        _Static_assert((int)FUNCTIONS <= (int)FAULT_FUNCTIONS_MAX, "the map is too small");
        for (enum function f = 0; f < FUNCTIONS; f++)
                (void)real_of(f);
        void *symbol = dlsym(RTLD_DEFAULT, "seccomp_init");
        if (symbol)
                (void)dl_iterate_phdr(find_seccomp, symbol);
        sg_inode = sg ? strtoul(sg, NULL, 10) : 0;
        if (!path)
                return;
        int fd = ((int (*)(const char *, int, ...))real[F_open])(path, O_RDWR | O_CLOEXEC);
        void *mapped = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof *map, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (mapped == MAP_FAILED)
                abort();
        ((int (*)(int))real[F_close])(fd);
        map = mapped;
        for (enum function f = 0; f < FUNCTIONS; f++)
                strncpy(map->names[f], names[f], FAULT_NAME_SIZE - 1);
        map->functions = FUNCTIONS;
}

int fault_now(unsigned function)
{
        if (!map)
                return 0;
        unsigned call = atomic_fetch_add(&map->calls[function], 1) + 1;
        if (map->function != (int32_t)function || call != map->nth)
                return 0;
        atomic_fetch_add(&map->fired, 1);
        map->fired_pid = getpid();
        errno = map->error;
        return 1;
}

#define WRAP_MINUS_ONE(result, name, parameters, arguments)                      \
        EXPORT result name parameters                                            \
        {                                                                        \
                result(*call) parameters = (result(*) parameters)real_of(F_##name); \
                return fault_now(F_##name) ? -1 : call arguments;                \
        }
FUNCTIONS_MINUS_ONE(WRAP_MINUS_ONE)

#define WRAP_NULL(result, name, parameters, arguments)                           \
        EXPORT result name parameters                                            \
        {                                                                        \
                result(*call) parameters = (result(*) parameters)real_of(F_##name); \
                return fault_now(F_##name) ? NULL : call arguments;              \
        }
FUNCTIONS_NULL(WRAP_NULL)

#define WRAP_LOOK_UP(result, name, parameters, arguments)                        \
        EXPORT result name parameters                                            \
        {                                                                        \
                result(*call) parameters = (result(*) parameters)real_of(F_##name); \
                if (fault_now(F_##name))                                         \
                        return NULL;                                             \
                looks_up = 1;                                                    \
                result found = call arguments;                                   \
                looks_up = 0;                                                    \
                return found;                                                    \
        }
FUNCTIONS_LOOK_UP(WRAP_LOOK_UP)

static int real_fstat(int fd, struct stat *ret_stat)
{
        int (*call)(int, struct stat *) = (int (*)(int, struct stat *))real_of(F_fstat);

        return call(fd, ret_stat);
}

EXPORT int fstat(int fd, struct stat *ret_stat)
{
        if (fault_now(F_fstat) || real_fstat(fd, ret_stat) < 0)
                return -1;
        if (sg_inode && ret_stat->st_ino == sg_inode) {
                ret_stat->st_mode = S_IFCHR | 0600;
                ret_stat->st_rdev = makedev(21, 0);
        }
        return 0;
}

/* One word behind the named parameters, whatever its type; more than one for syscall(2). */
#define LAST_WORD(after)                             \
        va_list args;                                \
        va_start(args, after);                       \
        unsigned long word = va_arg(args, unsigned long); \
        va_end(args)

EXPORT int open(const char *path, int flags, ...)
{
        LAST_WORD(flags);
        int (*call)(const char *, int, ...) = (int (*)(const char *, int, ...))real_of(F_open);
        return fault_now(F_open) ? -1 : call(path, flags, word);
}

EXPORT int openat(int folder, const char *path, int flags, ...)
{
        LAST_WORD(flags);
        int (*call)(int, const char *, int, ...) = (int (*)(int, const char *, int, ...))real_of(F_openat);
        return fault_now(F_openat) ? -1 : call(folder, path, flags, word);
}

EXPORT int fcntl(int fd, int command, ...)
{
        LAST_WORD(command);
        int (*call)(int, int, ...) = (int (*)(int, int, ...))real_of(F_fcntl);
        return fault_now(F_fcntl) ? -1 : call(fd, command, word);
}

EXPORT int prctl(int option, ...)
{
        unsigned long words[4];
        va_list args;
        int (*call)(int, ...) = (int (*)(int, ...))real_of(F_prctl);

        va_start(args, option);
        for (int i = 0; i < 4; i++)
                words[i] = va_arg(args, unsigned long);
        va_end(args);
        return fault_now(F_prctl) ? -1 : call(option, words[0], words[1], words[2], words[3]);
}

EXPORT long syscall(long number, ...)
{
        unsigned long words[6];
        va_list args;
        long (*call)(long, ...) = (long (*)(long, ...))real_of(F_syscall);

        va_start(args, number);
        for (int i = 0; i < 6; i++)
                words[i] = va_arg(args, unsigned long);
        va_end(args);
        if (number == SYS_fstat)
                return fstat((int)words[0], (struct stat *)words[1]);
        return fault_now(F_syscall) ? -1 : call(number, words[0], words[1], words[2], words[3], words[4], words[5]);
}

static int simulated_sg_io(struct sg_io_hdr *h)
{
        unsigned char *data = h->dxferp;

        h->status = 0;
        h->host_status = h->driver_status = 0;
        h->resid = 0;
        if (h->cmdp[0] == 0x5f) {
                atomic_fetch_add(&map->sent, 1);
                return 0;
        }
        unsigned sent = atomic_load(&map->sent);
        for (unsigned i = 0; i < 8 && i < h->dxfer_len; i++)
                data[i] = i < 4 ? (unsigned char)(sent >> (24 - 8 * i)) : 0;
        h->resid = h->dxfer_len > 8 ? (int)h->dxfer_len - 8 : 0;
        return 0;
}

EXPORT int ioctl(int fd, unsigned long request, ...)
{
        LAST_WORD(request);
        int (*call)(int, unsigned long, ...) = (int (*)(int, unsigned long, ...))real_of(F_ioctl);
        struct stat st;

        if (fault_now(F_ioctl))
                return -1;
        if (request == SG_IO && sg_inode && map && real_fstat(fd, &st) == 0 && st.st_ino == sg_inode)
                return simulated_sg_io((struct sg_io_hdr *)word);
        return call(fd, request, word);
}

/* Linux has closed it, whatever close(2) says. */
EXPORT int close(int fd)
{
        int (*call)(int) = (int (*)(int))real_of(F_close);
        int fail = fault_now(F_close), error = errno;
        int r = call(fd);

        if (fail)
                errno = error;
        return fail ? -1 : r;
}

EXPORT int pthread_create(pthread_t *ret_thread, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *argument)
{
        int (*call)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *) =
                (int (*)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *))real_of(F_pthread_create);

        return fault_now(F_pthread_create) ? errno : call(ret_thread, attributes, run, argument);
}

/* By glibc's own names: looking them up may allocate. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

static int by_seccomp(void *caller)
{
        return (uintptr_t)caller >= seccomp_from && (uintptr_t)caller < seccomp_to;
}

/*
 * Whether this allocation fails: libseccomp's are counted apart from all
 * others, and those of a look-up of names not at all, for glibc 2.36 aborts.
 */
#define FAILS(name) \
        (!looks_up && fault_now(by_seccomp(__builtin_return_address(0)) ? F_seccomp_##name : F_##name))

EXPORT void *malloc(size_t size)
{
        return FAILS(malloc) ? NULL : __libc_malloc(size);
}

EXPORT void *calloc(size_t count, size_t size)
{
        return FAILS(calloc) ? NULL : __libc_calloc(count, size);
}

EXPORT void *realloc(void *memory, size_t size)
{
        return FAILS(realloc) ? NULL : __libc_realloc(memory, size);
}

EXPORT void *aligned_alloc(size_t alignment, size_t size)
{
        return fault_now(F_aligned_alloc) ? NULL : __libc_memalign(alignment, size);
}

/* What hardened programs call. */
int __poll_chk(struct pollfd *fds, nfds_t count, int timeout, size_t size);

EXPORT int __poll_chk(struct pollfd *fds, nfds_t count, int timeout, size_t size)
{
        (void)size;
        return poll(fds, count, timeout);
}

/* What a program built for 64-bit file offsets calls; on 64-bit machines the same functions. */
EXPORT int open64(const char *path, int flags, ...) __attribute__((alias("open")));
EXPORT int openat64(int folder, const char *path, int flags, ...) __attribute__((alias("openat")));
EXPORT int fcntl64(int fd, int command, ...) __attribute__((alias("fcntl")));
EXPORT int fstat64(int fd, struct stat64 *ret_stat) __attribute__((alias("fstat")));
EXPORT int fstatat64(int folder, const char *path, struct stat64 *ret_stat, int flags) __attribute__((alias("fstatat")));
EXPORT int ftruncate64(int fd, off64_t size) __attribute__((alias("ftruncate")));
EXPORT ssize_t pread64(int fd, void *bytes, size_t size, off64_t at) __attribute__((alias("pread")));
EXPORT FILE *fopen64(const char *path, const char *mode) __attribute__((alias("fopen")));
EXPORT int getrlimit64(__rlimit_resource_t what, struct rlimit64 *limit) __attribute__((alias("getrlimit")));
EXPORT int setrlimit64(__rlimit_resource_t what, const struct rlimit64 *limit) __attribute__((alias("setrlimit")));
