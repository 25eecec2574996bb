# SPDX-License-Identifier: BSD-2-Clause
"""The command line: every option, its messages and exit status."""

import os
import re

from daemon import Helper, run_command
from harness import case, contains, equal

OPTIONS = {"help": "h", "version": "V", "daemon": "d", "pidfile": "f", "socket": "k",
           "socket-mode": "", "socket-owner": "", "user": "u", "group": "g", "timeout": "",
           "allow-stacked": "", "trace": "T", "quiet": "q", "verbose": "v"}
WITH_ARGUMENT = ("pidfile", "socket", "socket-mode", "socket-owner", "user", "group", "timeout",
                 "trace")


def one_line(text):
    equal(text.count("\n"), 1, f"lines in {text!r}")


@case(each={"-h": "-h", "--help": "--help"})
def help_text(t, option):
    """help goes to stdout, exit 0, and shows the default paths"""
    rc, out, err = run_command(t, option)
    equal((rc, err), (0, ""), "exit status and stderr")
    for text in ("Usage: ", "/var/run/qemu-pr-helper.sock", "/var/run/qemu-pr-helper.pid",
                 "--socket=PATH", "--trace [[enable=]"):
        contains(out, text)


@case(differs="its --help leaves -v and -q out")
def help_is_complete(t):
    """help lists every option"""
    _, out, _ = run_command(t, "--help")
    listed = dict.fromkeys(re.findall(r"--([a-z-]+)", out))
    for name, letter in OPTIONS.items():
        if t.peer and name in ("socket-mode", "socket-owner", "timeout", "allow-stacked"):
            continue
        contains(listed, name)
        if letter:
            contains(out, f"-{letter}, --{name}")
    for name in listed:     # and no other: each of them is known
        if not re.search(f"--{name}[ =][A-Z[]", out):
            _, _, err = run_command(t, f"--{name}", "-V")
            equal("unrecognized" in err, False, f"--{name} is unknown")


@case(each={"-V": "-V", "--version": "--version"})
def version(t, option):
    """the version goes to stdout, exit 0"""
    rc, out, err = run_command(t, option)
    equal((rc, err), (0, ""), "exit status and stderr")
    contains(out, "qemu-pr-helper")


@case(each={"long": "--nonsense", "letter": "-Z", "abbreviation that fits none": "--zzz=1"})
def unknown_option(t, option):
    """an unknown option"""
    rc, out, err = run_command(t, option)
    equal((rc, out), (1, ""), "exit status and stdout")
    lines = err.splitlines()
    contains(lines[0], "option")
    equal(lines[1], f"qemu-pr-helper: Try `{t.helper} --help' for more information.")


@case()
def missing_argument(t):
    """an option without its argument"""
    for name in WITH_ARGUMENT:
        if t.peer and name in ("socket-mode", "socket-owner", "timeout"):
            continue
        for option in (f"--{name}", f"-{OPTIONS[name]}") if OPTIONS[name] else (f"--{name}",):
            rc, _, err = run_command(t, option)
            equal(rc, 1, f"exit status of {option}")
            contains(err, "requires an argument")
            contains(err, "--help' for more information.")


@case()
def argument_not_wanted(t):
    """an argument for an option that takes none"""
    rc, _, err = run_command(t, "--daemon=yes")
    equal(rc, 1, "exit status")
    contains(err, "doesn't allow an argument")


@case(each={"relative": "x.sock", "./": "./x.sock", "empty": ""})
def relative_socket(t, path):
    """a socket path that is not absolute"""
    rc, out, err = run_command(t, "-k", path, cwd=t.dir)
    equal((rc, out, err), (1, "", "qemu-pr-helper: socket path must be absolute\n"))
    equal(os.listdir(t.dir), [], "files left")


@case()
def socket_path_length(t):
    """a socket path of 107 bytes is served, of 108 refused with a clear error"""
    name = "s" * (107 - len(t.dir) - 1)
    h = Helper(t, "-k", t.path(name), socket_args=False, ready=False)
    h.socket = t.path(name)
    h.wait_ready()
    equal(h.stop(), 0, "exit status")
    for length in (109, 200, 5000) if t.peer else (108, 109, 200, 5000):
        rc, _, err = run_command(t, "-k", t.path("s" * (length - len(t.dir) - 1)))
        equal(rc, 1, "exit status")
        contains(err, "too long")
        contains(err, "10")


@case(each={"no such directory": "/no/such/dir/s", "a directory": "/tmp/", "root": "/",
            "below a file": "/etc/passwd/s"})
