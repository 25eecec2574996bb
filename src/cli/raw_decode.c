/* SPDX-License-Identifier: BSD-2-Clause */
/* Decoding what PERSISTENT RESERVE IN returned: see raw_decode.h. */
#include "cli/raw_decode.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/report.h"
#include "scsi/pr.h"
#include "scsi/pr_in.h"

static json_t *decode_keys(const uint8_t *data, size_t size, json_t *notes)
{
        struct pr_keys list;
        uint64_t key;
        size_t count = 0;

        if (pr_keys_decode(data, size, &list) < 0)
                return NULL;
        cleanup_free uint64_t *keys = need_memory(calloc(size / sizeof key + 1, sizeof key));
        while (pr_keys_next(&list, &key))
                keys[count++] = key;
        if (count < list.count)
                json_array_append_new(notes, json_sprintf("cut: %zu of %u keys", count, list.count));
        const struct prm_keys all = { .count = count, .keys = keys };
        return json_pack("{s:I, s:o}", "generation", (json_int_t)list.generation, "keys",
                         keys_json(&all));
}

static json_t *decode_reservation(const uint8_t *data, size_t size)
{
        struct pr_reservation in;

        if (pr_reservation_decode(data, size, &in) < 0)
                return NULL;
        const struct prm_reservation reservation = {
                .reserved = in.reserved, .type = in.type, .scope = in.scope, .key = in.key };
        return json_pack("{s:I, s:o}", "generation", (json_int_t)in.generation, "reservation",
                         reservation_json(&reservation));
}

static json_t *decode_capabilities(const uint8_t *data, size_t size)
{
        struct pr_capabilities in;

        if (pr_capabilities_decode(data, size, &in) < 0)
                return NULL;
        const struct prm_capabilities capabilities = {
                .replace_lost = in.rlr_c,
                .compatible_handling = in.crh,
                .specify_initiator_ports = in.sip_c,
                .all_target_ports = in.atp_c,
                .persist_through_power_loss = in.ptpl_c,
                .persistence_active = in.ptpl_a,
                .type_mask_valid = in.tmv,
                .allow_commands = in.allow_commands,
                .types = in.types,
        };
        return capabilities_json(&capabilities);
}

static struct prm_registrant registrant_of(const struct pr_full_status *in)
{
        struct prm_registrant registrant = {
                .key = in->key,
                .holder = in->holder,
                .all_target_ports = in->all_tg_pt,
                .type = in->type,
                .scope = in->scope,
                .target_port = in->port,
                .initiator_known = in->known,
        };

        if (!in->known)
                return registrant;
        registrant.initiator.protocol = in->initiator.protocol;
        registrant.initiator.has_isid = in->initiator.has_isid;
        memcpy(registrant.initiator.id, in->initiator.id, sizeof registrant.initiator.id);
        memcpy(registrant.initiator.name, in->initiator.name, sizeof registrant.initiator.name);
        return registrant;
}

static json_t *decode_full_status(const uint8_t *data, size_t size, json_t *notes)
{
        const struct host_ports nowhere = { NULL, 0 };
        struct pr_full_status_list list;
        struct pr_full_status descriptor;
        size_t count = 0;

        if (pr_full_status_decode(data, size, &list) < 0)
                return NULL;
        cleanup_free struct prm_registrant *registrants =
                need_memory(calloc(size / TRANSPORTID_SIZE_MIN + 1, sizeof *registrants));
        size_t arrived = list.rest.left;
        while (pr_full_status_next(&list, &descriptor))
                registrants[count++] = registrant_of(&descriptor);
        if (arrived < list.length)
                json_array_append_new(notes, json_sprintf("cut: %zu of %u bytes of descriptors", arrived,
                                                          list.length));
        else if (list.rest.left > 0)
                json_array_append_new(notes, json_sprintf("the last %zu bytes are no descriptor",
                                                          list.rest.left));
        const struct prm_full_status all = { .count = count, .registrants = registrants };
        return json_pack("{s:I, s:o}", "generation", (json_int_t)list.generation, "registrants",
                         registrants_json(&all, &nowhere));
}

json_t *raw_decode(uint8_t action, const uint8_t *data, size_t size, const struct view **ret_view)
{
        const struct view *view = NULL;
        json_t *notes = need_memory(json_array()), *document = NULL;

        switch (action) {
        case PR_IN_READ_KEYS:
                document = decode_keys(data, size, notes);
                view = &keys_view;
                break;
        case PR_IN_READ_RESERVATION:
                document = decode_reservation(data, size);
                view = &reservation_view;
                break;
        case PR_IN_REPORT_CAPABILITIES:
                document = decode_capabilities(data, size);
                view = &capabilities_view;
                break;
        case PR_IN_READ_FULL_STATUS:
                document = decode_full_status(data, size, notes);
                view = &full_status_view;
                break;
        default:
                break;
        }
        if (ret_view)
                *ret_view = view;
        if (!document) {
                json_decref(notes);
                return json_null();
        }
        /* A list of which nothing arrived is not known to be empty. */
        for (const struct table *t = json_array_size(notes) > 0 ? view->tables : NULL; t && t->name; t++)
                if (json_array_size(json_object_get(document, t->name)) == 0)
                        json_object_del(document, t->name);
        json_object_set_new(document, "notes", notes);
        return document;
}
