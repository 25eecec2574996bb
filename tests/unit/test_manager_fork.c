/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Processes that fork() with a manager in hand: the child's commands go by a
 * connection of its own, and parent and child never get each other's replies.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include "fork_world.h"

/* In the thread sanitizer's eyes a process of several threads may not fork and start another one. */
__attribute__((visibility("default"))) const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
        return "die_after_fork=0";
}

/* Run `job` in a child; what it returns is what went wrong. */
static pid_t start_child(int (*job)(void))
{
        shared->wrong = -1;
        pid_t pid = fork();
        if (pid == 0) {
                alarm(30);
                shared->wrong = job();
                /* What belongs to the parent's threads is lost here: no checker is to look for it. */
                execl("/bin/true", "true", (char *)NULL);
                _exit(0);
        }
        return pid;
}

static int end_child(pid_t pid)
{
        waitpid(pid, NULL, 0);
        return shared->wrong;
}

static void begin(void)
{
        shared->go = false;
        memset(shared->requests, 0, sizeof shared->requests);
        shared->connections = 0;
        manager = server_manager(&place);
        ok(prm_manager_connect(manager, NULL) == 0 && read_keys(16) == 1, "the parent is connected");
}

static void end(void)
{
        prm_manager_unref(manager);
}

static int child_once(void)
{
        int wrong = prm_manager_is_connected(manager);

        wrong += 2 * (read_keys(17) != 2) + 4 * (read_keys(18) != 2) + 8 * !prm_manager_is_connected(manager);
        prm_manager_unref(manager);
        return wrong;
}

static void test_once(void)
{
        begin();
        is_int(end_child(start_child(child_once)), 0, "a child connects by itself");
        ok(prm_manager_is_connected(manager) && read_keys(19) == 1, "and the parent's connection stays");
        is_int(shared->connections, 2, "two connections");
        end();
}

/* Dropping a manager is all that the child does. */
static int child_drops(void)
{
        prm_manager_unref(manager);
        return 0;
}

static void test_drop(void)
{
        begin();
        is_int(read_keys_async(20), 1, "in the background");
        is_int(end_child(start_child(child_drops)), 0, "a child drops the manager, and waits for no thread");
        ok(read_keys(19) == 1 && read_keys_async(21) == 1, "the parent has it still");
        end();
}

static int send_many(uint8_t length, int by)
{
        int wrong = 0;

        for (int i = 0; i < COMMANDS; i++)
                wrong += read_keys(length) != by;
        return wrong;
}

static int child_many(void)
{
        return send_many(30, 2);
}

static void test_many(void)
{
        begin();
        pid_t pid = start_child(child_many);
        is_int(send_many(40, 1), 0, "both at once: the parent gets its own replies");
        is_int(end_child(pid), 0, "and the child its own");
        end();
}

static void *hold(void *argument)
{
        *(int *)argument = read_keys(HELD);
        return NULL;
}

static void wait_for_request(uint8_t length)
{
        for (int i = 0; i < 5000 && shared->requests[length] == 0; i++)
                usleep(1000);
}

/* Another thread of the parent has the connection. */
static void test_claimed(void)
{
        pthread_t thread;
        int by = 0;

        begin();
        pthread_create(&thread, NULL, hold, &by);
        wait_for_request(HELD);
        is_int(end_child(start_child(child_once)), 0, "a child does not wait for a thread that it does not have");
        shared->go = true;
        pthread_join(thread, NULL);
        is_int(by, 1, "the thread is not disturbed");
        end();
}

static atomic_int completions;

static void count(struct sg_io_hdr *header, void *opaque)
{
        (void)opaque;
        atomic_fetch_add(&completions, header->status == 0);
}

static int child_async(void)
{
        int wrong = (read_keys_async(50) != 2) + 2 * (read_keys(51) != 2) + 4 * (completions != 0);

        prm_manager_unref(manager);
        return wrong;
}

