"""``analytics/overview``: all at a glance, in few queries within one snapshot."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from datetime import timedelta, tzinfo
from typing import Final

import sqlalchemy as sa
from msgspec.structs import replace

from ccdashd.analytics.asked import Asked, Told
from ccdashd.analytics.labels import labels
from ccdashd.analytics.windows import active_window
from ccdashd.clock import iso
from ccdashd.derive import periods
from ccdashd.derive.measures import Measures, cost_of, usd
from ccdashd.derive.metric import Metric
from ccdashd.derive.metrics import find_all
from ccdashd.derive.periods import ALL, Range, local, midnight, running
from ccdashd.derive.slots import SLOT_MS
from ccdashd.derive.windows import outlook
from ccdashd.protocol import types as t
from ccdashd.store import facts, live, session_facts, session_rows, usage_series
from ccdashd.store.usage_totals import Totals

METRICS: Final = ("cost", "tokens", "messages", "sessions")
"""What is told of each period. Sessions have no model, so they are not told of a model's part of the work."""

DAYS: Final = 30
"""Days of the course."""

MOST: Final = 10
"""Rows of each list."""

_DAY: Final = timedelta(days=1)


class _Glance:
    """What is asked for, and the use of the last weeks."""

    def __init__(self, connection: sa.Connection, asked: Asked) -> None:
        self.asked = asked
        self._connection = connection
        self._zone = asked.zone
        self._now = asked.now
        self._always = asked.filter.during(ALL)
        self._today = local(asked.now, asked.zone).date()
        self.day, self.week, self.month = (running(unit, asked.zone, asked.now) for unit in ("day", "week", "month"))
        now = [self.day, self.week, self.month]
        before = [range for each in now if (range := periods.previous(each, asked.zone)) is not None]
        self._days = list(self._course())
        days = [range for range, _ in self._days]
        self._began = session_facts.began_in(connection, self._always)
        self._series = usage_series.series(connection, self._always, [*now, *before, *days])

    def _course(self) -> Iterator[tuple[Range, str]]:
        """The last days, and today until now, with their names."""
        first = midnight(self._today - (DAYS - 1) * _DAY, self._zone) // SLOT_MS
        end = self.day.slots[1] or 0
        for step in periods.steps("day", first, end, self._zone):
            yield Range(step.start * SLOT_MS, min(step.end, end) * SLOT_MS), step.label

    def during(self, range: Range | None) -> t.Values:
        """The values of a period in the last two months."""
        used = self._series.during(range) if range is not None else Measures()
        return self.values(used, range)

    def values(self, used: Measures, range: Range | None) -> t.Values:
        """The values of the work that used that, in a period."""
        return t.Values(**self._told(used, range or ALL))

    def _told(self, used: Measures, range: Range) -> Told:
        first, end = range.slots
        begin = 0 if first is None and end is None else bisect_left(self._began, max(first or 0, 0))
        stop = len(self._began) if end is None else bisect_left(self._began, end)
        return self.asked.told(replace(used, sessions=stop - begin), (), range)

    def before(self, range: Range) -> t.Values:
        """The values of the period before a running one, until the same time of it."""
        return self.during(periods.previous(range, self._zone))

    def daily(self) -> list[t.Point]:
        """The last days, also those without anything."""
        return [
            t.Point(**self._told(self._series.during(range), range), start=iso(range.start) or "", label=label)
            for range, label in self._days
        ]

    def forecast(self) -> t.Forecast:
        """Where the running month leads."""
        so_far = self._series.during(self.month).cost
        next_month = (self._today.replace(day=1) + 31 * _DAY).replace(day=1)
        found = outlook(self._whole_days(), so_far, midnight(next_month, self._zone) - self._now)
        return t.Forecast(
            month=f"{self._today:%Y-%m}",
            so_far=usd(so_far),
            per_day=usd(found.pico_per_day),
            days=found.days,
            projected=usd(found.projected_pico),
        )

    def _whole_days(self) -> Iterator[int]:
        """What each day before today cost, in picodollars, the newest first, back to that of the first use."""
        first = usage_series.first(self._connection, self._always)
        for range, _ in reversed(self._days[:-1]):
            if first is None or (range.end or 0) <= first * SLOT_MS:
                return
            yield self._series.during(range).cost

    def window(self) -> t.Window | None:
        """The active five-hour window."""
        return active_window(self._connection, self._always, self._now, limited=True)

    def active(self) -> int:
        """Sessions that are being written."""
        return len(live.live(self._connection, self._now, self._always))


def overview(connection: sa.Connection, params: t.OverviewParams, zone: tzinfo, now: int, revision: int) -> t.Overview:
    """What it cost, how that develops, and who had most of it. Raises as `Asked` does."""
    names = METRICS if params.model is None else METRICS[:-1]
    asked = Asked(connection, params, names, zone, now)
    glance = _Glance(connection, asked)
    totals = Totals(connection, asked.filter)
    whole = totals.whole
    undated = usage_series.undated(connection, asked.filter) if asked.range == ALL else None
    spent = find_all(("cost",))
    top = totals.top_sessions(MOST)
    rows = session_rows.rows_of(connection, list(top))
    calls = {}
    if params.model is None:
        calls = facts.measures(connection, asked.filter, frozenset({"calls"}), "tool")
    return t.Overview(
        time_zone=periods.zone_name(zone),
        today=glance.during(glance.day),
        week=glance.during(glance.week),
        month=glance.during(glance.month),
        total=glance.values(whole, asked.range),
        previous_day=glance.before(glance.day),
        previous_week=glance.before(glance.week),
        previous_month=glance.before(glance.month),
        daily=glance.daily(),
        forecast=glance.forecast(),
        window=glance.window(),
        projects=_rows(connection, "project", totals.projects(), spent),
        models=_rows(connection, "model", totals.models(), find_all(("cost", "tokens"))),
        tools=_rows(connection, "tool", calls, find_all(("toolCalls",))),
        top=[
            t.TopSession(
                values={metric.id: metric.value(top[id]) for metric in spent}, cost=cost_of(top[id]), session=rows[id]
            )
            for id in top
            if id in rows  # the main session of a sub-agent may be gone
        ],
        active=glance.active(),
        alerts=live.firing(connection),
        unpriced_models=sorted(whole.unpriced_models),
        undated=None if undated is None else t.Values(**asked.told(undated, (), ALL)),
        revision=revision,
    )


def _rows(
    connection: sa.Connection, by: t.Dimension, parts: Mapping[str, Measures], metrics: list[Metric]
) -> list[t.BreakdownRow]:
    """The largest parts by the first of these metrics."""
    leading = {key: metrics[0].value(measures) or 0 for key, measures in parts.items()}
    whole = sum(leading.values())
    shown = sorted(parts, key=lambda key: (-leading[key], key))[:MOST]
    names = labels(connection, by, shown)
    return [
        t.BreakdownRow(
            values={metric.id: metric.value(parts[key]) for metric in metrics},
            cost=cost_of(parts[key]),
            key=key,
            label=names[key].text,
            entity=names[key].entity,
            share=leading[key] / whole if whole else None,
        )
        for key in shown
    ]
