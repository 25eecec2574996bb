/* SPDX-License-Identifier: BSD-2-Clause */
/* PERSISTENT RESERVE IN: reports read, decoded, and read again where they were cut. See prmanager.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "manager/commands.h"
#include "manager/transport_id.h"
#include "scsi/pr_in.h"

enum {
        HEADER_SIZE = 8,
        SMALL_SIZE = 64,   /* more than READ RESERVATION and REPORT CAPABILITIES have */
        READS_MAX = 8,     /* of a list that keeps growing while it is read */
        GROWTH_SIZE = 1024 /* room for what comes between two reads, bytes */
};

/* A list as it came. */
struct response {
        uint8_t *data;
        uint32_t size;
};

/* How many bytes the whole list has, where its header came. */
static uint64_t whole_size(const struct response *response)
{
        struct reader r = reader_over(response->data, response->size);

        (void)read_be32(&r);
        return HEADER_SIZE + (uint64_t)read_be32(&r);
}

/* Put the unit attentions of an earlier read before those of this one: nobody is told them twice. */
static void keep_attentions(const struct prm_result *earlier, struct prm_result *result)
{
        struct prm_sense *const list = result->unit_attention;
        unsigned kept = earlier->unit_attentions < PRM_UNIT_ATTENTIONS_MAX ? earlier->unit_attentions
                                                                           : PRM_UNIT_ATTENTIONS_MAX;

        memmove(list + kept, list, (PRM_UNIT_ATTENTIONS_MAX - kept) * sizeof *list);
        memcpy(list, earlier->unit_attention, kept * sizeof *list);
        result->unit_attentions += earlier->unit_attentions;
}

/*
 * Read a list. Most fit into the first buffer; one that does not is read again as a whole, so that
 * what is returned is the list of one moment. Devices that fill a cut response badly are left no
 * chance to: the first buffer is not small.
 * The response is set with GOOD only.
 */
static int read_list(const struct prm_nexus *nexus, enum pr_in_action action,
                     struct response *ret_response, struct prm_result *ret_result)
{
        cleanup_free uint8_t *data = NULL;
        uint32_t room = PRM_TRANSFER_MAX;
        struct prm_result earlier = { 0 };

        if (!nexus->manager)
                return -EINVAL;
        const uint32_t room_max = nexus->manager->class->transfer_max;
        for (int reads = 1;; reads++) {
                struct prm_result result;
                free_pointer(&data);
                data = calloc(1, room);
                if (!data)
                        return -ENOMEM;
                int r = nexus_in(nexus, action, data, (uint16_t)room, &result);
                if (r < 0)
                        return r;
                keep_attentions(&earlier, &result);
                struct response response = { data, result.size };
                uint64_t whole = whole_size(&response);
                if (result.status != PRM_GOOD || whole <= room || room == room_max ||
                    reads == READS_MAX) {
                        if (result.status == PRM_GOOD) {
                                data = NULL;
                                *ret_response = response;
                        }
                        *ret_result = result;
                        return 0;
                }
                earlier = result;
                room = whole + GROWTH_SIZE < room_max ? (uint32_t)whole + GROWTH_SIZE : room_max;
        }
}

static int keys_of(const struct response *response, struct prm_keys *ret_keys)
{
        struct pr_keys list;
        uint64_t key;
        int r = pr_keys_decode(response->data, response->size, &list);

        if (r < 0)
                return r;
        uint64_t *keys = calloc(response->size / sizeof key + 1, sizeof key);
        if (!keys)
                return -ENOMEM;
        *ret_keys = (struct prm_keys){ .generation = list.generation, .total = list.count, .keys = keys };
        while (pr_keys_next(&list, &key))
                keys[ret_keys->count++] = key;
        ret_keys->truncated = ret_keys->count < ret_keys->total;
        return 0;
}

int prm_read_keys(const struct prm_nexus *nexus, struct prm_keys *ret_keys,
                  struct prm_result *ret_result)
{
        struct response response = { 0 };
        struct prm_result result;
        int r = read_list(nexus, PR_IN_READ_KEYS, &response, &result);

        if (response.data)
                r = keys_of(&response, ret_keys);
        free(response.data);
        if (r == 0)
                *ret_result = result;
        return r;
}

void prm_keys_free(struct prm_keys *keys)
{
        free(keys->keys);
        *keys = (struct prm_keys){ 0 };
}

