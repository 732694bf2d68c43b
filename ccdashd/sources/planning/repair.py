"""Make YAML of text that nearly is: one line at a time, as a person would, so that one bad line does not cost the others.

Lines stay where they are: a repair changes the text of a line, or empties it. Each repair is tried, and kept only if the
parser then gets further; what cannot be repaired is left out. Everything is reported.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from .yaml import TooMuch, Yaml, YamlError, parse

MAX_REPAIRS: Final = 50
MAX_PARSED: Final = 8 << 20
"""Characters parsed in all attempts at one text: about a second."""


@dataclass(frozen=True, slots=True)
class Repair:
    """Lines count from 0. `hint` is what the author should write."""

    line: int
    code: str
    message: str
    hint: str
    changes: dict[int, str]
    """New text of the lines that it concerns; empty if left out."""

    @property
    def loses(self) -> bool:
        return any(not text.strip() for text in self.changes.values())


def recover(text: str, error: YamlError) -> tuple[Yaml | None, list[Repair]]:
    """Repair a text that `parse` refused with that error. None if nothing of it could be read."""
    lines = text.split("\n")
    done: list[Repair] = []
    left = MAX_PARSED - len(text)
    for repair in _conflict_markers(lines):
        _apply(lines, repair)
        done.append(repair)
    found = _attempt(lines) if done else error
    while isinstance(found, YamlError) and not isinstance(found, TooMuch) and len(done) < MAX_REPAIRS and left > 0:
        before = _cause(found, lines)
        last = None
        for repair in _repairs(found, lines):
            trial = lines.copy()
            _apply(trial, repair)
            after = _attempt(trial)
            left -= len(text)
            last = repair, trial, after
            if isinstance(after, Yaml) or _further(_cause(after, trial), before, lines, trial) or left <= 0:
                break
        if last is None:
            break
        repair, lines, found = last
        done.append(repair)
    if isinstance(found, YamlError) and not isinstance(found, TooMuch):
        rest = _leave_out(lines, _cause(found, lines)[0], to_end=True)
        _apply(lines, rest)
        done.append(rest)
        found = _attempt(lines)
    return found if isinstance(found, Yaml) else None, done


def _attempt(lines: list[str]) -> Yaml | YamlError:
    try:
        return parse("\n".join(lines))
    except YamlError as error:
        return error


def _apply(lines: list[str], repair: Repair) -> None:
    for number, line in repair.changes.items():
        lines[number] = line + "\r" * lines[number].endswith("\r")


def _further(now: tuple[int, int], before: tuple[int, int], lines: list[str], trial: list[str]) -> bool:
    number, column = now
    # What was written into the line (quotes, a space) moved the rest of it, which is no progress.
    return (number, column - len(trial[number]) + len(lines[number])) > before


_BEGINS_AT_CONTEXT = re.compile("scanning|flow|quoted")


def _cause(error: YamlError, lines: list[str]) -> tuple[int, int]:
    """Line and column of what to repair: where a quote or bracket opened that never closed, else where the parser stuck."""
    index = error.index
    if error.context_index is not None and _BEGINS_AT_CONTEXT.search(error.context):
        index = error.context_index
    return _place(index, lines)


def _place(index: int, lines: list[str]) -> tuple[int, int]:
    number = 0
    while number < len(lines) - 1 and index > len(lines[number]):
        index -= len(lines[number]) + 1
        number += 1
    # At the very end the parser stands on an empty line: what it misses is in the last one that has text.
    while number > 0 and not lines[number].strip():
        number -= 1
        index = len(lines[number])
    return number, index


# What a line consists of: indentation and dashes, perhaps a key, a value.
_LEAD = re.compile(r"[ \t]*(?:-[ \t]+)*")
_KEY = re.compile(r"""("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s"'\[\]{}&*!|>%@`#,:-][^:#]*?)[ \t]*:(?:[ \t]+|$)""")
_CONFLICT = re.compile(r"(?:<{7}|={7}|>{7}|\|{7})(?: .*)?")
_NO_SPACE = re.compile(r"([ \t]*(?:-[ \t]+)*[A-Za-z_][\w-]*):([^\s/:].*)")


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
    line = line.rstrip()
    match = _LEAD.match(line)
    lead = match[0] if match else ""
    key = _KEY.match(line, len(lead))
    # Of an item such as "- Use it: when needed" all is text; "- id: x" has a key.
    name = key[0] if key and not ("-" in lead and re.search(r"\s\S", key[1]) and key[1][0] not in "\"'") else ""
    value = line[len(lead) + len(name) :]
    quoted = _QUOTED.match(value)
    comment = None if quoted is None and value[:1] in ("'", '"') else _COMMENT.search(value, quoted.end() if quoted else 0)
    at = comment.start() if comment else len(value)
    return _Parts(lead, name, value[:at], value[at:])


_QUOTED = re.compile(r""""(?:[^"\\]|\\.)*"|'(?:[^']|'')*'""")
_COMMENT = re.compile(r"\s+#.*|^#.*")


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" \t"))


