# SPDX-License-Identifier: BSD-2-Clause
"""C, as far as it takes to find functions and includes.

Comments, literals and preprocessor lines are blanked and lines kept, so that
what is left are braces and names. A function is a block at the outermost level
behind something with parentheses that is no initializer, structure or union.
"""

import re
from dataclasses import dataclass

_BLANKED = re.compile(
    r"""/\*.*?(?:\*/|\Z)            # comment
      | //(?:\\\n|[^\n])*           # to the end of the line
      | "(?:\\.|[^"\\\n])*"         # string
      | '(?:\\.|[^'\\\n])*'         # character
      | ^[ \t]*\#(?:\\\n|/\*.*?\*/|[^\n])*   # preprocessor, with what it continues
    """, re.VERBOSE | re.DOTALL | re.MULTILINE)
_ATTRIBUTE = re.compile(r"__attribute__\s*\(\((?:[^()]|\([^()]*\))*\)\)|__asm__\s*\([^()]*\)")
_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(["<])([^">]+)[">]', re.MULTILINE)


@dataclass(frozen=True)
class Function:
    name: str
    line: int
    lines: int


@dataclass(frozen=True)
class Include:
    name: str
    line: int
    quoted: bool


def blank(text):
    """The text without what is no code; the same number of lines."""
    return _BLANKED.sub(lambda m: " " + "\n" * m.group().count("\n"), text)


def _function_name(head):
    """The name of the function whose block follows `head`, or None where none does."""
    head = _ATTRIBUTE.sub(" ", head)
    if "(" not in head or re.search(r"=\s*$", head) or re.match(r"\s*extern\s*$", head):
        return None
    if not head.rstrip().endswith(")"):
        return None
    names = re.findall(r"([A-Za-z_]\w*)\s*\(", head)
    return names[0] if names else None


def _outermost(code):
    """(what, offset) of the braces and semicolons that no block and no parentheses are around."""
    blocks = parentheses = 0
    for match in re.finditer(r"[{}();]", code):
        what, at = match.group(), match.start()
        if blocks == 0 and what in "()":
            parentheses += 1 if what == "(" else -1
        elif parentheses > 0:
            continue  # a compound literal, say
        elif what == "{":
            if blocks == 0:
                yield what, at
            blocks += 1
        elif what == "}":
            blocks -= 1
            if blocks == 0:
                yield what, at
        elif what == ";" and blocks == 0:
            yield what, at


def functions(text):
    """Every function that is defined in `text`, from its first line to its closing brace."""
    code = blank(text)
    head_start, name, first = 0, None, 0
    for what, at in _outermost(code):
        if what == "{":
            head = code[head_start:at]
            name = _function_name(head)
            first = code.count("\n", 0, at - len(head.lstrip())) + 1
            continue
        if what == "}" and name:
            yield Function(name, first, code.count("\n", 0, at) + 2 - first)
        head_start, name = at + 1, None


def includes(text):
    for match in _INCLUDE.finditer(text):
        yield Include(match.group(2), text.count("\n", 0, match.start()) + 1,
                      match.group(1) == '"')
