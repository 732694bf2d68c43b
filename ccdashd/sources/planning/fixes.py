"""What may make YAML of a line that is none: the ways that people's frontmatter is broken, and what they meant.

Lines stay where they are: a fix changes the text of a line, or empties it. Lines count from 0 here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

MAX_HINT: Final = 160
"""Characters of a line that a hint shows."""


@dataclass(frozen=True, slots=True)
class Fix:
    """One repair, to be tried."""

    line: int
    code: str
    message: str
    hint: str
    """What the author should write."""
    changes: dict[int, str]
    """New text of the lines that it concerns."""
    loses: bool = False
    """Something is left out."""


_WHITE: Final = " \t\r"
"""What YAML takes for white space within a line: `str.strip` knows more."""


def _blank(line: str) -> bool:
    return not line.strip(_WHITE)


def place(lines: list[str], index: int) -> tuple[int, int]:
    """Line and column, both from 0, of an index of the text."""
    number = 0
    while number < len(lines) - 1 and index > len(lines[number]):
        index -= len(lines[number]) + 1
        number += 1
    if all(line.strip("\r") == "" for line in lines[number:]):
        # The parser stands at the end: what it misses is in the last line that has text.
        while number > 0 and _blank(lines[number]):
            number -= 1
            index = len(lines[number])
    return number, index


# What a line consists of: indentation and dashes, perhaps a key, a value.
_LEAD = re.compile(r"[ \t]*(?:-[ \t]+)*")
_KEY = re.compile(r"""("(?:[^"\\]|\\.)*"[ \t]*|'(?:[^']|'')*'[ \t]*|[^\s"'\[\]{}&*!|>%@`#,:-][^:#]*):(?:[ \t]+|$)""")
_CONFLICT = re.compile(r"(?:<{7}|={7}|>{7}|\|{7})(?: .*)?")
_NO_SPACE = re.compile(r"([ \t]*(?:-[ \t]+)*[A-Za-z_][\w-]*:|[ \t]*-)([^\s/:-].*)")


@dataclass(frozen=True, slots=True)
class _Parts:
    lead: str
    key: str
    """With colon and blanks behind it."""
    value: str
    comment: str

    @property
    def before(self) -> str:
        return self.lead + self.key


def _split(line: str) -> _Parts:
    line = line.rstrip(_WHITE)
    match = _LEAD.match(line)
    lead = match[0] if match else ""
    key = _KEY.match(line, len(lead))
    # Of an item such as "- Use it: when needed" all is text; "- id: x" has a key.
    text = key is not None and "-" in lead and key[1][0] not in "\"'" and re.search("[ \t][^ \t]", key[1].rstrip(_WHITE))
    name = key[0] if key and not text else ""
    value = line[len(lead) + len(name) :]
    quoted = _QUOTED.match(value)
    comment = None if quoted is None and value[:1] in ("'", '"') else _COMMENT.search(value, quoted.end() if quoted else 0)
    at = len(value[: comment.start()].rstrip(_WHITE)) if comment else len(value)
    return _Parts(lead, name, value[:at], value[at:])


_QUOTED = re.compile(r""""(?:[^"\\]|\\.)*"|'(?:[^']|'')*'""")
_COMMENT = re.compile(r"(?:(?<=[ \t])|^)#")


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" \t"))


def _quote(value: str) -> str:
    if '"' in value or "\\" in value:
        return "'" + value.replace("'", "''") + "'"
    return f'"{value}"'


def conflict_markers(lines: list[str]) -> Iterator[Fix]:
    markers = [number for number, line in enumerate(lines) if _CONFLICT.fullmatch(line.rstrip(_WHITE))]
    if any(lines[number].startswith("<" * 7) for number in markers):
        for number in markers:
            message = "left over from a merge: of a key that both sides have, the later counts"
            yield Fix(number, "merge-conflict", message, "settle the conflict, and remove this line", {number: ""}, True)


