/* SPDX-License-Identifier: BSD-2-Clause */
/* How a command ended: the exit status, the message with what to do about it, the JSON. */
#pragma once

#include "cli/json.h"
#include "cli/options.h"

/** The exit status for a result, by its status and sense. */
int result_status(const struct prm_result *result);

/** What a negative return of a typed call comes to. */
int errno_status(int error);

enum { RESULT_TEXT_SIZE = PRM_TEXT_SIZE + 32 };

/**
 * prm_result_format(), and whether it was sent. Of a command that only reads nobody has to know.
 * @param out it is PERSISTENT RESERVE OUT
 */
void result_format(const struct prm_result *result, bool out, char ret_text[static RESULT_TEXT_SIZE]);

/** {"status": "GOOD", "status_code": 0, "sense": null or {...}, "text": "GOOD", ...} */
json_t *result_json(const struct prm_result *result, bool out);

/** Append to `notes` what unit attentions came with a result and were retried. */
void note_attentions(json_t *notes, const struct prm_result *result);

/**
 * Say how a command ended, where that is not GOOD, with what to do about it.
 * @param action its name
 * @param r      what the call returned: the result counts where it is 0
 * @return the exit status
 */
int result_say(const struct options *options, const char *action, bool out, int r,
               const struct prm_result *result);

/**
 * The exit status of a command that ended with `status`, and of whose output `printed` came; says so
 * where only that failed.
 */
int result_end(const struct options *options, const char *action, int status, int printed);

/**
 * Say how PERSISTENT RESERVE IN ended, where that is not GOOD; with --json as a document too.
 * Parameters and value as of result_say().
 */
int result_report(const struct options *options, const char *action, int r,
                  const struct prm_result *result);

/** Say how PERSISTENT RESERVE OUT ended; with --json as a document whatever it is. */
int result_finish(const struct options *options, const char *action, int r,
                  const struct prm_result *result);
