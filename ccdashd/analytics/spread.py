"""``analytics/heatmap``, ``distribution`` and ``top``: a metric by hour of the week, and over sessions."""

from __future__ import annotations

from datetime import tzinfo
from math import fsum

import sqlalchemy as sa

from ccdashd.analytics.asked import Asked, Told, check_count, leads, period
from ccdashd.derive import periods
from ccdashd.derive.measures import NONE, Measures, add
from ccdashd.derive.metric import hold
from ccdashd.derive.quantiles import histogram, quantile
from ccdashd.errors import InvalidParams
from ccdashd.protocol import types as t
from ccdashd.store import facts
from ccdashd.store.session_rows import rows_of

MOST_BINS = 100

_HOURS = 24
_THURSDAY = 3
"""The day of the week, from Monday on, on which the epoch began."""


def heatmap(connection: sa.Connection, params: t.HeatmapParams, zone: tzinfo, now: int, revision: int) -> t.Heatmap:
    """A metric that adds up, by day of the week and hour of local clocks. Raises as `Asked` does, and InvalidParams for
    metrics that do not add up."""
    asked = Asked(connection, params, [params.metric], zone, now, field="metric")
    metric = asked.metrics[0]
    if not metric.adds_up or metric.source == "plans":
        raise InvalidParams("metric", f"{metric.id} is no sum over hours, so it has no heat map; see trends", params.metric)
    parts: list[list[list[Measures]]] = [[[] for _ in range(_HOURS)] for _ in range(7)]
    undated = NONE
    found = facts.over_time(connection, asked.filter, asked.needs, asked.times("clock"))
    for (_, hour), measures in found.items():
        if hour is None:
            undated = measures
        else:
            parts[(hour // _HOURS + _THURSDAY) % 7][hour % _HOURS].append(measures)
    return t.Heatmap(
        metric=metric.id,
        unit=metric.unit,
        period=period(asked.range),
        time_zone=periods.zone_name(zone),
        cells=[[float(metric.value(add(some)) or 0) for some in row] for row in parts],
        total=float(metric.value(add(found.values())) or 0),
        undated=float(metric.value(undated) or 0),
        revision=revision,
    )


def distribution(
    connection: sa.Connection, params: t.DistributionParams, zone: tzinfo, now: int, revision: int
) -> t.Distribution:
    """How a metric is spread over main sessions, each with its sub-agents. Raises as `heatmap` does, for metrics that are
    not of sessions."""
    check_count("bins", params.bins, 1, MOST_BINS)
    asked = Asked(connection, params, [params.metric], zone, now, field="metric")
    metric = asked.metrics[0]
    values = [told["values"][metric.id] for told in _by_session(asked).values()]
    ordered = sorted(float(value) for value in values if value is not None)
    p10, p25, median, p75, p90, p95, p99 = (quantile(ordered, share) for share in (0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99))
    return t.Distribution(
        metric=metric.id,
        unit=metric.unit,
        count=len(ordered),
        mean=fsum(ordered) / len(ordered) if ordered else None,
        minimum=ordered[0] if ordered else None,
        p10=p10,
        p25=p25,
        median=median,
        p75=p75,
        p90=p90,
        p95=p95,
        p99=p99,
        maximum=ordered[-1] if ordered else None,
        bins=[t.Bin(start=bin.start, end=bin.end, count=bin.values) for bin in histogram(ordered, params.bins)],
        revision=revision,
    )


def top(connection: sa.Connection, params: t.TopParams, zone: tzinfo, now: int, revision: int) -> t.Top:
    """The main sessions with most of a metric. Raises as `distribution` does."""
    asked = Asked(connection, params, [params.metric], zone, now, field="metric")
    return t.Top(metric=asked.metrics[0].id, items=top_sessions(asked, params.limit), revision=revision)


def top_sessions(asked: Asked, limit: int) -> list[t.TopSession]:
    """The main sessions with most of the first metric, each with its sub-agents; without those that have none of it."""
    told = {id: found for id, found in _by_session(asked).items() if found["values"][asked.metrics[0].id]}
    order = sorted(told, key=lambda id: (-leads(asked.metrics[0], told[id]["values"]), id))
    found: list[t.TopSession] = []
    # Once, but where sub-agents used most whose session is not there.
    for begin in range(0, len(order), limit):
        rows = rows_of(asked.connection, order[begin : begin + limit])
        found += [t.TopSession(session=rows[id], **told[id]) for id in order[begin : begin + limit] if id in rows]
        if len(found) >= limit:
            break
    return found[:limit]


def _by_session(asked: Asked) -> dict[str, Told]:
    hold(asked.metrics, "session", "metric")
    found = facts.measures(asked.connection, asked.filter, asked.needs, "session")
    return {id: asked.told(measures, (), asked.range) for id, measures in found.items() if id}
