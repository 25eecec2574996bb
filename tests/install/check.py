#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What is installed, as others get it: check.py BUILD SOURCE PR_HELPER_SIM

How small the daemon is. Of libprmanager the header by itself in C and C++; what
the libraries export; and programs built against an installed copy by
pkg-config, run on the simulated target.
"""

import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.dont_write_bytecode = True
from tap import done, ok  # noqa: E402

BUILD, SOURCE, SIM = (Path(a).resolve() for a in sys.argv[1:4])
HEADER = SOURCE / "include/prmanager.h"
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"]


def run(*command, **options):
    return subprocess.run([str(c) for c in command], capture_output=True, text=True, check=False, **options)


def succeeds(what, *command, **options):
    r = run(*command, **options)
    ok(r.returncode == 0, what, r.stdout + r.stderr)
    return r


def check_daemon(program, stripped):
    run("strip", "-o", stripped, program)
    size = stripped.stat().st_size
    ok(size < 100_000, f"the daemon has {size} bytes without its symbols", "they are to be less than 100000")
    libraries = run("ldd", program).stdout.splitlines()
    ok(0 < len(libraries) <= 6, f"it is linked with {len(libraries)} libraries", "\n".join(libraries))


def declared():
    """The functions in the header: names before an opening bracket at the start of a declaration."""
    text = re.sub(r"/\*.*?\*/", "", HEADER.read_text(), flags=re.S)
    text = re.sub(r"^\s*(#|typedef).*", "", text, flags=re.M)
    return set(re.findall(r"\b(prm_\w+)\(", text))


def symbols(library, *options):
    """Global symbols that a library defines, without the names of symbol versions."""
    out = run("nm", "--defined-only", "--extern-only", *options, library).stdout
    return {line.split()[2].split("@")[0] for line in out.splitlines()
            if len(line.split()) == 3 and line.split()[1] != "A"}


def check_header(folder):
    for compiler, suffix, standards in (("cc", "c", ("c99", "c17", "gnu17")),
                                        ("c++", "cc", ("c++11", "c++20"))):
        for standard in standards:
            source = folder / f"alone.{suffix}"
            source.write_text("#include <prmanager.h>\n#include <prmanager.h>\n")
            succeeds(f"the header alone: {standard}", compiler, f"-std={standard}", *WARNINGS, "-Wundef",
                     "-I", HEADER.parent, "-fsyntax-only", source)
    source = folder / "use.cc"
    source.write_text("#include <prmanager.h>\n#include <scsi/sg.h>\nint main() {\n"
                      "  prm_nexus nexus = { nullptr, 0, PRM_NO_TIMEOUT, 8 };\n  prm_result result{};\n"
                      "  sg_io_hdr header{};\n  prm_execute(nexus.manager, 0, &header);\n"
                      "  return prm_reserve(&nexus, 1, PRM_WRITE_EXCLUSIVE, &result);\n}\n")
    succeeds("a C++ program that uses it", "c++", "-std=c++11", *WARNINGS, "-I", HEADER.parent, "-c", source,
             "-o", folder / "use.o")
    undocumented = re.findall(r"(?<!\*/)\n\n((?:int|void|bool|const|struct|typedef)\b[^;{]*)[;{]",
                              HEADER.read_text())
    # The reports and commands that share one comment stand apart from it.
    undocumented = [u for u in undocumented if not re.match(r"struct \w+$|int prm_re(ad|port)_", u.strip())]
    ok(not undocumented, "every declaration has its comment", "\n".join(undocumented))


def check_symbols(shared, static):
    names = declared()
    ok(len(names) >= 40, f"{len(names)} functions in the header")
    ok(symbols(shared, "--dynamic") == names, "the shared library exports them and nothing else",
       symbols(shared, "--dynamic") ^ names)
    ok(symbols(static) == names, "the static one too", symbols(static) ^ names)
    versions = run("objdump", "-T", shared).stdout
    ok(all(re.search(rf"PRMANAGER_\d+\.\d+\)?\s+{n}$", versions, re.M) for n in names),
       "each symbol has a version", versions)
    ok("libprmanager.so.0" in run("objdump", "-p", shared).stdout, "the name to load it by is libprmanager.so.0")


def manual_example(folder):
    """The program of the manual page."""
    page = (SOURCE / "man/libprmanager.3.scd").read_text()
    program = re.search(r"^# EXAMPLE\n.*?^```\n(.*?)^```", page, re.M | re.S).group(1)
    path = folder / "manual.c"
    path.write_text(program.replace("\\\\", "\\"))
    return path


class Simulated:
    """The simulated target, with one initiator and one disk."""

    def __init__(self, folder):
        self.socket, self.disk = folder / "sim.sock", folder / "disk"
        self.disk.touch()
        # Unconfined, so that one with sanitizers in it runs too.
        initiator = f"--initiator=iqn.2000-01.org.example:a,socket={self.socket}"
        self.process = subprocess.Popen([SIM, "-q", "--no-sandbox", initiator], stderr=subprocess.DEVNULL)
        for _ in range(1000):
            if self.socket.exists():
                break
            time.sleep(0.01)

    def close(self):
        self.process.terminate()
        self.process.wait()


EXPECTED = {
    "forward": "REGISTER: GOOD, 24 bytes\nREAD KEYS: GOOD, 16 bytes\nunregister: GOOD, 24 bytes\n",
    "manual": "{disk}: GOOD\n",
    "holders": "generation 3, 1 registered\n0xa1  iqn.2000-01.org.example:a  holds write-exclusive\n",
}


def check_programs(folder, prefix):
    library = next(prefix.rglob("libprmanager.pc")).parent
    environment = dict(os.environ, PKG_CONFIG_PATH=str(library), PKG_CONFIG_SYSROOT_DIR=str(folder / "root"),
                       LD_LIBRARY_PATH=str(library.parent))
    sources = {"forward": SOURCE / "examples/forward.c", "manual": manual_example(folder),
               "holders": SOURCE / "examples/holders.c"}
    for how in ("shared", "static"):
        flags = shlex.split(run("pkg-config", "--cflags", "--libs", "libprmanager",
                                *(["--static"] if how == "static" else []), env=environment).stdout)
        if how == "static":
            flags = ["-l:libprmanager.a" if f == "-lprmanager" else f for f in flags]
        target = Simulated(folder)
        for name, source in sources.items():
            program = folder / f"{name}-{how}"
            succeeds(f"{name}: built, {how}", "cc", *WARNINGS, "-std=gnu17", "-Wno-missing-field-initializers",
                     source, "-o", program, *flags, env=environment)
            needed = "libprmanager" in run("objdump", "-p", program).stdout
            ok(needed == (how == "shared"), f"{name}: linked, {how}")
            r = run(program, f"pr-manager-helper,path={target.socket}", target.disk, env=environment)
            ok(r.stdout == EXPECTED[name].format(disk=target.disk) and r.returncode == 0, f"{name}: runs, {how}",
               r.stdout + r.stderr)
        target.close()
    r = run(folder / "holders-static", "pr-manager-helper,path=/nowhere", target.disk)
    ok(r.returncode == 1 and r.stderr == "holders: connect to /nowhere: No such file or directory\n",
       "holders: says what is wrong", r.stderr)


def main():
    with tempfile.TemporaryDirectory(prefix="prm-install.") as name:
        folder = Path(name)
        root = folder / "root"
        check_header(folder)
        succeeds("installed", "meson", "install", "-C", BUILD, "--no-rebuild", "--quiet", "--destdir", root)
        shared = next(root.rglob("libprmanager.so"), None)
        static = next(root.rglob("libprmanager.a"), None)
        ok(shared and static, "both libraries are installed")
        ok(list(root.rglob("include/*")) == [next(root.rglob("prmanager.h"))], "one header is installed",
           list(root.rglob("include/*")))
        check_symbols(shared, static)
        if b"__asan_init" in shared.read_bytes():
            print("# built with sanitizers: programs without them cannot load it")
        else:
            check_daemon(next(root.rglob("bin/qemu-pr-helper")), folder / "stripped")
            check_programs(folder, root)
    return done()


if __name__ == "__main__":
    sys.exit(main())
