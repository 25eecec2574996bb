/* SPDX-License-Identifier: BSD-2-Clause */
/* How a command ended: see result.h. */
#include "cli/result.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/disk.h"
#include "cli/view.h"

static bool sense_is(struct prm_sense sense, uint8_t asc, uint8_t ascq)
{
        return sense.asc == asc && sense.ascq == ascq;
}

/* By sense key (SPC-4 4.5.6, table 48). */
static int sense_status(struct prm_sense sense)
{
        switch (sense.key) {
        case 0x0: return CLI_NO_SENSE;
        case 0x1: return CLI_RECOVERED;
        case 0x2: return CLI_NOT_READY;
        case 0x3: /* MEDIUM ERROR */
        case 0x4: /* HARDWARE ERROR */
        case 0x8: return CLI_MEDIUM;
        case 0x5: return sense_is(sense, 0x20, 0x00) ? CLI_INVALID_OPCODE : CLI_ILLEGAL;
        case 0x6: return CLI_ATTENTION;
        case 0x7: return CLI_PROTECT;
        case 0xa: return CLI_COPY_ABORTED;
        case 0xb: return sense.asc == 0x10 ? CLI_PROTECTION : CLI_ABORTED;
        case 0xe: return CLI_MISCOMPARE;
        default: return CLI_OTHER_SENSE;
        }
}

int errno_status(int error)
{
        switch (error) {
        case EBADMSG:
        case EPROTO: return CLI_MALFORMED;
        case ETIMEDOUT: return CLI_TIMEOUT;
        case EMSGSIZE: return CLI_SYNTAX;
        case ENOMEM: return CLI_ERRNO + ENOMEM;
        case EACCES:
        case ENOENT:
        case ECONNREFUSED: return CLI_FILE;
        default: return CLI_OTHER;
        }
}

int result_status(const struct prm_result *result)
{
        if (result->error != 0)
                return errno_status(-result->error);
        switch (result->status) {
        case PRM_GOOD: return CLI_GOOD;
        case PRM_CHECK_CONDITION: return sense_status(result->sense);
        case PRM_BUSY: return CLI_BUSY;
        case PRM_RESERVATION_CONFLICT: return CLI_CONFLICT;
        case PRM_TASK_SET_FULL: return CLI_TASK_SET_FULL;
        case 0x04: return CLI_CONDITION_MET;
        case 0x30: return CLI_ACA_ACTIVE;
        case 0x40: return CLI_TASK_ABORTED;
        default: return CLI_OTHER;
        }
}

static json_t *sense_json(struct prm_sense sense)
{
        return json_pack("{s:i, s:i, s:i, s:s?}", "key", sense.key, "asc", sense.asc, "ascq",
                         sense.ascq, "name", prm_sense_name(sense));
}

void result_format(const struct prm_result *result, bool out, char ret_text[static RESULT_TEXT_SIZE])
{
        struct prm_result told = *result;

        told.in_doubt = result->in_doubt && out;
        prm_result_format(&told, ret_text, PRM_TEXT_SIZE);
        if (out && result->error != 0 && !result->in_doubt)
                strcat(ret_text, "; nothing was sent");
}

json_t *result_json(const struct prm_result *result, bool out)
{
        char text[RESULT_TEXT_SIZE];
        json_t *attentions = need_memory(json_array());

        result_format(result, out, text);
        for (unsigned i = 0; i < result->unit_attentions && i < PRM_UNIT_ATTENTIONS_MAX; i++)
                json_array_append_new(attentions, sense_json(result->unit_attention[i]));
        return need_memory(json_pack(
                "{s:s, s:i, s:o, s:o, s:b, s:o}", "status", prm_status_name(result->status),
                "status_code", result->status, "sense",
                result->status == PRM_CHECK_CONDITION ? sense_json(result->sense) : json_null(),
                "text", json_text(text), "in_doubt", result->in_doubt && out, "unit_attentions", attentions));
}

void note_attentions(json_t *notes, const struct prm_result *result)
{
        for (unsigned i = 0; i < result->unit_attentions && i < PRM_UNIT_ATTENTIONS_MAX; i++) {
                struct prm_sense sense = result->unit_attention[i];
                const char *name = prm_sense_name(sense);
                json_array_append_new(
                        notes, need_memory(json_sprintf(
                                       "unit attention %X/%02X/%02X%s%s was pending for this nexus; it is "
                                       "told once: nobody else on the nexus will learn of it",
                                       sense.key, sense.asc, sense.ascq, name ? " " : "",
                                       name ? name : "")));
        }
}

