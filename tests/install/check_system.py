#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What is installed beside the programs, without a system to install it on: check_system.py BUILD

The service: how exposed it is, by systemd's own judgement. The AppArmor profile: that the
parser takes it. Both run for real in tests/vm.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

sys.dont_write_bytecode = True
from tap import done, ok  # noqa: E402

BUILD = Path(sys.argv[1])
SERVICE = BUILD / "qemu-pr-helper.service"
PROFILE = BUILD / "qemu-pr-helper.apparmor"
EXPOSURE_MAX = 1.5
# Both take CAP_SYS_RAWIO away (systemd.exec(5)).
NEVER = ("PrivateDevices", "PrivateUsers")
IN_CI = os.environ.get("CI") == "true"


def by(program, what, *arguments):
    """Whether a program that may be missing succeeds."""
    found = shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if not found and not IN_CI:
        return ok(True, f"{what} # SKIP {program} is not installed")
    if not found:
        return ok(False, what, f"{program} is not installed")
    ran = subprocess.run([found, *map(str, arguments)], capture_output=True, text=True,
                          check=False)
    return ok(ran.returncode == 0, what, ran.stdout[-600:] + ran.stderr)


def service_settings():
    """[(name, value)] of the [Service] section, in their order."""
    settings, section = [], None
    for line in SERVICE.read_text().splitlines():
        if line.startswith("["):
            section = line
        elif section == "[Service]" and "=" in line and not line.startswith("#"):
            settings.append(tuple(line.split("=", 1)))
    return settings


def main():
    settings = service_settings()
    program = dict(settings)["ExecStart"].split()[0]
    ok(not [name for name, _ in settings if name in NEVER], f"the service has no {' nor '.join(NEVER)}")
    ok(("LogRateLimitIntervalSec", "0") in settings, "the journal drops no line of it")
    by("systemd-analyze", f"its exposure is at most {EXPOSURE_MAX}", "security", "--offline=true",
       f"--threshold={EXPOSURE_MAX * 10:.0f}", "--no-pager", SERVICE)
    by("apparmor_parser", "AppArmor's parser takes the profile", "--skip-kernel-load",
       "--skip-cache", PROFILE)
    ok(re.search(rf"^profile \S+ {re.escape(program)} ", PROFILE.read_text(), re.M),
       "it is for the program that the service starts", PROFILE.read_text())
    return done()


if __name__ == "__main__":
    sys.exit(main())
