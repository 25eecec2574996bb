# SPDX-License-Identifier: BSD-2-Clause
"""The test VM with systemd, AppArmor, and the daemon as `meson install` installs it.

systemd is Debian's, with no more of its units than it takes. The kernel unpacks one
archive after the other: all this is one behind the image of the plain VM.
"""

import os
import shutil
import subprocess
from pathlib import Path

import image
import vm
from cpio import Archive

SYSTEMD = Path("/lib/systemd")
UNITS = ["basic.target", "shutdown.target", "slices.target", "sockets.target", "sysinit.target",
         "systemd-journald-dev-log.socket", "systemd-journald.service", "systemd-journald.socket"]
PROGRAMS = [SYSTEMD / "systemd", SYSTEMD / "systemd-journald", "journalctl", "systemctl",
            "apparmor_parser"]
EXECUTOR = SYSTEMD / "systemd-executor"     # what systemd 255 and later starts services by
APPARMOR = Path("/etc/apparmor.d")
APPARMOR_PARTS = ["abi", "tunables"]        # what profiles include

# without it, it is the first boot, which enables every unit
MACHINE_ID = "0123456789abcdef0123456789abcdef\n"
GUEST = vm.VM / "guest/systemd"


class InstalledVm(vm.Vm):
    def _build(self, helper):
        super()._build(helper)
        extra = self.folder / "extra"
        with Archive(extra) as archive:
            _add_systemd(archive)
            _add_apparmor(archive)
            _add_installed(archive, helper.resolve().parent, self.folder / "installed")
            for suite in sorted(GUEST.glob("*.py")):
                archive.file(f"/vm/{suite.name}", suite)
        with open(self._image, "ab") as whole, open(extra, "rb") as part:
            shutil.copyfileobj(part, whole)


def _add_systemd(archive):
    for program in [*PROGRAMS, *([EXECUTOR] if EXECUTOR.exists() else [])]:
        image.add_program(archive, image.find(str(program)))
    for unit in UNITS:
        archive.file(f"/lib/systemd/system/{unit}", SYSTEMD / "system" / unit)
    archive.link("/lib/systemd/system/sysinit.target.wants/systemd-journald.service",
                 "../systemd-journald.service")
    for unit in sorted(GUEST.glob("vm*")):
        archive.file(f"/etc/systemd/system/{unit.name}", unit)
    archive.folder("/var/tmp", 0o1777)
    archive.text("/etc/machine-id", MACHINE_ID)


def _add_apparmor(archive):
    for part in APPARMOR_PARTS:
        for found in sorted((APPARMOR / part).rglob("*")):
            if found.is_file():
                archive.file(str(found), found)


def _add_installed(archive, build, folder):
    """The daemon, its units and its profile, with a list of them; a library to look from inside."""
    paths = []
    subprocess.run(["meson", "install", "-C", build, "--no-rebuild", "--quiet", "--destdir",
                    folder], check=True, stdout=subprocess.DEVNULL)
    for found in sorted(folder.rglob("qemu-pr-helper*")):
        path = "/" + str(found.relative_to(folder))
        if os.access(found, os.X_OK):
            image.add_program(archive, found, path)
        elif found.suffix in (".service", ".socket", ""):
            archive.file(path, found)
        else:
            continue
        paths.append(path + "\n")
    archive.text("/vm/installed", "".join(paths))
    archive.file("/usr/lib/probe.so", build / "tests/probe.so")
