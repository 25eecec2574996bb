# SPDX-License-Identifier: BSD-2-Clause
"""--help, the man page and the completions say the same: they all come from, or are held to, one table."""

import os
import re
import shutil
import subprocess
from pathlib import Path

from harness import Skip, case, contains, equal
from terminal import Terminal

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = ROOT / "man" / "pr-manager.1.scd"
FILES = {"bash": "pr-manager.bash", "zsh": "_pr-manager", "fish": "pr-manager.fish"}
OPTION = re.compile(r"^  (?:-(\w), |    )--([a-z-]+)(?:=(\S+))?", re.M)


def commands(t):
    listed = t.run("--help").out.split("Commands:\n")[1].split("\n\n")[0]
    return [line.split()[0] for line in listed.splitlines()]


def options(t, *command):
    """{name: (letter, argument)} of a --help."""
    return {name: (letter, argument) for letter, name, argument in OPTION.findall(t.run(*command, "--help").out)}


def section(title):
    return re.search(rf"^# {title}\n(.*?)(?=^# |\Z)", PAGE.read_text(), re.M | re.S).group(1)


@case("--help of the program and of every command, and --version")
def helps(t):
    t.golden_text("help.txt", t.run("--help").out)
    text = "".join(t.run(name, "--help").out + "\n" for name in commands(t))
    t.golden_text("help-commands.txt", text)
    equal([line for line in text.splitlines() if len(line) > 80 and "Usage" not in line
           and "Columns" not in line], [])
    equal(t.run("--version").out.split()[0], "pr-manager")
    equal(t.run("-h").out, t.run("--help").out)


@case("the man page has every command and every option, with letter and argument, and no other")
def man_page(t):
    names = commands(t)
    described = re.findall(r"^\*([a-z-]+)\*", section("COMMANDS THAT LOOK") + section("COMMANDS THAT ACT"), re.M)
    equal(sorted(described), sorted(names))

    wanted = options(t)
    for name in names:
        wanted.update(options(t, name))
    found = {}
    for line in re.findall(r"^\*-.*$", section("OPTIONS"), re.M):
        match = re.fullmatch(r"(?:\*-(\w)\*, )?\*--([a-z-]+)\*(?:=_([A-Z]+)_)?", line)
        assert match, line
        found[match.group(2)] = (match.group(1) or "", match.group(3) or "")
    equal(found, wanted)


@case("the man page tells every exit status and environment variable of the source")
def man_statuses(t):
    text = (ROOT / "src" / "cli" / "cli.h").read_text()
    numbers = {int(n) for n in re.findall(r"CLI_\w+ = (\d+),", text)}
    told = set()
    for line in re.findall(r"^(?:\[\[|\|) +([\d, to]+?|50 and more)$", section("EXIT STATUS"), re.M):
        low, _, high = line.partition(" to ")
        told |= set(range(int(low), int(high) + 1)) if high else {int(n) for n in re.findall(r"\d+", line)}
    equal(sorted(told), sorted(numbers))
    contains(section("ENVIRONMENT"), "*PR_MANAGER_HELPER*")


@case("the man page formats without a complaint")
def man_formats(t):
    if not shutil.which("scdoc"):
        raise Skip("scdoc is not installed")
    done = subprocess.run(["scdoc"], input=PAGE.read_bytes(), capture_output=True)
    equal((done.returncode, done.stderr), (0, b""))


@case("the completions in the tree are those that the program makes")
def committed(t):
    for shell, name in FILES.items():
        path = ROOT / "completions" / name
        made = t.run(f"--completions={shell}").out
        if t.options.update:
            path.write_text(made)
        equal(path.read_text(), made, f"completions/{name}, made again by pr-manager --completions={shell}")


@case("every command and every option is in every completion")
def complete(t):
    for shell in FILES:
        made = t.run(f"--completions={shell}").out
        for name in commands(t):
            contains(made, name)
            for option in options(t, name):
                contains(made, f"-l {option}" if shell == "fish" else f"--{option}")


def bash(t, *words):
    """What bash offers for the last of these words."""
    script = ('source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _pr_manager 2>/dev/null; '
              'printf "%s\\n" "${COMPREPLY[@]}"')
    done = subprocess.run(["bash", "-c", script, "bash", ROOT / "completions" / FILES["bash"], "pr-manager", *words],
                          cwd=t.dir, capture_output=True, text=True)
    equal((done.returncode, done.stderr), (0, ""))
    return sorted(filter(None, done.stdout.split("\n")))


