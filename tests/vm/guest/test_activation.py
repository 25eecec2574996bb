# SPDX-License-Identifier: BSD-2-Clause
"""Socket activation, by systemd's own tool."""

import os
import signal
import socket
import subprocess
import tempfile

import lio
import prclient as pr
from case import Case
from helper import PROGRAM
from waiting import wait_for

KEY = 0xA1
ACCEPTS_CONNECTIONS = "00010000"        # the kernel's __SO_ACCEPTCON, among a socket's flags


def listens(path):
    """A path is there at bind(2), and refuses connections until listen(2)."""
    with open("/proc/net/unix") as f:
        sockets = [line.split() for line in f]
    return any(s[-1] == path and s[3] == ACCEPTS_CONNECTIONS for s in sockets)


class Activation(Case):
    said = []

    def activate(self, *options):
        """systemd-socket-activate with the daemon; it becomes the daemon at the first client."""
        self.path = tempfile.mkdtemp() + "/socket"
        self.log = self.enterContext(tempfile.TemporaryFile("w+"))
        self.process = subprocess.Popen(
            ["systemd-socket-activate", f"--listen={self.path}", PROGRAM, *options],
            stdout=self.log, stderr=self.log)
        self.addCleanup(self.end)
        wait_for(lambda: listens(self.path))

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.said = self.output().splitlines()

    def diagnostics(self):
        return self.said

    def output(self):
        self.log.seek(0)
        return self.log.read()

    def test_serves(self):
        """a client that connects before the daemon runs is served"""
        self.activate()
        fd = self.open(self.a.disk)
        with pr.Client(self.path, timeout=60) as first, pr.Client(self.path) as second:
            self.assertGood(first.out(fd, pr.REGISTER, sark=KEY))
            self.assertEqual(second.read_keys(fd)[1], [KEY])
        self.assertEqual(lio.keys(self.b.disk), [KEY])

    def test_leaves_the_socket(self):
        """SIGTERM ends it with 0, and the socket is left to systemd"""
        self.activate()
        pr.Client(self.path, timeout=60).close()
        self.process.send_signal(signal.SIGTERM)
        self.assertEqual(self.process.wait(60), 0)
        self.assertTrue(os.path.exists(self.path))

    def test_with_socket_option(self):
        """-k beside socket activation is refused"""
        self.activate("-k", "/tmp/other")
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(self.path)
            self.assertEqual(self.process.wait(60), 1)
        self.assertIn("Unix socket can't be set when using socket activation", self.output())
        self.assertFalse(os.path.exists("/tmp/other"))
