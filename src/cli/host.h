/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which initiator ports are this host's, as far as sysfs names them.
 *
 * FC:    fc_host/hostN/port_name
 * SAS:   sas_phy/phy-H:N/sas_address of the host's own phys, scsi_host/hostN/host_sas_address
 * iSCSI: iscsi_session/sessionN/initiatorname, with its isid where that is named; and
 *        iscsi_host/hostN/initiatorname
 *
 * All in class/. An SRP port is not named: half of it, the initiator extension, is not in sysfs.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "prmanager.h"

struct host_ports {
        struct prm_transport_id *ids; /**< an iSCSI one without ISID: sysfs does not name that */
        size_t count;
};

/** Read them. What cannot be read, or is no name, is left out. @param sysfs a descriptor, or -1 */
struct host_ports host_ports_read(int sysfs);

/**
 * Whether a TransportID is one of them. An iSCSI name is worldwide unique to its node (RFC 7143
 * 4.2.7.1), so it decides alone where sysfs names no ISID for it.
 */
bool host_ports_contain(const struct host_ports *ports, const struct prm_transport_id *id);

void host_ports_free(struct host_ports *ports);