/* What INVALID FIELD IN PARAMETER LIST is likely to mean. */
static const char *list_hint(const struct options *options)
{
        if (options->aptpl)
                return "the device may not offer --aptpl: see `report-capabilities'";
        if (options->command == &commands[COMMAND_PREEMPT] && options->victim == 0)
                return "victim 0 goes only where all registrants hold the reservation";
        if (options->command == &commands[COMMAND_REGISTER_AND_MOVE])
                return "the device may not know --initiator or --target-port";
        if (options->initiator_count > 0)
                return "the device may not know a port of --initiator, or not register others: see "
                       "`report-capabilities'";
        return NULL;
}

/* Only a simulated target takes a file for a disk. */
static bool is_simulated(const struct options *options)
{
        struct stat st;

        return stat(options->device, &st) == 0 && S_ISREG(st.st_mode);
}

/* What to do about it, or NULL. */
static const char *hint(const struct options *options, const struct prm_result *result)
{
        if (result->in_doubt && result->text[0] == '\0')
                return "see with `show' whether it was";
        if (result->status == PRM_RESERVATION_CONFLICT)
                return options->command == &commands[COMMAND_REGISTER] && options->initiator_count > 0
                               ? "this nexus is registered already" : options->command->conflict;
        if (result->status == PRM_BUSY || result->status == PRM_TASK_SET_FULL)
                return "try again in a while";
        if (result->status != PRM_CHECK_CONDITION || result->text[0] != '\0')
                return NULL;
        if (result->sense.key == 0x6)
                return "the command was not carried out; see what happened with `show', then send it again";
        if (result->sense.key == 0x4 && sense_is(result->sense, 0x44, 0x00) && is_simulated(options))
                return "the target is simulated: its log says why";
        if (result->sense.key != 0x5)
                return NULL;
        if (sense_is(result->sense, 0x20, 0x00))
                return options->direct ? "the device does not take this command"
                                       : "the device does not take this command, or the helper does not "
                                         "serve this kind of device: its log says why";
        if (sense_is(result->sense, 0x24, 0x00) &&
            options->command == &commands[COMMAND_REGISTER_AND_MOVE])
                return "there is no reservation to hand on, or the device has no such command";
        if (sense_is(result->sense, 0x26, 0x00))
                return list_hint(options);
        if (sense_is(result->sense, 0x26, 0x04))
                return "the reservation is of another type: see `read-reservation'";
        if (sense_is(result->sense, 0x55, 0x04))
                return "the device has no room for more registrations";
        return NULL;
}

int result_say(const struct options *options, const char *action, bool out, int r,
               const struct prm_result *result)
{
        char text[RESULT_TEXT_SIZE];

        if (r == -EBADMSG) {
                message("%s: %s: what the device sent contradicts the standard; `raw' shows it",
                        options->device, action);
                return CLI_MALFORMED;
        }
        if (r < 0) {
                message("%s: %s: %s", options->device, action, strerror(-r));
                return errno_status(-r);
        }
        if (result->status == PRM_GOOD)
                return CLI_GOOD;

        const char *advice = hint(options, result);
        result_format(result, out, text);
        message("%s: %s: %s%s%s%s", options->device, action, text, advice ? " (" : "",
                advice ? advice : "", advice ? ")" : "");
        return result_status(result);
}

int result_end(const struct options *options, const char *action, int status, int printed)
{
        if (status != CLI_GOOD)
                return status;
        if (printed != CLI_GOOD)
                message("%s: %s: the command itself ended with GOOD, but its output is lost",
                        options->device, action);
        return printed;
}

static int print_document(const struct options *options, bool out, int r,
                          const struct prm_result *result)
{
        static const struct view nothing = { NULL, NULL };

        if (!options->json || r < 0)
                return CLI_GOOD;
        json_t *document = need_memory(json_pack("{s:s, s:o}", "command", options->command->name,
                                                 "device", json_text(options->device)));
        json_object_update_new(document, result_json(result, out));
        return view_print(&nothing, options, document);
}

int result_report(const struct options *options, const char *action, int r,
                  const struct prm_result *result)
{
        int status = result_say(options, action, false, r, result);

        if (status != CLI_GOOD)
                (void)print_document(options, false, r, result);
        return status;
}

int result_finish(const struct options *options, const char *action, int r,
                  const struct prm_result *result)
{
        int status = result_say(options, action, true, r, result);

        return result_end(options, action, status, print_document(options, true, r, result));
}
