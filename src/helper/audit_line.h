/* SPDX-License-Identifier: BSD-2-Clause */
/* What an audit line says. */
#pragma once

#include <stddef.h>

#include "helper/audit.h"
#include "helper/devices.h"

/**
 * "PR OUT client=3 pid=4711 uid=107 device=8:16 wwid=naa.6001... RESERVE scope=0 type=WERO
 * key=0xa1 action-key=0: GOOD". Reads sysfs for the wwid.
 */
void audit_line(const struct audit *audit, const struct device *device,
                const struct pr_command *command, const struct pr_result *result, char *ret_text,
                size_t size);

/** The same of a command without a result: "... key=0xa1 action-key=0: has not come back for 8 s". */
void audit_line_in_flight(const struct device_use *device, const struct in_flight *f,
                          char *ret_text, size_t size);
