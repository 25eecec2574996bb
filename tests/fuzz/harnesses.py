# SPDX-License-Identifier: BSD-2-Clause
"""The harnesses: what each is made of besides fuzz_NAME.c, and how long its inputs may be."""

HARNESSES = {
    # name: (sources, longest input)
    "client": (["kinds.c", "replies.c", "quiet_log.c"], 4096),
    "pr_in": ([], 2048),
    "engine": ([], 2048),
    "transportid": ([], 1024),
    "sense": ([], 512),
    "trace": ([], 1024),
    "activation": (["quiet_log.c"], 256),
    "store": ([], 8192),
    "status": (["json_check.c"], 4096),
    "manager": (["server.c"], 4096),
    "names": ([], 1024),
}

# Layers that make up the library to link with; those that are not there yet are left out.
LAYERS = ("base", "scsi", "wire", "device", "sim", "helper", "manager")
LIBRARIES = ("-lcap-ng", "-lseccomp", "-lz", "-lpthread")
