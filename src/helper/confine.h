/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The last stage before serving: the process gives up what it could still do
 * and never has to. Before the first thread, because all of it is a thread's
 * own.
 */
#pragma once

#include <stdbool.h>

/**
 * Confine this process:
 *
 * - not dumpable, no core file;
 * - Landlock, where the kernel has it: reads sysfs, and writes in `folder` if
 *   there is one, and nothing else in the file system;
 * - seccomp, an allow-list: ioctl only SG_IO and BLKGETDISKSEQ, open only for
 *   reading unless there is a `folder`. What would turn this process into another (exec,
 *   ptrace, new sockets, executable memory, calls by another ABI's numbers)
 *   kills it, any other call fails with EPERM, one that is not known here
 *   with ENOSYS. The kernel's audit has a line for each, but for what the C
 *   library tries for its threads.
 *
 * Logs what is wrong.
 *
 * @param folder  a directory to keep files in, or -1
 * @return 0 or -errno
 */
int confine(int folder);

/** Landlock's part of it: see landlock.c. @return 0, also where the kernel has none; or -errno */
int confine_files(int folder);
