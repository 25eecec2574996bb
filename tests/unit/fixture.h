/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What tests stand on: a directory of their own, what was printed, a child
 * process, the number of open descriptors.
 */
#pragma once

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/** A test that cannot be set up says so and ends: that is no result of what it tests. */
static inline void need(bool condition, const char *what)
{
        if (condition)
                return;
        printf("Bail out! %s: %s\n", what, strerror(errno));
        fflush(stdout);
        _exit(99);
}

/** Make a directory of our own; the text stays valid and is the same at each call. */
static inline const char *temp_directory(void)
{
        static char path[64];

        if (path[0] == '\0') {
                snprintf(path, sizeof path, "/tmp/pr-test.XXXXXX");
                need(mkdtemp(path) != NULL, "mkdtemp");
        }
        return path;
}

/** A path in it, in one of four buffers that are used in turn. */
__attribute__((format(printf, 1, 2))) static inline const char *temp_path(const char *format, ...)
{
        static char paths[4][512];
        static unsigned next;
        char *path = paths[next++ % 4];
        int length = snprintf(path, sizeof paths[0], "%s/", temp_directory());
        va_list args;

        va_start(args, format);
        vsnprintf(path + length, sizeof paths[0] - (size_t)length, format, args);
        va_end(args);
        return path;
}

static inline int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
        (void)st, (void)type, (void)ftw;
        return remove(path);
}

static inline void remove_temp_directory(void)
{
        (void)nftw(temp_directory(), remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static inline void write_file(const char *path, const char *text)
{
        int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

        need(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text), path);
        close(fd);
}

/** All of a file as text, cut at 16 kB; valid until the next call. */
static inline const char *read_file(int fd)
{
        static char text[16384];
        ssize_t size = pread(fd, text, sizeof text - 1, 0);

        text[size > 0 ? size : 0] = '\0';
        return text;
}

/** What is written to a descriptor between capture_begin() and capture_end(). */
struct capture {
        int fd, saved, memory;
};

static inline struct capture capture_begin(int fd)
{
        struct capture c = { fd, dup(fd), memfd_create("capture", MFD_CLOEXEC) };

        fflush(NULL);
        need(c.saved >= 0 && c.memory >= 0 && dup2(c.memory, fd) == fd, "capture");
        return c;
}

/** The text; valid until the next call. */
static inline const char *capture_end(struct capture *c)
{
        fflush(NULL);
        (void)dup2(c->saved, c->fd);
        const char *text = read_file(c->memory);
        close(c->saved);
        close(c->memory);
        return text;
}

/** Run `body` in a child. @return what it returned (0 to 255), or 256 and the signal that ended it */
static inline int run_child(int (*body)(const void *), const void *argument)
{
        int status;

        fflush(NULL);
        pid_t child = fork();
        need(child >= 0, "fork");
        if (child == 0)
                _exit(body(argument));
        while (waitpid(child, &status, 0) < 0 && errno == EINTR)
                ;
        return WIFEXITED(status) ? WEXITSTATUS(status) : 256 + WTERMSIG(status);
}

/** For what cannot run there: valgrind needs system calls that a filter forbids, and has its own limits. */
static inline bool under_valgrind(void)
{
        const char *preload = getenv("LD_PRELOAD");

        return preload && strstr(preload, "vgpreload");
}

static inline int count_fds(void)
{
        DIR *directory = opendir("/proc/self/fd");
        int count = 0;

        need(directory != NULL, "/proc/self/fd");
        while (readdir(directory))
                count++;
        closedir(directory);
        return count;
}