def bad_socket_path(t, path):
    """a path where no socket can be"""
    rc, out, err = run_command(t, "-k", path)
    equal((rc, out), (1, ""), "exit status and stdout")
    contains(err, "qemu-pr-helper: ")
    contains(err, path)


BAD_IDS = {"unknown": "no-such-name", "empty": "", "negative": "-1", "hexadecimal": "0x10",
           "a number and more": "10x"}


@case(each=BAD_IDS)
def bad_user(t, value):
    """an invalid user"""
    rc, _, err = run_command(t, "-k", t.path("s"), f"--user={value}")
    equal((rc, err), (1, f"qemu-pr-helper: invalid user '{value}'\n"))


@case(each=BAD_IDS)
def bad_group(t, value):
    """an invalid group"""
    rc, _, err = run_command(t, "-k", t.path("s"), f"--group={value}")
    equal((rc, err), (1, f"qemu-pr-helper: invalid group '{value}'\n"))


@case(ours="it has no such option", each={
    "no number": "x", "empty": "", "zero": "0", "negative": "-1", "fraction": "1.5",
    "unit": "5s", "too many": "86401", "overflow": "99999999999999999999", "sign": "+5",
    "space": " 5"})
def bad_timeout(t, value):
    """an invalid timeout"""
    rc, _, err = run_command(t, "-k", t.path("s"), f"--timeout={value}")
    equal(rc, 1, "exit status")
    contains(err, f"qemu-pr-helper: invalid timeout '{value}'")
    one_line(err)


@case(ours="it has no such option", each={
    "no number": "x", "empty": "", "decimal": "680", "too large": "1777", "symbolic": "u=rw",
    "negative": "-1"})
def bad_mode(t, value):
    """an invalid socket mode"""
    rc, _, err = run_command(t, "-k", t.path("s"), f"--socket-mode={value}")
    equal(rc, 1, "exit status")
    contains(err, f"qemu-pr-helper: invalid socket mode '{value}'")
    one_line(err)


@case(ours="it has no such option")
def bad_owner(t):
    """an invalid socket owner"""
    for value, message in (("no-such", "invalid user 'no-such'"), ("", "invalid user ''"),
                           ("root:no-such", "invalid group 'no-such'"),
                           ("root:", "invalid group ''"), ("-1", "invalid user '-1'"),
                           ("4294967295", "invalid user '4294967295'")):
        rc, _, err = run_command(t, "-k", t.path("s"), f"--socket-owner={value}")
        equal((rc, err), (1, f"qemu-pr-helper: {message}\n"))


@case(ours="it has no such options")
def good_numbers(t):
    """the ends of what --timeout and --socket-mode take"""
    for option in ("--timeout=1", "--timeout=86400", "--socket-mode=0", "--socket-mode=0777",
                   "--socket-owner=0:0", "--socket-owner=:0"):
        rc, _, err = run_command(t, option, "-V")
        equal((rc, err), (0, ""), option)


@case()
def first_error_counts(t):
    """options are taken in their order: what comes after --version is not looked at"""
    rc, out, err = run_command(t, "-V", "--nonsense")
    equal((rc, err), (0, ""))
    rc, out, err = run_command(t, "--nonsense", "-V")
    equal((rc, out), (1, ""))


@case()
def abbreviation(t):
    """long options may be abbreviated, and values given apart"""
    for options in (["--vers"], ["--pid", t.path("p"), "--version"], ["-k", t.path("s"), "-V"],
                    [f"-k{t.path('s')}", "-V"], ["-qvV"]):
        rc, out, err = run_command(t, *options)
        equal((rc, err), (0, ""), str(options))
        contains(out, "qemu-pr-helper")


@case()
def last_socket_counts(t):
    """the last of several socket paths is served"""
    h = Helper(t, "-k", t.path("other"), "-k", t.path("s"))
    equal(sorted(n for n in os.listdir(t.dir) if not n.startswith("log")), ["s"], "sockets")
    equal(h.stop(), 0)


@case(differs="the peer ignores arguments silently")
def arguments(t):
    """an argument that belongs to no option is told"""
    h = Helper(t, "extra")
    contains(h.wait_log("extra"), "qemu-pr-helper: argument 'extra' is ignored")


@case()
def output_closed(t):
    """--help and --version into a closed pipe or a full disk do no harm"""
    for option in ("--help", "--version", "-Thelp"):
        reader, writer = os.pipe()
        os.close(reader)
        pid = os.posix_spawn(t.helper, [t.helper, option], os.environ,
                             file_actions=[(os.POSIX_SPAWN_DUP2, writer, 1)])
        os.close(writer)
        equal(os.WIFEXITED(os.waitpid(pid, 0)[1]) or t.peer, True, "ended by itself")
