# SPDX-License-Identifier: BSD-2-Clause
"""status: the helper's document, as it is and as it must not be."""

import json
import os
import time

import fakes
from harness import case, contains, equal

DOCUMENT = {
    "version": "0.1.0", "pid": 4700, "uptime_seconds": 190925.25, "limits": {"clients": 9968},
    "clients": [
        {"client": 3, "pid": 4711, "uid": 107, "connected_seconds": 7263.3, "commands": 17,
         "last_command": "PR OUT RESERVE", "last_status": "GOOD", "idle_seconds": 0.5},
        {"client": 4, "pid": 4712, "uid": 108, "connected_seconds": 12.3, "commands": 1,
         "last_command": "PR OUT RESERVE", "last_status": "RESERVATION CONFLICT", "idle_seconds": 12.3},
        {"client": 5, "pid": 4713, "uid": 108, "connected_seconds": 95, "commands": 0}],
    "devices": [
        {"device": "8:16", "wwid": "naa.60014050a1b2c3d4e5f60718293a4b5c", "clients": 2, "commands": 123,
         "conflicts": 1, "errors": 0,
         "in_flight": [{"client": 3, "command": "PR OUT PREEMPT AND ABORT", "seconds": 1.2}],
         "latency": [{"below_us": 64, "count": 5}, {"below_us": 128, "count": 100},
                     {"below_us": 2048, "count": 17}, {"below_us": None, "count": 1}],
         "latency_seconds": 2.125},
        {"device": "8:32", "wwid": "", "clients": 1, "commands": 0, "conflicts": 0, "errors": 0,
         "in_flight": [], "latency": []}],
    "warnings": ["device 8:16: pids 4711 and 4712 have both registered; to the disk they are one "
                 "initiator and cannot fence each other"],
}


def serve(t, text, name="S"):
    data = text if isinstance(text, bytes) else json.dumps(text).encode()
    fakes.Server(t, name, lambda connection: connection.sendall(data))


@case("tables, and the document as it came")
def tables(t):
    serve(t, DOCUMENT)
    t.golden_text("status.txt", t.run("status", "--status-socket=S").out)
    out = t.run("status", "--status-socket=S", "--json").out
    equal(out, json.dumps(DOCUMENT) + "\n")


@case("one table, with columns and without headings, as text and as JSON")
def one_table(t):
    serve(t, DOCUMENT)
    for table in "warnings", "clients", "devices", "commands", "latency":
        t.golden(f"status-{table}", "status", "--status-socket=S", f"--table={table}")
    t.golden("status-columns", "status", "--status-socket=S", "--table=clients", "-n", "-o", "PID,client")


@case("Prometheus' text format")
def prometheus(t):
    serve(t, DOCUMENT)
    out = t.run("status", "--status-socket=S", "--prometheus").out
    t.golden_text("status.prom", out)
    names = set()
    for line in out.splitlines():
        if line.startswith("# TYPE "):
            name = line.split()[2]
            assert name not in names, name
            names.add(name)
        elif not line.startswith("#"):
            float(line.rsplit(" ", 1)[1])
            base = line.split("{")[0].split(" ")[0]
            assert base in names or base.rsplit("_", 1)[0] in names, line


@case("a helper at rest, and one that says less or more")
def little(t):
    serve(t, {"version": "0.1.0", "pid": 1, "uptime_seconds": 0.5, "limits": {"clients": 10},
              "clients": [], "devices": [], "warnings": []})
    t.golden_text("status-idle.txt", t.run("status", "--status-socket=S").out)
    serve(t, {"version": "9", "new": [[{}]], "devices": [{"new": 1}]}, "T")
    t.run("status", "--status-socket=T")
    t.run("status", "--status-socket=T", "--prometheus")
    serve(t, b"{}", "U")
    t.run("status", "--status-socket=U")


@case("control characters do not reach the terminal")
def control(t):
    nasty = "\x1b[31m\x07\x9b\x7f\r\nü\u202e\U0001f600"
    document = json.loads(json.dumps(DOCUMENT))
    document["version"] = document["warnings"][0] = nasty
    document["clients"][0]["last_command"] = document["devices"][0]["wwid"] = nasty
    serve(t, json.dumps(document, ensure_ascii=False).encode())
    for args in [], ["--json"], ["--prometheus"], ["--table=clients"], ["--json", "--table=warnings"]:
        out = t.run("status", "--status-socket=S", *args).out
        equal([c for c in out if not (" " <= c <= "~" or c == "\n")], [], args)
    equal(json.loads(t.run("status", "--status-socket=S", "--json").out), document)


