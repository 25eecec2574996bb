# SPDX-License-Identifier: BSD-2-Clause
"""What is inside the test VM: kernel modules, programs of the host, the daemon, the tests.

The programs are the host's own Debian packages, each with the libraries that it
is linked with. Nothing is installed and nothing outside the given files is written.
"""

import lzma
import os
import re
import shutil
import subprocess
from pathlib import Path

from cpio import Archive

VM = Path(__file__).resolve().parent.parent
TESTS = VM.parent

# Debian's own Python, whatever comes first in PATH
PYTHON = "/usr/bin/python3"
QEMU_MODULES = "/usr/lib/x86_64-linux-gnu/qemu"
QEMU_DATA = "/usr/share/qemu"

PROGRAMS = [PYTHON, "dmsetup", "qemu-system-x86_64", "setpriv", "sg_persist",
            "systemd-socket-activate", "unshare"]

# Loaded at boot, with what they depend on. sd and sg before any disk is made.
MODULES = ["sd_mod", "sg", "target_core_mod", "tcm_loop", "iscsi_target_mod", "iscsi_tcp",
           "virtio_pci", "virtio_blk", "dm-mod", "dm-multipath", "dm-round-robin", "loop",
           "md-mod", "linear"]

# Parts of the standard library that no test needs
STDLIB_WITHOUT = {"test", "tests", "idlelib", "lib2to3", "tkinter", "turtledemo",
                  "ensurepip", "distutils", "pydoc_data", "asyncio", "sqlite3"}
STDLIB_BINARIES = ("_ctypes", "mmap", "_json", "resource")

USERS = "root:x:0:0::/:/bin/sh\nplain:x:1000:1000::/:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n"
GROUPS = "root:x:0:\nplain:x:1000:\nnogroup:x:65534:\n"


class Missing(Exception):
    """Something that the VM is built from is not on this machine."""


# What is built with the helper; the suites that want it skip where it is not there.
BESIDE_HELPER = {"/usr/bin/pr-manager": "pr-manager", "/usr/bin/manager-live": "tests/live"}


def build(path, *, parts, helper, firmware, debug_exit):
    """Write the initramfs to `path`. `parts`: the folder that `fetch` has filled."""
    with Archive(path) as archive:
        _add_base(archive)
        _add_modules(archive, parts / "modules")
        for program in PROGRAMS:
            add_program(archive, find(program))
        _add_python(archive)
        _add_inner_qemu(archive, firmware)
        add_program(archive, helper, "/usr/bin/qemu-pr-helper")
        for path, built in BESIDE_HELPER.items():
            if (source := Path(helper).parent / built).exists():
                add_program(archive, source, path)
        add_program(archive, parts / "iscsistart", "/usr/sbin/iscsistart", libraries=parts)
        archive.file("/usr/bin/debug-exit", debug_exit)
        _add_tests(archive)


def find(program):
    path = shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if not path:
        raise Missing(f"{program} is not installed")
    return path


def add_program(archive, source, path=None, libraries=None):
    """A program with its libraries, at the same place unless `path` says another.

    `libraries`: a folder with some that are not installed.
    """
    archive.file(path or str(source), source)
    environment = {**os.environ, "LD_LIBRARY_PATH": str(libraries or "")}
    out = subprocess.run(["ldd", source], capture_output=True, text=True, env=environment).stdout
    if missing := re.search(r"(\S+) => not found", out):
        raise Missing(f"{source} needs {missing[1]}")
    for library in re.findall(r"(/\S+) \(0x", out):
        extra = libraries and library.startswith(str(libraries))
        archive.file(f"/usr/lib/{os.path.basename(library)}" if extra else library, library)


def _add_base(archive):
    for folder in ("dev", "proc", "sys", "run", "mnt", "root", "etc", "var/target/pr",
                   "var/target/alua"):
        archive.folder("/" + folder)
    archive.folder("/tmp", 0o1777)
    archive.link("/var/run", "../run")
    archive.text("/etc/passwd", USERS)
    archive.text("/etc/group", GROUPS)
    for program in ("init", "program"):
        archive.file(f"/{program}", VM / "guest" / program)
    busybox = find("busybox")
    archive.file("/bin/busybox", busybox)
    if "not a dynamic" not in subprocess.run(["ldd", busybox], capture_output=True,
                                             text=True).stderr:
        raise Missing("busybox is not the one of busybox-static")


def _add_busybox_links(archive):
    """Last, so that a link never takes the place of a real program."""
    applets = subprocess.run([find("busybox"), "--list"], capture_output=True, text=True,
                             check=True).stdout.split()
    for applet in applets:
        if f"/usr/sbin/{applet}" not in archive:
            archive.link(f"/bin/{applet}", "busybox")


def _add_modules(archive, modules):
    """The wanted modules, flat in /lib/modules, and `order`: the order to load them in."""
    depends = {}
    for line in (modules / "modules.dep").read_text().splitlines():
        name, _, needs = line.partition(":")
        depends[_module_name(name)] = (name, needs.split())
    order = []
    for wanted in MODULES:
        if _module_name(wanted) not in depends:
            raise Missing(f"the kernel has no module {wanted}")
        name, needs = depends[_module_name(wanted)]
        # modules.dep lists what is needed first last
        order += [m for m in [*reversed(needs), name] if m not in order]
    for name in order:
        data = (modules / name).read_bytes()
        if name.endswith(".xz"):
            data = lzma.decompress(data)
        archive.data(f"/lib/modules/{_module_name(name)}.ko", data)
    archive.text("/lib/modules/order", "".join(_module_name(m) + "\n" for m in order))


def _module_name(path):
    return re.sub(r"\.ko(\.xz)?$", "", os.path.basename(path)).replace("-", "_")


def _add_python(archive):
    stdlib = Path(subprocess.run(
        [PYTHON, "-c", "import os; print(os.path.dirname(os.__file__))"],
        capture_output=True, text=True, check=True).stdout.strip())
    for top, folders, files in os.walk(stdlib):
        folders[:] = [f for f in folders if f not in STDLIB_WITHOUT and
                      not f.startswith("config-") and f != "lib-dynload"]
        for name in files:
            archive.file(f"{top}/{name}", f"{top}/{name}")
    for name in STDLIB_BINARIES:
        for binary in (stdlib / "lib-dynload").glob(f"{name}.*.so"):
            add_program(archive, str(binary))


def _add_inner_qemu(archive, firmware):
    """What the QEMU inside wants beside its binary: the accelerator and a ROM."""
    accelerator = f"{QEMU_MODULES}/accel-tcg-x86_64.so"
    if os.path.exists(accelerator):      # Debian 12 builds it as a module
        add_program(archive, accelerator)
    archive.file(f"{QEMU_DATA}/kvmvapic.bin", f"{QEMU_DATA}/kvmvapic.bin")
    archive.file("/vm/firmware.bin", firmware)


def _add_tests(archive):
    for source in sorted((VM / "guest").glob("*.py")):
        archive.file(f"/vm/{source.name}", source)
    for source in sorted((TESTS / "soak").glob("*.py")):
        archive.file(f"/vm/{source.name}", source)
    archive.file("/vm/prclient.py", TESTS / "lib/prclient.py")
    for source in sorted((TESTS / "cases").glob("*.py")):
        archive.file(f"/vm/cases/{source.name}", source)
    _add_busybox_links(archive)
