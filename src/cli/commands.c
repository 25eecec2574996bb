/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of commands: see commands.h. */
#include "cli/commands.h"

const struct command commands[] = {
        [COMMAND_SHOW] = {
                "show", "DEVICE", 1, 1, "all that there is to know about a device",
                .view = &show_view, .run = run_show },
        [COMMAND_WATCH] = {
                "watch", "DEVICE", 1, 1, "follow keys and reservation, and tell what changes",
                .view = &watch_view, .run = run_watch },
        [COMMAND_STATUS] = {
                "status", "", 0, 0, "what the helper is doing",
                .view = &status_view, .run = run_status },
        [COMMAND_READ_KEYS] = {
                "read-keys", "DEVICE", 1, 1, "the keys that are registered",
                .view = &keys_view, .run = run_read_keys },
        [COMMAND_READ_RESERVATION] = {
                "read-reservation", "DEVICE", 1, 1, "the reservation",
                .view = &reservation_view, .run = run_read_reservation },
        [COMMAND_READ_FULL_STATUS] = {
                "read-full-status", "DEVICE", 1, 1, "all registrations with their initiators",
                .view = &full_status_view, .run = run_read_full_status },
        [COMMAND_REPORT_CAPABILITIES] = {
                "report-capabilities", "DEVICE", 1, 1, "what the device can do",
                .view = &capabilities_view, .run = run_report_capabilities },
        [COMMAND_REGISTER] = {
                "register", "DEVICE", 1, 1, "register a key, change it, or with key 0 unregister",
                "this nexus is registered with another key than --key says, or not at all; "
                "--ignore-existing registers all the same",
                .run = run_register },
        [COMMAND_RESERVE] = {
                "reserve", "DEVICE", 1, 1, "reserve the device",
                "another nexus holds the reservation, or this one is not registered with --key",
                .run = run_reserve },
        [COMMAND_RELEASE] = {
                "release", "DEVICE", 1, 1, "release the reservation of this nexus",
                "this nexus is not registered with --key, or the reservation is of another type",
                .run = run_release },
        [COMMAND_CLEAR] = {
                "clear", "DEVICE", 1, 1, "remove the reservation and all registrations of all hosts",
                "this nexus is not registered with --key",
                .run = run_clear },
        [COMMAND_PREEMPT] = {
                "preempt", "DEVICE", 1, 1, "remove other registrations, take over their reservation",
                "this nexus is not registered with --key, or nobody is with --victim",
                .run = run_preempt },
        [COMMAND_MOVE] = {
                "move", "DEVICE", 1, 1, "take over registration and reservation of another nexus",
                "another nexus was faster", .run = run_move },
        [COMMAND_REGISTER_AND_MOVE] = {
                "register-and-move", "DEVICE", 1, 1, "hand the reservation of this nexus to another port",
                "this nexus does not hold the reservation, or is not registered with --key",
                .run = run_register_and_move },
        [COMMAND_RAW] = {
                "raw", "DEVICE CDB [DATA]", 2, 3, "a PERSISTENT RESERVE command in hexadecimal",
                .run = run_raw },
        { 0 },
};
