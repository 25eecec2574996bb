/* SPDX-License-Identifier: BSD-2-Clause */
/* How a command ended, and how that is said: see result.h and prmanager.h. */
#include "manager/result.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "scsi/pr.h"
#include "scsi/pr_type.h"

void result_set(struct prm_result *result, uint8_t status, const uint8_t *sense)
{
        struct scsi_sense decoded;

        result->status = status;
        if (status != SCSI_CHECK_CONDITION)
                return;
        memcpy(result->sense_data, sense, SENSE_SIZE);
        if (scsi_sense_decode(sense, SENSE_SIZE, &decoded))
                result->sense = (struct prm_sense){ decoded.key, decoded.asc, decoded.ascq };
}

void result_sense(struct prm_result *result, struct scsi_sense sense, const char *format, ...)
{
        uint8_t bytes[SENSE_SIZE];
        va_list args;

        scsi_sense_build(sense, bytes);
        result_set(result, SCSI_CHECK_CONDITION, bytes);
        va_start(args, format);
        vsnprintf(result->text, sizeof result->text, format, args);
        va_end(args);
}

void result_unavailable(struct prm_result *result, int error, bool in_doubt, const char *why)
{
        result_sense(result, SENSE_LUN_COMMUNICATION_FAILURE, "%s", why);
        result->error = error;
        result->in_doubt = in_doubt;
}

bool prm_result_is_unit_attention(const struct prm_result *result)
{
        return result->status == PRM_CHECK_CONDITION && result->sense.key == 0x06;
}

void prm_result_format(const struct prm_result *result, char *ret_text, size_t size)
{
        const struct prm_sense sense = result->sense;
        const char *doubt = result->in_doubt ? "; the command may have been carried out" : "";

        if (result->text[0]) {
                snprintf(ret_text, size, "%s%s", result->text, doubt);
        } else if (result->status == PRM_CHECK_CONDITION) {
                const char *name = prm_sense_name(sense);
                snprintf(ret_text, size, "%s: %X/%02X/%02X%s%s%s", prm_status_name(result->status),
                         sense.key, sense.asc, sense.ascq, name ? " " : "", name ? name : "", doubt);
        } else {
                const char *name = prm_status_name(result->status);
                if (strcmp(name, "status") == 0)
                        snprintf(ret_text, size, "%s %02Xh%s", name, result->status, doubt);
                else
                        snprintf(ret_text, size, "%s%s", name, doubt);
        }
}

const char *prm_status_name(uint8_t status)
{
        return scsi_status_name(status);
}

const char *prm_sense_name(struct prm_sense sense)
{
        return scsi_sense_name(SENSE(sense.key, sense.asc, sense.ascq));
}

const char *prm_type_name(unsigned type)
{
        static const char *const names[] = {
                [PR_TYPE_NONE] = "none",
                [PR_TYPE_WRITE_EXCLUSIVE] = "write-exclusive",
                [PR_TYPE_EXCLUSIVE_ACCESS] = "exclusive-access",
                [PR_TYPE_WRITE_EXCLUSIVE_REGISTRANTS_ONLY] = "write-exclusive-registrants-only",
                [PR_TYPE_EXCLUSIVE_ACCESS_REGISTRANTS_ONLY] = "exclusive-access-registrants-only",
                [PR_TYPE_WRITE_EXCLUSIVE_ALL_REGISTRANTS] = "write-exclusive-all-registrants",
                [PR_TYPE_EXCLUSIVE_ACCESS_ALL_REGISTRANTS] = "exclusive-access-all-registrants",
        };

        return type < sizeof names / sizeof names[0] ? names[type] : NULL;
}

const char *prm_type_short_name(unsigned type)
{
        return prm_type_name(type) ? pr_type_name((uint8_t)type) : NULL;
}

static bool type_is_called(unsigned type, const char *text)
{
        const char number[] = { (char)('0' + type), '\0' };

        return strcasecmp(text, prm_type_name(type)) == 0 ||
               strcasecmp(text, prm_type_short_name(type)) == 0 || strcmp(text, number) == 0;
}

int prm_type_parse(const char *text, enum prm_type *ret_type)
{
        for (uint8_t type = 0; type < 16; type++) {
                if (pr_type_valid(type) && type_is_called(type, text)) {
                        *ret_type = (enum prm_type)type;
                        return 0;
                }
        }
        return -EINVAL;
}
