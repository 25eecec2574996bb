/* SPDX-License-Identifier: BSD-2-Clause */
/* What the status socket tells. */
#pragma once

#include "helper/json.h"
#include "helper/status.h"

/** Write the document. @param started_us when the helper began to serve, CLOCK_MONOTONIC */
void status_document(const struct status_options *options, int64_t started_us, struct json *j);