int prm_read_reservation(const struct prm_nexus *nexus, struct prm_reservation *ret_reservation,
                         struct prm_result *ret_result)
{
        uint8_t data[SMALL_SIZE] = { 0 };
        struct prm_result result;
        struct pr_reservation reservation;
        int r = nexus_in(nexus, PR_IN_READ_RESERVATION, data, sizeof data, &result);

        if (r < 0)
                return r;
        if (result.status == PRM_GOOD) {
                r = pr_reservation_decode(data, result.size, &reservation);
                if (r < 0)
                        return r;
                *ret_reservation = (struct prm_reservation){
                        .generation = reservation.generation,
                        .reserved = reservation.reserved,
                        .type = reservation.type,
                        .scope = reservation.scope,
                        .key = reservation.key,
                };
        }
        *ret_result = result;
        return 0;
}

int prm_report_capabilities(const struct prm_nexus *nexus, struct prm_capabilities *ret_capabilities,
                            struct prm_result *ret_result)
{
        uint8_t data[SMALL_SIZE] = { 0 };
        struct prm_result result;
        struct pr_capabilities capabilities;
        int r = nexus_in(nexus, PR_IN_REPORT_CAPABILITIES, data, sizeof data, &result);

        if (r < 0)
                return r;
        if (result.status == PRM_GOOD) {
                r = pr_capabilities_decode(data, result.size, &capabilities);
                if (r < 0)
                        return r;
                *ret_capabilities = (struct prm_capabilities){
                        .replace_lost = capabilities.rlr_c,
                        .compatible_handling = capabilities.crh,
                        .specify_initiator_ports = capabilities.sip_c,
                        .all_target_ports = capabilities.atp_c,
                        .persist_through_power_loss = capabilities.ptpl_c,
                        .persistence_active = capabilities.ptpl_a,
                        .type_mask_valid = capabilities.tmv,
                        .allow_commands = capabilities.allow_commands,
                        .types = capabilities.types,
                };
        }
        *ret_result = result;
        return 0;
}

static struct prm_registrant registrant_of(const struct pr_full_status *descriptor)
{
        struct prm_registrant registrant = {
                .key = descriptor->key,
                .holder = descriptor->holder,
                .all_target_ports = descriptor->all_tg_pt,
                .type = descriptor->type,
                .scope = descriptor->scope,
                .target_port = descriptor->port,
                .initiator_known = descriptor->known,
        };

        if (descriptor->known)
                registrant.initiator = transport_id_of(&descriptor->initiator);
        return registrant;
}

/* Whole descriptors in a list, and the bytes behind the last of them. */
static size_t count_descriptors(struct pr_full_status_list list, size_t *ret_left)
{
        struct pr_full_status descriptor;
        size_t count = 0;

        for (*ret_left = list.rest.left; pr_full_status_next(&list, &descriptor); count++)
                *ret_left = list.rest.left;
        return count;
}

static int full_status_of(const struct response *response, struct prm_full_status *ret_status)
{
        struct pr_full_status_list list;
        struct pr_full_status descriptor;
        int r = pr_full_status_decode(response->data, response->size, &list);

        if (r < 0)
                return r;
        bool cut = list.rest.left < list.length;
        size_t left, count = count_descriptors(list, &left);
        if (left > 0 && !cut)
                return -EBADMSG;
        struct prm_registrant *registrants = calloc(count + 1, sizeof *registrants);
        if (!registrants)
                return -ENOMEM;

        *ret_status = (struct prm_full_status){
                .generation = list.generation,
                .truncated = cut,
                .registrants = registrants,
        };
        while (pr_full_status_next(&list, &descriptor))
                registrants[ret_status->count++] = registrant_of(&descriptor);
        return 0;
}

int prm_read_full_status(const struct prm_nexus *nexus, struct prm_full_status *ret_status,
                         struct prm_result *ret_result)
{
        struct response response = { 0 };
        struct prm_result result;
        int r = read_list(nexus, PR_IN_READ_FULL_STATUS, &response, &result);

        if (response.data)
                r = full_status_of(&response, ret_status);
        free(response.data);
        if (r == 0)
                *ret_result = result;
        return r;
}

void prm_full_status_free(struct prm_full_status *status)
{
        free(status->registrants);
        *status = (struct prm_full_status){ 0 };
}
