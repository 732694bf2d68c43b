"""Which recorded edit wrote each line of a file, as the file is now. Pure.

The edits that agents recorded are replayed onto what is known of the file, line by line with the edit that wrote it; what
comes of that is then laid over the file as it is. Agents record changes, not files: where the file before an edit is not
known, the lines of the edit are a *fragment*, which later edits may change, and which is looked for in the file at the end.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ccdashd.derive.alignment import NOBODY, Fit, Line, Target, in_order, lay
from ccdashd.sources.edits import Edit, Replacement


class Block(NamedTuple):
    """Lines that stand together and come from one edit."""

    start: int
    """Number of the first line, from 0."""
    end: int
    """Number after the last line."""
    origin: int
    fit: Fit
    """``same`` where all lines are as they were written, else that of the first that is not."""


@dataclass
class _Piece:
    """Text, the whole file or a fragment of it, and where each of its lines comes from: one more than it has newlines."""

    text: str
    lines: list[Line]
    whole: bool


def blame(edits: Sequence[Edit], now: str) -> list[Line]:
    """Where each line of `now` comes from, in the order of the edits' numbers. What follows the last newline is a line
    only if it is not empty."""
    lines = _over(_replay(edits), now)
    return lines[:-1] if now.endswith("\n") or not now else lines


def blocks(lines: Sequence[Line]) -> Iterator[Block]:
    """The lines of edits, joined to blocks. Lines of nobody are left out."""
    start = 0
    for end in range(1, len(lines) + 1):
        if end < len(lines) and lines[end].origin == lines[start].origin:
            continue
        if lines[start].origin != NOBODY:
            fit: Fit = next((line.fit for line in lines[start:end] if line.fit != "same"), "same")
            yield Block(start, end, lines[start].origin, fit)
        start = end


def replayed(edits: Sequence[Edit]) -> str | None:
    """The file after all edits; None where they tell pieces of it only."""
    pieces = _replay(edits)
    return pieces[0].text if len(pieces) == 1 and pieces[0].whole else None


def _replay(edits: Sequence[Edit]) -> list[_Piece]:
    """The whole file as one piece, or else fragments, the oldest first."""
    pieces: list[_Piece] = []
    for number, edit in enumerate(edits):
        if edit.content is not None:
            pieces = [_written(_resumed(pieces, edit.before()), edit.content, number)]
        elif not _replace_all(pieces, edit.replacements, number):
            pieces = _resumed(pieces, edit.before())
            for replacement in edit.replacements:
                if not _replace(pieces, replacement, number) and replacement.new:
                    pieces.append(_fragment(replacement, number))
    return pieces


def _fresh(text: str, origin: int) -> _Piece:
    return _Piece(text, [Line(origin)] * (text.count("\n") + 1), True)


def _written(pieces: Sequence[_Piece], content: str, number: int) -> _Piece:
    """The file written anew: lines that stood there, in this order where that is known, are still those of before."""
    piece = _Piece(content, [Line(number)] * (content.count("\n") + 1), True)
    new = content.split("\n")
    for known in pieces:
        for i, j in in_order(known.text.split("\n"), new):
            piece.lines[j] = known.lines[i]
    return piece


def _resumed(pieces: list[_Piece], before: str | None) -> list[_Piece]:
    """The file as a record shows it, which others may have changed since the last one."""
    return pieces if before is None else [_Piece(before, _over(pieces, before), True)]


def _over(pieces: Sequence[_Piece], text: str) -> list[Line]:
    """Where the lines of a text come from, of which pieces are known."""
    if len(pieces) == 1 and pieces[0].text == text:
        return list(pieces[0].lines)
    target = Target(text.split("\n"))
    for piece in reversed(pieces):
        lay(piece.text.split("\n"), piece.lines, target, whole=piece.whole)
    return [line or Line(NOBODY) for line in target.found]


def _fragment(replacement: Replacement, number: int) -> _Piece:
    old, new = replacement.old.split("\n"), replacement.new.split("\n")
    lines = _merged(old, [Line(NOBODY)] * len(old), new, number)
    return _Piece(replacement.new, lines, False)


def _merged(old: Sequence[str], origins: Sequence[Line], new: Sequence[str], number: int) -> list[Line]:
    """Lines that an edit put in the place of others: those that it left as they were keep their origin."""
    lines = [Line(number)] * len(new)
    for i, j in in_order(old, new):
        lines[j] = origins[i]
    return lines


def _replace_all(pieces: list[_Piece], replacements: Sequence[Replacement], number: int) -> bool:
    """Carry out all replacements, or none; False where one does not fit what is known."""
    kept = [_Piece(piece.text, list(piece.lines), piece.whole) for piece in pieces] if len(replacements) > 1 else []
    for replacement in replacements:
        if not _replace(pieces, replacement, number):
            if kept:
                pieces[:] = kept
            return False
    return True


def _replace(pieces: Sequence[_Piece], replacement: Replacement, number: int) -> bool:
    if not replacement.old:
        return False
    for piece in reversed(pieces):
        places = _places(piece.text, replacement)
        for place in reversed(places):
            _splice(piece, place, replacement, number)
        if places:
            return True
    return False


def _places(text: str, replacement: Replacement) -> list[int]:
    places = []
    place = text.find(replacement.old)
    while place >= 0:
        places.append(place)
        place = text.find(replacement.old, place + len(replacement.old)) if replacement.all else -1
    return places


def _splice(piece: _Piece, place: int, replacement: Replacement, number: int) -> None:
    """Replace a place of a piece; whole lines are compared, so that those at its edges may stay whose they are."""
    text = piece.text
    after = place + len(replacement.old)
    begin = text.rfind("\n", 0, place) + 1
    end = text.find("\n", after)
    end = len(text) if end < 0 else end
    first = text.count("\n", 0, begin)
    old = text[begin:end]
    new = text[begin:place] + replacement.new + text[after:end]
    lines = old.split("\n")
    span = slice(first, first + len(lines))
    piece.lines[span] = _merged(lines, piece.lines[span], new.split("\n"), number)
    piece.text = text[:begin] + new + text[end:]
