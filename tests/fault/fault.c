/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Preloaded into a helper: counts its calls of the C library's functions, and
 * makes the n-th call of one of them fail. FAULT_MAP is the file that says
 * which (fault.h); without it nothing is done. What is around the helper and
 * made up is in world.c.
 *
 * FAULT_REFUSED is a function whose every call fails, with EPERM.
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
#include <sys/time.h>
#include <unistd.h>

#include "functions.h"

#define EXPORT __attribute__((visibility("default")))

enum function {
#define NAME_OF(result, name, parameters, arguments) F_##name,
        FUNCTIONS_MINUS_ONE(NAME_OF)
        FUNCTIONS_NULL(NAME_OF)
        FUNCTIONS_LOOK_UP(NAME_OF)
        FUNCTIONS_CLOSE(NAME_OF)
        FUNCTIONS_NUMBER(NAME_OF)
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
        FUNCTIONS_CLOSE(NAME_OF)
        FUNCTIONS_NUMBER(NAME_OF)
#undef NAME_OF
#define NAME_OF(name) [F_##name] = #name,
        FUNCTIONS_OTHER(NAME_OF)
#undef NAME_OF
};

static struct fault_map *map;
static void *real[FUNCTIONS];
static enum function refused = FUNCTIONS;
/*
 * Within getpwnam(3) or its like nothing fails, nor is counted: glibc 2.36 aborts without memory,
 * modules abort too, and which there are is the machine's.
 */
static _Thread_local int looks_up;
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
        const char *path = getenv("FAULT_MAP"), *always = getenv("FAULT_REFUSED");

        _Static_assert((int)FUNCTIONS <= (int)FAULT_FUNCTIONS_MAX, "the map is too small");
        for (enum function f = 0; f < FUNCTIONS; f++)
                (void)real_of(f);
        void *symbol = dlsym(RTLD_DEFAULT, "seccomp_init");
        if (symbol)
                (void)dl_iterate_phdr(find_seccomp, symbol);
        if (!path)
                return;
        int fd = ((int (*)(const char *, int, ...))real[F_open])(path, O_RDWR | O_CLOEXEC);
        void *mapped = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof *map, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (mapped == MAP_FAILED)
                abort();
        ((int (*)(int))real[F_close])(fd);
        map = mapped;
        for (enum function f = 0; f < FUNCTIONS; f++) {
                strncpy(map->names[f], names[f], FAULT_NAME_SIZE - 1);
                if (always && strcmp(always, names[f]) == 0)
                        refused = f;
        }
        map->functions = FUNCTIONS;
        world_begin(&map->sent);
        if (getenv("FAULT_NO_STDIN"))
                ((int (*)(int))real[F_close])(STDIN_FILENO);
}

