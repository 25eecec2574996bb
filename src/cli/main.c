/* SPDX-License-Identifier: BSD-2-Clause */
/* pr-manager: see who holds a disk by persistent reservations, and act on it. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/standard_fds.h"
#include "cli/cli.h"
#include "cli/options.h"

static int run(const struct options *options)
{
        if (options->help) {
                help_print(options->command);
                return flush_output();
        }
        if (options->version) {
                puts(CLI_NAME " " PR_VERSION);
                return flush_output();
        }
        if (options->completions) {
                int status = completions_print(options->completions);
                return status != 0 ? status : flush_output();
        }
        return options->command->run(options);
}

int main(int argc, char **argv)
{
        struct options options;

        setvbuf(stderr, NULL, _IOLBF, 0); /* a line is one write: others may write there too */
        int r = standard_fds_fill(O_RDONLY); /* before there is a disk that could be one of them */
        if (r < 0) {
                message("open /dev/null: %s", strerror(-r));
                return CLI_FILE;
        }
        signal(SIGPIPE, SIG_IGN); /* how a command ended is told, though nobody reads the output */
        int status = options_parse(argc, argv, &options);
        if (status == 0)
                status = run(&options);
        options_free(&options);
        return status;
}
