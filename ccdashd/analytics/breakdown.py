"""``analytics/breakdown``: metrics by what they belong to, the largest first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from datetime import tzinfo
from typing import NamedTuple, cast

import sqlalchemy as sa

from ccdashd.analytics import trends
from ccdashd.analytics.asked import Asked, Told, leads, period
from ccdashd.analytics.labels import Label, labels
from ccdashd.analytics.progress import Part
from ccdashd.derive import periods
from ccdashd.derive.measures import NONE, Measures, add
from ccdashd.derive.metric import TIMES, Value, hold
from ccdashd.protocol import types as t
from ccdashd.store import facts, file_facts
from ccdashd.store.filters import Filter
from ccdashd.store.link_weights import link_weights


class _Row(NamedTuple):
    """What a key stands for."""

    measures: Measures
    plans: Collection[Part] = ()
    told: Told | None = None
    """Its values, where the key is a time; else they are those of the range that was asked for."""
    sessions: int | None = None
    shared: int | None = None


class _Page(NamedTuple):
    """Rows of a page in their order, and what else there is."""

    rows: dict[str, _Row]
    rest: t.Values | None
    total: Measures
    number: int


def breakdown(connection: sa.Connection, params: t.BreakdownParams, zone: tzinfo, now: int, revision: int) -> t.Breakdown:
    """A page of rows, sorted by the first metric, with the total and what is not on the page. Raises as `Asked` does, and
    InvalidParams where a metric cannot be told by the dimension."""
    asked = Asked(connection, params, params.metrics, zone, now)
    hold(asked.metrics, params.by, "by")
    page = _files(asked, params) if params.by == "file" else _sorted(asked, params, _rows(asked, params.by, asked.filter))
    total = asked.told(page.total, asked.plans().values(), asked.range)
    names = labels(connection, params.by, page.rows)
    before = _before(asked, params.by, page.rows) if params.compare else {}
    return t.Breakdown(
        by=params.by,
        period=period(asked.range),
        time_zone=periods.zone_name(zone),
        items=[_item(asked, key, row, names[key], total, before.get(key)) for key, row in page.rows.items()],
        count=page.number,
        total=t.Values(**total),
        rest=page.rest,
        previous=asked.before() if params.compare else None,
        previous_period=period(asked.previous) if params.compare and asked.previous is not None else None,
        revision=revision,
    )


def _told(asked: Asked, row: _Row) -> Told:
    return row.told or asked.told(row.measures, row.plans, asked.range)


def _item(
    asked: Asked, key: str, row: _Row, label: Label, total: Told, previous: dict[str, Value] | None
) -> t.BreakdownRow:
    metric = asked.metrics[0]
    told = _told(asked, row)
    part, whole = told["values"][metric.id], total["values"][metric.id]
    return t.BreakdownRow(
        key=key,
        label=label.text,
        entity=label.entity,
        share=part / whole if metric.adds_up and part is not None and whole else None,
        sessions=row.sessions,
        shared=row.shared,
        previous=previous,
        **told,
    )


# --- rows ---


def _rows(asked: Asked, by: t.Dimension, filter: Filter) -> dict[str, _Row]:
    if by in TIMES:
        return _by_time(asked, cast("t.Step", by))
    if by == "feature" or by == "task":
        rows = _by_link(asked, by, filter)
    else:
        rows = {key: _Row(used) for key, used in facts.measures(asked.connection, filter, asked.needs, by).items()}
    for key, part in asked.plans(by).items():
        rows[key] = rows.get(key, _Row(NONE))._replace(plans=(part,))
    return rows


def _by_time(asked: Asked, step: t.Step) -> dict[str, _Row]:
    """Steps with anything in them, and what has no time."""
    line = trends.whole(asked, step)
    rows = {}
    if not asked.planned:
        for key, measures in line.steps.items():
            if key is not None:
                rows[periods.label(step, key, asked.zone)] = _Row(measures)
    for bin in trends.bins_of(asked, step, line.steps, line.plans) if asked.planned else ():
        measures = line.steps.get(bin.key, NONE)
        told = asked.told(measures, line.plans, trends.within(asked.range, bin))
        if measures is not NONE or any(told["values"].values()):
            rows[bin.label] = _Row(measures, told=told)
    undated = line.steps.get(None, NONE)
    told_apart = asked.undated(undated, line.plans)
    if told_apart is not None:
        rows[""] = _Row(undated, told=told_apart)
    return rows


def _by_link(asked: Asked, by: t.Dimension, filter: Filter) -> dict[str, _Row]:
    """Features or tasks, with how many sessions take part in each."""
    assert by == "feature" or by == "task"
    weights = link_weights(asked.connection, by)
    used = facts.measures(asked.connection, filter, asked.needs, "session")
    parts = facts.shared({(session, None): measures for session, measures in used.items()}, weights)
    sessions, shared = Counter[str](), Counter[str]()
    for session in used:
        linked = weights.get(session) or {"": 1.0}
        sessions.update(linked.keys())
        if len(linked) > 1:
            shared.update(linked.keys())
    return {key: _Row(part, sessions=sessions[key], shared=shared[key]) for (key, _), part in parts.items()}


# --- pages ---


def _sorted(asked: Asked, params: t.BreakdownParams, rows: Mapping[str, _Row]) -> _Page:
    sizes = {key: leads(asked.metrics[0], _first(asked, row)) for key, row in rows.items()}
    order = sorted(rows, key=lambda key: (-sizes[key], key))
    shown = order[params.offset : params.offset + params.limit]
    others = [rows[key] for key in order[: params.offset] + order[params.offset + params.limit :]]
    return _Page(
        {key: rows[key] for key in shown},
        t.Values(**_together(asked, others)) if others else None,
        add(row.measures for row in rows.values()),
        len(rows),
    )


def _first(asked: Asked, row: _Row) -> Mapping[str, Value]:
    """The value of the first metric: of most rows nothing else is asked, as they are not on the page."""
    metric = asked.metrics[0]
    return (
        {metric.id: metric.value(row.measures)} if row.told is None and not asked.planned else _told(asked, row)["values"]
    )


def _together(asked: Asked, rows: Collection[_Row]) -> Told:
    """The values of several rows as of one. Those of plans at several times add up, or else are of no time."""
    told = asked.told(add(row.measures for row in rows), [part for row in rows for part in row.plans], asked.range)
    times = [row.told["values"] for row in rows if row.told is not None]
    for metric in asked.metrics:
        if times and metric.source == "plans":
            told["values"][metric.id] = sum(values[metric.id] or 0 for values in times) if metric.adds_up else None
    return told


def _files(asked: Asked, params: t.BreakdownParams) -> _Page:
    metric, limit, offset = asked.metrics[0].id, params.limit, params.offset
    found, count = file_facts.by_file(asked.connection, asked.filter, metric, limit, offset)
    total = facts.total(asked.connection, asked.filter, asked.needs)
    rest = file_facts.others(total, add(found.values()))
    return _Page(
        {path: _Row(measures) for path, measures in found.items()},
        t.Values(**asked.told(rest, (), asked.range)) if count > len(found) else None,
        total,
        count,
    )


def _before(asked: Asked, by: t.Dimension, keys: Collection[str]) -> dict[str, dict[str, Value]]:
    """The values of these keys in the time before; of keys that are times none."""
    range = asked.previous
    if range is None or by in TIMES:
        return {}
    filter = asked.filter.during(range)
    if by == "file":
        rows = {path: _Row(found) for path, found in file_facts.of_files(asked.connection, filter, keys).items()}
    else:
        rows = _rows(asked, by, filter)
    nothing = _Row(NONE)
    return {key: asked.told(row.measures, row.plans, range)["values"] for key in keys for row in [rows.get(key, nothing)]}
