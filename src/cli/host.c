/* SPDX-License-Identifier: BSD-2-Clause */
/* The host's initiator ports in sysfs: see host.h. */
#include "cli/host.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/cli.h"

enum { NAME_SIZE = 256 };

/* The first line of a file of the entry; empty where there is none. */
static void read_name(int entry, const char *file, char ret_text[static NAME_SIZE])
{
        cleanup_fd int fd = openat(entry, file, O_RDONLY | O_CLOEXEC);
        ssize_t n = fd < 0 ? -1 : read(fd, ret_text, NAME_SIZE - 1);

        ret_text[n > 0 ? n : 0] = '\0';
        ret_text[strcspn(ret_text, "\n")] = '\0';
}

/* Add the port of this text; what is none of this protocol is left out. */
static void add(struct host_ports *ports, const char *text, enum prm_protocol protocol)
{
        struct prm_transport_id id;

        if (prm_transport_id_parse(text, &id) < 0 || id.protocol != protocol)
                return;
        ports->ids = need_memory(realloc(ports->ids, (ports->count + 1) * sizeof *ports->ids));
        ports->ids[ports->count++] = id;
}

/* The address in a file, such as 0x2100001b32000001. One of zeros is none. */
static void add_address(struct host_ports *ports, int entry, const char *file, enum prm_protocol protocol)
{
        char address[NAME_SIZE], text[NAME_SIZE + 16];

        read_name(entry, file, address);
        if (strncmp(address, "0x", 2) != 0 || address[2 + strspn(address + 2, "0")] == '\0')
                return;
        snprintf(text, sizeof text, "%s:%s", protocol == PRM_PROTOCOL_FC ? "fc" : "sas", address);
        add(ports, text, protocol);
}

static void add_fc(struct host_ports *ports, int entry, const char *name)
{
        (void)name;
        add_address(ports, entry, "port_name", PRM_PROTOCOL_FC);
}

/* The host's own phys are phy-H:N; those of an expander have one number more. */
static void add_sas_phy(struct host_ports *ports, int entry, const char *name)
{
        const char *colon = strchr(name, ':');

        if (colon && !strchr(colon + 1, ':'))
                add_address(ports, entry, "sas_address", PRM_PROTOCOL_SAS);
}

static void add_sas_host(struct host_ports *ports, int entry, const char *name)
{
        (void)name;
        add_address(ports, entry, "host_sas_address", PRM_PROTOCOL_SAS);
}

/* The kernel writes "(null)" where it was not told a name. */
static void add_iscsi(struct host_ports *ports, int entry, const char *name)
{
        char initiator[NAME_SIZE], isid[NAME_SIZE], text[2 * NAME_SIZE + 16];

        (void)name;
        read_name(entry, "initiatorname", initiator);
        read_name(entry, "isid", isid);
        if (initiator[0] == '\0' || initiator[0] == '(')
                return;
        bool named = strlen(isid) == 12 && strspn(isid, "0") != 12;
        snprintf(text, sizeof text, "%s%s%s", initiator, named ? ",i,0x" : "", named ? isid : "");
        add(ports, text, PRM_PROTOCOL_ISCSI);
}

static void close_directory(DIR **directory)
{
        if (*directory)
                closedir(*directory);
}

static void read_class(struct host_ports *ports, int sysfs, const char *class,
                       void (*add_entry)(struct host_ports *ports, int entry, const char *name))
{
        cleanup_fd int fd = openat(sysfs, class, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        __attribute__((cleanup(close_directory))) DIR *directory = fd < 0 ? NULL : fdopendir(fd);

        if (!directory)
                return;
        (void)steal_fd(&fd);
        for (struct dirent *d; (d = readdir(directory));) {
                if (d->d_name[0] == '.')
                        continue;
                cleanup_fd int entry =
                        openat(dirfd(directory), d->d_name, O_PATH | O_DIRECTORY | O_CLOEXEC);
                if (entry >= 0)
                        add_entry(ports, entry, d->d_name);
        }
}

struct host_ports host_ports_read(int sysfs)
{
        struct host_ports ports = { NULL, 0 };

        if (sysfs < 0)
                return ports;
        read_class(&ports, sysfs, "class/fc_host", add_fc);
        read_class(&ports, sysfs, "class/sas_phy", add_sas_phy);
        read_class(&ports, sysfs, "class/scsi_host", add_sas_host);
        read_class(&ports, sysfs, "class/iscsi_session", add_iscsi);
        read_class(&ports, sysfs, "class/iscsi_host", add_iscsi);
        return ports;
}

bool host_ports_contain(const struct host_ports *ports, const struct prm_transport_id *id)
{
        bool same_name = false, isid_named = false;

        for (size_t i = 0; i < ports->count; i++) {
                const struct prm_transport_id *own = &ports->ids[i];
                if (prm_transport_id_equal(own, id))
                        return true;
                if (id->protocol == PRM_PROTOCOL_ISCSI && own->protocol == PRM_PROTOCOL_ISCSI &&
                    strcmp(own->name, id->name) == 0) {
                        same_name = true;
                        isid_named |= own->has_isid;
                }
        }
        return same_name && (!id->has_isid || !isid_named);
}

void host_ports_free(struct host_ports *ports)
{
        free(ports->ids);
        *ports = (struct host_ports){ NULL, 0 };
}