BAD = {
    "nothing": b"", "no JSON": b"hello", "half": b'{"version":"0.1.0"', "more": b"{} {}", "a list": b"[]",
    "a text": b'"x"', "twice": b'{"pid":1,"pid":2}', "NUL": b'{"version":"\\u0000"}', "bytes": b'{"version":"\xff"}',
    "huge number": b'{"pid":99999999999999999999999}', "huge real": b'{"uptime_seconds":1e999}',
    "NaN": b'{"uptime_seconds":NaN}', "deep": 100000 * b"[", "deep object": 5000 * b'{"limits":',
}
WRONG = {
    "version": {"version": 1}, "pid": {"pid": "1"}, "uptime_seconds": {"uptime_seconds": -1},
    "limits": {"limits": []}, "clients": {"limits": {"clients": 1.5}}, "devices": {"devices": {}},
    "warnings": {"warnings": [1]}, "uid": {"clients": [{"uid": -2}]}, "in_flight": {"devices": [{"in_flight": [1]}]},
    "seconds": {"devices": [{"in_flight": [{"seconds": "x"}]}]},
    "below_us": {"devices": [{"latency": [{"below_us": "x", "count": 1}]}]},
    "count": {"devices": [{"latency": [{"below_us": 1, "count": -1}]}]},
    "last_command": {"clients": [{"last_command": ["x"]}]},
}


@case("what is no helper's status is refused")
def refused(t):
    for number, (name, data) in enumerate(BAD.items()):
        serve(t, data, f"B{number}")
        for args in [], ["--json"], ["--prometheus"]:
            ended = t.run("status", f"--status-socket=B{number}", *args, status=97)
            contains(ended.err, "this is no helper's status")
            equal(ended.out, "", name)
    for number, (member, data) in enumerate(WRONG.items()):
        serve(t, data, f"W{number}")
        contains(t.run("status", f"--status-socket=W{number}", status=97).err, f'"{member}" is not what')


@case("a document without an end is cut off", slow=True)
def endless(t):
    def flood(connection):
        while True:
            connection.sendall(65536 * b" ")
    fakes.Server(t, "S", flood)
    contains(t.run("status", "--status-socket=S", status=97).err, "this is no helper's status")


@case("a helper that says nothing is given up", slow=True)
def silent(t):
    fakes.Server(t, "S", lambda connection: time.sleep(20))
    begin = time.monotonic()
    contains(t.run("status", "--status-socket=S", status=33).err, "did not answer in 5 seconds")
    equal(4 < time.monotonic() - begin < 9, True)


@case("a helper that dribbles is given up", slow=True)
def dribbling(t):
    def dribble(connection):
        while True:
            connection.sendall(b" ")
            time.sleep(0.5)
    fakes.Server(t, "S", dribble)
    t.run("status", "--status-socket=S", status=33)


@case("sockets that are not there")
def sockets(t):
    contains(t.run("status", "--status-socket=nowhere", status=15).err, "start qemu-pr-helper with --status-socket")
    contains(t.run("status", "--status-socket=disk", status=15).err, "connect disk: it is no socket")
    fakes.Helper(t, None)
    begin = time.monotonic()
    contains(t.run("status", "--status-socket=F", status=97).err, "this looks like the socket for commands (-k)")
    equal(time.monotonic() - begin < 4, True)
    t.sim("--status-socket=S")
    contains(t.run("status", "--status-socket=A", status=97).err, "this looks like the socket for commands (-k)")
    contains(t.run("--helper=S", "read-keys", "disk", status=97).err, "connect S: what answers there takes no")
    t.run("status", "--status-socket=" + 200 * "x", status=1)


@case("a large document")
def large(t):
    document = {**DOCUMENT, "clients": [{**DOCUMENT["clients"][0], "client": n} for n in range(9968)]}
    serve(t, document)
    lines = t.run("status", "--status-socket=S", "--table=clients", "-n", "-o", "CLIENT").out.split()
    equal(lines, [str(n) for n in range(9968)])


@case("a real helper's document")
def real(t):
    t.sim("--status-socket=" + t.path("S"))
    t.a("register", "disk", "--new-key=0xa1")
    text = t.run("status", "--status-socket=S").out
    contains(text, "Devices\nDEVICE")
    document = t.json("status", "--status-socket=S")
    equal(sum(d["commands"] for d in document["devices"]), 1)
    contains(t.run("status", "--status-socket=S", "--prometheus").out, "pr_helper_device_commands_total{")
    equal(os.stat(t.path("S")).st_mode & 0o777, 0o600)
