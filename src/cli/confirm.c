/* SPDX-License-Identifier: BSD-2-Clause */
/* The question: see confirm.h. */
#include "cli/confirm.h"

#include <stdio.h>
#include <strings.h>
#include <unistd.h>

#include "cli/cli.h"

int confirm(const struct options *options, const char *what)
{
        char answer[16] = "";

        if (options->yes)
                return 0;
        if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO)) {
                message("%s: %s; without a terminal to ask at, --yes has to be given. Nothing was sent",
                        options->device, what);
                return CLI_SYNTAX;
        }
        message("%s: %s.", options->device, what);
        fputs("Go on? [y/N] ", stderr);
        fflush(stderr);
        if (fgets(answer, sizeof answer, stdin) &&
            (strcasecmp(answer, "y\n") == 0 || strcasecmp(answer, "yes\n") == 0))
                return 0;
        message("nothing was sent");
        return CLI_SYNTAX;
}