def likely(lines: list[str], number: int, stuck: tuple[int, int]) -> Iterator[Fix]:
    """What keeps what the author meant, the likeliest first. `number` is the line of the cause, `stuck` where the parser
    could not go on."""
    if _is_key_in_list(lines, number):
        yield from _indentation(lines, number)
        yield leave_out(lines, number)
    yield from _tabs(lines, number)
    yield from _spacing(lines, number)
    yield from _quoting(lines, number, stuck)
    yield from _indentation(lines, number)
    above = _above(lines, number)
    if above is not None:
        yield from _spacing(lines, above)
        opened = next((n for n in range(above, max(above - 20, -1), -1) if _is_unclosed(_split(lines[n]).value)), None)
        if opened is not None:
            yield from _quoting(lines, opened, None)


def last_resorts(lines: list[str], number: int) -> Iterator[Fix]:
    """What may be better than to leave out the line."""
    yield from _several_lines(lines, number)
    above = _above(lines, number)
    if above is not None:
        yield leave_out(lines, above)


def _above(lines: list[str], number: int) -> int | None:
    return next((n for n in range(number - 1, -1, -1) if not _blank(lines[n]) and lines[n].lstrip(" \t")[0] != "#"), None)


def _is_key_in_list(lines: list[str], number: int) -> bool:
    parts = _split(lines[number])
    if not parts.key or "-" in parts.lead:
        return False
    at = len(parts.lead)
    outer = next((line for line in reversed(lines[:number]) if not _blank(line) and _indent(line) <= at), "")
    return _indent(outer) == at and outer.lstrip(" \t").startswith("- ")


def leave_out(lines: list[str], number: int, *, to_end: bool = False) -> Fix:
    """Empty a line, with what is indented below it if that belongs to it."""
    parts = _split(lines[number])
    end = number + 1
    while end < len(lines) and (to_end or _blank(lines[end]) or _indent(lines[end]) > _indent(lines[number])):
        end += 1
    below = next((line for line in lines[number + 1 : end] if not _blank(line)), "")
    if not to_end and "-" not in parts.lead and parts.value and not _is_text(below):
        end = number + 1
    while end > number + 1 and _blank(lines[end - 1]):
        end -= 1
    more = end - number - 1
    with_more = f", with the {more} lines below it" if more > 1 else ", with the line below it" if more else ""
    key = parts.key.rstrip(" \t:")
    if not to_end and _is_key_in_list(lines, number):
        code = "key-in-list"
        message = f"the key {key} stands among the items of a list; left out{with_more}"
        hint = f"give the list a key of its own beside {key}, or remove the line"
    else:
        code = "unreadable-line"
        message = f"this line is no YAML; left out{with_more}"
        hint = "correct it, or put `#` before it"
    return Fix(number, code, message, hint, dict.fromkeys(range(number, end), ""), loses=True)


def _one(lines: list[str], number: int, code: str, message: str, line: str) -> Iterator[Fix]:
    if line != lines[number].rstrip("\r"):
        written = line.strip(_WHITE)
        hint = written if len(written) <= MAX_HINT else written[:MAX_HINT] + "…"
        yield Fix(number, code, message, f"write: {hint}", {number: line})


def _tabs(lines: list[str], number: int) -> Iterator[Fix]:
    line = lines[number].rstrip("\r")
    indent = line[: _indent(line)]
    if "\t" in indent and _blank(line):
        message = "a line of white space that holds a tab, which YAML refuses here"
        yield Fix(number, "tab-indentation", message, "remove the tab", {number: ""})
    elif "\t" in indent:
        for width in (2, 4, 8):
            spaces = indent.replace("\t", " " * width)
            message = "indented with a tab, where YAML wants spaces"
            yield from _one(lines, number, "tab-indentation", message, spaces + line[len(indent) :])


def _spacing(lines: list[str], number: int) -> Iterator[Fix]:
    match = _NO_SPACE.fullmatch(lines[number].rstrip(_WHITE))
    if match:
        sign = "colon" if match[1].endswith(":") else "dash"
        yield from _one(lines, number, "missing-space", f"a space is missing after the {sign}", f"{match[1]} {match[2]}")


_RESERVED: Final = "`@%*&!|>[]{},?\t"


