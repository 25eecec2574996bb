/* SPDX-License-Identifier: BSD-2-Clause */
/* TransportIDs as the library's users have them, and as scsi/ has them. Private to manager/. */
#pragma once

#include "base/bytes.h"
#include "prmanager.h"
#include "scsi/transportid.h"

struct prm_transport_id transport_id_of(const struct transportid *id);

/** @return 0, or -EINVAL: no protocol that has TransportIDs, or no name where one is due. */
int transport_id_encode(const struct prm_transport_id *id, struct writer *w);
