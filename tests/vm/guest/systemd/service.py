# SPDX-License-Identifier: BSD-2-Clause
"""The installed units, by systemctl and journalctl, and the profile, by apparmor_parser."""

import contextlib
import json
import subprocess
from pathlib import Path

SERVICE, SOCKET = "qemu-pr-helper.service", "qemu-pr-helper.socket"
PATH = Path("/run/qemu-pr-helper.sock")
STATUS = Path("/run/qemu-pr-helper/pr-helper.status")
DROP_IN = Path(f"/run/systemd/system/{SERVICE}.d/test.conf")
WARNING = 4             # as of syslog(3); more is less


def installed(end):
    """The path of what `meson install` has put somewhere, by how it ends."""
    found, = [p for p in Path("/vm/installed").read_text().split() if p.endswith(end)]
    return Path(found)


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=50)
    if done.returncode:
        raise AssertionError(f"{' '.join(map(str, command))}: {done.stdout}{done.stderr}")
    return done.stdout


def systemctl(*arguments):
    return run("systemctl", "--quiet", *arguments)


def show(unit):
    """The properties of a unit."""
    lines = systemctl("show", unit).splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)


def main_pid():
    """Of the service; 0 where it does not run."""
    return int(systemctl("show", "--property=MainPID", "--value", SERVICE))


def with_status(more=""):
    """The README's drop-in for a status socket, and what the case has to add."""
    program = installed("bin/qemu-pr-helper")
    return drop_in("RuntimeDirectory=qemu-pr-helper\nExecStart=\n"
                   f"ExecStart={program} --status-socket={STATUS}\n{more}")


@contextlib.contextmanager
def drop_in(text):
    """What `systemctl edit` would add to the service."""
    systemctl("stop", SERVICE)
    DROP_IN.parent.mkdir(parents=True, exist_ok=True)
    DROP_IN.write_text(f"[Service]\n{text}\n")
    systemctl("daemon-reload")
    try:
        yield
    finally:
        systemctl("stop", SERVICE)
        DROP_IN.unlink()
        systemctl("daemon-reload")


def journal(*matches):
    """[(priority, message)] of the journal's lines that match."""
    lines = run("journalctl", "--quiet", "--output=json", *matches).splitlines()
    entries = map(json.loads, lines)
    return [(int(e["PRIORITY"]), e["MESSAGE"]) for e in entries]
