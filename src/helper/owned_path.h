/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A path in the file system that we made and have to remove, as long as what
 * stands there is still ours.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>

/** The inode is held open, so that its number cannot be given to somebody else's file. */
struct owned_path {
        int directory; /**< O_PATH; -1 where nothing is owned */
        int inode;     /**< O_PATH */
        char name[NAME_MAX + 1];
};

#define OWNED_PATH_NONE ((struct owned_path){ .directory = -1, .inode = -1 })

/**
 * Split an absolute or relative path: open its directory, copy its last component.
 * @return 0 or -errno; ret_path->inode is -1
 */
int owned_path_init(struct owned_path *ret_path, const char *path);

/** Whether both are the same name in the same directory. */
bool owned_path_same(const struct owned_path *a, const struct owned_path *b);

/** What stands at the path now is ours. @return 0 or -errno */
int owned_path_pin(struct owned_path *path);

/** Whether what stands at the path is the pinned inode. */
bool owned_path_is_there(const struct owned_path *path);

/** Unlink it if it is still ours. */
void owned_path_remove(const struct owned_path *path);

/** Let go of it, and leave it where it is. */
void owned_path_close(struct owned_path *path);
