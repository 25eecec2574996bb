# SPDX-License-Identifier: BSD-2-Clause
"""Wrong command lines, devices, sockets and outputs: what is said, and the exit status."""

import os
import shutil
import socket
import subprocess

from harness import B, Skip, case, contains, equal

WRONG = {
    "which command?": [],
    "there is no command 'frob'": ["frob"],
    "there is no command ''": [""],
    "unknown option '--frob'": ["--frob"],
    "unknown option '--jsn=x'": ["show", "disk", "--jsn=x"],
    "unknown option '-x'": ["show", "disk", "-x"],
    "ambiguous option '--a': --aptpl --all-target-ports --abort --allow-stacked": ["register", "disk", "--a"],
    "ambiguous option '--ta=x': --target-port --table": ["show", "disk", "--ta=x"],
    "option '--key' needs a value": ["clear", "disk", "--key"],
    "option '--json' takes no value": ["--json=yes", "show", "disk"],
    "show: the device is missing": ["show"],
    "raw: the command in hexadecimal is missing": ["raw", "disk"],
    "show: 'more' is one argument too many": ["show", "disk", "more"],
    "status: 'disk' is one argument too many": ["status", "disk"],
    "show: --key is not for this command": ["show", "disk", "--key=0xa1"],
    "reserve: --victim is not for this command": ["reserve", "disk", "--victim=0xa1"],
    "status: --helper is not for this command": ["status", "--helper=A"],
    "reserve: --key=KEY is missing": ["reserve", "disk", "--type=WE"],
    "reserve: --type=TYPE is missing": ["reserve", "disk", "--key=0xa1"],
    "register: --new-key=KEY is missing": ["register", "disk"],
    "preempt: --victim=KEY is missing": ["preempt", "disk", "--key=0xa1", "--type=WE"],
    "register-and-move: --initiator=PORT is missing":
        ["register-and-move", "disk", "--key=0xa1", "--new-key=0xb2"],
    "show: the device is empty": ["show", ""],
    "register-and-move: --initiator may be given once": ["register-and-move", "disk", "--key=0x1", "--new-key=0x2", "--target-port=1",
                                "--initiator=iqn.2000-01.a.b:c", "--initiator=iqn.2000-01.a.b:d"],
    "move: --key is the key of a registration, and not 0": ["move", "disk", "--key=0", "-y"],
    "move: --new-key is the key that this nexus gets, and not 0":
        ["move", "disk", "--key=0xa1", "--new-key=0", "-y"],
    "two ways to the device": ["show", "disk", "--helper=A", "--direct"],
    "--allow-stacked goes with --direct": ["show", "disk", "--allow-stacked"],
    "--ignore-existing does not look at --key":
        ["register", "disk", "--key=0xa1", "--new-key=0xb2", "--ignore-existing"],
    "it does not go with --ignore-existing":
        ["register", "disk", "--new-key=0xb2", "--ignore-existing", "--initiator=iqn.2000-01.a.b:c"],
    "register: --initiator registers this nexus too, where it is not registered yet: it does not go with --key":
        ["register", "disk", "--key=0xa1", "--new-key=0xb2", "--initiator=iqn.2000-01.a.b:c"],
    "register: --new-key=0 unregisters this nexus, and --initiator registers others: give one or the other":
        ["register", "disk", "--new-key=0", "--initiator=iqn.2000-01.a.b:c"],
    "--prometheus is a format of its own": ["status", "--prometheus", "--json"],
    "there is no table 'frob'": ["status", "--table=frob"],
    "which table?": ["status", "--noheadings"],
    "invalid --helper ''": ["show", "disk", "--helper="],
    "there are completions for bash, zsh and fish, not for 'csh'": ["--completions=csh"],
}


@case("wrong command lines")
def command_lines(t):
    for said, args in WRONG.items():
        contains(t.run(*args, status=1).err, said)


@case("an option with a value that is no list may be given once, whatever the value")
def once(t):
    options = {"victim": ["0xb2", "0xc3"], "key": ["0xa1", "0xa1"], "type": ["1", "WE"], "helper": ["A", "B"],
               "timeout": ["1", "2"]}
    for name, values in options.items():
        args = [f"--{other}={values[0]}" for other, values in options.items() if other != name]
        ended = t.run("preempt", "disk", "-y", *args, *(f"--{name}={value}" for value in values), status=1)
        contains(ended.err, f"preempt: --{name} may be given once")
    contains(t.run("show", "disk", "-oKEY", "--output=HOST", status=1).err, "show: --output may be given once")
    t.run("register", "disk", "--new-key=0xa1", "--helper=nowhere", "--json", "--json", f"--initiator={B}",
          f"--initiator={B}", status=15)


