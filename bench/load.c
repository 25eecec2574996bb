/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The load generator: puts load on a server of the helper protocol, and prints
 * what it measured as one line of JSON. Times are in microseconds.
 *
 *     load run [OPTIONS] SOCKET             requests in a closed loop
 *     load direct [OPTIONS]                 the same commands by SG_IO, no server
 *     load idle [OPTIONS] SOCKET            hold connections until stdin ends
 *     load start [OPTIONS] SOCKET PROGRAM [ARG...]
 */
#include "load.h"

#include <err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static const char usage[] =
        "load run|direct|idle|start [-n CONNECTIONS] [-t SECONDS] [-w WARM-UP] [-d DEVICE]\n"
        "     [-a ACTION] [-l LENGTH] [-p SERVER_PID] [-s STARTS] [SOCKET [PROGRAM [ARG...]]]";

static void parse(int argc, char **argv, struct load_options *options)
{
        int option;

        /* +: what follows PROGRAM is its own */
        while ((option = getopt(argc, argv, "+n:t:w:d:a:l:p:s:")) != -1) {
                switch (option) {
                case 'n': options->connections = (unsigned)atoi(optarg); break;
                case 't': options->seconds = atof(optarg); break;
                case 'w': options->warm_up = atof(optarg); break;
                case 'd': options->device = optarg; break;
                case 'a': options->action = (unsigned)atoi(optarg); break;
                case 'l': options->length = (unsigned)atoi(optarg); break;
                case 'p': options->server = (pid_t)atoi(optarg); break;
                case 's': options->starts = (unsigned)atoi(optarg); break;
                default: errx(2, "usage: %s", usage);
                }
        }
        if (options->connections == 0 || options->seconds <= 0 || options->starts == 0)
                errx(2, "usage: %s", usage);
}

/* A connection is a descriptor. */
static void raise_file_limit(void)
{
        struct rlimit limit;

        if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
                limit.rlim_cur = limit.rlim_max;
                (void)setrlimit(RLIMIT_NOFILE, &limit);
        }
}

int main(int argc, char **argv)
{
        struct load_options options = {
                .connections = 1,
                .seconds = 1,
                .warm_up = 0.2,
                .device = "/dev/null",
                .length = 8192,
                .starts = 100,
        };

        if (argc < 2)
                errx(2, "usage: %s", usage);
        const char *mode = argv[1];
        optind = 2;
        parse(argc, argv, &options);
        raise_file_limit();

        int left = argc - optind;
        if (strcmp(mode, "direct") == 0 && left == 0)
                return load_direct(&options);
        if (strcmp(mode, "run") == 0 && left == 1)
                return load_run(&options, argv[optind]);
        if (strcmp(mode, "idle") == 0 && left == 1)
                return load_idle(&options, argv[optind]);
        if (strcmp(mode, "start") == 0 && left >= 2)
                return load_start(&options, argv[optind], argv + optind + 1);
        errx(2, "usage: %s", usage);
}
