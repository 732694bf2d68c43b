"""Charts made of characters: sparklines, bars, columns, heat maps. Pure: numbers in, lines out.

Blocks and shades of Unicode where the terminal's encoding has them, else signs of ASCII. Heights are exact to an eighth of
a line; what is more than nothing is never drawn as nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from ccdash.text import clip, pad, width


class Glyphs(NamedTuple):
    """What charts are drawn with. `levels` fill a cell from nothing to all, `shades` from nothing to most."""

    levels: str
    shades: str
    vertical: str
    corner: str
    horizontal: str
    tick: str

    @property
    def full(self) -> str:
        return self.levels[-1]


UNICODE = Glyphs(" ▁▂▃▄▅▆▇█", "·░▒▓█", "│", "└", "─", "┤")
ASCII = Glyphs(" _#", ".-+*#", "|", "+", "-", "+")
_SLICES = " ▏▎▍▌▋▊▉█"
_MANTISSAS = (1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)
_TIMES = (1, 2, 4, 10, 20, 40, 60, 120, 240, 600, 1200, 2400, 3600, 7200, 14_400, 28_800, 43_200, 86_400)
"""Round lengths of time in seconds, of which the half is round as well."""


def glyphs(shows: Callable[[str], bool]) -> Glyphs:
    """The set that can be shown, by a function that says what can."""
    return UNICODE if shows("".join((*UNICODE[:2], "│└─┤", _SLICES))) else ASCII


def sparkline(values: Sequence[float | None], marks: Glyphs, top: float | None = None) -> str:
    """One character a value, `top` (by default the largest) as a full one."""
    most = max((value for value in values if value), default=0.0) if top is None else top
    return "".join(marks.levels[_level(value, most, len(marks.levels) - 1)] for value in values)


def bar(value: float | None, most: float, cells: int, marks: Glyphs) -> str:
    """A horizontal bar of at most `cells` cells; `most` fills them."""
    if not value or most <= 0 or value <= 0:
        return ""
    if marks is not UNICODE:
        return "#" * max(1, round(value / most * cells))
    eighths = max(1, round(min(1.0, value / most) * cells * 8))
    return "█" * (eighths // 8) + _SLICES[eighths % 8].strip()


def columns(
    values: Sequence[float | None],
    labels: Sequence[str],
    cells: int,
    height: int,
    told: Callable[[float], str],
    marks: Glyphs,
    *,
    seconds: bool = False,
) -> list[str]:
    """A chart of upright columns with both axes, at most `cells` wide; `height` lines without the axis of labels.

    `told` writes a value beside the vertical axis. There must be room for a cell a value beside it: see `merged`.
    """
    top = ceiling(max((value for value in values if value), default=0.0), seconds=seconds)
    ticks = {0: told(top), height // 2: told(top / 2)} if height >= 4 else {0: told(top)}
    edge = max(width(text) for text in (*ticks.values(), told(0)))
    each = max(1, (cells - edge - 2) // max(1, len(values)))
    each = min(each, 8)
    thick = each - 1 if each > 1 else 1
    steps = len(marks.levels) - 1
    eighths = [0 if not value else max(1, round(value / top * height * steps)) for value in values]
    lines = []
    for row in range(height):
        below = (height - 1 - row) * steps
        body = "".join(pad(marks.levels[min(max(level - below, 0), steps)] * thick, each) for level in eighths)
        label = ticks.get(row, "")
        lines.append(f"{pad(label, edge, right=True)} {marks.tick if label else marks.vertical}{body}".rstrip())
    lines.append(f"{pad(told(0), edge, right=True)} {marks.corner}{marks.horizontal * (each * len(values))}")
    lines.append(f"{' ' * (edge + 2)}{axis(labels, each)}".rstrip())
    return lines


def axis(labels: Sequence[str], each: int) -> str:
    """Labels below columns of `each` cells: as many as there is room for, at even distances."""
    room = max((width(label) for label in labels), default=0) + 2
    every = max(1, math.ceil(room / each))
    line = ""
    for at in range(0, len(labels), every):
        if at * each + width(labels[at]) > len(labels) * each and at:
            break
        line = pad(line, at * each) + labels[at]
    return line


def merged(values: Sequence[float | None], cells: int, *, mean: bool) -> tuple[list[float | None], int]:
    """The values put together, as few as must be to be at most `cells`; and how many make one. Sums, or means of those
    that there are."""
    each = max(1, math.ceil(len(values) / max(1, cells)))
    if each == 1:
        return list(values), 1
    return [_together(values[at : at + each], mean) for at in range(0, len(values), each)], each


def heat(cells: Sequence[Sequence[float]], names: Sequence[str], marks: Glyphs) -> list[str]:
    """Rows of shades under a line of hours, three cells to an hour; `names` stand before the rows."""
    most = max((value for row in cells for value in row), default=0.0)
    edge = max(map(width, names), default=0)
    hours = len(cells[0]) if cells else 0
    lines = [" " * (edge + 1) + "".join(f"{hour:02}       " if hour % 3 == 0 else "" for hour in range(hours)).rstrip()]
    for name, row in zip(names, cells, strict=True):
        shaded = "".join(marks.shades[_level(value, most, len(marks.shades) - 1)] * 2 + " " for value in row)
        lines.append(f"{pad(name, edge)} {shaded}".rstrip())
    return lines


def shade_steps(most: float, marks: Glyphs) -> list[tuple[str, float]]:
    """Each shade with the largest value that has it."""
    last = len(marks.shades) - 1
    return [(shade, most * at / last) for at, shade in enumerate(marks.shades)]


def histogram(
    bins: Sequence[tuple[float, float, int]], cells: int, told: Callable[[float], str], marks: Glyphs
) -> list[str]:
    """A line a bin: from, to, how many, a bar; at most `cells` wide."""
    most = max((number for _, _, number in bins), default=0)
    names = [f"{told(start)} to {told(end)}" for start, end, _ in bins]
    edge, tail = max(map(width, names), default=0), len(f"{most:,}")
    room = max(1, cells - edge - tail - 4)
    lines = [
        f"{pad(name, edge, right=True)}  {number:>{tail},}  {bar(number, most, room, marks)}".rstrip()
        for name, (_, _, number) in zip(names, bins, strict=True)
    ]
    return [clip(line, cells) for line in lines]


def ceiling(value: float, *, seconds: bool = False) -> float:
    """The next round number from `value` on, of which the half is round as well; 1 for nothing, or as good as nothing."""
    if value < 1e-9:
        return 1.0
    if seconds and value <= _TIMES[-1]:
        return float(next(time for time in _TIMES if value <= time))
    if seconds:
        return ceiling(value / _TIMES[-1]) * _TIMES[-1]
    power: float = 10.0 ** math.floor(math.log10(value))
    return next((mantissa * power for mantissa in _MANTISSAS if value <= mantissa * power * (1 + 1e-9)), 10 * power)


def short_labels(labels: Sequence[str], step: str) -> list[str]:
    """Labels of a trend without what they all share: the year of days, the date of hours of one day."""
    if step == "day":
        return [label[5:] for label in labels]
    if step == "week":
        return [label[5:] for label in labels] if len({label[:4] for label in labels}) == 1 else list(labels)
    if step == "hour":
        one_day = len({label[:10] for label in labels}) == 1
        return [label[11:16] if one_day else f"{label[5:13]}h" for label in labels]
    return list(labels)


def _together(values: Sequence[float | None], mean: bool) -> float | None:
    there = [value for value in values if value is not None]
    if not there:
        return None
    return sum(there) / len(there) if mean else sum(there)


def _level(value: float | None, most: float, levels: int) -> int:
    """Which of `levels` + 1 a value has: the first only for nothing."""
    if not value or most <= 0 or value < 0:
        return 0
    return min(levels, max(1, round(value / most * levels)))