@case("keys that are none")
def bad_keys(t):
    for key in ("", "a1", "10", "161", "0x", "0xg1", "0x1 ", " 0x1", "-0x1", "0x-1", "+1", "00", "0x+1",
                "0x11112222333344445", "1e3", "0xa1\n"):
        contains(t.run("clear", "disk", f"--key={key}", "-y", status=1).err, "a key is hexadecimal with 0x")


@case("types that are none")
def bad_types(t):
    for kind in "0", "2", "4", "9", "15", "", "none", "WEX", "write", "1 ", "01":
        contains(t.run("reserve", "disk", "--key=0xa1", f"--type={kind}", status=1).err,
                 "a type is write-exclusive (WE, 1)")


@case("numbers and initiators that are none")
def bad_numbers(t):
    for seconds in "0", "-1", "1.5", "", "86401", "99999999999999999999", "1s":
        t.run("watch", "disk", f"--interval={seconds}", status=1)
        t.run("show", "disk", f"--timeout={seconds}", status=1)
    for port in "65536", "-1", "", "x":
        t.run("register-and-move", "disk", "--key=0x1", "--new-key=0x2", "--initiator=iqn.2000-01.a.b:c",
              f"--target-port={port}", status=1)
    for initiator in "", "fc:", "fc:0x", "fc:0x12345", "sas:1", "xyz:0x1", "iqn.a,i,0x1", "iqn a", "iqn.a\n":
        contains(t.run("register", "disk", "--new-key=0x1", f"--initiator={initiator}", status=1).err,
                 "an initiator port is like")


@case("devices that cannot be used")
def devices(t):
    os.mkfifo(t.path("fifo"))
    os.symlink("nowhere", t.path("dangling"))
    socket.socket(socket.AF_UNIX).bind(t.path("sock"))
    t.sim()
    for name, said in (("nowhere", "there is no such device"), ("dangling", "there is no such device"),
                       (".", "is a directory"), ("fifo", "is no disk"), ("/dev/null/x", "Not a directory"),
                       ("sock", "sock is no disk"), ("disk/", "Not a directory"),
                       ("x" * 5000, "File name too long")):
        contains(t.a("read-keys", name, status=15).err, said)
        contains(t.a("clear", name, "--key=0x1", "-y", status=15).err, said if name != "." else "is a directory")
    t.a("read-keys", "/dev/null", status=9)


@case("a device that may not be opened: what writing needs is told to who writes")
def not_permitted(t):
    if not shutil.which("strace"):
        raise Skip("needs strace")

    def run(error, *args):
        """With open(2) of the disk failing."""
        command = ["strace", "-qqq", "-o", "/dev/null", "-e", "trace=openat", "-P", t.path("disk"),
                   "-e", f"inject=openat:error={error}", t.options.program, "--helper=A", *args]
        return subprocess.run(command, cwd=t.dir, capture_output=True, text=True, check=False,
                              env=t.environment(ASAN_OPTIONS="detect_leaks=0"))
    read, write = ["read-keys", t.path("disk")], ["clear", t.path("disk"), "--key=0x1", "-y"]
    ended = run("EPERM", *read)
    if "ptrace" in ended.stderr.lower():
        raise Skip("strace does not work here")
    for ended, how in (ended, "reading"), (run("EPERM", *write), "writing"):
        equal(ended.returncode, 15, ended.stderr)
        contains(ended.stderr, f"for {how}: Operation not permitted: a container's device policy may be why")
    contains(run("EROFS", *write).stderr, "Read-only file system: PERSISTENT RESERVE OUT needs a device")
    equal("PERSISTENT RESERVE OUT" in run("EROFS", *read).stderr, False)


@case("a device by a link, and one that others must not touch")
def permissions(t):
    t.sim()
    os.symlink("disk", t.path("by-id"))
    t.a("register", "by-id", "--new-key=0xa1")
    equal(t.json("--helper=A", "read-keys", "disk")["keys"], [{"key": "0xa1"}])
    if os.geteuid() != 0:
        raise Skip("needs root, to become somebody else")
    os.chmod(t.dir, 0o755)
    os.chmod(t.path("disk"), 0o600)

    def run(*args):
        return subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                               t.path("pr-manager"), *args], cwd=t.dir, capture_output=True, text=True,
                              env=t.environment())
    shutil.copy(t.options.program, t.path("pr-manager"))
    os.chmod(t.path("pr-manager"), 0o755)
    ended = run("--helper=A", "read-keys", "disk")
    equal(ended.returncode, 15)
    contains(ended.stderr, "open disk for reading: permission denied: the device belongs to root:root, mode 0600")
    os.chmod(t.path("disk"), 0o666)
    os.chmod(t.path("A"), 0o660)
    ended = run("--helper=A", "read-keys", "disk")
    equal(ended.returncode, 15)
    contains(ended.stderr, "connect A: permission denied: the socket belongs to root:root, mode 0660")


