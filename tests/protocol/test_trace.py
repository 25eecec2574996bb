# SPDX-License-Identifier: BSD-2-Clause
"""-T: which events are switched on, where they go, and what they say."""

import os
import re

from daemon import Helper, Witness, run_command
from harness import case, contains, equal, eventually
from prclient import cdb_in, cdb_out, params

EVENTS = ["helper_listen", "helper_serve", "helper_stop", "helper_accept_pause", "client_refused",
          "client_connect", "client_features", "client_request", "client_device", "device_submit",
          "device_complete", "client_reply", "client_close"]
NONE = "it has no trace event of its own"


@case(each={"help": "help", "?": "?", "enable=help": "enable=help", "enable=?": "enable=?"})
def list_events(t, argument):
    """the list of events goes to stdout, exit 0"""
    rc, out, err = run_command(t, "-T", argument)
    equal((rc, err), (0, ""))
    if len(out.split()) < 5:
        raise AssertionError(f"few events: {out!r}")


@case(defect=NONE)
def every_step(t):
    """there is an event for every step"""
    _, out, _ = run_command(t, "-T", "help")
    for name in EVENTS:
        contains(out.split(), name)


@case()
def unknown_event(t):
    """an unknown name warns and is no error, an unknown pattern is silent"""
    rc, _, err = run_command(t, "-T", "no_such_event", "-V")
    equal((rc, err), (0, "qemu-pr-helper: warning: trace event 'no_such_event' does not exist\n"))
    for quiet in ("no_such*", "[x]*", "?", ""):
        rc, _, err = run_command(t, "-T", quiet, "-V") if quiet != "?" else (0, "", "")
        equal((rc, err), (0, ""), f"for {quiet!r}")


@case(each={"first": "foo=bar", "second": "client_*,foo=bar", "without a value": "client_*,foo"})
def unknown_key(t, argument):
    """an unknown key is an error"""
    rc, _, err = run_command(t, "-k", t.path("s"), "-T", argument)
    equal((rc, err.splitlines()[-1]), (1, "qemu-pr-helper: Invalid parameter 'foo'"))


@case()
def double_comma(t):
    """two commas stand for one"""
    rc, _, err = run_command(t, "-T", "enable=a,,b", "-V")
    equal((rc, err), (0, "qemu-pr-helper: warning: trace event 'a,b' does not exist\n"))
    rc, _, err = run_command(t, "-T", "a,,,,b,,", "-V")
    equal((rc, err), (0, "qemu-pr-helper: warning: trace event 'a,,b,' does not exist\n"))
    h = Helper(t, "-T", f"enable=*,file={t.path('a,b').replace(',', ',,')}")
    equal(os.path.exists(t.path("a,b")), True, "the file with a comma")
    equal(h.stop(), 0)


@case()
def missing_events_file(t):
    """a missing file of events is an error"""
    rc, _, err = run_command(t, "-k", t.path("s"), "-T", f"events={t.path('none')}")
    equal(rc, 1, "exit status")
    contains(err, t.path("none"))
    contains(err, "No such file or directory")
    contains(err, "qemu-pr-helper:")


@case()
def bad_trace_file(t):
    """a trace file that cannot be written is an error, and leaves no socket"""
    rc, _, err = run_command(t, "-k", t.path("s"), "-T", f"file={t.path('no/such')}")
    equal((rc, err), (1, f"qemu-pr-helper: Error opening logfile {t.path('no/such')}: "
                         "No such file or directory\n"))
    equal(os.path.exists(t.path("s")), False, "a socket")


def live(t, *options, wait="client_close"):
    """The trace of one client's life, as [(event, text)]."""
    trace = t.path("trace")
    h = Helper(t, *options, ready=False)
    eventually(lambda: os.path.exists(h.socket), "the socket")
    with h.client() as c:
        fd = t.open()
        c.request(fd, cdb_in(1))
        c.request(fd, cdb_out(3), params(7))

    def text():
        with open(trace if os.path.exists(trace) else h.log_path) as f:
            return f.read()
    eventually(lambda: not wait or wait in text(), f"{wait} in the trace")
    equal(h.stop(), 0, "exit status")
    return re.findall(r"^\d+@\d+\.\d{6}:(\w+) ?(.*)$", text(), re.MULTILINE), text()


