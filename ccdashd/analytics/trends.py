"""``analytics/trends``: metrics by hour, day, week or month, of all or of the largest parts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import tzinfo
from typing import Final, NamedTuple

import sqlalchemy as sa

from ccdashd.analytics.asked import Asked, check_count, leads, period
from ccdashd.analytics.labels import OTHERS, labels
from ccdashd.analytics.progress import Part
from ccdashd.clock import iso
from ccdashd.derive import periods
from ccdashd.derive.measures import NONE, Measures, add
from ccdashd.derive.metric import TIMES, hold
from ccdashd.derive.periods import Bin, Range
from ccdashd.derive.slots import SLOT_MS
from ccdashd.errors import InvalidParams
from ccdashd.protocol import types as t
from ccdashd.store import facts, file_facts
from ccdashd.store.facts import Facts

MOST_SERIES: Final = 50

MOST_POINTS: Final = 240_000
"""Points of all series together: the most steps, of as many series as there are unless one asks for more."""


class Line(NamedTuple):
    """What one series is made of."""

    steps: Mapping[int | None, Measures]
    """By the key of the step; None: what has no time."""
    plans: Collection[Part]


def trend(connection: sa.Connection, params: t.TrendParams, zone: tzinfo, now: int, revision: int) -> t.Trend:
    """The metrics in each step, also in those without anything. Raises as `Asked` does, and InvalidParams where there
    are too many steps."""
    asked = Asked(connection, params, params.metrics, zone, now)
    hold(asked.metrics, params.step, "step")
    check_count("series", params.series, 0, MOST_SERIES)
    if params.split is not None:
        if params.split in TIMES:
            raise InvalidParams("split", "is a time, as the steps are; give what to split each of them by", params.split)
        hold(asked.metrics, params.split, "split")
    lines = _lines(asked, params.step, params.split, params.series)
    plans = asked.plans().values()
    bins = bins_of(asked, params.step, {key for line in lines.values() for key in line.steps}, plans)
    if len(bins) * len(lines) > MOST_POINTS:
        problem = f"makes {len(bins):,} points in each of {len(lines)} series, at most {MOST_POINTS:,} in all"
        raise InvalidParams("series", f"{problem}; give fewer, since, or a longer step", params.series)
    starts = [iso(bin.start * SLOT_MS) or "" for bin in bins]
    names = {} if params.split is None else labels(connection, params.split, lines)
    sums = {key: add(line.steps.values()) for key, line in lines.items()}
    undated = asked.undated(add(line.steps.get(None, NONE) for line in lines.values()), plans)
    return t.Trend(
        period=period(asked.range),
        time_zone=periods.zone_name(zone),
        step=params.step,
        series=[
            t.Series(
                key=key,
                label=names[key].text if key in names else "all",
                points=_points(asked, bins, starts, line),
                total=t.Values(**asked.told(sums[key], line.plans, asked.range)),
            )
            for key, line in lines.items()
        ],
        total=t.Values(**asked.told(add(sums.values()), plans, asked.range)),
        undated=None if undated is None else t.Values(**undated),
        previous=asked.before() if params.compare else None,
        previous_period=period(asked.previous) if params.compare and asked.previous is not None else None,
        revision=revision,
    )


def _lines(asked: Asked, step: t.Step, split: t.Dimension | None, most: int) -> dict[str, Line]:
    """The largest parts, and all others together; without `split` one."""
    found: dict[str, list[tuple[int | None, Measures]]] = defaultdict(list)
    for (key, at), measures in _facts(asked, step, split, most).items():
        found[key].append((at, measures))
    plans = asked.plans(split)
    if split is None:
        return {"": Line(_by_step(step, found[""]), plans.values())}
    lines = {
        key: Line(_by_step(step, found.get(key, ())), [plans[key]] if key in plans else []) for key in {**found, **plans}
    }
    sizes = {
        key: leads(asked.metrics[0], asked.told(add(line.steps.values()), line.plans, asked.range)["values"])
        for key, line in lines.items()
        if key != OTHERS
    }
    largest = sorted(sizes, key=lambda key: (-sizes[key], key))[:most]
    others = [line for key, line in lines.items() if key not in largest]
    shown = {key: lines[key] for key in largest}
    return shown | {OTHERS: _merged(others)} if others else shown


def _facts(asked: Asked, step: t.Step, split: t.Dimension | None, most: int) -> Facts:
    times = asked.times("hour" if step == "hour" else "day")
    if split != "file":
        return facts.over_time(asked.connection, asked.filter, asked.needs, times, split)
    # There are very many files: only the largest are told by time.
    paths, count = file_facts.by_file(asked.connection, asked.filter, asked.metrics[0].id, most, 0)
    found = file_facts.over_time(asked.connection, asked.filter, paths, times)
    if count > len(paths):
        whole = facts.over_time(asked.connection, asked.filter, asked.needs, times)
        shown = _added((at, measures) for (_, at), measures in found.items())
        for (_, at), measures in whole.items():
            found[OTHERS, at] = file_facts.others(measures, shown.get(at, NONE))
    return found


def whole(asked: Asked, step: t.Step) -> Line:
    """All that was asked for as one series."""
    return _lines(asked, step, None, 0)[""]


def _by_step(step: t.Step, found: Iterable[tuple[int | None, Measures]]) -> dict[int | None, Measures]:
    """Measures by hour or day as those by step."""
    return _added((at if at is None or step == "hour" else periods.key_of(step, at), measures) for at, measures in found)


def _added(found: Iterable[tuple[int | None, Measures]]) -> dict[int | None, Measures]:
    parts: dict[int | None, list[Measures]] = defaultdict(list)
    for key, measures in found:
        parts[key].append(measures)
    return {key: add(some) for key, some in parts.items()}


def _merged(lines: Collection[Line]) -> Line:
    steps = _added((key, measures) for line in lines for key, measures in line.steps.items())
    return Line(steps, [part for line in lines for part in line.plans])


def bins_of(asked: Asked, step: t.Step, keys: Iterable[int | None], plans: Iterable[Part]) -> list[Bin]:
    """The steps of the range; where that is open, from the first of which anything is known, until now. `keys` are those of
    which something is known."""
    first, end = asked.range.slots
    dated = [key for key in keys if key is not None]
    known = [periods.begins(step, key, asked.zone) for key in (min(dated), max(dated))] if dated else []
    if first is None:
        known += [part.first // SLOT_MS for part in plans if part.first is not None]
        first = min(known, default=None)
    if end is None:
        end = max((*known, asked.now // SLOT_MS)) + 1
    return [] if first is None or first >= end else periods.steps(step, first, end, asked.zone)


def _points(asked: Asked, bins: Sequence[Bin], starts: Sequence[str], line: Line) -> list[t.Point]:
    nothing = asked.told(NONE, (), asked.range)
    found = []
    for bin, start in zip(bins, starts, strict=True):
        measures = line.steps.get(bin.key)
        if line.plans:
            told = asked.told(measures or NONE, line.plans, within(asked.range, bin))
        else:
            told = nothing if measures is None else asked.told(measures, (), asked.range)
        found.append(t.Point(start=start, label=bin.label, **told))
    return found


def within(range: Range, bin: Bin) -> Range:
    """The part of a range that is in a step."""
    start, end, _ = range
    first, last = bin.start * SLOT_MS, bin.end * SLOT_MS
    return Range(first if start is None else max(first, start), last if end is None else min(last, end))