@case("sockets that cannot be used")
def sockets(t):
    with open(t.path("file"), "w"):
        pass
    stale = socket.socket(socket.AF_UNIX)
    stale.bind(t.path("stale"))
    stale.close()
    for command in ["read-keys", "disk"], ["reserve", "disk", "--key=0x1", "--type=1"], ["watch", "disk"]:
        contains(t.run("--helper=nowhere", *command, status=15).err, "start qemu-pr-helper")
        contains(t.run("--helper=stale", *command, status=15).err, "nobody listens there")
        contains(t.run("--helper=file", *command, status=15).err, "connect file: it is no socket")
        t.run("--helper=" + 200 * "x", *command, status=15)


@case("a path with a control character is shown harmlessly")
def control(t):
    ended = t.run("read-keys", "a\033[31mb\xff", status=15)
    contains(ended.err, "a\\x1b[31mb\\xc3\\xbf")


@case("a message is one write, so that those of several programs are lines")
def whole_lines(t):
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with here, there:
        equal(t.popen("--helper=A", "read-keys", "b\033[31m", stderr=there).wait(20), 15)
        equal(here.recv(9999), b"pr-manager: open b\\x1b[31m: there is no such device; `lsblk' and "
                               b"/dev/disk/by-id name those that there are\n")
        equal(t.popen("frob", stderr=there).wait(20), 1)
        equal([here.recv(9999), here.recv(9999)], [b"pr-manager: there is no command 'frob'\n",
                                                   b"pr-manager: try `pr-manager --help'\n"])


@case("an output that cannot be written is an error")
def full(t):
    t.sim()
    for args in ["show", "disk"], ["--json", "show", "disk"], ["raw", "disk", "5e000000000000002000"]:
        with open("/dev/full", "w") as device:
            process = t.popen("--helper=A", *args, stdout=device)
            equal(process.wait(20), 15)
            contains(process.stderr.read(), "cannot write the output: No space left on device")


@case("an output that cannot be written does not hide how a command ended that changed something")
def full_after_change(t):
    t.sim()
    register = "5f000000000000001800"
    for args, said in ((["register", "disk", "--new-key=0xa1"], "REGISTER: the command itself ended with GOOD"),
                       (["move", "disk", "--key=0xa1", "-y"], "move: the command itself ended with GOOD"),
                       (["raw", "disk", register, "00000000000000a100000000000000b2".ljust(48, "0")],
                        "REGISTER: the command itself ended with GOOD"),
                       (["register", "disk", "--new-key=0xa1"], None)):
        with open("/dev/full", "w") as device:
            process = t.popen("--helper=A", "--json", *args, stdout=device)
            equal(process.wait(20), 15 if said else 24)
            err = process.stderr.read()
        contains(err, "cannot write the output: No space left on device")
        if said:
            contains(err, f"pr-manager: disk: {said}, but its output is lost\n")
        else:
            equal("GOOD" in err, False)


@case("without a terminal and without --yes nothing is sent")
def refused(t):
    t.both_registered()
    for args in (["clear", "disk", "--key=0xa1"], ["preempt", "disk", "--key=0xa1", "--victim=0xb2", "--type=1"],
                 ["move", "disk", "--key=0xb2"], ["preempt", "disk", "--key=0xa1", "--victim=0", "--type=1"]):
        contains(t.a(*args, status=1).err, "--yes has to be given. Nothing was sent")
    equal(t.json("--helper=A", "read-keys", "disk")["generation"], 2)


@case("on a terminal it asks; only yes goes on")
def asked(t):
    t.both_registered()
    for answer in "n\n", "\n", "yesterday\n", "\x04":
        status, text = t.on_terminal("--helper=A", "clear", "disk", "--key=0xa1", answer=answer)
        equal(status, 1, text)
        contains(text, "clear removes the reservation and all registrations of all hosts")
        contains(text, "nothing was sent")
    equal(len(t.json("--helper=A", "read-keys", "disk")["keys"]), 2)
    status, text = t.on_terminal("--helper=A", "preempt", "disk", "--key=0xa1", "--victim=0xb2",
                                 "--type=1", answer="y\n")
    equal(status, 0, text)
    contains(text, "removes the registrations with key 0xb2, whoever has them")
    status, text = t.on_terminal("--helper=A", "clear", "disk", "--key=0xa1", answer="YES\n")
    equal(status, 0, text)
    equal(t.json("--helper=A", "read-keys", "disk")["keys"], [])


@case("bold on a terminal only, and not with NO_COLOR")
def colour(t):
    t.both_registered()
    status, text = t.on_terminal("--helper=A", "show", "disk")
    equal(status, 0)
    contains(text, "\033[1m0xa1")
    equal("\033" in t.a("show", "disk").out, False)
    os.environ.pop("NO_COLOR", None)
