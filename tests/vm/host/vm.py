# SPDX-License-Identifier: BSD-2-Clause
"""The test VM as the programs here use it: built once, booted until it comes to an end."""

import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import build
import image
import machine

VM = Path(__file__).resolve().parent.parent
DEFAULT_HELPER = VM.parent.parent / "build/qemu-pr-helper"
BOOTS = 3           # a guest that dies of its emulation gets two more chances


class Vm:
    """Everything lies in a folder that is removed at the end of the `with` block.

    Raises NotRunnable where the VM cannot be built.
    """

    clock = machine.TIMED

    def __init__(self, helper):
        self.folder = Path(tempfile.mkdtemp(prefix="pr-manager-vm-"))
        self.log = self.folder / "console.log"
        try:
            self._build(Path(helper))
        except (image.Missing, subprocess.CalledProcessError, OSError) as e:
            self.__exit__()
            raise NotRunnable(str(e)) from e

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder, ignore_errors=True)

    def _build(self, helper):
        if not helper.exists():
            raise image.Missing(f"there is no {helper}")
        image.find("qemu-system-x86_64")
        fetched = subprocess.run([VM / "fetch"], stdout=subprocess.PIPE, text=True, check=True)
        self._parts = Path(fetched.stdout.strip())
        self._image = self.folder / "initramfs"
        image.build(self._image, parts=self._parts, helper=helper,
                    firmware=build.firmware(self.folder),
                    debug_exit=build.debug_exit(self.folder))

    def run(self, program, *, timeout, on_line, on_death):
        """Boot, run `program`, give each of its lines to `on_line`; returns its exit status.

        Where the VM dies without one, `on_death` gets the last lines of the console and it
        is booted again. machine.DIED: it died each time. machine.TIMEOUT: the time was over.
        """
        for _ in range(BOOTS):
            status = machine.boot(kernel=self._parts / "vmlinuz", image=self._image,
                                  program=program, log=self.log, timeout=timeout,
                                  on_line=on_line, clock=self.clock)
            if status != machine.DIED:
                break
            on_death(self.log.read_text(errors="replace").splitlines()[-20:])
        return status


class NotRunnable(Exception):
    pass


def end_cleanly_on_sigterm():
    """Let a SIGTERM, as of a test harness, end the VM and remove its folder."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
