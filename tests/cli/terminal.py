# SPDX-License-Identifier: BSD-2-Clause
"""A program on a terminal of a given size: tmux, whose screen can be read."""

import os
import shlex
import shutil
import subprocess

from harness import Skip, eventually


class Terminal:
    """`command` on a terminal. With `hold` the screen stays, and tells the exit status, when it has ended."""

    def __init__(self, t, columns, rows, *command, hold=False, env=None):
        if not shutil.which("tmux"):
            if os.environ.get("CI") == "true":
                raise AssertionError("tmux is not installed")
            raise Skip("tmux is not installed")
        self.t = t
        self.socket = t.path(f"tmux{columns}")
        self.environment = t.environment(**(env or {}), TERM="screen")
        self.environment.pop("TMUX", None)
        line = shlex.join(str(word) for word in command)
        if hold:
            line = f"trap : INT; {line}; echo ended: $?; sleep 1000"
        self.tmux("-f", "/dev/null", "new-session", "-d", "-x", str(columns), "-y", str(rows), "-c", t.dir,
                  "sh", "-c", line)

    def tmux(self, *arguments):
        return subprocess.run(["tmux", "-S", self.socket, *arguments], cwd=self.t.dir, env=self.environment,
                              capture_output=True, text=True, check=True).stdout

    def screen(self):
        return self.tmux("capture-pane", "-p").rstrip("\n") + "\n"

    def type(self, *keys):
        self.tmux("send-keys", *keys)

    def resize(self, columns, rows):
        self.tmux("resize-window", "-x", str(columns), "-y", str(rows))

    def until(self, part):
        """The screen, as soon as `part` is there."""
        seen = [""]

        def found():
            seen[0] = self.screen()
            return part in seen[0]
        try:
            eventually(found, part)
        except AssertionError:
            raise AssertionError(f"{part!r} did not come up on the screen:\n{seen[0]}") from None
        return seen[0]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        subprocess.run(["tmux", "-S", self.socket, "kill-server"], env=self.environment, capture_output=True,
                       check=False)
