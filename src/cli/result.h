/* SPDX-License-Identifier: BSD-2-Clause */
/* How a command ended: the exit status, the message with what to do about it, the JSON. */
#pragma once

#include "cli/json.h"
#include "cli/options.h"

/** The exit status for a result, by its status and sense. */
int result_status(const struct prm_result *result);

/** What a negative return of a typed call comes to. */
int errno_status(int error);

/** {"status": "GOOD", "status_code": 0, "sense": null or {...}, "text": "GOOD", ...} */
json_t *result_json(const struct prm_result *result);

/** Append to `notes` what unit attentions came with a result and were retried. */
void note_attentions(json_t *notes, const struct prm_result *result);

/**
 * Say how PERSISTENT RESERVE IN ended, where that is not GOOD; with --json as a document too.
 * @param action its name, for the message
 * @param r      what the call returned: the result counts where it is 0
 * @return the exit status
 */
int result_report(const struct options *options, const char *action, int r,
                  const struct prm_result *result);

/** Say how PERSISTENT RESERVE OUT ended; with --json as a document whatever it is. */
int result_finish(const struct options *options, const char *action, int r,
                  const struct prm_result *result);
