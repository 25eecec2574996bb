/* SPDX-License-Identifier: BSD-2-Clause */
/* A `struct sg_io_hdr` and the command in it. Private to manager/. */
#pragma once

#include <scsi/sg.h>

#include "prmanager.h"
#include "scsi/pr.h"

/** A command as found in a header. */
struct sgio_request {
        uint8_t bytes[PR_CDB_SIZE];
        struct pr_cdb cdb;
};

/** -EINVAL where the header is none that prm_execute() takes. */
int sgio_request_decode(const struct sg_io_hdr *header, struct sgio_request *ret_request);

/** prm_execute(), whose time counts from `called_ms` of base/clock.h. What has none left is not sent. */
int execute_called(struct prm_manager *manager, int fd, struct sg_io_hdr *header, int64_t called_ms);
