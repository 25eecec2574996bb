# SPDX-License-Identifier: BSD-2-Clause
"""Boot the test VM once and stream what the program inside says.

The first serial port is the kernel's console and goes to a log file; the second
is for the program alone, so that a kernel message never lands in the middle of a
line. The exit status comes out through QEMU's isa-debug-exit device. No KVM is
needed: the machine is emulated (one CPU: more was seen to crash under emulation).
"""

import subprocess
import threading
from collections import namedtuple

TIMEOUT = 124           # as of timeout(1)
DIED = 125              # no exit status: a kernel panic or a crash of the emulation


# Options of QEMU, options of the kernel
Clock = namedtuple("Clock", "machine kernel")

# The rate of HPET is a constant, and it needs no LAPIC timer.
TIMED = Clock(["-accel", "tcg,thread=multi"], "tsc=unstable nolapic_timer")
# TSC costs next to nothing to read, as on real machines; but the kernel finds out its rate at boot,
# and on a busy host was seen to be wrong by a factor of seven. For ratios.
CHEAP = Clock(TIMED.machine, "tsc=reliable")
# Time goes on by a nanosecond an instruction: how fast the host is, or how busy, cannot be seen.
COUNTED = Clock(["-accel", "tcg,thread=single", "-icount", "shift=0,sleep=off"], CHEAP.kernel)


def boot(*, kernel, image, program, log, timeout, on_line, clock=TIMED):
    """Run `program` (a command line inside the VM), give each of its lines to `on_line`.

    Returns its exit status (0 to 123), TIMEOUT or DIED.
    """
    command = [
        "qemu-system-x86_64", "-nodefaults", "-no-user-config", "-no-reboot",
        "-M", "pc", *clock.machine, "-cpu", "qemu64", "-smp", "1", "-m", "1024",
        "-display", "none",
        "-kernel", str(kernel), "-initrd", str(image),
        "-append", f"console=ttyS0 panic=-1 quiet {clock.kernel} -- {program}",
        "-serial", f"file:{log}", "-serial", "stdio",
        "-device", "isa-debug-exit,iobase=0xf4,iosize=4",
        # a disk that is not SCSI
        "-drive", "if=none,id=virtio,driver=null-co,size=1M",
        "-device", "virtio-blk-pci,drive=virtio",
    ]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT) as qemu:
        timed_out = threading.Event()
        timer = threading.Timer(timeout, lambda: (timed_out.set(), qemu.kill()))
        timer.start()
        try:
            for line in qemu.stdout:
                on_line(line.decode(errors="replace").rstrip("\r\n"))
            status = qemu.wait()
        finally:
            timer.cancel()
            qemu.kill()
    if timed_out.is_set():
        return TIMEOUT
    # isa-debug-exit: QEMU exits with (value << 1) | 1
    return status >> 1 if status > 0 and status & 1 else DIED