int fault_now(unsigned function)
{
        if (!map || looks_up)
                return 0;
        unsigned call = atomic_fetch_add(&map->calls[function], 1) + 1;
        if (map->function != (int32_t)function || call != map->nth) {
                if (function == refused)
                        errno = EPERM;
                return function == refused;
        }
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

#define WRAP_CLOSE(result, name, parameters, arguments)                          \
        EXPORT result name parameters                                            \
        {                                                                        \
                result(*call) parameters = (result(*) parameters)real_of(F_##name); \
                int fail = fault_now(F_##name), error = errno;                   \
                result r = call arguments;                                       \
                if (fail)                                                        \
                        errno = error;                                           \
                return fail ? -1 : r;                                            \
        }
FUNCTIONS_CLOSE(WRAP_CLOSE)

#define WRAP_NUMBER(result, name, parameters, arguments)                         \
        EXPORT result name parameters                                            \
        {                                                                        \
                result(*call) parameters = (result(*) parameters)real_of(F_##name); \
                return fault_now(F_##name) ? errno : call arguments;             \
        }
FUNCTIONS_NUMBER(WRAP_NUMBER)

EXPORT int fstat(int fd, struct stat *ret_stat)
{
        int (*call)(int, struct stat *) = (int (*)(int, struct stat *))real_of(F_fstat);

        if (fault_now(F_fstat) || call(fd, ret_stat) < 0)
                return -1;
        world_stat(ret_stat);
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
        return fault_now(F_open) ? -1 : call(world_path(path), flags, word);
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

EXPORT int ioctl(int fd, unsigned long request, ...)
{
        LAST_WORD(request);
        int (*call)(int, unsigned long, ...) = (int (*)(int, unsigned long, ...))real_of(F_ioctl);
        int (*stat_of)(int, struct stat *) = (int (*)(int, struct stat *))real_of(F_fstat);
        struct stat st;

        if (fault_now(F_ioctl))
                return -1;
        return stat_of(fd, &st) == 0 && world_ioctl(&st, request, word) ? 0 : call(fd, request, word);
}

EXPORT int connect(int sock, const struct sockaddr *to, socklen_t size)
{
        int (*call)(int, const struct sockaddr *, socklen_t) =
                (int (*)(int, const struct sockaddr *, socklen_t))real_of(F_connect);

        return fault_now(F_connect) ? -1 : call(sock, world_address(to), size);
}

EXPORT ssize_t sendto(int sock, const void *bytes, size_t size, int flags, const struct sockaddr *to,
                      socklen_t to_size)
{
        ssize_t (*call)(int, const void *, size_t, int, const struct sockaddr *, socklen_t) =
                (ssize_t (*)(int, const void *, size_t, int, const struct sockaddr *, socklen_t))real_of(F_sendto);

        return fault_now(F_sendto) ? -1 : call(sock, bytes, size, flags, world_address(to), to_size);
}

/*
 * Whether it is not to wait, and nothing is there. How often that happens is a
 * matter of time, so those calls are not counted, nor made: in between something may come.
 */
static int finds_nothing(int sock, int flags)
{
        int (*call)(struct pollfd *, nfds_t, int) = (int (*)(struct pollfd *, nfds_t, int))real_of(F_poll);
        struct pollfd in = { .fd = sock, .events = POLLIN };

        if (!map || !(flags & MSG_DONTWAIT) || call(&in, 1, 0) != 0)
                return 0;
        errno = EAGAIN;
        return 1;
}

EXPORT ssize_t recv(int sock, void *bytes, size_t size, int flags)
{
        ssize_t (*call)(int, void *, size_t, int) = (ssize_t (*)(int, void *, size_t, int))real_of(F_recv);

        return finds_nothing(sock, flags) || fault_now(F_recv) ? -1 : call(sock, bytes, size, flags);
}

EXPORT ssize_t recvmsg(int sock, struct msghdr *message, int flags)
{
        ssize_t (*call)(int, struct msghdr *, int) = (ssize_t (*)(int, struct msghdr *, int))real_of(F_recvmsg);

        return finds_nothing(sock, flags) || fault_now(F_recvmsg) ? -1 : call(sock, message, flags);
}

EXPORT void (*signal(int number, void (*handler)(int)))(int)
{
        void (*(*call)(int, void (*)(int)))(int) = (void (*(*)(int, void (*)(int)))(int))real_of(F_signal);

        return fault_now(F_signal) ? SIG_ERR : call(number, handler);
}

/* By no name of its own: headers make others of fscanf. */
__attribute__((format(scanf, 2, 3))) EXPORT int fault_fscanf(FILE *file, const char *format, ...)
{
        va_list args;

        if (fault_now(F_fscanf))
                return EOF;
        va_start(args, format);
        int n = vfscanf(file, format, args);
        va_end(args);
        return n;
}

/* By glibc's own names: looking them up may allocate. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);

static int by_seccomp(void *caller)
{
        return (uintptr_t)caller >= seccomp_from && (uintptr_t)caller < seccomp_to;
}

/* Whether this allocation fails: libseccomp's are counted apart from all others. */
#define FAILS(name) fault_now(by_seccomp(__builtin_return_address(0)) ? F_seccomp_##name : F_##name)

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

/* What hardened programs call, and what headers make of a name. */
#define WRAP_CHECKED(result, checked, parameters, name, arguments) \
        result checked parameters;                                 \
        EXPORT result checked parameters                           \
        {                                                          \
                return name arguments;                             \
        }
WRAP_CHECKED(int, __poll_chk, (struct pollfd * a, nfds_t b, int c, size_t d __attribute__((unused))), poll, (a, b, c))
WRAP_CHECKED(int, __open_2, (const char *a, int b), open, (a, b))
WRAP_CHECKED(int, __open64_2, (const char *a, int b), open, (a, b))
WRAP_CHECKED(int, __openat_2, (int a, const char *b, int c), openat, (a, b, c))
WRAP_CHECKED(int, __openat64_2, (int a, const char *b, int c), openat, (a, b, c))
WRAP_CHECKED(ssize_t, __read_chk, (int a, void *b, size_t c, size_t d __attribute__((unused))), read, (a, b, c))
WRAP_CHECKED(ssize_t, __recv_chk, (int a, void *b, size_t c, size_t d __attribute__((unused)), int e), recv,
             (a, b, c, e))
WRAP_CHECKED(ssize_t, __getdelim, (char **a, size_t *b, int c, FILE *d), getdelim, (a, b, c, d))
EXPORT ssize_t fault_getline(char **line, size_t *size, FILE *file) __asm__("getline"); /* inline in headers */
ssize_t fault_getline(char **line, size_t *size, FILE *file)
{
        return getdelim(line, size, '\n', file);
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
EXPORT struct dirent64 *readdir64(DIR *folder) __attribute__((alias("readdir")));
EXPORT int __isoc99_fscanf(FILE *file, const char *format, ...) __attribute__((alias("fault_fscanf")));
EXPORT int __isoc23_fscanf(FILE *file, const char *format, ...) __attribute__((alias("fault_fscanf")));
