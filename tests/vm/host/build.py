# SPDX-License-Identifier: BSD-2-Clause
"""Build the two small programs that the test VM needs beside Debian's."""

import subprocess
from pathlib import Path

VM = Path(__file__).resolve().parent.parent
CC = "gcc"              # whatever $CC says: no part of the product is built here
WARNINGS = ["-Wall", "-Wextra", "-Werror"]

# -m32 needs no 32-bit libraries here: nothing is linked, and -ffreestanding keeps
# <stdint.h> to the compiler's own headers
FIRMWARE_FLAGS = [
    "-m32", "-march=i686", "-mno-sse", "-Os", "-ffreestanding", "-nostdlib", "-static",
    "-fno-pic", "-fno-pie", "-fno-stack-protector", "-fno-asynchronous-unwind-tables",
    "-fcf-protection=none", "-Wl,--build-id=none"]


def firmware(folder):
    """The inner guest. Returns the path of the 64 KiB image."""
    source = VM / "firmware"
    elf, image = folder / "firmware.elf", folder / "firmware.bin"
    _run([CC, *WARNINGS, *FIRMWARE_FLAGS, f"-Wl,-T,{source}/firmware.ld", "-o", elf,
          source / "start.S", source / "firmware.c"])
    _run(["objcopy", "-O", "binary", "-j", ".text", "-j", ".start", "-j", ".reset", elf, image])
    assert image.stat().st_size == 65536
    return image


def debug_exit(folder):
    """The program that ends the VM with an exit status. Returns its path."""
    program = folder / "debug-exit"
    _run([CC, *WARNINGS, "-Os", "-static", "-s", "-o", program, VM / "guest/debug-exit.c"])
    return program


def _run(command):
    subprocess.run([str(word) for word in command], check=True)
