# SPDX-License-Identifier: BSD-2-Clause
"""What a program imports: functions that fault.c makes fail, and those that need not."""

import fnmatch
import re
import subprocess

# Why not, and which. Without what headers and the compiler put around a name.
NEED_NOT = {
    "no system call is behind them":
        "mem* bcmp str* *printf sscanf qsort dirname fnmatch getopt_long opt* getenv unsetenv sig*set crc32_z dirfd "
        "free isalpha ctype_b_loc errno_location tls_get_addr stack_chk_fail libc_start_main cxa_finalize gmon_start",
    "they cannot fail": "_exit getpid geteuid umask clock_gettime",
    "glibc's only fail on a contradiction, or by what a caller asks for, such as an end of waiting":
        "pthread_mutex_* pthread_cond_* pthread_condattr_* pthread_attr_*",
    "--help and --version print, and then there is nothing left to do": "stdout fputs puts putc",
    "libraries, whose own calls are made to fail": "capng_* seccomp_*",
}


def plain(name):
    """As people write it."""
    name = re.sub(r"^__(isoc\d\d_)?", "", name)
    return re.sub(r"(_chk|64|64_2|_2)$", "", name) or name


def symbols(path, which):
    lines = subprocess.run(["nm", "-D", which, path], check=True, capture_output=True, text=True).stdout.splitlines()
    return {fields[-1].partition("@")[0] for fields in map(str.split, lines) if fields[-2] != "w"}


def unknown(program, library):
    """The functions that `program` imports and `library` does not have, and that nobody looked at."""
    patterns = " ".join(NEED_NOT.values()).split()
    imported = symbols(program, "--undefined-only") - symbols(library, "--defined-only")
    return sorted(name for name in imported
                  if not any(fnmatch.fnmatchcase(plain(name), p) for p in patterns))
