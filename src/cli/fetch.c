/* SPDX-License-Identifier: BSD-2-Clause */
/* Sending PERSISTENT RESERVE IN and saying what went wrong: see report.h. */
#include "cli/cli.h"
#include "cli/report.h"
#include "cli/result.h"

const char truncated_words[] = "the device has more registrations than fit into an answer: these are not "
                               "all; a longer answer fits with --direct";

void note_truncated(json_t *notes, bool truncated)
{
        if (truncated)
                json_array_append_new(notes, need_memory(json_string(truncated_words)));
}

static int finish(const struct options *options, const char *action, int r,
                  const struct prm_result *result, json_t *notes)
{
        if (r == 0)
                note_attentions(notes, result);
        return result_report(options, action, r, result);
}

int fetch_keys(const struct options *options, const struct disk *disk, json_t *notes,
               struct prm_keys *ret_keys)
{
        struct prm_result result;
        int r = prm_read_keys(&disk->nexus, ret_keys, &result);
        int status = finish(options, "READ KEYS", r, &result, notes);

        if (status == CLI_GOOD)
                note_truncated(notes, ret_keys->truncated);
        return status;
}

int fetch_reservation(const struct options *options, const struct disk *disk, json_t *notes,
                      struct prm_reservation *ret_reservation)
{
        struct prm_result result;
        int r = prm_read_reservation(&disk->nexus, ret_reservation, &result);

        return finish(options, "READ RESERVATION", r, &result, notes);
}

int fetch_capabilities(const struct options *options, const struct disk *disk, json_t *notes,
                       struct prm_capabilities *ret_capabilities)
{
        struct prm_result result;
        int r = prm_report_capabilities(&disk->nexus, ret_capabilities, &result);

        return finish(options, "REPORT CAPABILITIES", r, &result, notes);
}

int fetch_full_status(const struct options *options, const struct disk *disk, json_t *notes,
                      struct prm_full_status *ret_status)
{
        struct prm_result result;
        int r = prm_read_full_status(&disk->nexus, ret_status, &result);
        int status = finish(options, "READ FULL STATUS", r, &result, notes);

        if (status == CLI_GOOD)
                note_truncated(notes, ret_status->truncated);
        return status;
}

int read_and_print(const struct options *options, const struct view *view,
                   int (*describe)(const struct options *options, const struct disk *disk,
                                   json_t *notes, json_t *document))
{
        cleanup_disk struct disk disk = DISK_CLOSED;
        int status = disk_open(options, false, &disk);

        if (status != 0)
                return status;
        disk.nexus.unit_attention_retries = PRM_UNIT_ATTENTIONS_MAX;

        json_t *document = need_memory(json_object());
        json_t *notes = need_memory(json_array());
        status = describe(options, &disk, notes, document);
        if (status != 0) {
                notes_print(notes);
                json_decref(notes);
                json_decref(document);
                return status;
        }
        json_object_set_new(document, "notes", notes);
        return view_print(view, options, document);
}
