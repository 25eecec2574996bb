# SPDX-License-Identifier: BSD-2-Clause
"""The log: audit lines, counting, limits, levels, the journal, syslog, and readers that stop."""

import contextlib
import os
import re
import time

from daemon import Helper, Witness
from harness import case, contains, equal, eventually
from prclient import CHECK_CONDITION, Client, cdb_in, cdb_out, params
from syslog_socket import Syslog

NO_AUDIT = "it has no audit"
ACTIONS = ["REGISTER", "RESERVE", "RELEASE", "CLEAR", "PREEMPT", "PREEMPT AND ABORT",
           "REGISTER AND IGNORE EXISTING KEY", "REGISTER AND MOVE", "REPLACE LOST RESERVATION"]


def lines(text, part):
    return [line for line in text.splitlines() if part in line]


@case(ours=NO_AUDIT)
def refused_line(t):
    """a refused PR OUT: who, which device, action, type, keys, why"""
    h = Helper(t)
    c = t.keep(h.client())
    fd, read_only = t.open(), t.open(flags=os.O_RDONLY)
    for action, name in enumerate(ACTIONS):
        equal(c.out(fd, action, 0x1234, 0xABCD, rtype=5).status, CHECK_CONDITION)
        log = h.wait_log(f" {name} ")
        line = lines(log, "PR OUT")[-1]
        who = f"pid={os.getpid()} uid={os.getuid()} device=1:3 {name} "
        contains(line, f"qemu-pr-helper: PR OUT client=")
        contains(line, who)
        contains(line, "key=0x1234 action-key=0xabcd: refused: not a SCSI device")
        equal("scope=0 type=WERO" in line, action in (1, 2, 4, 5, 8), f"type in {line!r}")
    c.out(read_only, 0)
    c.request(fd, cdb_out(31, 15, 15), params(1))
    contains(h.wait_log("0x1f"), "service action 0x1f")


@case(ours=NO_AUDIT)
def short_list(t):
    """parameter lists of any length are logged without reading beyond them"""
    h = Helper(t)
    c = t.keep(h.client())
    fd = t.open()
    for i, length in enumerate((0, 1, 7, 8, 15, 16, 17, 8192)):
        equal(c.request(fd, cdb_out(i, length=length), b"\xee" * length).status, CHECK_CONDITION)
    log = h.wait_log("PR OUT", 8)
    equal(sum("key=0xeeeeeeeeeeeeeeee" in line for line in lines(log, "PR OUT")), 3, "with keys")


@case(ours=NO_AUDIT)
def repeated(t):
    """repetitions are counted, and the count comes when something else does"""
    h = Helper(t)
    c = t.keep(h.client())
    fd = t.open()
    for _ in range(50):
        c.out(fd, 0, 1, 2)
    equal(len(lines(h.wait_log("PR OUT"), "PR OUT")), 1, "lines for 50 equal commands")
    c.out(fd, 3, 1)
    log = h.wait_log("PR OUT", 3)
    contains(lines(log, "PR OUT")[1], ", repeated 49 times")
    contains(lines(log, "PR OUT")[2], " CLEAR ")
    for key in (1, 2, 3):         # another key is another command
        c.out(fd, 0, key)
    h.wait_log("PR OUT", 6)


@case(ours=NO_AUDIT)
def repeated_at_disconnect(t):
    """the count comes when the client leaves, and when the helper ends"""
    h = Helper(t)
    fd = t.open()
    c = t.keep(h.client())
    for _ in range(10):
        c.out(fd, 0, 1)
    c.close()
    h.wait_log(", repeated 9 times")
    c = t.keep(h.client())
    for _ in range(5):
        c.out(fd, 0, 1)
    equal(h.stop(), 0)
    contains(h.log(), ", repeated 4 times")


@case(ours=NO_AUDIT)
def each_client_counts(t):
    """clients are counted apart, and so are devices"""
    h = Helper(t)
    null, zero = t.open(), t.open("/dev/zero")
    a, b = t.keep(h.client()), t.keep(h.client())
    for _ in range(4):
        for c in (a, b):
            c.out(null, 0, 1)
            c.out(zero, 0, 1)
    equal(len(lines(h.wait_log("PR OUT", 4), "PR OUT")), 4, "lines")
    a.close()
    b.close()
    equal(len(lines(h.wait_log("repeated 3 times", 4), "repeated")), 4, "counts")