@case("bash completes commands, options, values, columns and files")
def in_bash(t):
    equal(bash(t, "regi"), ["register", "register-and-move"])
    equal(bash(t, "--helper", "=", "A", "cle"), ["clear"])
    equal(bash(t, "reserve", "--t"), ["--timeout=", "--type="])
    equal(bash(t, "reserve", "d"), ["disk"])
    equal(bash(t, "reserve", "disk", "--type", "=", "write-exclusive-a"), ["write-exclusive-all-registrants"])
    equal(bash(t, "reserve", "disk", "--type", "exclusive-access-r"), ["exclusive-access-registrants-only"])
    equal(bash(t, "show", "disk", "--output", "=", "KEY,HO"), ["KEY,HOLDER", "KEY,HOST"])
    equal(bash(t, "show", "disk", "--k"), [])
    equal(bash(t, "status", "--table", "="), ["clients", "commands", "devices", "latency", "warnings"])
    equal(bash(t, "clear", "disk", "--key", "="), [])
    equal(bash(t, "--helper", "=", "d"), ["disk"])
    equal(bash(t, "--j"), ["--json"])


def tool(name):
    if shutil.which(name):
        return
    if os.environ.get("CI") == "true":
        raise AssertionError(f"{name} is not installed")
    raise Skip(f"{name} is not installed")


@case("fish completes the same")
def in_fish(t):
    tool("fish")
    script = f"source {ROOT / 'completions' / FILES['fish']}\n"
    for line in ("pr-manager regi", "pr-manager reserve disk --ty", "pr-manager show disk -o KEY,HO",
                 "pr-manager reserve disk --type=exclusive-access-r", "pr-manager status --table=l"):
        script += f"complete -C '{line}'\necho\n"
    env = t.environment(HOME=t.dir, XDG_CONFIG_HOME=t.dir, XDG_DATA_HOME=t.dir)
    done = subprocess.run(["fish", "--no-config", "-c", script], cwd=t.dir, capture_output=True, text=True, env=env)
    offered = [[line.split("\t")[0] for line in part.splitlines()] for part in done.stdout.strip("\n").split("\n\n")]
    equal(done.stderr, "")
    equal(offered, [["register", "register-and-move"], ["--type"], ["KEY,HOLDER", "KEY,HOST"],
                    ["--type=exclusive-access-registrants-only"], ["--table=latency"]])


@case("zsh completes the same", slow=True)
def in_zsh(t):
    tool("zsh")
    with Terminal(t, 100, 30, "zsh", "-f", env={"HOME": t.dir}) as terminal:
        terminal.type("PS1='% '; setopt no_list_beep; fpath=(" + str(ROOT / "completions") + " $fpath); "
                      "autoload -Uz compinit && compinit -D -u && print re''ady", "Enter")
        terminal.until("ready")
        for typed, wanted in (("pr-manager cle", "pr-manager clear"),
                              ("pr-manager reserve disk --ty", "pr-manager reserve disk --type="),
                              ("pr-manager reserve disk --type=exclusive-access-r",
                               "pr-manager reserve disk --type=exclusive-access-registrants-only"),
                              ("pr-manager show di", "pr-manager show disk"),
                              ("pr-manager status --table=l", "pr-manager status --table=latency"),
                              ("pr-manager show disk --output=INI", "pr-manager show disk --output=INITIATOR")):
            terminal.type("C-c")
            terminal.type("clear", "Enter")
            terminal.type(typed, "Tab")
            terminal.until(wanted)


@case("the simulated target's man page tells its limits as the source has them")
def target_limits(t):
    page = (ROOT / "man" / "pr-helper-sim.8.scd").read_text()
    for header, name, words in (("target.h", "TARGET_NEXUSES_MAX", "given up to {} times"),
                                ("target.h", "TARGET_UNITS_MAX", "At most {} logical units with state"),
                                ("engine.h", "ENGINE_REGISTRATIONS_MAX", "At most {} registrations")):
        number = re.search(rf"{name} = (\d+)", (ROOT / "src" / "sim" / header).read_text()).group(1)
        contains(page, words.format(number))