def _quoting(lines: list[str], number: int, stuck: tuple[int, int] | None) -> Iterator[Fix]:
    parts = _split(lines[number])
    value = parts.value
    if not value:
        return
    mark = value[0]
    if mark in "'\"":
        if _is_unclosed(value):
            line = parts.before + value + mark + parts.comment
            yield from _one(lines, number, "unclosed-quote", "a quote opens here and never closes", line)
        elif value[-1] == mark and len(value) > 1 and not _closes_early(value):
            inner = value[1:-1].replace("\\" + mark, mark).replace("''", "'")
            line = parts.before + _quote(inner) + parts.comment
            yield from _one(lines, number, "text-after-quote", "a quote or backslash within quotes ends them early", line)
        line = parts.before + _quote(value) + parts.comment
        yield from _one(lines, number, "text-after-quote", "text goes on behind the closing quote", line)
    elif mark in "[{":
        if stuck is not None and stuck[0] == number:
            yield from _quoting_in_flow(lines, number, stuck[1])
        for opening, closing in ("[]", "{}"):
            if value.count(opening) > value.count(closing):
                message = f"`{opening}` opens here and never closes"
                line = parts.before + value + closing + parts.comment
                yield from _one(lines, number, "unclosed-bracket", message, line)
    why = f"text that begins with {mark} has to be in quotes" if mark in _RESERVED else "this text has to be in quotes"
    if ": " in value or value.endswith(":"):
        why = "text that holds a colon and a space has to be in quotes"
    yield from _one(lines, number, "unquoted-text", why, parts.before + _quote(value) + parts.comment)


def _quoting_in_flow(lines: list[str], number: int, column: int) -> Iterator[Fix]:
    """Quote the one item of ``[a, @b]`` that the parser stuck at."""
    line = lines[number].rstrip(_WHITE)
    match = re.compile(r"[^ \t,\[\]{}][^,\[\]{}]*").match(line, column)
    if match and line[:column].rstrip(_WHITE)[-1:] in tuple("[{,:"):
        token = match[0].rstrip(_WHITE)
        message = f"text that begins with {token[0]} has to be in quotes"
        line = line[:column] + _quote(token) + line[column + len(token) :]
        yield from _one(lines, number, "unquoted-text", message, line)


def _is_unclosed(value: str) -> bool:
    return value[:1] in ("'", '"') and _QUOTED.match(value) is None


def _closes_early(value: str) -> bool:
    """``"a" and "b"``, where the first quotes are of one word; not ``"say "a" to b"``."""
    mark = value[0]
    at = value.find(mark, 1)
    return 0 < at < len(value) - 1 and not value[at - 1].isspace() and not value[at + 1].isalnum()


def _indentation(lines: list[str], number: int) -> Iterator[Fix]:
    """One column more or less than a key above."""
    parts = _split(lines[number])
    at = len(parts.lead)
    if not parts.key or "-" in parts.lead:
        return
    for above in reversed(lines[:number]):
        column = len(_split(above).lead)
        if _split(above).key and column <= at + 1:
            if abs(column - at) == 1:
                line = " " * column + lines[number].strip(_WHITE)
                message = "indented by one column too few or too many"
                yield from _one(lines, number, "bad-indentation", message, line)
            return


def _is_text(line: str) -> bool:
    return not _split(line).before.strip(_WHITE)


def _several_lines(lines: list[str], number: int) -> Iterator[Fix]:
    """Text that goes on below its key, and holds there what only text in quotes may."""
    first = number - 1
    while first > 0 and (_blank(lines[first]) or (_is_text(lines[first]) and _indent(lines[first]) > 0)):
        first -= 1
    parts = _split(lines[first]) if first >= 0 else _Parts("", "", "", "")
    if not parts.value or parts.value[0] in "'\"[{|>&*!#" or not parts.before.strip(_WHITE):
        return
    # Text goes on further right than its key begins, or than its dash.
    left = len(parts.lead) if parts.key else _indent(lines[first])
    end = number
    while end < len(lines) and (_blank(lines[end]) or _indent(lines[end]) > left):
        end += 1
    if end == number:
        return
    while _blank(lines[end - 1]):
        end -= 1
    changes = {n: lines[n].rstrip(_WHITE).replace("'", "''") for n in range(first + 1, end)}
    changes[first] = parts.before + "'" + (parts.value + parts.comment).replace("'", "''")
    changes[end - 1] += "'"
    message = "text of several lines that holds a colon and a space has to be in quotes"
    hint = f"put all of the text after {parts.key.strip() or '-'} in quotes, or write it below `|`"
    yield Fix(number, "unquoted-text", message, hint, changes)
