/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The functions that can be made to fail, by how they say so. Each line:
 * result, name, parameters, arguments. Variadic ones and those with more to
 * them stand in fault.c.
 */
#pragma once

/* -1 and errno */
#define FUNCTIONS_MINUS_ONE(F)                                                                        \
        F(int, socket, (int a, int b, int c), (a, b, c))                                              \
        F(int, socketpair, (int a, int b, int c, int d[2]), (a, b, c, d))                             \
        F(int, bind, (int a, const struct sockaddr *b, socklen_t c), (a, b, c))                       \
        F(int, listen, (int a, int b), (a, b))                                                        \
        F(int, accept4, (int a, struct sockaddr *b, socklen_t *c, int d), (a, b, c, d))               \
        F(ssize_t, sendmsg, (int a, const struct msghdr *b, int c), (a, b, c))                        \
        F(ssize_t, send, (int a, const void *b, size_t c, int d), (a, b, c, d))                       \
        F(int, shutdown, (int a, int b), (a, b))                                                      \
        F(int, setsockopt, (int a, int b, int c, const void *d, socklen_t e), (a, b, c, d, e))        \
        F(int, getsockopt, (int a, int b, int c, void *d, socklen_t *e), (a, b, c, d, e))             \
        F(int, poll, (struct pollfd * a, nfds_t b, int c), (a, b, c))                                 \
        F(int, fstatat, (int a, const char *b, struct stat *c, int d), (a, b, c, d))                  \
        F(int, statx, (int a, const char *b, int c, unsigned d, struct statx *e), (a, b, c, d, e))    \
        F(ssize_t, readlinkat, (int a, const char *b, char *c, size_t d), (a, b, c, d))               \
        F(int, faccessat, (int a, const char *b, int c, int d), (a, b, c, d))                         \
        F(ssize_t, read, (int a, void *b, size_t c), (a, b, c))                                       \
        F(ssize_t, pread, (int a, void *b, size_t c, off_t d), (a, b, c, d))                          \
        F(ssize_t, write, (int a, const void *b, size_t c), (a, b, c))                                \
        F(ssize_t, getdelim, (char **a, size_t *b, int c, FILE *d), (a, b, c, d))                     \
        F(int, dup2, (int a, int b), (a, b))                                                          \
        F(int, pipe2, (int a[2], int b), (a, b))                                                      \
        F(int, eventfd, (unsigned a, int b), (a, b))                                                  \
        F(int, signalfd, (int a, const sigset_t *b, int c), (a, b, c))                                \
        F(int, sigprocmask, (int a, const sigset_t *b, sigset_t *c), (a, b, c))                       \
        F(int, sigaction, (int a, const struct sigaction *b, struct sigaction *c), (a, b, c))         \
        F(int, setitimer, (__itimer_which_t a, const struct itimerval *b, struct itimerval *c), (a, b, c)) \
        F(pid_t, fork, (void), ())                                                                    \
        F(pid_t, setsid, (void), ())                                                                  \
        F(int, setgroups, (size_t a, const gid_t *b), (a, b))                                         \
        F(int, setresuid, (uid_t a, uid_t b, uid_t c), (a, b, c))                                     \
        F(int, setresgid, (gid_t a, gid_t b, gid_t c), (a, b, c))                                     \
        F(int, getgroups, (int a, gid_t *b), (a, b))                                                  \
        F(int, capget, (void *a, void *b), (a, b))                                                    \
        F(int, capset, (void *a, void *b), (a, b))                                                    \
        F(int, chdir, (const char *a), (a))                                                           \
        F(int, fchdir, (int a), (a))                                                                  \
        F(int, mkdir, (const char *a, mode_t b), (a, b))                                              \
        F(int, linkat, (int a, const char *b, int c, const char *d, int e), (a, b, c, d, e))          \
        F(int, unlinkat, (int a, const char *b, int c), (a, b, c))                                    \
        F(int, renameat, (int a, const char *b, int c, const char *d), (a, b, c, d))                  \
        F(int, renameat2, (int a, const char *b, int c, const char *d, unsigned e), (a, b, c, d, e))  \
        F(int, fchmod, (int a, mode_t b), (a, b))                                                     \
        F(int, fchownat, (int a, const char *b, uid_t c, gid_t d, int e), (a, b, c, d, e))            \
        F(int, fsync, (int a), (a))                                                                   \
        F(int, ftruncate, (int a, off_t b), (a, b))                                                   \
        F(int, flock, (int a, int b), (a, b))                                                         \
        F(int, close_range, (unsigned a, unsigned b, int c), (a, b, c))                               \
        F(ssize_t, getrandom, (void *a, size_t b, unsigned c), (a, b, c))                             \
        F(int, getrlimit, (__rlimit_resource_t a, struct rlimit * b), (a, b))                         \
        F(int, setrlimit, (__rlimit_resource_t a, const struct rlimit *b), (a, b))

/* NULL and errno */
#define FUNCTIONS_NULL(F)                                              \
        F(FILE *, fopen, (const char *a, const char *b), (a, b))       \
        F(DIR *, fdopendir, (int a), (a))                              \
        F(struct dirent *, readdir, (DIR *a), (a))                     \
        F(char *, fgets, (char *a, int b, FILE *c), (a, b, c))

/* NULL and errno, and names are looked up by them */
#define FUNCTIONS_LOOK_UP(F)                                           \
        F(struct passwd *, getpwnam, (const char *a), (a))             \
        F(struct passwd *, getpwuid, (uid_t a), (a))                   \
        F(struct group *, getgrnam, (const char *a), (a))

/* What they hold is gone, whatever they say: it is done, and then -1 and errno */
#define FUNCTIONS_CLOSE(F)                                             \
        F(int, close, (int a), (a))                                    \
        F(int, closedir, (DIR *a), (a))                                \
        F(int, fclose, (FILE *a), (a))

/* An error number */
#define FUNCTIONS_NUMBER(F)                                                                                            \
        F(int, pthread_sigmask, (int a, const sigset_t *b, sigset_t *c), (a, b, c))                                    \
        F(int, pthread_create, (pthread_t *a, const pthread_attr_t *b, void *(*c)(void *), void *d), (a, b, c, d))

/* The rest, by name only; those that begin with seccomp_ are libseccomp's own allocations. */
#define FUNCTIONS_OTHER(F)                                             \
        F(fstat) F(open) F(openat) F(fcntl) F(ioctl) F(prctl) F(syscall) \
        F(connect) F(sendto) F(recv) F(recvmsg) F(signal) F(fscanf)    \
        F(malloc) F(calloc) F(realloc)                                 \
        F(seccomp_malloc) F(seccomp_calloc) F(seccomp_realloc)
