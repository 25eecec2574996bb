/* SPDX-License-Identifier: BSD-2-Clause */
/* show: the device, who is registered, who holds the reservation, and what the device can do. */
#include <fcntl.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/report.h"
#include "cli/result.h"

const struct view show_view = {
        .fields = (const struct field[]){
                { "Device", "device" },
                { "Kind", "kind" },
                { "Number", "number" },
                { "Vendor", "vendor" },
                { "Model", "model" },
                { "Serial", "serial" },
                { "WWID", "wwid" },
                { "Size", "size", format_size },
                { "Multipath", "multipath", format_multipath },
                { "Generation", "generation" },
                { "Reservation", "reservation", format_reservation, "none" },
                { "Capabilities", "capabilities", format_capabilities, "the device does not say" },
                { 0 } },
        .tables = registrants_tables,
};

static void note(json_t *notes, const char *text)
{
        json_array_append_new(notes, need_memory(json_string(text)));
}

/* READ RESERVATION came first, and each command sees the registrations of its own moment. */
static bool note_changed(json_t *notes, const struct prm_reservation *reservation, uint32_t generation)
{
        if (generation == reservation->generation)
                return false;
        note(notes, "registrations changed while this was read: run it again");
        return true;
}

/* Some devices do not repeat the type, or name one holder where all registrants are. */
static bool is_holder_of(const struct prm_registrant *holder, const struct prm_reservation *reservation)
{
        if (!reservation->reserved || (holder->type != PRM_NONE && holder->type != reservation->type))
                return false;
        return is_all_registrants(reservation->type) || holder->key == reservation->key;
}

/* Whether READ FULL STATUS may be of the same moment. PRGENERATION does not count RESERVE and RELEASE. */
static bool is_in_full_status(const struct prm_reservation *reservation, const struct prm_full_status *full)
{
        size_t holders = 0;

        for (size_t i = 0; i < full->count; i++) {
                if (!full->registrants[i].holder)
                        continue;
                if (!is_holder_of(&full->registrants[i], reservation))
                        return false;
                holders++;
        }
        return holders > 0 || !reservation->reserved || full->truncated;
}

/* A device that lacks a service action says ILLEGAL REQUEST. */
static bool is_lacking(int r, const struct prm_result *result)
{
        return r == 0 && result->status == PRM_CHECK_CONDITION && result->error == 0 &&
               result->sense.key == 0x5;
}

/* Registrations by READ FULL STATUS, or where the device lacks that by the keys. */
static int add_registrants(const struct options *options, const struct disk *disk,
                           const struct prm_reservation *reservation, json_t *document, json_t *notes)
{
        struct prm_full_status full;
        struct prm_result result;
        int r = prm_read_full_status(&disk->nexus, &full, &result);

        if (r == 0)
                note_attentions(notes, &result);
        if (is_lacking(r, &result) || r == -EBADMSG) {
                struct prm_keys keys;
                int status = fetch_keys(options, disk, notes, &keys);
                if (status != 0)
                        return status;
                note(notes, r == 0 ? "the device has no READ FULL STATUS: which initiator has which key "
                                     "is not known"
                                   : "the device's READ FULL STATUS contradicts the standard: which "
                                     "initiator has which key is not known");
                (void)note_changed(notes, reservation, keys.generation);
                json_object_set_new(document, "full_status", json_false());
                json_object_set_new(document, "registrants", registrants_from_keys(&keys, reservation));
                prm_keys_free(&keys);
                return 0;
        }
        int status = result_report(options, "READ FULL STATUS", r, &result);
        if (status != 0)
                return status;

        struct host_ports ports = read_host_ports(options);
        note_truncated(notes, full.truncated);
        if (!note_changed(notes, reservation, full.generation) && !is_in_full_status(reservation, &full))
                note(notes, "the reservation changed while this was read: run it again");
        json_object_set_new(document, "full_status", json_true());
        json_object_set_new(document, "registrants", registrants_json(&full, &ports));
        host_ports_free(&ports);
        prm_full_status_free(&full);
        return 0;
}

/* REPORT CAPABILITIES is optional too: without it that is all there is to say. */
static int add_capabilities(const struct options *options, const struct disk *disk, json_t *document,
                            json_t *notes)
{
        struct prm_capabilities capabilities;
        struct prm_result result;
        int r = prm_report_capabilities(&disk->nexus, &capabilities, &result);

        if (r == 0)
                note_attentions(notes, &result);
        if (is_lacking(r, &result)) {
                json_object_set_new(document, "capabilities", json_null());
                return 0;
        }
        int status = result_report(options, "REPORT CAPABILITIES", r, &result);
        if (status == 0)
                json_object_set_new(document, "capabilities", capabilities_json(&capabilities));
        return status;
}

static int describe(const struct options *options, const struct disk *disk, json_t *notes,
                    json_t *document)
{
        struct prm_reservation reservation;
        int status = fetch_reservation(options, disk, notes, &reservation);

        if (status != 0)
                return status;
        cleanup_fd int sysfs = open(options->sysfs, O_PATH | O_DIRECTORY | O_CLOEXEC);
        json_object_update_new(document, disk_facts(sysfs, options->device, &disk->st));
        json_object_set_new(document, "generation", json_integer(reservation.generation));
        json_object_set_new(document, "reservation", reservation_json(&reservation));
        status = add_capabilities(options, disk, document, notes);
        return status != 0 ? status : add_registrants(options, disk, &reservation, document, notes);
}

int run_show(const struct options *options)
{
        return read_and_print(options, &show_view, describe);
}
