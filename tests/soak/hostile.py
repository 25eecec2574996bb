# SPDX-License-Identifier: BSD-2-Clause
"""A hostile client, in a process of its own, and the handle by which the soak holds it.

The process reads "SECONDS\\n", attacks for that time, closes all that it has open, and
answers with a line of JSON: how often it did what, and what it was given that it must not
have. It ends with its standard input.
"""

import contextlib
import json
import os
import random
import subprocess
import sys
import time

import attacks
import prclient as pr

TIMEOUT = 5.0           # of one answer: being slow to a hostile client is no defect
HELD = 40               # connections kept open until the end of an attack


class Attacker:
    """`settings`: what Hostile was made with."""

    def __init__(self, settings):
        self.rng = random.Random(settings["seed"])
        self._sockets = settings["sockets"]
        self.own, self.readonly = settings["own"], settings["readonly"]
        self.no_disks = settings["no_disks"]
        self.files_are_disks = settings["files_are_disks"]
        self.flood, self.hold_seconds = settings["flood"], settings["hold_seconds"]
        self._patient = settings["patient"]
        self._held, self.wrong = [], []

    def socket(self):
        return self.rng.choice(self._sockets)

    def connect(self, handshake=True):
        return pr.Client(self.socket(), handshake, TIMEOUT)

    def hold(self, client):
        """Keep it open until the end of the attack."""
        self._held.append(client)
        if len(self._held) > HELD:
            self._held.pop(0).close()
        return client

    def refused(self, reply, what):
        """This descriptor allows no GOOD."""
        if reply.status == pr.GOOD:
            self.wrong.append(f"{what}: {reply}")

    def attack(self, seconds):
        """{kind: how often}. Every kind once, as far as time allows, then any."""
        done = {}
        end = time.monotonic() + seconds
        kinds = [k for k in attacks.KINDS if self._patient or k not in attacks.SLOW]
        self.rng.shuffle(kinds)
        todo = list(kinds)
        while time.monotonic() < end:
            kind = todo.pop() if todo else self.rng.choice(kinds)
            try:
                with contextlib.suppress(EOFError):
                    attacks.KINDS[kind](self)
            except (FileNotFoundError, ConnectionRefusedError):     # it is just being started
                time.sleep(0.02)
                continue
            except OSError:
                pass
            done[kind] = done.get(kind, 0) + 1
        for client in self._held:
            client.close()
        self._held.clear()
        return done


class Hostile:
    """Such a process, as seen by the soak. `fds`: those that `settings` names."""

    def __init__(self, settings, fds):
        self._process = subprocess.Popen(
            [sys.executable, "-B", __file__, json.dumps(settings)], pass_fds=fds, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})

    def go(self, seconds):
        self._process.stdin.write(f"{seconds}\n")
        self._process.stdin.flush()

    def result(self):
        """(how often what, what it was given that it must not have)"""
        line = self._process.stdout.readline()
        if not line:
            return {}, [f"the hostile process ended with {self._process.wait()}"]
        return json.loads(line)

    def end(self):
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        try:
            self._process.wait(TIMEOUT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def become(uid):
    if uid and os.geteuid() == 0:
        os.setgroups([])
        os.setgid(uid)
        os.setuid(uid)


def main():
    settings = json.loads(sys.argv[1])
    attacker = Attacker(settings)
    become(settings["uid"])
    for line in sys.stdin:
        done = attacker.attack(float(line))
        print(json.dumps((done, attacker.wrong)), flush=True)
        attacker.wrong = []


if __name__ == "__main__":
    main()
