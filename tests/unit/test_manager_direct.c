/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pr-manager-direct on a kernel that this test plays: a node of sg whose target
 * writes past short allocation lengths, and leaves bytes of long ones as they were.
 */
#include <errno.h>
#include <fcntl.h>
#include <scsi/sg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "prmanager.h"
#include "tap.h"

enum { PAGE = 4096, PAST = 32, DATA = 0x41, CANARY = 0x55 };

/* The linker puts these in the place of sgio.h's. */
int __wrap_sgio_ioctl(int fd, unsigned long request, void *argument);
int __wrap_sgio_fstat(int fd, struct stat *ret_stat);

static struct target {
        uint32_t written; /* bytes of IN, wherever the buffer ends */
        bool aligned;     /* the buffer began with a page */
        int commands;
        uint16_t host;    /* host status */
} target;

int __wrap_sgio_ioctl(int fd, unsigned long request, void *argument)
{
        struct sg_io_hdr *header = argument;

        (void)fd;
        if (request != SG_IO)
                return -1;
        target.commands++;
        header->host_status = target.host;
        target.aligned = (uintptr_t)header->dxferp % PAGE == 0;
        if (header->dxfer_direction == SG_DXFER_FROM_DEV)
                memset(header->dxferp, DATA, target.written);
        return 0;
}

int __wrap_sgio_fstat(int fd, struct stat *ret_stat)
{
        (void)fd;
        *ret_stat = (struct stat){ .st_mode = S_IFCHR | 0600, .st_rdev = makedev(21, 0) };
        return 0;
}

static bool all(const uint8_t *bytes, size_t size, uint8_t value)
{
        for (size_t i = 0; i < size; i++)
                if (bytes[i] != value)
                        return false;
        return true;
}

/* IN of this allocation length with room for no more. Where it returned, `data` is checked. */
static void test_in(struct prm_manager *manager, int device, uint32_t length, bool header_level)
{
        static uint8_t data[UINT16_MAX + PAST];
        const struct prm_nexus nexus = { manager, device, 0, 0 };
        uint8_t cdb[PRM_CDB_SIZE] = { 0x5e, 3, [7] = (uint8_t)(length >> 8), [8] = (uint8_t)length };
        struct sg_io_hdr header = {
                .interface_id = 'S', .cmd_len = sizeof cdb, .cmdp = cdb, .dxferp = data,
                .dxfer_direction = SG_DXFER_FROM_DEV, .dxfer_len = length,
        };
        struct prm_result result = { .status = 77 };
        const char *call = header_level ? "prm_execute()" : "prm_command()";

        for (int past = 0; past < 2; past++) {
                memset(data, CANARY, sizeof data);
                target.written = past ? length + PAST : 8;
                int r = header_level ? prm_execute(manager, device, &header)
                                     : prm_command(&nexus, cdb, sizeof cdb, data, length, &result);
                ok(r == 0 && (header_level ? header.status == 0 && header.resid == 0
                                           : result.status == PRM_GOOD && result.size == length),
                   "%s of %u bytes", call, length);
                ok(target.aligned, "lends the kernel pages of its own");
                if (past)
                        ok(all(data, length, DATA), "a target that writes past them");
                else
                        ok(all(data, 8, DATA) && all(data + 8, length - 8, 0),
                           "a target that says more than it wrote: the rest is zero");
                ok(all(data + length, PAST, CANARY), "nothing is written behind the caller's buffer");
        }
}

static void test_out(struct prm_manager *manager, int device)
{
        const struct prm_nexus nexus = { manager, device, 0, 0 };
        struct prm_result result;

        target.commands = 0;
        is_int(prm_reserve(&nexus, 1, PRM_WRITE_EXCLUSIVE, &result), 0, "OUT");
        ok(result.status == PRM_GOOD && result.size == 0 && target.commands == 1, "is sent as it is");
}

/* The kernel's own troubles with a command that it had sent. */
static void test_host(struct prm_manager *manager, int device)
{
        static const struct {
                uint16_t host;
                int error;
                const char *text;
        } rows[] = {
                { 0x03, -ETIMEDOUT, "SG_IO: the device did not answer in time (host status 03h)" },
                { 0x01, -EIO, "SG_IO: host status 01h" },
                { 0x07, -EIO, "SG_IO: host status 07h" },
        };
        const struct prm_nexus nexus = { manager, device, 0, 0 };

        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
                struct prm_result out, in;
                struct prm_keys keys;
                target.written = 8;
                target.host = rows[i].host;
                int r = prm_reserve(&nexus, 1, PRM_WRITE_EXCLUSIVE, &out);
                r |= prm_read_keys(&nexus, &keys, &in);
                ok(r == 0 && out.status == PRM_CHECK_CONDITION && in.status == PRM_CHECK_CONDITION,
                   "host status %02Xh", rows[i].host);
                is_int(out.error, rows[i].error, "OUT: the error");
                is_int(in.error, rows[i].error, "IN: the error");
                ok(out.in_doubt && in.in_doubt, "it may have been carried out");
                is_string(out.text, rows[i].text, "in words");
        }
        target.host = 0;
}

int main(void)
{
        struct prm_manager *manager;
        int device = open("/dev/null", O_RDWR | O_CLOEXEC);

        if (prm_manager_from_string("pr-manager-direct", &manager, NULL) < 0)
                abort();
        for (int header_level = 0; header_level < 2; header_level++) {
                test_in(manager, device, 16, header_level);
                test_in(manager, device, PRM_TRANSFER_MAX, header_level);
        }
        test_in(manager, device, UINT16_MAX, false);
        test_out(manager, device);
        test_host(manager, device);
        prm_manager_unref(manager);
        close(device);
        return done();
}
