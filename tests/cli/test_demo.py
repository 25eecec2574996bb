# SPDX-License-Identifier: BSD-2-Clause
"""demo/cluster, where it cannot be played to the end."""

import subprocess
import sys
from pathlib import Path

from harness import case, contains, equal

DEMO = Path(__file__).resolve().parent.parent.parent / "demo/cluster"


def play(t, build, stdout):
    return subprocess.Popen([sys.executable, "-u", DEMO, build], stdout=stdout, stderr=subprocess.PIPE,
                            text=True, cwd=t.dir, env=t.environment())


@case("without the programs it says how they are made")
def unbuilt(t):
    out, err = (process := play(t, "nope", subprocess.PIPE)).communicate(timeout=20)
    equal((process.returncode, out), (1, ""))
    equal(err, f"there is no {t.path('nope')}/pr-manager: run `make', or name the folder that it is in\n")


@case("where nobody reads it any more it ends without a word")
def unread(t):
    build = Path(t.options.sim).parent
    process = play(t, build, subprocess.PIPE)
    contains(process.stdout.readline() + process.stdout.readline(), "A disk")
    process.stdout.close()
    equal(process.wait(20), 1)
    with process.stderr:
        equal(process.stderr.read(), "")