@case(ours=NO_AUDIT)
def rate_limit(t):
    """refused commands are limited per user, and what was left out is told"""
    h = Helper(t)
    c = t.keep(h.client())
    fd = t.open()
    for i in range(1000):
        c.out(fd, 0, i)
    few = len(lines(h.log(), "PR OUT"))
    if not 15 <= few <= 60:
        raise AssertionError(f"{few} lines for 1000 refused commands")
    deadline = time.monotonic() + 8
    while "were not logged" not in h.log() and time.monotonic() < deadline:
        c.out(fd, 0, 5000 + int(time.monotonic() * 1000))
        time.sleep(0.05)
    left_out = sum(map(int, re.findall(r"(\d+) more refused commands of uid", h.log())))
    if left_out < 900:
        raise AssertionError(f"{left_out} told of, {few} logged")


@case(ours=NO_AUDIT)
def nothing_untold(t):
    """in the end the lines tell of every refused command: logged, counted or left out"""
    h = Helper(t)
    c = t.keep(h.client())
    fd = t.open()
    sent = 0
    for i in range(100):         # each three times, so that there are counts to lose
        for _ in range(3):
            c.out(fd, 0, i)
            sent += 1
    deadline = time.monotonic() + 6
    while told(h.log().splitlines()) < sent - 3 and time.monotonic() < deadline:
        time.sleep(0.25)         # the next line brings what was left out before
        sent += 1
        c.out(fd, 0, 1000 + sent)
    number = told(h.log().splitlines())
    if not sent - 3 <= number <= sent:
        raise AssertionError(f"{sent} were sent, the log tells of {number}")


@case(ours=NO_AUDIT, root=True)
def rate_limit_of_others(t):
    """one user's flood does not silence another's line"""
    os.chmod(t.dir, 0o777)
    h = Helper(t, "--socket-mode=666")
    fd = t.open()
    c = t.keep(h.client())
    for i in range(300):
        c.out(fd, 0, i)
    os.seteuid(12345)
    try:
        other = t.keep(h.client())
    finally:
        os.seteuid(0)
    other.out(fd, 0, 0x777)
    h.wait_log("uid=12345 device=1:3 REGISTER key=0x777 ")


@case(ours=NO_AUDIT)
def quiet_and_verbose(t):
    """-q: nothing of refused commands; -v: clients coming and going; -q wins"""
    for options, refused, going in (([], True, False), (["-q"], False, False),
                                    (["-v"], True, True), (["-v", "-q"], False, False),
                                    (["-q", "-v"], False, False), (["-qv"], False, False)):
        h = Helper(t, *options)
        with h.client() as c:
            c.out(t.open(), 0, 1)
        equal(h.stop(), 0)
        equal("PR OUT" in h.log(), refused, f"a refused command with {options}")
        for text in ("connected, pid", "closed: ", "stopping: signal 15"):
            equal(text in h.log(), going, f"{text!r} with {options}")


@case(ours="it knows nothing of the journal")
def journal(t):
    """JOURNAL_STREAM is our stderr: priorities instead of the name"""
    for matches in (True, False):
        h = Helper(t, "-v", ready=False,
                   preexec_fn=lambda: os.environ.update(
                       JOURNAL_STREAM="%d:%d" % (os.fstat(2).st_dev,
                                                 os.fstat(2).st_ino + (not matches))))
        h.wait_ready()
        h.client().close()
        log = h.wait_log("connected")
        pattern = ("<6>" if matches else "qemu-pr-helper: ") + r"client \d+: connected"
        if not re.search("^" + pattern, log, re.MULTILINE):
            raise AssertionError(f"no {pattern!r} in {log!r}")
        h.stop()


