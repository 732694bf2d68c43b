"""The piece of a text that shows why it was found. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from ccdashd.protocol import types as t

ELLIPSIS = "…"
MOST_PIECES = 3
"""Pieces of a text that are shown, where its matches are far from each other."""

_LEAST = 40
"""Characters of a piece."""

_REACH = 16
"""Characters that a piece may be shorter by at each end, so that it is cut between words."""

_BLANKS = re.compile(r"[\s\x00-\x1f\x7f]+")


class Match(NamedTuple):
    """Characters of a text that were looked for; `term` tells what was."""

    start: int
    end: int
    term: int


def snippet(text: str, matches: Sequence[Match], size: int) -> list[t.SnippetPart]:
    """About `size` characters of `text` around the first matches of as many terms as there is room for, in order.

    White space becomes single spaces; what was cut is shown by an ellipsis.
    """
    parts: list[t.SnippetPart] = []
    ordered = sorted(matches)
    shown = 0
    for start, end in _pieces(text, ordered, size):
        if start > shown:
            parts.append(t.SnippetPart(text=ELLIPSIS))
        at = start
        for match in ordered:
            begin, stop = max(match.start, at), min(match.end, end)
            if begin < stop:
                parts.append(t.SnippetPart(text=text[at:begin]))
                parts.append(t.SnippetPart(text=text[begin:stop], match=True))
                at = stop
        parts.append(t.SnippetPart(text=text[at:end]))
        shown = end
    if shown < len(text):
        parts.append(t.SnippetPart(text=ELLIPSIS))
    return _tidy(parts)


def _pieces(text: str, matches: Sequence[Match], size: int) -> list[tuple[int, int]]:
    """Where the pieces begin and end."""
    if not matches:
        return [(0, _cut_after(text, size, 0))]
    chosen = _chosen(matches, size)
    room = max(size // len(chosen), _LEAST)
    pieces: list[tuple[int, int]] = []
    for first, last in chosen:
        # A little before, more after: what follows tells more.
        spare = max(room - (last - first), 0)
        start = max(first - spare // 3, 0)
        end = min(max(start + room, first + 1), len(text))
        start = max(min(start, end - room), 0)
        start, end = _cut_before(text, start, first), _cut_after(text, end, min(last, end))
        if pieces and start <= pieces[-1][1]:
            pieces[-1] = (pieces[-1][0], max(end, pieces[-1][1]))
        else:
            pieces.append((start, end))
    return pieces


def _chosen(matches: Sequence[Match], size: int) -> list[tuple[int, int]]:
    """The stretches that pieces are made around: the first match of each term, those near each other together."""
    seen: set[int] = set()
    stretches: list[tuple[int, int]] = []
    for match in matches:
        if match.term in seen:
            continue
        seen.add(match.term)
        if stretches and match.end - stretches[-1][0] <= size // MOST_PIECES:
            stretches[-1] = (stretches[-1][0], max(match.end, stretches[-1][1]))
        elif len(stretches) < MOST_PIECES and size // (len(stretches) + 1) >= _LEAST:
            stretches.append((match.start, match.end))
    return stretches


def _cut_before(text: str, start: int, limit: int) -> int:
    """`start`, or where the next word begins, where that is near and not beyond `limit`."""
    if start == 0 or text[start - 1].isspace():
        return start
    blank = _BLANKS.search(text, start, min(start + _REACH, limit))
    return blank.end() if blank else start


def _cut_after(text: str, end: int, limit: int) -> int:
    """`end`, or where the last word before it ends, where that is near and not before `limit`."""
    if end >= len(text) or text[end].isspace():
        return min(end, len(text))
    near = max(end - _REACH, limit)
    blanks = [blank.start() for blank in _BLANKS.finditer(text, near, end)]
    return blanks[-1] if blanks else end


def _tidy(parts: Sequence[t.SnippetPart]) -> list[t.SnippetPart]:
    """The parts with single spaces, without empty ones, and neighbours of one kind joined."""
    tidy: list[t.SnippetPart] = []
    for part in parts:
        words = _BLANKS.sub(" ", part.text)
        if words.startswith(" ") and (not tidy or tidy[-1].text.endswith((" ", ELLIPSIS))):
            words = words[1:]
        if not words:
            continue
        if tidy and tidy[-1].match == part.match:
            words = tidy.pop().text + words
        tidy.append(t.SnippetPart(text=words, match=part.match))
    return tidy