def _key_column(line: str) -> int:
    match = _LEAD.match(line)
    return match.end() if match else 0


def _quote(value: str) -> str:
    if '"' in value or "\\" in value:
        return "'" + value.replace("'", "''") + "'"
    return f'"{value}"'


def _conflict_markers(lines: list[str]) -> Iterator[Repair]:
    markers = [number for number, line in enumerate(lines) if _CONFLICT.fullmatch(line.rstrip())]
    if any(lines[number].startswith("<" * 7) for number in markers):
        for number in markers:
            message = "left over from a merge: of a key that both sides have, the later counts"
            yield Repair(number, "merge-conflict", message, "settle the conflict, and remove this line", {number: ""})


def _repairs(error: YamlError, lines: list[str]) -> Iterator[Repair]:
    """What could help, the likeliest first; the last leaves the line out."""
    number, _ = _cause(error, lines)
    above = next((n for n in range(number - 1, -1, -1) if lines[n].strip()), None)
    if _is_key_in_list(lines, number):
        yield from _indentation(lines, number, above)
        yield _leave_out(lines, number, code="key-in-list")
    yield from _tabs(lines, number)
    yield from _spacing(lines, number)
    yield from _quoting(error, lines, number, _place(error.index, lines))
    yield from _indentation(lines, number, above)
    if above is not None:
        yield from _spacing(lines, above)
        opened = next((n for n in range(above, max(above - 20, -1), -1) if _is_unclosed(_split(lines[n]).value)), None)
        if opened is not None:
            yield from _quoting(error, lines, opened, None)
        yield from _several_lines(lines, number)
        if not _split(lines[above]).key and not _split(lines[above]).lead.strip():
            yield _leave_out(lines, above)
    yield _leave_out(lines, number)


def _is_key_in_list(lines: list[str], number: int) -> bool:
    parts = _split(lines[number])
    if not parts.key or "-" in parts.lead:
        return False
    at = len(parts.lead)
    outer = next((line for line in reversed(lines[:number]) if line.strip() and _indent(line) <= at), "")
    return _indent(outer) == at and outer.lstrip().startswith("- ")


def _leave_out(lines: list[str], number: int, *, code: str = "unreadable-line", to_end: bool = False) -> Repair:
    """Empty a line, with what is indented below it."""
    end = number + 1
    while end < len(lines) and (to_end or not lines[end].strip() or _indent(lines[end]) > _indent(lines[number])):
        end += 1
    while end > number + 1 and not lines[end - 1].strip():
        end -= 1
    more = end - number - 1
    with_more = f", with the {more} lines below it" if more > 1 else ", with the line below it" if more else ""
    key = _split(lines[number]).key.rstrip(" \t:")
    if code == "key-in-list":
        message = f"the key {key} stands among the items of a list; left out{with_more}"
        hint = f"give the list a key of its own beside {key}, or remove the line"
    else:
        message = f"this line is no YAML; left out{with_more}"
        hint = "correct it, or put `#` before it"
    return Repair(number, code, message, hint, dict.fromkeys(range(number, end), ""))


