/* SPDX-License-Identifier: BSD-2-Clause */
/* Which TransportIDs are this host's, by a made-up sysfs: marked where it is certain, and never guessed. */
#include "cli/host.h"

#include "fake_sysfs.h"
#include "tap.h"

static bool is_ours(const struct host_ports *ports, const char *text)
{
        struct prm_transport_id id;

        need(prm_transport_id_parse(text, &id) == 0, text);
        return host_ports_contain(ports, &id);
}

static void test_nothing(void)
{
        struct host_ports ports = host_ports_read(-1);

        ok(ports.count == 0, "without sysfs no port is known");
        ok(!is_ours(&ports, "iqn.2026-11.org.example:a"), "and none is this host's");
        int sysfs = sysfs_open();
        ports = host_ports_read(sysfs);
        ok(ports.count == 0, "nor with an empty one");
        close(sysfs);
}

static void make(void)
{
        sysfs_attribute("class/fc_host/host1/port_name", "0x2100001b32000001\n");
        sysfs_attribute("class/fc_host/host1/node_name", "0x2000001b32000001\n");
        sysfs_attribute("class/fc_host/host2/port_name", "0x0\n");
        sysfs_attribute("class/fc_host/host3/port_name", "junk\n");
        sysfs_attribute("class/fc_host/host4/port_name", "");
        sysfs_directory("class/fc_host/host5");
        sysfs_attribute("class/fc_remote_ports/rport-1:0-0/port_name", "0x5006016000000001\n");

        sysfs_attribute("class/sas_phy/phy-0:0/sas_address", "0x500605b000000001\n");
        sysfs_attribute("class/sas_phy/phy-0:1/sas_address", "0x500605b000000001\n");
        sysfs_attribute("class/sas_phy/phy-0:0:4/sas_address", "0x500605b0000000ee\n");
        sysfs_attribute("class/scsi_host/host6/host_sas_address", "0x500605b000000002\n");
        sysfs_attribute("class/scsi_host/host7/unique_id", "0x500605b000000003\n");

        sysfs_attribute("class/iscsi_session/session1/initiatorname", "iqn.2026-11.org.example:name\n");
        sysfs_attribute("class/iscsi_session/session2/initiatorname", "iqn.2026-11.org.example:both\n");
        sysfs_attribute("class/iscsi_session/session2/isid", "00023d000001\n");
        sysfs_attribute("class/iscsi_session/session3/initiatorname", "iqn.2026-11.org.example:zero\n");
        sysfs_attribute("class/iscsi_session/session3/isid", "000000000000\n");
        sysfs_attribute("class/iscsi_session/session4/initiatorname", "(null)\n");
        sysfs_attribute("class/iscsi_session/session5/targetname", "iqn.2026-11.org.example:target\n");
        sysfs_attribute("class/iscsi_session/session6/initiatorname", "fc:0x2100001b320000ff\n");
        sysfs_attribute("class/iscsi_host/host8/initiatorname", "iqn.2026-11.org.example:hba\n");
}

static void test_ports(const struct host_ports *ports)
{
        static const struct {
                const char *id;
                bool ours;
                const char *what;
        } cases[] = {
                { "fc:0x2100001b32000001", true, "an FC port by its port name" },
                { "fc:0x2000001b32000001", false, "an FC node name names no port" },
                { "fc:0x2100001b32000002", false, "another FC port" },
                { "fc:0x5006016000000001", false, "a remote FC port" },
                { "fc:0x2100001b320000ff", false, "an iSCSI attribute that looks like FC" },
                { "sas:0x500605b000000001", true, "a SAS address of a phy" },
                { "sas:0x500605b000000002", true, "a SAS address of a host" },
                { "sas:0x500605b0000000ee", false, "a phy of an expander" },
                { "sas:0x500605b000000003", false, "an attribute that is no SAS address" },
                { "sas:0x2100001b32000001", false, "an FC name as a SAS address" },
                { "fc:0x500605b000000001", false, "a SAS address as an FC name" },
                { "srp:0x0000000000000000500605b000000001", false, "an SRP port" },
                { "iqn.2026-11.org.example:name", true, "an iSCSI name" },
                { "iqn.2026-11.org.example:name,i,0x00023d000009", true,
                  "an iSCSI name with an ISID, where sysfs has none" },
                { "iqn.2026-11.org.example:zero,i,0x00023d000009", true,
                  "the same where it has zeros" },
                { "iqn.2026-11.org.example:both", true, "a name where sysfs has an ISID too" },
                { "iqn.2026-11.org.example:both,i,0x00023d000001", true, "name and ISID" },
                { "iqn.2026-11.org.example:both,i,0x00023d000002", false,
                  "the name with another ISID than sysfs has" },
                { "iqn.2026-11.org.example:hba,i,0x00023d000001", true, "an iSCSI adapter's name" },
                { "iqn.2026-11.org.example:nam", false, "a part of a name" },
                { "iqn.2026-11.org.example:name2", false, "a longer name" },
                { "iqn.2026-11.org.example:NAME", false, "a name in capitals" },
                { "iqn.2026-11.org.example:target", false, "a target's name" },
        };

        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
                ok(is_ours(ports, cases[i].id) == cases[i].ours, "%s: %s", cases[i].what,
                   cases[i].ours ? "this host's" : "unknown");
}

int main(void)
{
        test_nothing();
        make();
        int sysfs = sysfs_open();
        struct host_ports ports = host_ports_read(sysfs);
        is_int(ports.count, 8, "what is no name is left out");
        test_ports(&ports);
        host_ports_free(&ports);
        is_int(ports.count, 0, "freed");
        close(sysfs);
        remove_temp_directory();
        return done();
}
