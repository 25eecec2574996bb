# SPDX-License-Identifier: BSD-2-Clause
"""A real QEMU with a guest in it: the firmware, which runs SCSI commands for us.

The disk is passed through (scsi-block or scsi-generic), its persistent reservation
commands go to the daemon by QEMU's own pr-manager-helper.
"""

import json
import re
import socket
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from waiting import PATIENCE, wait_for

MANAGER = "pr0"


@dataclass(frozen=True)
class Reply:
    """What the guest saw."""
    status: int
    sense: bytes
    data: bytes

    @property
    def code(self):
        """(sense key, asc, ascq) of fixed format sense, or None."""
        s = self.sense
        return (s[2] & 15, s[12], s[13]) if len(s) >= 14 else None


def blockdev(device):
    """The backend by -blockdev."""
    return ["-blockdev", f"driver=host_device,node-name=disk,filename={device},"
                         f"pr-manager={MANAGER},cache.direct={_direct(device)}"]


def drive(device):
    """The same by -drive."""
    return ["-drive", f"if=none,id=disk,format=raw,file.driver=host_device,"
                      f"file.filename={device},file.pr-manager={MANAGER},"
                      f"cache.direct={_direct(device)}"]


def _direct(device):
    """A disk is opened with O_DIRECT, which /dev/sgN does not know."""
    return "off" if device.startswith("/dev/sg") else "on"


class Guest:
    """A running QEMU; its end is the end of the `with` block."""

    def __init__(self, helper_socket, backend, model="scsi-block"):
        self.folder = Path(tempfile.mkdtemp(prefix="qemu-"))
        self._log = open(self.folder / "log", "wb")
        serial, qmp = self._listen("serial"), self._listen("qmp")
        self.process = subprocess.Popen([
            "qemu-system-x86_64", "-nodefaults", "-no-user-config", "-M", "pc",
            "-accel", "tcg,tb-size=32", "-m", "16", "-display", "none",
            "-bios", "/vm/firmware.bin", "-device", "isa-debug-exit,iobase=0xf4,iosize=4",
            "-chardev", f"socket,id=serial,path={self.folder}/serial", "-serial", "chardev:serial",
            "-chardev", f"socket,id=qmp,path={self.folder}/qmp", "-mon", "qmp,mode=control",
            "-object", f"pr-manager-helper,id={MANAGER},path={helper_socket}", *backend,
            "-device", "virtio-scsi-pci,id=scsi,addr=4,disable-modern=on,disable-legacy=off",
            "-device", f"{model},bus=scsi.0,drive=disk",
        ], stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log)
        try:
            self._serial = self._accept(serial)
            self.qmp = Qmp(self._accept(qmp))
            self._expect("ready")
        except (OSError, EOFError) as e:
            self.process.kill()
            self.process.wait()
            raise OSError(f"QEMU did not start ({e}): {self.log}") from e

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    @property
    def log(self):
        return (self.folder / "log").read_text(errors="replace")

    def _listen(self, name):
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(self.folder / name))
        listener.listen()
        listener.settimeout(0.2)
        return listener

    def _accept(self, listener):
        def attempt():
            if self.process.poll() is not None:
                raise OSError(f"it ended with {self.process.returncode}")
            try:
                return listener.accept()[0]
            except TimeoutError:
                return None
        connection = wait_for(attempt)
        listener.close()
        connection.settimeout(PATIENCE)
        return connection.makefile("rw", encoding="ascii", newline="\n")

    def _expect(self, text):
        line = self._serial.readline()
        if line.strip() != text:
            raise OSError(f"the firmware said {line!r}")

    # commands of the guest

    def read(self, cdb, length):
        return self._command(f"in {cdb.hex()} {length}")

    def write(self, cdb, data=b""):
        """`data`: bytes, or text in the firmware's own form."""
        return self._command(f"out {cdb.hex()} {data if isinstance(data, str) else data.hex()}")

    def _command(self, line):
        self._serial.write(line + "\n")
        self._serial.flush()
        answer = self._serial.readline()
        fields = dict(re.findall(r"(\w+)=(\S*)", answer))
        if fields.get("response") != "00":
            raise OSError(f"the device answered {answer!r}; QEMU: {self.log}")
        return Reply(int(fields["status"], 16), bytes.fromhex(fields["sense"]),
                     bytes.fromhex(fields["data"]))

    def test_unit_ready(self):
        return self.write(bytes(6))

    def drop_unit_attentions(self):
        wait_for(lambda: self.test_unit_ready().status == 0)

    def write_block(self):
        """WRITE(10) of block 0."""
        return self.write(bytes.fromhex("2a000000000000000100"), "a5*512")


class Qmp:
    """QEMU's monitor: commands, and the events that came meanwhile."""

    def __init__(self, stream):
        self._stream = stream
        self._events = []
        self._read()                                # the greeting
        self.execute("qmp_capabilities")

    def execute(self, command):
        self._stream.write(json.dumps({"execute": command}) + "\n")
        self._stream.flush()
        while True:
            message = self._read()
            if "return" in message:
                return message["return"]
            if "error" in message:
                raise OSError(f"{command}: {message['error']}")

    def wait_for_event(self, name):
        """The data of the first event of that name that was not taken before."""
        while True:
            for event in self._events:
                if event["event"] == name:
                    self._events.remove(event)
                    return event["data"]
            self._read()

    def _read(self):
        line = self._stream.readline()
        if not line:
            raise EOFError("QEMU closed its monitor")
        message = json.loads(line)
        if "event" in message:
            self._events.append(message)
        return message

    def managers(self):
        """{id: connected} of query-pr-managers."""
        return {m["id"]: m["connected"] for m in self.execute("query-pr-managers")}
