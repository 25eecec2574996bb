# SPDX-License-Identifier: BSD-2-Clause
"""watch, where it is no terminal: a line a change."""

import json
import os
import pty
import select
import signal
import threading

import fakes
from harness import TIMEOUT, case, contains, equal, eventually, without_times


class Watch:
    """A watch whose lines are collected."""

    def __init__(self, t, *args):
        self.process = t.popen(*args, "--interval=1")
        self.lines = []
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        try:
            for line in self.process.stdout:
                self.lines.append(line)
        except ValueError:
            pass

    def until(self, part):
        eventually(lambda: any(part in line for line in self.lines), f"{part!r} in {self.lines}")


@case("each change is a line, and a signal ends it cleanly", slow=True)
def lines(t):
    t.sim()
    watch = Watch(t, "--helper=A", "watch", "disk")
    watch.until("keys none, reservation none")
    t.b("register", "disk", "--new-key=0xb2")
    watch.until("0xb2 registered")
    t.b("reserve", "disk", "--key=0xb2", "--type=WERO")
    watch.until("WERO held by 0xb2, was none")
    t.a("register", "disk", "--new-key=0xb2")
    watch.until("0xb2 registered, now 2 times")
    t.b("release", "disk", "--key=0xb2", "--type=WERO")
    watch.until("reservation none, was")
    t.b("register", "disk", "--key=0xb2", "--new-key=0")
    watch.until("0xb2 unregistered, now 1 times")
    t.b("register", "disk", "--new-key=0xc3")
    watch.until("0xc3 registered")
    t.b("clear", "disk", "--key=0xc3", "--yes")
    watch.until("0xc3 unregistered")
    watch.process.send_signal(signal.SIGINT)
    equal(watch.process.wait(10), 0)
    t.golden_text("watch.txt", without_times("".join(watch.lines)))


@case("with --json an object a line", slow=True)
def json_lines(t):
    t.both_registered()
    watch = Watch(t, "--json", "--helper=A", "watch", "disk")
    watch.until('"start"')
    t.b("preempt", "disk", "--key=0xb2", "--victim=0xa1", "--type=EA", "-y")
    watch.until('"reservation"')
    watch.until('"unregistered"')
    watch.process.send_signal(signal.SIGTERM)
    equal(watch.process.wait(10), 0)
    for line in watch.lines:
        equal(list(json.loads(line))[:2], ["time", "event"])
    t.golden_text("watch.json", without_times("".join(watch.lines)))


@case("registrations that change and are as before are told by the generation", slow=True)
def generation(t):
    t.both_registered()
    watch = Watch(t, "--helper=A", "watch", "disk")
    watch.until("keys 0xa1 0xb2")
    t.b("register", "disk", "--key=0xb2", "--new-key=0xb2")
    watch.until("generation 3, was 2: registrations changed and are as before")


@case("a device that fails and comes back is told once each", slow=True)
def failing(t):
    keys = [fakes.reply(payload=fakes.keys(0xA1)), fakes.check(4, 0x44, 0), fakes.check(4, 0x44, 0),
            fakes.reply(payload=fakes.keys(0xA1))]
    fakes.Helper(t, fakes.device({0: keys, 1: fakes.reply(payload=fakes.reservation())}))
    watch = Watch(t, "--helper=F", "watch", "disk")
    watch.until("the device answers again")
    watch.process.send_signal(signal.SIGINT)
    equal(watch.process.wait(10), 0)
    told = [line.split(" ", 1)[1] for line in watch.lines]
    equal(told[1:], ["READ KEYS: CHECK CONDITION: 4/44/00 internal target failure\n",
                     "the device answers again\n"])


@case("a first look that fails is the end, with its exit status")
def first(t):
    fakes.Helper(t, fakes.device({}))
    contains(t.run("--helper=F", "watch", "disk", status=5).err, "READ KEYS: CHECK CONDITION: 5/24/00")


@case("it ends when nobody reads any more, at rest and while it writes")
def unread(t):
    t.sim()
    watch = t.popen("--helper=A", "watch", "disk", "--interval=60")
    contains(watch.stdout.readline(), "keys none")
    watch.stdout.close()
    watch.stdout = None
    equal(watch.wait(10), 0)