/* Commands in the background, one sent and one not. */
static void test_async(void)
{
        static struct sg_io_hdr headers[2];
        static uint8_t cdb[2][10], data[2][256];

        begin();
        for (int i = 0; i < 2; i++) {
                prepare(&headers[i], cdb[i], data[i], (uint8_t)(HELD + i));
                if (prm_execute_async(manager, device, &headers[i], count, NULL) < 0)
                        abort();
        }
        wait_for_request(HELD);
        is_int(end_child(start_child(child_async)), 0, "a child has a background of its own");
        is_int(shared->requests[LATER], 0, "and does not send what waits in the parent");
        shared->go = true;
        for (int i = 0; i < 5000 && completions < 2; i++)
                usleep(1000);
        is_int(completions, 2, "which sends it");
        ok(shared->requests[HELD] == 1 && shared->requests[LATER] == 1, "once");
        end();
}

static pid_t forked;
static bool used_in_done; /* by the child, too */
static pthread_key_t at_end;

/* A child's last thread ends, and with it the child: no checker is to look for what it has not. */
static void leave(void *unused)
{
        (void)unused;
        execl("/bin/true", "true", (char *)NULL);
        _exit(1);
}

static void count_and_fork(struct sg_io_hdr *header, void *opaque)
{
        count(header, opaque);
        if (forked != 0)
                return;
        fflush(NULL);
        forked = fork();
        if (forked == 0) {
                sigset_t none;
                sigemptyset(&none);
                pthread_sigmask(SIG_SETMASK, &none, NULL);
                alarm(10);
                (void)pthread_setspecific(at_end, &forked);
                if (used_in_done && read_keys(92) != 2)
                        _exit(1);
        }
}

/* By the background's own thread, which is all that the child has. */
static void test_fork_in_done(bool used)
{
        static struct sg_io_hdr headers[2];
        static uint8_t cdb[2][10], data[2][256];
        int status = -1;

        begin();
        completions = 0;
        forked = 0;
        used_in_done = used;
        pthread_key_create(&at_end, leave);
        for (int i = 0; i < 2; i++) {
                prepare(&headers[i], cdb[i], data[i], (uint8_t)(90 + i));
                if (prm_execute_async(manager, device, &headers[i], count_and_fork, NULL) < 0)
                        abort();
        }
        for (int i = 0; i < 5000 && completions < 2; i++)
                usleep(1000);
        is_int(completions, 2, "a fork of `done`%s: the parent's commands are done", used ? " that sends one" : "");
        waitpid(forked, &status, 0);
        is_int(shared->requests[91], 1, "and not by the child, too");
        is_int(status, 0, "whose thread ends");
        pthread_key_delete(at_end);
        end();
}

static pthread_barrier_t together;

static void *send_some(void *argument)
{
        int *wrong = argument;
        uint8_t length = (uint8_t)(60 + *wrong);

        *wrong = 0;
        pthread_barrier_wait(&together);
        for (int i = 0; i < 20; i++)
                *wrong += read_keys(length) != 2;
        return NULL;
}

/* A daemon: its threads are started before one of them calls. */
static int child_threads(void)
{
        pthread_t threads[THREADS];
        int wrong[THREADS], sum = 0;

        pthread_barrier_init(&together, NULL, THREADS);
        for (int i = 0; i < THREADS; i++) {
                wrong[i] = i;
                pthread_create(&threads[i], NULL, send_some, &wrong[i]);
        }
        for (int i = 0; i < THREADS; i++) {
                pthread_join(threads[i], NULL);
                sum += wrong[i];
        }
        return sum;
}

static void test_threads(void)
{
        for (int i = 0; i < 50; i++) {
                begin();
                is_int(end_child(start_child(child_threads)), 0, "threads of a child share its connection");
                is_int(shared->connections, 2, "there is one");
                end();
        }
}

int main(void)
{
        device = open("/dev/null", O_RDWR | O_CLOEXEC);
        shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        pid_t helper = start_helper();
        test_once();
        test_many();
        test_threads();
        test_drop();
        test_claimed();
        test_async();
        test_fork_in_done(false);
        test_fork_in_done(true);
        kill(helper, SIGKILL);
        waitpid(helper, NULL, 0);
        server_stop(&place);
        munmap(shared, sizeof *shared);
        close(device);
        return done();
}
