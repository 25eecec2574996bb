/* SPDX-License-Identifier: BSD-2-Clause */
/* PERSISTENT RESERVE commands, any one and those that change something: see prmanager.h. */
#include "manager/commands.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "manager/transport_id.h"
#include "scsi/pr_out.h"
#include "scsi/pr_type.h"

void cdb_encode(const struct pr_cdb *cdb, uint8_t ret_bytes[static PR_CDB_SIZE])
{
        struct writer w = writer_over(ret_bytes, PR_CDB_SIZE);

        write_u8(&w, cdb->out ? PR_OPCODE_OUT : PR_OPCODE_IN);
        write_u8(&w, cdb->action);
        write_u8(&w, (uint8_t)(cdb->scope << 4 | cdb->type));
        if (cdb->out) {
                write_zeros(&w, 2);
                write_be32(&w, cdb->length);
        } else {
                write_zeros(&w, 4);
                write_be16(&w, (uint16_t)cdb->length);
        }
        write_zeros(&w, PR_CDB_SIZE - w.length);
}

int nexus_in(const struct prm_nexus *nexus, enum pr_in_action action, uint8_t *data, uint16_t length,
             struct prm_result *ret_result)
{
        uint8_t bytes[PR_CDB_SIZE];
        struct pr_command command = {
                .bytes = bytes,
                .cdb = { .action = (uint8_t)action, .length = length },
                .data = data,
        };

        cdb_encode(&command.cdb, bytes);
        return nexus_run(nexus, &command, ret_result);
}

int prm_command(const struct prm_nexus *nexus, const uint8_t *cdb, size_t cdb_size, void *data,
                size_t size, struct prm_result *ret_result)
{
        uint8_t bytes[PR_CDB_SIZE] = { 0 };
        struct pr_command command = { .bytes = bytes, .data = data };

        if (cdb_size < CDB_SIZE_MIN || cdb_size > sizeof bytes)
                return -EINVAL;
        memcpy(bytes, cdb, cdb_size);
        if (pr_cdb_decode(bytes, &command.cdb) < 0 || command.cdb.length > size)
                return -EINVAL;
        return nexus_run(nexus, &command, ret_result);
}

/* Send a PERSISTENT RESERVE OUT with this list. */
static int out(const struct prm_nexus *nexus, enum pr_out_action action, uint8_t type,
               const struct pr_out_list *list, struct prm_result *ret_result)
{
        uint8_t bytes[PR_CDB_SIZE];
        uint8_t data[PRM_TRANSFER_MAX];
        struct writer w = writer_over(data, sizeof data);
        struct pr_command command = { .bytes = bytes, .data = data };

        pr_out_list_encode((uint8_t)action, list, &w);
        if (w.length > sizeof data)
                return -EMSGSIZE;
        command.cdb = (struct pr_cdb){
                .out = true,
                .action = (uint8_t)action,
                .scope = PR_SCOPE_LU,
                .type = type,
                .length = (uint32_t)w.length,
        };
        cdb_encode(&command.cdb, bytes);
        return nexus_run(nexus, &command, ret_result);
}

/* The list of REGISTER and its like. */
static struct pr_out_list registration(uint64_t key, uint64_t new_key, unsigned flags)
{
        return (struct pr_out_list){
                .key = key,
                .action_key = new_key,
                .aptpl = flags & PRM_APTPL,
                .all_tg_pt = flags & PRM_ALL_TARGET_PORTS,
        };
}

static bool flags_valid(unsigned flags, unsigned allowed)
{
        return (flags & ~allowed) == 0;
}

int prm_register(const struct prm_nexus *nexus, uint64_t key, uint64_t new_key, unsigned flags,
                 struct prm_result *ret_result)
{
        const struct pr_out_list list = registration(key, new_key, flags);

        if (!flags_valid(flags, PRM_APTPL | PRM_ALL_TARGET_PORTS))
                return -EINVAL;
        return out(nexus, PR_OUT_REGISTER, 0, &list, ret_result);
}

