/* SPDX-License-Identifier: BSD-2-Clause */
/* move: take a registration over from another nexus; register-and-move: hand one's own on. */
#include <stdio.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/confirm.h"
#include "cli/disk.h"
#include "cli/report.h"
#include "cli/result.h"

/* Where prm_move() got to: its name in JSON, and what the device is left with. */
static const struct {
        const char *name, *words;
        bool again; /**< the same command goes on from there */
} states[] = {
        [PRM_MOVE_DONE] = { "done", "it is done", false },
        [PRM_MOVE_NO_KEY] = { "no-key", "nobody is registered with that key; nothing was changed", false },
        [PRM_MOVE_UNCHANGED] = { "unchanged", "nothing was changed", true },
        [PRM_MOVE_REGISTERED] = { "registered", "this nexus is registered, and the other one still has all "
                                  "that it had", true },
        [PRM_MOVE_TAKEN] = { "taken", "this nexus has all that the other one had, but not the new key yet",
                             true },
        [PRM_MOVE_LOST] = { "lost", "the old registration is gone, and somebody else was faster: see what "
                            "is there with `show'", false },
};
static const char fenced_words[] = "another nexus removed this one's registration again, and the other one still "
                                   "has all that it had";

static int print_document(const struct options *options, const struct prm_move *move)
{
        static const struct view nothing = { NULL, NULL };
        json_t *type = move->type != PRM_NONE ? json_string(prm_type_name(move->type)) : json_null();
        json_t *document = need_memory(json_pack(
                "{s:s, s:o, s:s, s:o, s:o?, s:b, s:b, s:b}", "command", "move", "device",
                json_text(options->device), "state", states[move->state].name, "key",
                move->key != 0 ? key_json(move->key) : json_null(), "type", type, "held", move->held,
                "unproven", move->unproven, "registered_again", move->registered_again));

        json_object_set_new(document, "result", result_json(&move->result, true));
        return view_print(&nothing, options, document);
}

static int say(const struct options *options, const struct prm_move *move)
{
        int status = result_status(&move->result);
        char text[PRM_TEXT_SIZE], key[24];

        if (move->state == PRM_MOVE_DONE) {
                if (move->unproven)
                        message("note: the old registration was gone before: an earlier move took it, or another "
                                "nexus removed it, perhaps to fence this virtual machine");
                return CLI_GOOD;
        }
        bool fenced = move->state == PRM_MOVE_REGISTERED && move->key == 0;
        format_key(move->key, key);
        prm_result_format(&move->result, text, sizeof text);
        message("%s: move: %s%s%s%s%s%s%s", options->device, status != CLI_GOOD ? text : "",
                status != CLI_GOOD ? ": " : "", move->result.in_doubt ? "if it was not, " : "",
                fenced ? fenced_words : states[move->state].words,
                move->key != 0 ? "; its key is " : "", move->key != 0 ? key : "",
                states[move->state].again && !fenced ? "; the same command again goes on from there" : "");
        return status != CLI_GOOD ? status : CLI_CONFLICT;
}

int run_move(const struct options *options)
{
        unsigned flags = (options->aptpl ? PRM_APTPL : 0u) | (options->abort ? PRM_ABORT : 0u) |
                         (options->all_target_ports ? PRM_ALL_TARGET_PORTS : 0u);
        uint64_t new_key = options->new_key_given ? options->new_key : options->key;
        cleanup_disk struct disk disk = DISK_CLOSED;
        struct prm_move move;
        char key[24], what[128];

        if (options->key == 0) {
                message("move: --key is the key of a registration, and not 0");
                return CLI_SYNTAX;
        }
        if (new_key == 0) {
                message("move: --new-key is the key that this nexus gets, and not 0");
                return CLI_SYNTAX;
        }
        int status = disk_open(options, true, &disk);
        if (status != 0)
                return status;
        format_key(options->key, key);
        snprintf(what, sizeof what, "move removes the registrations with key %s, whoever has them, and "
                 "registers this nexus", key);
        status = confirm(options, what);
        if (status != 0)
                return status;

        int r = prm_move(&disk.nexus, options->key, new_key, flags, &move);
        if (r < 0)
                return result_finish(options, "move", r, NULL);
        status = say(options, &move);
        int printed = options->json ? print_document(options, &move) : CLI_GOOD;
        return result_end(options, "move", status, printed);
}

int run_register_and_move(const struct options *options)
{
        unsigned flags = (options->aptpl ? PRM_APTPL : 0u) | (options->unregister ? PRM_UNREGISTER : 0u);
        cleanup_disk struct disk disk = DISK_CLOSED;
        struct prm_result result;
        int status = disk_open(options, true, &disk);

        if (status != 0)
                return status;
        int r = prm_register_and_move(&disk.nexus, options->key, options->new_key,
                                      options->initiators, (uint16_t)options->target_port, flags,
                                      &result);
        return result_finish(options, "REGISTER AND MOVE", r, &result);
}