@case("a signal ends it while the device does not answer")
def hanging(t):
    import time
    def answer(*_):
        time.sleep(20)
    fake = fakes.Helper(t, answer)
    watch = t.popen("--helper=F", "watch", "disk")
    eventually(lambda: fake.commands, "a command")
    watch.send_signal(signal.SIGINT)
    equal(watch.wait(5), 0)


@case("into a file it goes on")
def into_file(t):
    t.sim()
    with open(t.path("out"), "w") as out:
        watch = t.popen("--helper=A", "watch", "disk", "--interval=1", stdout=out)
        t.b("register", "disk", "--new-key=0xb2")
        eventually(lambda: "0xb2" in open(t.path("out")).read(), "the line")
        equal(watch.poll(), None)
    os.remove(t.path("out"))


@case("a line has all keys and the reservation, however many there are")
def large(t):
    values = [0xFEDC000000000000 + number for number in range(1000)]
    fakes.Helper(t, fakes.device({0: fakes.reply(payload=fakes.keys(*values)),
                                  1: fakes.reply(payload=fakes.reservation(values[-1], 5))}))
    line = t.popen("--helper=F", "watch", "disk").stdout.readline()
    equal(line.split(" ", 1)[1], f"generation 7, keys {' '.join(f'{value:#x}' for value in values)}, "
                                 f"reservation WERO held by {values[-1]:#x}\n")


@case("a list that does not fit is said to be cut, and when it is whole again", slow=True)
def truncated(t):
    cut = fakes.reply(payload=fakes.keys(0xA1, 0xB2)[:4] + (8192).to_bytes(4, "big") + fakes.keys(0xA1, 0xB2)[8:])
    whole = fakes.reply(payload=fakes.keys(0xA1, 0xB2))
    for name, first in ("F", cut), ("G", whole):
        replies = [first] + [cut] * 3 + [whole]     # a look may ask for a list again
        fakes.Helper(t, fakes.device({0: replies, 1: fakes.reply(payload=fakes.reservation())}), name=name)
        watch = Watch(t, f"--helper={name}", "watch", "disk")
        watch.until("all registrations fit into an answer again")
        watch.process.send_signal(signal.SIGINT)
        equal(watch.process.wait(10), 0)
        told = [line.split(" ", 1)[1] for line in watch.lines]
        equal([line.split(":")[0] for line in told],
              ["generation 7, keys 0xa1 0xb2, reservation none\n",
               "the device has more registrations than fit into an answer",
               "all registrations fit into an answer again\n"])


def blocks(process, number):
    with open(f"/proc/{process.pid}/status") as f:
        mask = int(next(line for line in f if line.startswith("SigBlk:")).split()[1], 16)
    return bool(mask >> (number - 1) & 1)


@case("a terminal that is resized does not interrupt a look, and is drawn again after it", slow=True)
def resized(t):
    asked, go_on = threading.Semaphore(0), threading.Semaphore(0)

    def answer(cdb, _):
        if cdb[1] == 0:
            asked.release()
            go_on.acquire(timeout=TIMEOUT)
        return fakes.reply(payload=fakes.keys(0xA1) if cdb[1] == 0 else fakes.reservation())

    fakes.Helper(t, answer)
    master, slave = pty.openpty()
    watch = t.popen("--helper=F", "watch", "disk", "--interval=1", stdout=slave)
    os.close(slave)
    screen = b""

    def draws(count):
        nonlocal screen
        while select.select([master], [], [], 0)[0]:
            screen += os.read(master, 65536)
        return screen.count(b"\033[H\033[J") == count

    for look in 1, 2:
        equal(asked.acquire(timeout=TIMEOUT), True, "a look")
        equal([blocks(watch, number) for number in (signal.SIGWINCH, signal.SIGINT, signal.SIGTERM)],
              [True, False, False], "what is blocked while it looks")
        if look == 2:
            equal(draws(1), True, "nothing has changed")
            watch.send_signal(signal.SIGWINCH)
        go_on.release()
        eventually(lambda: draws(look), f"draw {look}")
    os.close(master)