@case(ours=NONE)
def whole_life(t):
    """the events of a client's whole life, in their order"""
    events, _ = live(t, "-T", "*")
    events = [e for e in events if "repeated" not in e[1]]
    names = [name for name, _ in events]
    equal(names, ["helper_listen", "helper_serve", "client_connect", "client_features",
                  "client_request", "client_device", "client_reply",
                  "client_request", "client_device", "client_reply", "client_close",
                  "helper_stop"])
    text = [text for _, text in events]
    contains(text[0], f"path={t.path('s')}")
    contains(text[2], f"pid={os.getpid()} uid={os.getuid()}")
    contains(text[4], "action=READ RESERVATION length=8192")
    contains(text[5], "device=1:3")
    contains(text[7], "action=CLEAR length=24")
    contains(text[6], "status=0x2 size=0")
    contains(text[10], "why=")
    contains(text[11], "signal=15")


@case(ours=NONE)
def selection(t):
    """patterns, disabling, many -T, and a file of events"""
    with open(t.path("events"), "w") as f:
        f.write("# a comment\n\nclient_connect\n  \nclient_re*\n-client_request\nclient_close")
    for options, expected in (
            (["-T", "client_*", "-T", "-client_re*"],
             {"client_connect", "client_features", "client_device", "client_close"}),
            (["-T", "client_connect", "-T", "enable=client_close"],
             {"client_connect", "client_close"}),
            (["-T", "*", "-T", "-*", "-T", "client_close"], {"client_close"}),
            (["-T", f"events={t.path('events')}"],
             {"client_connect", "client_reply", "client_close"}),
            (["-T", f"client_device,events={t.path('events')}"],
             {"client_connect", "client_reply", "client_close", "client_device"}),
            (["-T", "client_clos?"], {"client_close"}),
            (["--trace=[c]lient_close"], {"client_close"})):
        events, _ = live(t, *options)
        equal({name for name, _ in events}, expected, str(options))


@case(ours=NONE)
def to_a_file(t):
    """file=FILE: the trace goes there and the log to stderr"""
    h = Helper(t, "-T", f"client_*,file={t.path('trace')}", "-v")
    with h.client() as c:
        c.request(t.open(), cdb_out(0), params(1))
    h.wait_log("PR OUT")
    equal(h.stop(), 0)
    with open(t.path("trace")) as f:
        trace = f.read()
    contains(trace, ":client_reply ")
    equal("PR OUT" in trace, False, "the log in the trace")
    equal("client_reply" in h.log(), False, "the trace in the log")
    size = len(trace)
    Helper(t, "-T", f"client_*,file={t.path('trace')}").stop()
    equal(os.path.getsize(t.path("trace")) > size, True, "the trace is appended to")


@case(ours=NONE)
def refusals_and_ends(t):
    """client_close says why"""
    h = Helper(t, "-T", "client_close")
    w = Witness(t, h)
    for send, why in ((lambda c: c.send(cdb_in(0)), "no file descriptor"),
                      (lambda c: c.send(cdb_in(0), [w.fd] * 2), "more than one file descriptor"),
                      (lambda c: c.send(bytes(16), [w.fd]), "neither PERSISTENT RESERVE"),
                      (lambda c: c.send(cdb_in(0, 8193), [w.fd]), "above the limit"),
                      (lambda c: c.send(cdb_in(0), [w.fd] * 3), "descriptors were lost"),
                      (lambda c: c.send(cdb_in(0)[:3]), "within a message")):
        c = t.keep(h.client())
        send(c)
        if "within" not in why:
            equal(c.closed(), True)
        c.close()
        h.wait_log(why)
