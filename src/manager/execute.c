/* SPDX-License-Identifier: BSD-2-Clause */
/* Commands as SG_IO has them: see prm_execute(). */
#include "manager/execute.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "manager/manager.h"
#include "manager/result.h"

enum { DRIVER_SENSE = 0x08 }; /* what the kernel says of a command that came back with sense data */

/* The direction that a command of this transfer length has. */
static bool direction_fits(const struct sg_io_hdr *header, const struct pr_cdb *cdb)
{
        switch (header->dxfer_direction) {
        case SG_DXFER_NONE:
                return cdb->length == 0;
        case SG_DXFER_TO_DEV:
                return cdb->out;
        case SG_DXFER_FROM_DEV:
        case SG_DXFER_TO_FROM_DEV:
                return !cdb->out;
        default:
                return false;
        }
}

int sgio_request_decode(const struct sg_io_hdr *header, struct sgio_request *ret_request)
{
        struct sgio_request request = { 0 };

        if (header->interface_id != 'S' || header->iovec_count != 0 || !header->cmdp ||
            header->cmd_len < CDB_SIZE_MIN || header->cmd_len > PR_CDB_SIZE)
                return -EINVAL;
        if ((header->dxfer_len > 0 && !header->dxferp) || (header->mx_sb_len > 0 && !header->sbp))
                return -EINVAL;

        memcpy(request.bytes, header->cmdp, header->cmd_len);
        if (pr_cdb_decode(request.bytes, &request.cdb) < 0 || !direction_fits(header, &request.cdb))
                return -EINVAL;
        if (request.cdb.out && request.cdb.length > header->dxfer_len)
                return -EINVAL;
        *ret_request = request;
        return 0;
}

/* How many bytes of sense data there are: 8 and what ADDITIONAL SENSE LENGTH says (SPC-4 4.5.2, 4.5.3). */
static size_t sense_length(const struct prm_result *result)
{
        size_t length = 8u + result->sense_data[7];

        if (result->status != PRM_CHECK_CONDITION || result->sense_data[0] == 0)
                return 0;
        return length < PRM_SENSE_SIZE ? length : PRM_SENSE_SIZE;
}

/* Fill in what the kernel fills in. `data` is what came, where the command was IN. */
static void fill(struct sg_io_hdr *header, const struct prm_result *result, const uint8_t *data,
                 uint32_t sent)
{
        size_t sense = sense_length(result);
        uint32_t moved = sent;

        if (result->size > 0) {
                moved = result->size < header->dxfer_len ? result->size : header->dxfer_len;
                memcpy(header->dxferp, data, moved);
        }
        if (sense > header->mx_sb_len)
                sense = header->mx_sb_len;
        if (sense > 0)
                memcpy(header->sbp, result->sense_data, sense);

        header->status = result->status;
        header->masked_status = result->status >> 1 & 0x1f;
        header->msg_status = 0;
        header->sb_len_wr = (uint8_t)sense;
        header->host_status = 0;
        header->driver_status = result->status == PRM_CHECK_CONDITION ? DRIVER_SENSE : 0;
        header->resid = (int)(header->dxfer_len - moved);
        header->info = result->status == PRM_GOOD ? SG_INFO_OK : SG_INFO_CHECK;
}

/*
 * What a command that was called for at that time has left: 0 where its manager's class is to say.
 * False where it has none left.
 */
static bool time_left(const struct prm_manager *manager, uint32_t timeout_ms, int64_t called_ms,
                      uint32_t *ret_left_ms)
{
        if (timeout_ms == 0)
                timeout_ms = manager->timeout_ms;
        *ret_left_ms = timeout_ms;
        if (timeout_ms == 0 || timeout_ms == PRM_NO_TIMEOUT)
                return true;

        int64_t left = called_ms + timeout_ms - clock_ms();
        *ret_left_ms = left > 0 ? (uint32_t)left : 1;
        return left >= 0;
}

int execute_called(struct prm_manager *manager, int fd, struct sg_io_hdr *header, int64_t called_ms)
{
        uint8_t data[PRM_TRANSFER_MAX];
        struct sgio_request request;
        struct prm_result result = { 0 };
        int64_t start = clock_ms();
        int r = sgio_request_decode(header, &request);

        if (r < 0)
                return r;
        struct pr_command command = {
                .bytes = request.bytes,
                .cdb = request.cdb,
                .data = request.cdb.out ? header->dxferp : data,
        };
        uint32_t sent = request.cdb.out ? request.cdb.length : 0;
        uint32_t left_ms;

        if (request.cdb.length > PRM_TRANSFER_MAX)
                result_sense(&result, SENSE_INVALID_FIELD_IN_CDB, "transfer length above the limit");
        else if (!time_left(manager, header->timeout, called_ms, &left_ms))
                result_unavailable(&result, -ETIMEDOUT, false, "the commands before it took all of its time");
        else
                r = manager_run(manager, fd, &command, left_ms, &result);
        if (r < 0)
                return r;

        fill(header, &result, data, sent);
        header->duration = (unsigned)(clock_ms() - start);
        return 0;
}

int prm_execute(struct prm_manager *manager, int fd, struct sg_io_hdr *header)
{
        return execute_called(manager, fd, header, clock_ms());
}