def _one(lines: list[str], number: int, code: str, message: str, line: str) -> Iterator[Repair]:
    if line != lines[number].rstrip("\r"):
        yield Repair(number, code, message, f"write: {line.strip()}", {number: line})


def _tabs(lines: list[str], number: int) -> Iterator[Repair]:
    line = lines[number].rstrip("\r")
    indent = line[: _indent(line)]
    if "\t" in indent:
        for width in (2, 4, 8):
            spaces = indent.replace("\t", " " * width)
            message = "indented with a tab, where YAML wants spaces"
            yield from _one(lines, number, "tab-indentation", message, spaces + line[len(indent) :])


def _spacing(lines: list[str], number: int) -> Iterator[Repair]:
    match = _NO_SPACE.fullmatch(lines[number].rstrip())
    if match:
        yield from _one(lines, number, "missing-space", "a space is missing after the colon", f"{match[1]}: {match[2]}")


def _quoting(error: YamlError, lines: list[str], number: int, place: tuple[int, int] | None) -> Iterator[Repair]:
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
        if place is not None and place[0] == number:
            yield from _quoting_in_flow(lines, number, place[1])
        for bracket in (closing for opening, closing in ("[]", "{}") if value.count(opening) > value.count(closing)):
            line = parts.before + value + bracket + parts.comment
            yield from _one(
                lines, number, "unclosed-bracket", f"`{'[' if bracket == ']' else '{'}` opens here and never closes", line
            )
    why = f"text that begins with {mark} has to be in quotes" if mark in "`@%*&!|>[]{},?\t" else "has to be in quotes"
    if ": " in value or value.endswith(":"):
        why = "text that holds a colon and a space has to be in quotes"
    yield from _one(lines, number, "unquoted-text", why, parts.before + _quote(value) + parts.comment)


def _quoting_in_flow(lines: list[str], number: int, column: int) -> Iterator[Repair]:
    """Quote the one item of ``[a, @b]`` that the parser stuck at."""
    line = lines[number].rstrip()
    match = re.compile(r"[^\s,\[\]{}][^,\[\]{}]*").match(line, column)
    if match and line[:column].rstrip()[-1:] in tuple("[{,:"):
        token = match[0].rstrip()
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


def _indentation(lines: list[str], number: int, above: int | None) -> Iterator[Repair]:
    """One column more or less than the key above."""
    parts = _split(lines[number])
    if above is None or not parts.key or "-" in parts.lead:
        return
    column = _key_column(lines[above])
    if abs(column - len(parts.lead)) == 1 and _split(lines[above]).key:
        line = " " * column + lines[number].strip()
        yield from _one(lines, number, "bad-indentation", "indented by one column too few or too many", line)


def _several_lines(lines: list[str], number: int) -> Iterator[Repair]:
    """Text that goes on below its key, and holds there what only text in quotes may."""
    first = number - 1
    while first > 0 and (not lines[first].strip() or _indent(lines[first]) >= _indent(lines[number])):
        first -= 1
    parts = _split(lines[first])
    if not parts.value or parts.value[0] in "'\"[{|>&*!#" or not (parts.key or "-" in parts.lead):
        return
    if _indent(lines[first]) >= _indent(lines[number]):
        return
    end = number + 1
    while end < len(lines) and (not lines[end].strip() or _indent(lines[end]) > _indent(lines[first])):
        end += 1
    while not lines[end - 1].strip():
        end -= 1
    changes = {n: lines[n].rstrip().replace("'", "''") for n in range(first + 1, end)}
    changes[first] = parts.before + "'" + (parts.value + parts.comment).replace("'", "''")
    changes[end - 1] += "'"
    message = "text of several lines that holds a colon and a space has to be in quotes"
    hint = f"put all of the text after {parts.key.strip() or '-'} in quotes, or write it below `|`"
    yield Repair(number, "unquoted-text", message, hint, changes)
