"""``analytics/*`` over time: the registry, trends, breakdowns, heat map, distribution, top sessions."""

from __future__ import annotations

from datetime import tzinfo

from ccdashd.analytics import breakdown, spread, trends
from ccdashd.derive.metrics import METRICS
from ccdashd.derive.periods import zone
from ccdashd.protocol import methods
from ccdashd.protocol import types as t
from ccdashd.rpc.dispatch import Call, ReadCall, handles
from ccdashd.store.session_rows import now


@handles(methods.ANALYTICS_METRICS)
def analytics_metrics(call: Call, params: t.NoParams) -> t.Metrics:
    """The registry of metrics."""
    return t.Metrics(items=[metric.wire() for metric in METRICS.values()])


@handles(methods.ANALYTICS_TRENDS)
def analytics_trends(call: ReadCall, params: t.TrendParams) -> t.Trend:
    """Metrics by hour, day, week or month."""
    return trends.trend(call.conn, params, zone_of(call, params), now(), call.revision)


@handles(methods.ANALYTICS_BREAKDOWN)
def analytics_breakdown(call: ReadCall, params: t.BreakdownParams) -> t.Breakdown:
    """Metrics by what they belong to."""
    return breakdown.breakdown(call.conn, params, zone_of(call, params), now(), call.revision)


@handles(methods.ANALYTICS_HEATMAP)
def analytics_heatmap(call: ReadCall, params: t.HeatmapParams) -> t.Heatmap:
    """A metric by day of the week and hour."""
    return spread.heatmap(call.conn, params, zone_of(call, params), now(), call.revision)


@handles(methods.ANALYTICS_DISTRIBUTION)
def analytics_distribution(call: ReadCall, params: t.DistributionParams) -> t.Distribution:
    """How a metric is spread over sessions."""
    return spread.distribution(call.conn, params, zone_of(call, params), now(), call.revision)


@handles(methods.ANALYTICS_TOP)
def analytics_top(call: ReadCall, params: t.TopParams) -> t.Top:
    """The sessions with most of a metric."""
    return spread.top(call.conn, params, zone_of(call, params), now(), call.revision)


def zone_of(call: ReadCall, scope: t.Scope | t.StatuslineParams) -> tzinfo:
    """The time zone that is asked for, or else that of the settings. Raises InvalidParams."""
    return zone(scope.time_zone or call.app.settings.time_zone)
