/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages: see cli.h. */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

void put_text(const char *text, FILE *to)
{
        for (; *text; text++) {
                if (*text >= ' ' && *text <= '~')
                        fputc(*text, to);
                else
                        fprintf(to, "\\x%02x", (unsigned char)*text);
        }
}

void message(const char *format, ...)
{
        char text[8192]; /* a path is up to 4096 */
        va_list args;

        va_start(args, format);
        vsnprintf(text, sizeof text, format, args);
        va_end(args);

        flockfile(stderr);
        fputs(CLI_NAME ": ", stderr);
        put_text(text, stderr);
        fputc('\n', stderr);
        funlockfile(stderr);
}

void *need_memory(void *pointer)
{
        if (!pointer) {
                message("%s", strerror(ENOMEM));
                exit(CLI_ERRNO + ENOMEM);
        }
        return pointer;
}

void format_owner(unsigned user, unsigned group, char *ret_text, size_t size)
{
        char user_number[16], group_number[16];
        const struct passwd *u = getpwuid(user);
        const struct group *g = getgrgid(group);

        snprintf(user_number, sizeof user_number, "%u", user);
        snprintf(group_number, sizeof group_number, "%u", group);
        snprintf(ret_text, size, "%s:%s", u ? u->pw_name : user_number, g ? g->gr_name : group_number);
}

int flush_output(void)
{
        if (fflush(stdout) == 0 && !ferror(stdout))
                return CLI_GOOD;
        if (errno != EPIPE) /* who has stopped reading knows it */
                message("cannot write the output: %s", strerror(errno));
        return CLI_FILE;
}
