/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a virtual machine monitor does with a guest's command: hand the SG_IO
 * header on, go back to its loop, and complete the command when the event comes.
 *
 *     cc forward.c $(pkg-config --cflags --libs libprmanager) -o forward
 *     ./forward pr-manager-helper,path=/run/qemu-pr-helper.sock /dev/sdb
 *
 * The guest here is a list of three commands: it registers, looks, and unregisters.
 */
#include <fcntl.h>
#include <poll.h>
#include <scsi/sg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <prmanager.h>

/* A command as it came out of a guest's queue, with the buffers that go with it. */
struct guest_command {
        const char *name;
        unsigned char cdb[10];
        unsigned char data[24];
        int direction;
        unsigned char sense[PRM_SENSE_SIZE];
        struct sg_io_hdr header;
};

static struct guest_command guest[] = {
        { "REGISTER", { 0x5f, 0x06, [8] = 24 }, { [15] = 0x01 }, SG_DXFER_TO_DEV },
        { "READ KEYS", { 0x5e, 0x00, [8] = 24 }, { 0 }, SG_DXFER_FROM_DEV },
        { "unregister", { 0x5f, 0x06, [8] = 24 }, { 0 }, SG_DXFER_TO_DEV },
};

static void prepare(struct guest_command *command)
{
        memset(&command->header, 0, sizeof command->header);
        command->header.interface_id = 'S';
        command->header.dxfer_direction = command->direction;
        command->header.cmd_len = sizeof command->cdb;
        command->header.cmdp = command->cdb;
        command->header.dxfer_len = sizeof command->data;
        command->header.dxferp = command->data;
        command->header.mx_sb_len = sizeof command->sense;
        command->header.sbp = command->sense;
        command->header.timeout = 30000; /* ms */
}

/* Where a monitor puts status and sense into the guest's memory and raises its interrupt. */
static void complete(const struct guest_command *command)
{
        printf("%s: %s, %d bytes\n", command->name, prm_status_name(command->header.status),
               (int)command->header.dxfer_len - command->header.resid);
}

static int forward(struct prm_manager *manager, int disk, struct guest_command *command)
{
        struct pollfd event = { .events = POLLIN };
        int r;

        prepare(command);
        r = prm_execute_event(manager, disk, &command->header, &event.fd);
        if (r < 0) {
                fprintf(stderr, "forward: %s: %s\n", command->name, strerror(-r));
                return 1;
        }
        /* A monitor has a loop for this, with many more descriptors in it. */
        while (poll(&event, 1, -1) <= 0)
                ;
        close(event.fd);
        complete(command);
        return 0;
}

int main(int argc, char **argv)
{
        struct prm_manager *manager;
        struct prm_error error;
        int exit_status = 0;

        if (argc != 3) {
                fprintf(stderr, "usage: forward MANAGER DEVICE\n");
                return 2;
        }
        if (prm_manager_from_string(argv[1], &manager, &error) < 0) {
                fprintf(stderr, "forward: %s\n", error.text);
                return 1;
        }
        int disk = open(argv[2], O_RDWR | O_CLOEXEC);
        if (disk < 0) {
                perror(argv[2]);
                exit_status = 1;
        }
        for (size_t i = 0; exit_status == 0 && i < sizeof guest / sizeof guest[0]; i++)
                exit_status = forward(manager, disk, &guest[i]);
        if (disk >= 0)
                close(disk);
        prm_manager_unref(manager);
        return exit_status;
}
