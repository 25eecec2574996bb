/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fork() at any moment of what other threads do with managers: the child waits
 * for none of them. They hold each lock for a while here, so that most forks
 * come upon one.
 */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <scsi/sg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "prmanager.h"
#include "tap.h"

enum { FORKS = 40 };

static struct prm_manager *manager;
static int device;
static pthread_t forker;
static atomic_bool slow, stop;

/* The linker puts this in the place of the C library's. */
int __real_pthread_mutex_unlock(pthread_mutex_t *mutex);
int __wrap_pthread_mutex_unlock(pthread_mutex_t *mutex);

int __wrap_pthread_mutex_unlock(pthread_mutex_t *mutex)
{
        if (slow && !pthread_equal(pthread_self(), forker))
                usleep(1000);
        return __real_pthread_mutex_unlock(mutex);
}

/* A command in the background; the descriptor is no disk's, so that it ends at once. */
static bool in_background(void)
{
        uint8_t cdb[10] = { 0x5e, [8] = 8 }, data[8];
        struct sg_io_hdr header = { .interface_id = 'S', .cmd_len = sizeof cdb, .cmdp = cdb,
                                    .dxfer_direction = SG_DXFER_FROM_DEV, .dxfer_len = sizeof data,
                                    .dxferp = data };
        struct pollfd ended = { .events = POLLIN };
        eventfd_t value;

        if (prm_execute_event(manager, device, &header, &ended.fd) < 0 || poll(&ended, 1, 20000) != 1)
                return false;
        (void)eventfd_read(ended.fd, &value);
        close(ended.fd);
        return header.status == PRM_CHECK_CONDITION;
}

/* Make one of this id, find it, and drop it. */
static bool make_and_find(const char *id)
{
        struct prm_manager *made;

        if (prm_manager_create("pr-manager-direct", id, NULL, 0, &made, NULL) < 0)
                return false;
        struct prm_manager *found = prm_manager_find(id);
        prm_manager_unref(found);
        prm_manager_unref(made);
        return found == made;
}

static void *commands(void *wrong)
{
        while (!stop)
                atomic_fetch_add((atomic_int *)wrong, !in_background());
        return NULL;
}

static void *managers(void *wrong)
{
        while (!stop)
                atomic_fetch_add((atomic_int *)wrong, !make_and_find("thread"));
        return NULL;
}

/* What a child does; what belongs to the parent's threads is lost here, and valgrind is not to look for it. */
static _Noreturn void child(void)
{
        slow = false;
        alarm(10);
        bool right = prm_manager_is_connected(manager) && in_background() && make_and_find("child");
        struct prm_manager *found = prm_manager_find("parent");
        right &= found == manager;
        prm_manager_unref(found);
        execl(right ? "/bin/true" : "/bin/false", "child", (char *)NULL);
        _exit(1);
}

static void test_forks(void *(*others)(void *), const char *what)
{
        pthread_t thread;
        atomic_int wrong = 0;
        int status = 0, forks = 0;

        if (prm_manager_from_string("pr-manager-direct,id=parent", &manager, NULL) < 0)
                abort();
        stop = false;
        slow = true;
        pthread_create(&thread, NULL, others, &wrong);
        for (; forks < FORKS && status == 0; forks++) {
                usleep(1000);
                pid_t pid = fork();
                if (pid == 0)
                        child();
                waitpid(pid, &status, 0);
        }
        stop = true;
        pthread_join(thread, NULL);
        slow = false;
        prm_manager_unref(manager);
        ok(status == 0, "%s while a process forks: each child gets on (%d forks, status %#x)", what, forks,
           (unsigned)status);
        is_int(wrong, 0, "and the thread of the parent, too");
}

int main(void)
{
        forker = pthread_self();
        device = open("/dev/null", O_RDWR | O_CLOEXEC);
        test_forks(commands, "commands in the background");
        test_forks(managers, "managers made, found and dropped");
        close(device);
        return done();
}
