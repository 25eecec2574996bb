/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether bytes are one JSON document and nothing else (RFC 8259). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

bool json_is_valid(const char *text, size_t size);
