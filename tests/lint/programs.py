# SPDX-License-Identifier: BSD-2-Clause
"""What a program says of itself and what its man page says of it."""

import re
import subprocess
from pathlib import Path

_OPTION = re.compile(r"^ +(?:-(\w), )?--([a-z][a-z0-9-]*)", re.MULTILINE)
_COMMAND = re.compile(r"^  ([a-z][a-z0-9-]*)(?:  |$)", re.MULTILINE)
_BORROWED = re.compile(r"All options of\s+\*([\w-]+)\*\((\d)\)")


def run(*command):
    """Its stdout, or None where it fails."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=60)
    return done.stdout if done.returncode == 0 else None


def _options_of(text):
    return {long: letter or None for letter, long in _OPTION.findall(text)}


def helped_options(program):
    """{long: letter} from --help, that of each of its commands too; None where that fails."""
    text = run(program, "--help")
    if text is None:
        return None
    options = _options_of(text)
    commands = re.search(r"^Commands:\n((?:  .*\n)+)", text, re.MULTILINE)
    for name in _COMMAND.findall(commands.group(1)) if commands else []:
        of_command = run(program, name, "--help")
        if of_command is None:
            return None
        options.update(_options_of(of_command))
    return options


def trace_events(program):
    """What -T help lists; None where the program has no such thing."""
    text = run(program, "-T", "help")
    return text.split() if text is not None else None


def pages(page):
    """The text of a man page and of one whose options it says it has too."""
    text = Path(page).read_text(encoding="utf-8")
    for name, section in _BORROWED.findall(text):
        text += (Path(page).parent / f"{name}.{section}.scd").read_text(encoding="utf-8")
    return text


def defined_options(text):
    """{long: letter} of a man page: what its indented paragraphs are about."""
    options = {}
    for line in text.splitlines():
        if not line.startswith("*-"):
            continue
        letter = re.match(r"\*-(\w)\*, ", line)
        for long in re.findall(r"\*--([a-z][a-z0-9-]*)\*", line):
            options[long] = letter.group(1) if letter else None
    return options


def bold_words(text):
    return set(re.findall(r"\*([\w-]+)\*", text))
