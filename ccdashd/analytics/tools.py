"""``analytics/tools``: how often tools were called, how it went, and how long it took."""

from __future__ import annotations

from itertools import chain

import sqlalchemy as sa

from ccdashd.analytics.asked import period
from ccdashd.derive.periods import Range
from ccdashd.derive.quantiles import quantile
from ccdashd.protocol import types as t
from ccdashd.store import tool_times
from ccdashd.store.filters import Filter
from ccdashd.store.tool_times import Calls


def tools(connection: sa.Connection, filter: Filter, range: Range, *, limit: int, revision: int) -> t.ToolsUsed:
    """The tools that were called, the most called first, at most `limit` of them, and all together."""
    calls = tool_times.calls(connection, filter)
    sessions = tool_times.sessions(connection, filter)
    times = tool_times.durations(connection, filter)
    shown = sorted(calls, key=lambda tool: (-calls[tool].calls, tool))[:limit]
    whole = Calls(*map(sum, zip(*calls.values(), strict=True))) if calls else Calls(0, 0, 0, 0)
    everyone = set[str]().union(*sessions.values())
    return t.ToolsUsed(
        period=period(range),
        items=[_figures(tool, calls[tool], times.get(tool, []), len(sessions.get(tool, ()))) for tool in shown],
        total=_figures("", whole, sorted(chain.from_iterable(times.values())), len(everyone)),
        revision=revision,
    )


def _figures(name: str, sums: Calls, times: list[int], sessions: int) -> t.ToolFigures:
    ended = sums.success + sums.errors
    return t.ToolFigures(
        name=name,
        calls=sums.calls,
        success=sums.success,
        errors=sums.errors,
        success_rate=sums.success / ended if ended else None,
        seconds=sums.ms / 1000,
        mean=sum(times) / len(times) / 1000 if times else None,
        median=_seconds(quantile(times, 0.5)),
        p95=_seconds(quantile(times, 0.95)),
        slowest=times[-1] / 1000 if times else None,
        sessions=sessions,
    )


def _seconds(ms: float | None) -> float | None:
    return None if ms is None else round(ms / 1000, 6)
