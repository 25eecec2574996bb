# SPDX-License-Identifier: BSD-2-Clause
"""show, watch and status on terminals of 80 and 200 columns."""

import os
import re

import fakes
from harness import case, contains, equal, without_times
from terminal import Terminal
from test_status import DOCUMENT, serve

SIZES = (80, 24), (200, 50)
LONG = "iqn.1993-08.org.debian:01:9d2c4a7b1e35"


def long_names(t):
    """A fake device whose initiators have long names with ISIDs, and long keys."""
    body = b""
    for key, isid, holder in ((0xFEDCBA9876543210, 1, True), (0x1234, 2, False)):
        name = f"{LONG},i,0x00023d00000{isid}".encode() + b"\0"
        name += bytes(-len(name) % 4)
        transport = bytes([0x45, 0]) + len(name).to_bytes(2, "big") + name
        body += (key.to_bytes(8, "big") + bytes(4) + bytes([holder, 6 * holder]) + bytes(4) + b"\0\1"
                 + len(transport).to_bytes(4, "big") + transport)
    full = b"\0\0\0\7" + len(body).to_bytes(4, "big") + body
    fakes.Helper(t, fakes.device({
        1: fakes.reply(payload=fakes.reservation(0xFEDCBA9876543210, 6)),
        2: fakes.reply(payload=bytes.fromhex("00080d91ea010000")), 3: fakes.reply(payload=full)}))


def fits(screen, columns):
    equal([line for line in screen.splitlines() if len(line) > columns], [])


@case("show", slow=True)
def show(t):
    long_names(t)
    os.makedirs(t.path("sys/class/iscsi_session/session1"))
    for name, text in (("initiatorname", LONG), ("isid", "00023d000002")):
        with open(t.path(f"sys/class/iscsi_session/session1/{name}"), "w") as f:
            f.write(text + "\n")
    for columns, rows in SIZES:
        with Terminal(t, columns, rows, t.options.program, "--helper=F", "show", "disk", "--sysfs=sys",
                      hold=True) as terminal:
            screen = terminal.until("ended: 0")
            fits(screen, columns)
            t.golden_text(f"terminal-show-{columns}.txt", screen)


@case("status", slow=True)
def status(t):
    serve(t, DOCUMENT)
    for columns, rows in (80, 40), (200, 50):
        with Terminal(t, columns, rows, t.options.program, "status", "--status-socket=S", hold=True) as terminal:
            screen = terminal.until("ended: 0")
            fits(screen, columns)
            t.golden_text(f"terminal-status-{columns}.txt", screen)


@case("watch: drawn again at every change, ended by Ctrl-C", slow=True)
def watch(t):
    t.both_registered()
    for columns, rows in SIZES:
        with Terminal(t, columns, rows, t.options.program, "--helper=B", "watch", "disk", "--interval=1",
                      hold=True) as terminal:
            terminal.until("generation")
            t.a("register", "disk", "--key=0xa1", "--new-key=0xa2")
            terminal.until("0xa2 registered")
            t.a("release", "disk", "--key=0xa2", "--type=WE")
            screen = terminal.until("reservation none, was")
            fits(screen, columns)
            masked = re.sub(r"Generation:  \d+", "Generation:  N", without_times(screen))
            masked = re.sub(r"generation \d+,", "generation N,", masked)
            t.golden_text(f"terminal-watch-{columns}.txt", masked)
            terminal.resize(columns - 20, rows)
            terminal.type("C-c")
            terminal.until("ended: 0")
        t.a("register", "disk", "--key=0xa2", "--new-key=0xa1")
        t.a("reserve", "disk", "--key=0xa1", "--type=WE")


@case("watch: more changes than the screen has lines", slow=True)
def long_watch(t):
    t.sim()
    with Terminal(t, 80, 12, t.options.program, "--helper=B", "watch", "disk", "--interval=1",
                  hold=True) as terminal:
        terminal.until("keys none")
        for number in range(1, 9):
            t.a("register", "disk", "--ignore-existing", f"--new-key={number:#x}")
            terminal.until(f"{number:#x} registered")
        screen = terminal.screen()
        contains(screen, "Device:      disk\n")
        contains(screen, "Changes, looked for every 1 s; Ctrl-C ends:")
        equal("keys none" in screen, False)


@case("watch: a list that does not fit is said to be cut as long as it is shown", slow=True)
def cut_watch(t):
    many = fakes.keys(0xA1)[:4] + (16384).to_bytes(4, "big") + fakes.keys(0xA1)[8:]
    fakes.Helper(t, fakes.device({0: fakes.reply(payload=many), 1: fakes.reply(payload=fakes.reservation())}))
    with Terminal(t, 80, 24, t.options.program, "--helper=F", "watch", "disk", hold=True) as terminal:
        screen = terminal.until("Ctrl-C ends")
        fits(screen, 80)
        contains(" ".join(screen.split()), "Note: the device has more registrations than fit into an answer: these are "
                                           "not all; a longer answer fits with --direct")
