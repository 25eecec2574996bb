/* SPDX-License-Identifier: BSD-2-Clause */
/* The commands, and the views that they show their results with. Each returns the exit status. */
#pragma once

#include "cli/options.h"
#include "cli/view.h"

/** Places in commands[]. */
enum command_index {
        COMMAND_SHOW,
        COMMAND_WATCH,
        COMMAND_STATUS,
        COMMAND_READ_KEYS,
        COMMAND_READ_RESERVATION,
        COMMAND_READ_FULL_STATUS,
        COMMAND_REPORT_CAPABILITIES,
        COMMAND_REGISTER,
        COMMAND_RESERVE,
        COMMAND_RELEASE,
        COMMAND_CLEAR,
        COMMAND_PREEMPT,
        COMMAND_MOVE,
        COMMAND_REGISTER_AND_MOVE,
        COMMAND_RAW,
        COMMAND_COUNT,
};

extern const struct view show_view, watch_view, status_view, keys_view, reservation_view,
        full_status_view, capabilities_view;

int run_show(const struct options *options);
int run_watch(const struct options *options);
int run_status(const struct options *options);
int run_read_keys(const struct options *options);
int run_read_reservation(const struct options *options);
int run_read_full_status(const struct options *options);
int run_report_capabilities(const struct options *options);
int run_register(const struct options *options);
int run_reserve(const struct options *options);
int run_release(const struct options *options);
int run_clear(const struct options *options);
int run_preempt(const struct options *options);
int run_move(const struct options *options);
int run_register_and_move(const struct options *options);
int run_raw(const struct options *options);
