"""Tables and lists of fields, drawn by hand.

Measured for 50 rows of nine columns on two cores: importing rich's console and table costs 38-60 ms and drawing with
them 31-55 ms, this module below 2 ms together; all of ``ccdash sessions`` has 120 ms. So rich is kept for the progress
bar, which is shown only where somebody waits anyway.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from ccdash.output import Output
from ccdash.text import clip, clip_start, pad, width, wrap

GAP = "  "
FLEX_MIN = 16
VALUE_MIN = 20
"""Cells that a value of `fields` needs to be worth breaking into lines."""

PIPE_MAX = 100
"""Cells of a flexible column in a pipe, where no window limits it; paths are whole there."""


_PAINTED = re.compile(r"\x1b\[[\d;]*m(.*?)\x1b\[0m")


class Column(NamedTuple):
    """A column. Those that are `flexible` are cut first where the window is narrow, down to `least` cells, then the one
    of the highest `drop` goes, and so on; a column with ``drop=0`` always stays. A `path` loses its start, not its end.
    A `style` may depend on the text of the cell."""

    title: str
    right: bool = False
    flexible: bool = False
    style: str | Callable[[str], str] = ""
    drop: int = 0
    least: int = FLEX_MIN
    path: bool = False


def draw(
    out: Output, columns: Sequence[Column], rows: Sequence[Sequence[str]], *, above: Mapping[int, str] | None = None
) -> None:
    """Write a table of clean cells; a heading, then one line a row. `above` has lines that stand above rows, by number."""
    kept = list(range(len(columns)))
    widths = [max([width(column.title), *(width(row[at]) for row in rows)]) for at, column in enumerate(columns)]
    room = out.columns
    while room is not None and _least(columns, widths, kept) > room:
        victim = max(kept, key=lambda at: columns[at].drop)
        if not columns[victim].drop:
            break
        kept.remove(victim)
    _fit(columns, widths, kept, room)
    out.line(_row(out, [pad(clip(columns[at].title, widths[at]), widths[at], right=columns[at].right) for at in kept],
                  ["bold"] * len(kept)))  # fmt: skip
    styles = [columns[at].style for at in kept]
    for number, row in enumerate(rows):
        if above and number in above:
            out.line(out.paint(above[number] if room is None else clip(above[number], room), "dim"))
        cells = [_cell(columns[at], row[at], widths[at]) for at in kept]
        out.line(_row(out, cells, styles))


def fields(out: Output, pairs: Iterable[tuple[str, str]]) -> None:
    """Write ``label  value`` lines, labels padded to the longest; a value's further lines are indented as its first.

    Values are broken to fit the window, also those that begin with something painted.
    """
    shown = [(label, value) for label, value in pairs if value]
    indent = max((width(label) for label, _ in shown), default=0)
    room = None if out.columns is None else out.columns - indent - len(GAP)
    for label, value in shown:
        lines = value.split("\n")
        if room is not None and room >= VALUE_MIN:
            lines = [part for line in lines for part in _broken(line, room)]
        first, *more = lines
        out.line(f"{out.paint(pad(label, indent), 'dim')}{GAP}{first}")
        for line in more:
            out.line(f"{' ' * indent}{GAP}{line}")


def _broken(line: str, room: int) -> list[str]:
    """A line in parts that fit. What is painted at its beginning stays so; a line that is painted elsewhere stays whole."""
    start = _PAINTED.match(line)
    plain = line if start is None else start[1] + line[start.end() :]
    if "\x1b" in plain:
        return [line]
    first, *others = wrap(plain, room)
    if start is None:
        return [first, *others]
    if not first.startswith(start[1]):
        return [line]
    return [start[0] + first.removeprefix(start[1]), *others]


def heading(out: Output, text: str) -> None:
    """Write a blank line and a heading."""
    out.line()
    out.line(out.paint(text, "bold"))


def _cell(column: Column, text: str, cells: int) -> str:
    return pad((clip_start if column.path else clip)(text, cells), cells, right=column.right)


def _row(out: Output, cells: list[str], styles: Sequence[str | Callable[[str], str]]) -> str:
    cells[-1] = cells[-1].rstrip()
    if not out.color:
        return GAP.join(cells).rstrip()
    return GAP.join(
        out.paint(cell, style(cell.strip()) if callable(style) else style)
        for cell, style in zip(cells, styles, strict=True)
    )


def _least(columns: Sequence[Column], widths: list[int], kept: list[int]) -> int:
    """Cells of a line whose flexible columns are as narrow as they may be."""
    cells = sum(min(widths[at], columns[at].least) if columns[at].flexible else widths[at] for at in kept)
    return cells + len(GAP) * (len(kept) - 1)


def _fit(columns: Sequence[Column], widths: list[int], kept: list[int], room: int | None) -> None:
    """Narrow the flexible columns until a line has room: the one first that is the furthest above its least width."""
    flexible = [at for at in kept if columns[at].flexible]
    if room is None:
        for at in flexible:
            widths[at] = widths[at] if columns[at].path else min(widths[at], PIPE_MAX)
        return
    excess = sum(widths[at] for at in kept) + len(GAP) * (len(kept) - 1) - room
    while excess > 0 and (wide := [at for at in flexible if widths[at] > 1]):
        widths[max(wide, key=lambda at: (widths[at] - columns[at].least, widths[at]))] -= 1
        excess -= 1
