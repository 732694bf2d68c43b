"""The structure of a Markdown text in one pass: headings, boxes, and what is code. It looks at lines, and knows no more.

Regular expressions run over the bytes, since most of a text is passed over: only what is found becomes text.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from ccdashd.sources.planning.status import MARKS

MAX_TEXT: Final = 2000
"""Bytes of a line that are read."""

_HEADING: Final = rb"(#{1,6})[ \t]+([^\r\n]*)"
_FENCE: Final = rb"(`{3,}|~{3,})([^\r\n]*)"
_COMMENT: Final = rb"(<!--)"
_BOX: Final = rb"(?:[-*+]|\d{1,9}[.)])[ \t]+\[([^\]\r\n]{1,4})\][ \t]+([^\r\n]*)"
_LABEL: Final = rb"(?:[-*+][ \t]+)?(\*\*[^*\r\n]{2,80}\*\*:?|[A-Z][^\r\n:.]{2,60}:)[ \t]*(?=\r?\n|\Z)"
_IS_HEADING, _IS_FENCE, _IS_COMMENT, _IS_BOX = 3, 5, 6, 8
"""The last group of each."""

# What a line can begin with is looked at first: most lines end there.
_LINES: Final = re.compile(rb"\n(?=[ \t]*[#`~<])([ \t]*)(?:" + b"|".join((_HEADING, _FENCE, _COMMENT)) + b")")
_LINES_AND_BOXES: Final = re.compile(
    rb"\n(?=[ \t]*[#`~<\-*+0-9])([ \t]*)(?:" + b"|".join((_HEADING, _FENCE, _COMMENT, _BOX)) + b")"
)
_ALL_LINES: Final = re.compile(
    rb"\n(?=[ \t]*[#`~<\-*+0-9A-Z])([ \t]*)(?:" + b"|".join((_HEADING, _FENCE, _COMMENT, _BOX, _LABEL)) + b")"
)
_ITEM: Final = re.compile(rb"\n([ \t]*)(?:[-*+]|(\d{1,9}[.)]))[ \t]+([^\r\n]*)")
_INLINE_COMMENT: Final = re.compile(r"<!--.*?-->")
_PHASE: Final = re.compile(
    r"[^\w]*(?:\d+(?:\.\d+)*[.)]?\s+)?phases?[ \-]+(?P<phase>[A-Z]?\d+(?:\.\d+)?[a-z]?(?:\s*[-\u2013&]\s*\d+(?:\.\d+)?)?)\b"
    r"(?P<rest>.*)",
    re.IGNORECASE | re.DOTALL,
)
_BEGINS_BOX: Final = (b"- [", b"* [", b"+ [", b". [", b") [")
_BACKTICK: Final = ord("`")
_DIVIDERS: Final = " :.|-\u2013\u2014*"
_TICKS: Final = frozenset("✓✔✅☑")


class Heading(NamedTuple):
    line: int
    level: int
    text: str
    end: int
    """Where its text ends and what is below it begins, in `Body.text`."""
    parent: int
    """Index of the heading that it is below; -1 where there is none."""
    phase: str
    """The phase that it, or a heading above it, names."""


@dataclass(slots=True, kw_only=True)
class Box:
    """``- [ ] text``"""

    line: int
    indent: int
    """Width of what is before it, a tab counting as four."""
    mark: str
    text: str
    heading: int
    """Index of the heading above it; -1 where there is none."""
    label: str
    """The line above it and its like that introduces them, such as ``**Acceptance Criteria**:``."""


@dataclass(slots=True, kw_only=True)
class Item:
    """An item of a list without boxes."""

    line: int
    indent: int
    number: bool
    text: str


@dataclass(slots=True, kw_only=True)
class Body:
    text: bytes
    """With a line feed before it."""
    line: int
    """Of the line feed before it: one less than that of the first line."""
    headings: list[Heading] = field(default_factory=list)
    boxes: list[Box] = field(default_factory=list)
    code: list[tuple[int, int]] = field(default_factory=list)
    """Where fenced code and comments begin and end in `text`."""

    def line_at(self, place: int) -> int:
        """The line of a place in `text`."""
        return self.line + self.text.count(b"\n", 0, place)

    def is_code(self, place: int) -> bool:
        n = bisect_right(self.code, (place, len(self.text))) - 1
        return n >= 0 and place < self.code[n][1]

    def end_of(self, heading: int) -> int:
        """Where what is below a heading ends: at the next one of its level or above."""
        level = self.headings[heading].level
        for n in range(heading + 1, len(self.headings)):
            if self.headings[n].level <= level:
                return self.text.rfind(b"\n", 0, self.headings[n].end)
        return len(self.text)

    def items(self, start: int, end: int) -> Iterator[Item]:
        """The items of lists between two places."""
        line, counted = self.line_at(start), start
        for match in _ITEM.finditer(self.text, start, end):
            line, counted = line + self.text.count(b"\n", counted, match.end(1)), match.end(1)
            if not self.is_code(match.end(1)):
                indent, number, words = match.groups()
                yield Item(line=line, indent=_width(indent), number=number is not None, text=decode(words))


def scan(data: bytes, start: int = 0, line: int = 1, *, labels: bool = False) -> Body:
    """Find what there is in a text that begins at `start` of `data`, on that line. Boxes have labels only if asked for."""
    text = b"\n" + data[start:]
    body = Body(text=text, line=line - 1)
    headings = body.headings
    pattern = _LINES
    if any(sign in text for sign in _BEGINS_BOX):
        pattern = _ALL_LINES if labels else _LINES_AND_BOXES
    above = -1
    label, label_indent = "", 0
    after, counted, at = 0, 0, line - 1
    for match in pattern.finditer(text):
        place = match.start()
        if place < after:
            continue
        kind = match.lastindex
        at, counted = at + text.count(b"\n", counted, place + 1), place + 1
        if kind == _IS_HEADING:
            indent, signs, words = match.group(1, 2, 3)
            if len(indent) > 3:
                continue
            level = len(signs)
            while above >= 0 and headings[above].level >= level:
                above = headings[above].parent
            title = decode(words).rstrip("# ")
            named = phase_heading(title)
            phase = named[0] if named else headings[above].phase if above >= 0 else ""
            headings.append(Heading(at, level, title, match.end(), above, phase))
            above = len(headings) - 1
            label = ""
        elif kind == _IS_FENCE:
            fence, info = match.group(4, 5)
            if fence[0] == _BACKTICK and b"`" in info:
                continue  # code within a line
            after = _end_of_code(text, fence, match.end())
            body.code.append((place + 1, after))
        elif kind == _IS_COMMENT:
            end = text.find(b"-->", match.end())
            after = len(text) if end < 0 else end + 3
            body.code.append((place + 1, after))
        elif kind == _IS_BOX:
            mark = match[7].decode("utf-8", "replace").strip("\ufe0f")
            indent_width = _width(match[1])
            if indent_width < label_indent:
                label = ""
            if mark in MARKS or mark in _TICKS:
                words = decode(match[8])
                if "<!--" in words:
                    words = _INLINE_COMMENT.sub("", words).strip()
                mark = "x" if mark in _TICKS else mark
                body.boxes.append(
                    Box(line=at, indent=indent_width, mark=mark, text=words, heading=len(headings) - 1, label=label)
                )
        else:
            label, label_indent = decode(match[9]).strip("*: "), _width(match[1])
    return body


def phase_heading(title: str) -> tuple[str, str | None] | None:
    """The phase and the title of a heading ``Phase 2: Title``; the title is None in a heading about a phase, such as
    ``Phase 2 Risks``. None for other headings."""
    match = _PHASE.match(title) if "hase" in title or "HASE" in title else None
    if match is None:
        return None
    phase = re.sub(r"\s*[-\u2013&]\s*", "-", match["phase"])
    rest = match["rest"].strip("* ")
    if rest.startswith("(") and rest.find(")") == len(rest) - 1:
        return phase, rest[1:-1].strip()
    return phase, rest.lstrip(_DIVIDERS) if not rest or rest[0] in _DIVIDERS + "(" else None


def decode(raw: bytes) -> str:
    """The text of a line, without blanks around it; of a longer one its first `MAX_TEXT` bytes."""
    return raw[:MAX_TEXT].decode("utf-8", "replace").strip()


def _end_of_code(text: bytes, fence: bytes, place: int) -> int:
    """Where fenced code ends: behind the next line of at least as many of the same signs, or with the text."""
    closing = re.compile(rb"\n[ \t]*" + re.escape(fence[:1]) + b"{%d,}[ \t]*(?=\r?\n|\\Z)" % len(fence))
    match = closing.search(text, place)
    return match.end() if match else len(text)


def _width(indent: bytes) -> int:
    return len(indent.expandtabs(4))
