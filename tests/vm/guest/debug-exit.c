// SPDX-License-Identifier: BSD-2-Clause
//
// Ends the test VM: writes its argument to the port of QEMU's isa-debug-exit
// device, and QEMU exits with (argument << 1) | 1. Does not return.

#include <stdlib.h>
#include <sys/io.h>
#include <unistd.h>

enum { DEBUG_EXIT_PORT = 0xf4 };

int main(int argc, char **argv)
{
        if (ioperm(DEBUG_EXIT_PORT, 4, 1))
                return 1;
        // unsigned long: all four bytes of the port in one write
        outl(argc > 1 ? strtoul(argv[1], NULL, 10) : 1, DEBUG_EXIT_PORT);
        pause();
        return 1;
}
