/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A process without standard input, output and error: no descriptor of the
 * library's takes their numbers, where the process' words would go to it.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <scsi/sg.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "manager_server.h"

enum { STANDARD = 3 };

static int device;
static sem_t done_called, go;
static int saved[STANDARD];

static void close_standard(void)
{
        fflush(NULL);
        for (int fd = 0; fd < STANDARD; fd++) {
                saved[fd] = fcntl(fd, F_DUPFD_CLOEXEC, 100);
                close(fd);
        }
}

/* How many of the three are something now; they are what they were again afterwards. */
static int restore_standard(void)
{
        int taken = 0;

        for (int fd = 0; fd < STANDARD; fd++)
                taken += fcntl(fd, F_GETFD) >= 0;
        for (int fd = 0; fd < STANDARD; fd++) {
                dup2(saved[fd], fd);
                close(saved[fd]);
        }
        return taken;
}

/* In a process of its own: what it opens is none of this one's. */
static pid_t start_helper(struct server *server)
{
        server_prepare(server, serve_good);
        pid_t pid = fork();
        if (pid != 0)
                return pid;
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        server_listen(server);
        for (;;)
                pause();
}

static void prepare(struct sg_io_hdr *header, uint8_t cdb[static 10], uint8_t data[static 16])
{
        memset(cdb, 0, 10);
        cdb[0] = 0x5e;
        cdb[8] = 16;
        *header = (struct sg_io_hdr){ .interface_id = 'S', .cmd_len = 10, .cmdp = cdb, .dxferp = data,
                                      .dxfer_direction = SG_DXFER_FROM_DEV, .dxfer_len = 16, .timeout = 10000,
                                      .status = 77 };
}

static void hold(struct sg_io_hdr *header, void *opaque)
{
        (void)header, (void)opaque;
        sem_post(&done_called);
        sem_wait(&go);
}

static void test_helper(const struct server *server)
{
        struct prm_manager *manager = server_manager(server);
        static struct sg_io_hdr headers[2];
        static uint8_t cdb[2][10], data[2][16];
        struct pollfd ended = { .events = POLLIN };
        int connected = -1, r[2];
        eventfd_t value;

        close_standard();
        for (int i = 0; i < 5000 && connected != 0; i++) {
                connected = prm_manager_connect(manager, NULL);
                usleep(1000);
        }
        is_int(restore_standard(), 0, "the connection is none of 0, 1 and 2");
        is_int(connected, 0, "there is one");

        for (int i = 0; i < 2; i++)
                prepare(&headers[i], cdb[i], data[i]);
        r[0] = prm_execute_async(manager, device, &headers[0], hold, NULL);
        sem_wait(&done_called);
        close_standard();
        r[1] = prm_execute_event(manager, device, &headers[1], &ended.fd);
        is_int(restore_standard(), 0, "nor are the device of a command that waits, and its event");
        sem_post(&go);
        ok(r[0] == 0 && r[1] == 0 && poll(&ended, 1, 10000) == 1 && eventfd_read(ended.fd, &value) == 0,
           "which ends");
        ok((fcntl(ended.fd, F_GETFD) & FD_CLOEXEC) && ended.fd >= STANDARD, "the event is gone after execve(2)");

        /* The thread sanitizer does not see that the event, a duplicate, orders its writer before its reader:
           one more command, told by what it does see. */
        sem_post(&go);
        if (prm_execute_async(manager, device, &headers[0], hold, NULL) == 0)
                sem_wait(&done_called);
        is_int(headers[1].status, 0, "the command was carried out");
        close(ended.fd);
        prm_manager_unref(manager);
}

static void test_direct(void)
{
        struct prm_manager *manager;

        close_standard();
        int r = prm_manager_from_string("pr-manager-direct", &manager, NULL);
        is_int(restore_standard(), 0, "nor is what a direct one has open");
        is_int(r, 0, "it is made");
        prm_manager_unref(manager);
}

int main(void)
{
        struct server server;
        pid_t helper = start_helper(&server);

        device = open("/dev/null", O_RDWR | O_CLOEXEC);
        sem_init(&done_called, 0, 0);
        sem_init(&go, 0, 0);
        test_helper(&server);
        test_direct();
        close(device);
        kill(helper, SIGKILL);
        waitpid(helper, NULL, 0);
        server_stop(&server);
        return done();
}
