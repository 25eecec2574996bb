# SPDX-License-Identifier: BSD-2-Clause
"""What bench/vm runs inside the virtual machine: each server and SG_IO in turn on a real LUN.

    vm_guest.py ROUNDS SECONDS

Prints one line of JSON a round: {length: {who: figures}}. Who is not in the image is left out.
"""

import contextlib
import json
import os
import sys
import tempfile

import lio
import prclient
import scsi
from servers import Load, Program, Server

PROGRAMS = (Program("ours", ("/usr/bin/qemu-pr-helper", "-k")),
            Program("peer", ("/usr/bin/peer-pr-helper", "-k")),
            Program("floor", ("/usr/bin/bench-floor",)))
LENGTHS = (8192, 256)       # allocation lengths; sg_persist asks for 8192
KEY = 0xA1


def main():
    count, seconds = int(sys.argv[1]), float(sys.argv[2])
    lun = lio.shared_lun()
    lun.reset()
    disk = lun.initiators[0].disk
    parameters = prclient.params(sark=KEY)
    registered = scsi.execute(disk, prclient.cdb_out(prclient.REGISTER)[:10], out=parameters)
    if registered.status:
        raise OSError(f"registering: {registered}")
    load = Load("/usr/bin/bench-load")
    folder = tempfile.mkdtemp()
    os.chmod(folder, 0o755)
    how = {"seconds": seconds, "warm_up": seconds / 4}
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(Server(p, folder)) for p in PROGRAMS
                   if os.path.exists(p.command[0])]
        for number in range(count):
            print(json.dumps({length: one_round(load, servers, disk, length, number, how)
                              for length in LENGTHS}), flush=True)
    return 0


def one_round(load, servers, disk, length, number, how):
    """Another one goes first in each round."""
    options = ("-d", disk, "-l", length)
    at = number % (len(servers) + 1)
    everybody = [None, *servers]
    figures = {}
    for server in [*everybody[at:], *everybody[:at]]:
        if server is None:
            name, one = "SG_IO", load.direct(**how, options=options)
        else:
            name, one = server.name, load.run(server, connections=1, **how, options=options)
        if one["good"] < one["requests"]:
            raise OSError(f"{name}: not all is good: {one}")
        figures[name] = one
    return figures


sys.exit(main())
