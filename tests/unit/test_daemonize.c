/* SPDX-License-Identifier: BSD-2-Clause */
/* helper/daemonize: the parent's exit status tells the truth, and the child lets go of everything. */
#include "helper/daemonize.h"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>

#include "fixture.h"
#include "tap.h"

static int report; /* the daemon tells us here how it fares */
static int hold;   /* and waits for this to end */

enum ending { READY, EXITS, KILLED, PARENT_KILLED };

static void tell(char c)
{
        need(write(report, &c, 1) == 1, "write");
}

static void daemon_life(enum ending ending)
{
        struct background background = BACKGROUND_NONE;
        pid_t caller = getpid();
        char byte;

        if (daemonize(&background) < 0)
                _exit(9);
        tell(getpid() != caller && getsid(0) == getpid() ? 's' : 'x'); /* a session of its own */
        if (ending == EXITS)
                _exit(3);
        if (ending == KILLED)
                kill(getpid(), SIGKILL);
        if (ending == PARENT_KILLED)
                (void)!read(hold, &byte, 1);
        int r = daemonize_ready(&background);
        tell(r == 0 ? 'r' : r == -EPIPE ? 'e' : 'x');
        struct stat null, st;
        int gone = 0;
        need(stat("/dev/null", &null) == 0, "/dev/null");
        for (int fd = 0; fd <= 2; fd++)
                gone += fstat(fd, &st) == 0 && st.st_rdev == null.st_rdev;
        tell(background.parent >= 0 || background.null >= 0 ? 'x' : gone == 3 ? 'n' : 'k');
        if (ending == READY)
                (void)!read(hold, &byte, 1);
        _exit(0);
}

static void test_end(const char *what, enum ending ending, int want_status, const char *want_told)
{
        int told[2], held[2];
        char text[16] = "";
        size_t size = 0;
        ssize_t n;

        need(pipe2(told, O_CLOEXEC) == 0 && pipe2(held, O_CLOEXEC) == 0, "pipe");
        fflush(NULL);
        pid_t parent = fork();
        if (parent == 0) {
                report = told[1];
                hold = held[0];
                close(held[1]);
                daemon_life(ending);
        }
        close(told[1]);
        close(held[0]);
        int status = 0;
        if (ending == PARENT_KILLED) { /* when the daemon is there and not ready yet */
                size = (size_t)read(told[0], text, 1);
                kill(parent, SIGTERM);
        }
        (void)waitpid(parent, &status, 0);
        is_int(WIFEXITED(status) ? WEXITSTATUS(status) : 256 + WTERMSIG(status), want_status,
               "%s: the parent's status", what);
        close(held[1]);
        while ((n = read(told[0], text + size, sizeof text - 1 - size)) > 0)
                size += (size_t)n;
        is_string(text, want_told, "%s: what the daemon went through", what);
        close(told[0]);
        while (waitpid(-1, NULL, 0) > 0)
                ;
}

int main(void)
{
        int fds = count_fds();

        need(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0, "subreaper");
        signal(SIGPIPE, SIG_IGN);
        test_end("ready", READY, 0, "srn");
        test_end("exits before", EXITS, 1, "s");
        test_end("is killed before", KILLED, 1, "s");
        test_end("the parent is ended before", PARENT_KILLED, 256 + SIGTERM, "sek");
        is_int(count_fds(), fds, "no descriptor is left open");
        return done();
}