int prm_register_ports(const struct prm_nexus *nexus, uint64_t new_key, unsigned flags,
                       const struct prm_transport_id *initiators, size_t count,
                       struct prm_result *ret_result)
{
        struct pr_out_list list = registration(0, new_key, flags);
        uint8_t ids[PRM_TRANSFER_MAX];
        struct writer w = writer_over(ids, sizeof ids);

        if (!flags_valid(flags, PRM_APTPL | PRM_ALL_TARGET_PORTS))
                return -EINVAL;
        for (size_t i = 0; i < count; i++) {
                int r = transport_id_encode(&initiators[i], &w);
                if (r < 0)
                        return r;
                if (w.length > sizeof ids)
                        return -EMSGSIZE;
        }
        list.spec_i_pt = true;
        list.transportids = ids;
        list.transportids_size = w.length;
        return out(nexus, PR_OUT_REGISTER, 0, &list, ret_result);
}

int prm_register_and_ignore(const struct prm_nexus *nexus, uint64_t new_key, unsigned flags,
                            struct prm_result *ret_result)
{
        const struct pr_out_list list = registration(0, new_key, flags);

        if (!flags_valid(flags, PRM_APTPL | PRM_ALL_TARGET_PORTS))
                return -EINVAL;
        return out(nexus, PR_OUT_REGISTER_AND_IGNORE, 0, &list, ret_result);
}

/* The commands that have a type: whether the device has it is for the device to say. */
static int out_typed(const struct prm_nexus *nexus, enum pr_out_action action, uint64_t key,
                     uint64_t action_key, enum prm_type type, struct prm_result *ret_result)
{
        const struct pr_out_list list = { .key = key, .action_key = action_key };

        if ((unsigned)type >= 16 || !pr_type_valid((uint8_t)type))
                return -EINVAL;
        return out(nexus, action, (uint8_t)type, &list, ret_result);
}

int prm_reserve(const struct prm_nexus *nexus, uint64_t key, enum prm_type type,
                struct prm_result *ret_result)
{
        return out_typed(nexus, PR_OUT_RESERVE, key, 0, type, ret_result);
}

int prm_release(const struct prm_nexus *nexus, uint64_t key, enum prm_type type,
                struct prm_result *ret_result)
{
        return out_typed(nexus, PR_OUT_RELEASE, key, 0, type, ret_result);
}

int prm_clear(const struct prm_nexus *nexus, uint64_t key, struct prm_result *ret_result)
{
        const struct pr_out_list list = { .key = key };

        return out(nexus, PR_OUT_CLEAR, 0, &list, ret_result);
}

int prm_preempt(const struct prm_nexus *nexus, uint64_t key, uint64_t victim, enum prm_type type,
                struct prm_result *ret_result)
{
        return out_typed(nexus, PR_OUT_PREEMPT, key, victim, type, ret_result);
}

int prm_preempt_and_abort(const struct prm_nexus *nexus, uint64_t key, uint64_t victim,
                          enum prm_type type, struct prm_result *ret_result)
{
        return out_typed(nexus, PR_OUT_PREEMPT_AND_ABORT, key, victim, type, ret_result);
}

int prm_register_and_move(const struct prm_nexus *nexus, uint64_t key, uint64_t new_key,
                          const struct prm_transport_id *initiator, uint16_t target_port,
                          unsigned flags, struct prm_result *ret_result)
{
        uint8_t id[PRM_TRANSFER_MAX];
        struct writer w = writer_over(id, sizeof id);
        int r = transport_id_encode(initiator, &w);

        if (r < 0)
                return r;
        if (!flags_valid(flags, PRM_APTPL | PRM_UNREGISTER))
                return -EINVAL;
        const struct pr_out_list list = {
                .key = key,
                .action_key = new_key,
                .aptpl = flags & PRM_APTPL,
                .unreg = flags & PRM_UNREGISTER,
                .port = target_port,
                .transportids = id,
                .transportids_size = w.length,
        };
        return out(nexus, PR_OUT_REGISTER_AND_MOVE, 0, &list, ret_result);
}