@case(root=True, ours="its messages end with stderr")
def closed_pipe(t):
    """stderr's reader goes: a thousand PR OUT are answered, and syslog has them all"""
    syslog = Syslog(t)
    reader, writer = os.pipe()
    h = Helper(t, stderr=writer)
    os.close(writer)
    os.close(reader)
    fd = t.open()
    c = t.keep(h.client())
    for i in range(1000):     # in runs of ten, which are counted
        equal(c.out(fd, i // 10 % 9, key=i // 90).status, CHECK_CONDITION)
        syslog.read() if i % 50 == 0 else None
    c.close()
    eventually(lambda: any("repeated" in s for s in syslog.read()), "a count in syslog")
    deadline = time.monotonic() + 1
    while time.monotonic() < deadline and told(syslog.read()) < 1000:
        time.sleep(0.02)
    first = next(text for text in syslog.received if "PR OUT" in text)
    if not re.match(rf"<29>qemu-pr-helper\[{h.pid}\]: PR OUT ", first):
        raise AssertionError(f"its form: {first!r}")
    t.note(f"{len(syslog.received)} lines tell of {told(syslog.received)} commands")
    equal(h.alive(), True, "it lives")
    equal(h.stop(), 0)


def told(messages):
    """How many commands these lines are about."""
    total = 0
    for text in messages:
        count = re.search(r"repeated (\d+) times", text)
        more = re.search(r": (\d+) more refused", text)
        total += int((count or more).group(1)) if count or more else "PR OUT" in text
    return total


@case(root=True, ours="its messages end with stderr")
def pipe_and_syslog(t):
    """where stderr is a pipe a line goes both there and to syslog; else to stderr alone"""
    syslog = Syslog(t)
    reader, writer = os.pipe()
    h = Helper(t, stderr=writer)
    os.close(writer)
    with h.client() as c:
        c.out(t.open(), 0, 0x55)
    text = [""]

    def arrived():
        text[0] += os.read(reader, 4096).decode()
        return "qemu-pr-helper: PR OUT " in text[0]
    eventually(arrived, "a line in the pipe")
    eventually(lambda: any("PR OUT" in s for s in syslog.read()), "a line in syslog")
    h.stop()
    syslog.received.clear()
    h = Helper(t)
    with h.client() as c:
        c.out(t.open(), 0, 0x56)
    h.wait_log("PR OUT")
    h.stop()
    equal(syslog.read(), [], "syslog where stderr is a file")


def stuck(t, *options, **more):
    """A helper whose stderr is a full pipe that nobody reads."""
    reader, writer = os.pipe()
    t.cleanups.callback(os.close, reader)
    os.set_blocking(writer, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writer, b"x" * 4096)
    os.set_blocking(writer, True)
    h = Helper(t, *options, stderr=writer, **more)
    os.close(writer)
    return h, reader


@case(each={"default": [], "-v": ["-v"], "trace": ["-T", "client_*"]})
def stuck_reader(t, options):
    """stderr is a full pipe that nobody reads: clients are served, and it ends"""
    if os.path.exists("/dev/log"):
        t.note("there is a /dev/log: that takes the lines")
    h, _ = stuck(t, *options)
    w = Witness(t, h)
    begin = time.monotonic()
    for i in range(600):          # more than the log's queue holds
        equal(w.client.out(w.fd, i % 9, key=i).status, CHECK_CONDITION)
        if i % 20 == 0:
            with h.client() as c:
                equal(c.request(w.fd, cdb_in(0)).status, CHECK_CONDITION)
    if time.monotonic() - begin > 6:
        raise AssertionError(f"it took {time.monotonic() - begin:.1f} s")
    w.check()
    begin = time.monotonic()
    equal(h.stop(), 0, "exit status")
    t.note(f"ended after {time.monotonic() - begin:.1f} s")


@case(root=True, ours=NO_AUDIT)
def stuck_from_the_start(t):
    """stderr is full before the start has something to say: it serves, and it ends"""
    h, _ = stuck(t, "-v", wrapper=["setpriv", "--bounding-set=-sys_rawio,-setpcap"], ready=False)
    eventually(lambda: os.path.exists(h.socket), "the path")
    with h.client(timeout=6) as c:
        equal(c.request(t.open(), cdb_in(0)).status, CHECK_CONDITION)
    equal(h.stop(), 0, "exit status")
    equal(os.path.exists(h.socket), False, "the socket")


@case(ours=NO_AUDIT, cost=3)
def reader_comes_back(t):
    """stderr is read again: what was lost is told, and the log goes on"""
    h, reader = stuck(t, "-v")
    fd = t.open()
    for _ in range(400):
        h.client().close()
    os.set_blocking(reader, False)
    text = ""

    def whole():
        nonlocal text
        with contextlib.suppress(BlockingIOError):
            text += os.read(reader, 1 << 16).decode()
        return "log lines were lost" in text
    eventually(whole, "lost lines are told of")
    with h.client() as c:
        c.out(fd, 0, 0x4242)
    eventually(lambda: whole() and "0x4242" in text, "the log goes on")


@case(ours=NO_AUDIT)
def whole_lines(t):
    """many clients at once: every line is whole"""
    h = Helper(t, "-v", "-T", "*")
    fd = t.open()
    clients = [t.keep(Client(h.socket)) for _ in range(50)]
    for _ in range(5):
        for c in clients:
            c.send(cdb_out(0) + params(1), [fd])
        for c in clients:
            c.reply()
    for c in clients:
        c.close()
    h.stop()
    for line in h.log().splitlines():
        if not re.match(r"(qemu-pr-helper: |\d+@\d+\.\d{6}:(client|helper)_\w+ ).+$", line):
            raise AssertionError(f"a broken line: {line!r}")
