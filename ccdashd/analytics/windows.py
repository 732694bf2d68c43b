"""``analytics/windows``: the windows in which agents count limits, and how fast the running one fills.

Where windows begin follows from all use of the machine, since limits are those of an account; what they hold is the part
of the work that is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo

import sqlalchemy as sa

from ccdashd.clock import iso
from ccdashd.derive.measures import cost_of, usd
from ccdashd.derive.metrics import find_all
from ccdashd.derive.periods import Range
from ccdashd.derive.slots import SLOT_MS
from ccdashd.derive.windows import DAY, Span, WeekStart, after_pause, five_hours, pace, weeks
from ccdashd.protocol import types as t
from ccdashd.store import usage_series
from ccdashd.store.filters import Filter
from ccdashd.store.usage_series import Held

METRICS = find_all(("cost", "tokens", "messages"))
"""What is told of each window."""


_RECENT_DAYS = 3
"""Days in which there mostly is a pause as long as a window, so that the active one follows from them."""


class Course:
    """What windows hold of the work that is asked for."""

    def __init__(self, connection: sa.Connection, filter: Filter, now: int, spans: Sequence[Span]) -> None:
        """`filter` tells whose use, at any time; `spans` are the windows of all use, in order; `now` in milliseconds since
        the epoch."""
        self._connection = connection
        self._filter = filter
        self._now = now
        self._spans = spans
        self._spent = usage_series.spent(connection, filter, spans)

    def active(self) -> Span | None:
        """The window that holds the time now, if it has use."""
        return next((span for span in reversed(self._spans) if self._is_active(span) and span in self._spent), None)

    def last(self, range: Range, limit: int) -> list[Span]:
        """The last windows with use that reach into `range`, the newest first."""
        start, end = range.slots
        reach = [span for span in self._spans if (start is None or span.end > start) and (end is None or span.start < end)]
        return [span for span in reversed(reach) if span in self._spent][:limit]

    def wire(self, told: Sequence[Span]) -> list[t.Window]:
        """These windows; the active one with its pace."""
        held = usage_series.held(self._connection, self._filter, told)
        return [self._window(span, held[span]) for span in told if span in held]

    def _is_active(self, span: Span) -> bool:
        return span.start * SLOT_MS <= self._now < span.end * SLOT_MS

    def _window(self, span: Span, held: Held) -> t.Window:
        used = held.measures
        active = self._is_active(span)
        return t.Window(
            values={metric.id: metric.value(used) for metric in METRICS},
            cost=cost_of(used),
            start=_iso(span.start),
            end=_iso(span.end),
            first=_iso(held.first),
            last=_iso(held.last),
            active=active,
            tokens=t.Tokens(
                input=used.input,
                output=used.output,
                cache_read=used.cache_read,
                cache_write=used.cache_write,
                cache_write5m=used.cache_write_5m,
                cache_write1h=used.cache_write_1h,
            ),
            sessions=held.sessions,
            models=held.models,
            burn=self._burn(span, held) if active else None,
        )

    def _burn(self, span: Span, held: Held) -> t.Burn:
        used = held.measures
        limit = max((cost for before, cost in self._spent.items() if before.end <= span.start), default=0) or None
        tokens = used.input + used.output + used.cache_read + used.cache_write
        found = pace(span, held.first, held.last, self._now, pico=used.cost, tokens=tokens, limit=limit)
        return t.Burn(
            usd_per_hour=usd(found.pico_per_hour),
            tokens_per_minute=round(found.tokens_per_minute, 3),
            projected_usd=usd(found.projected_pico),
            projected_tokens=found.projected_tokens,
            limit_usd=None if limit is None else usd(limit),
            exhausted_at=iso(found.exhausted_at),
        )


def active_window(connection: sa.Connection, filter: Filter, now: int, *, limited: bool = False) -> t.Window | None:
    """The active five-hour window; None where it has no use. `limited`: compared with all windows before."""
    recent = usage_series.used(connection, max(now // SLOT_MS - _RECENT_DAYS * DAY, 0))
    spans = five_hours(after_pause(recent) or usage_series.used(connection)) if recent else []
    course = Course(connection, filter, now, spans)
    active = course.active()
    if active is None:
        return None
    if limited:
        course = Course(connection, filter, now, five_hours(usage_series.used(connection)))
    return course.wire([active])[0]


def windows(
    connection: sa.Connection,
    params: t.WindowsParams,
    filter: Filter,
    range: Range,
    *,
    week_start: WeekStart,
    zone: tzinfo,
    now: int,
    revision: int,
) -> t.Windows:
    """The last windows that reach into `range`; `filter` is that of the parameters at any time."""
    used = usage_series.used(connection)
    course = Course(
        connection, filter, now, five_hours(used) if params.kind == "fiveHours" else weeks(used, week_start, zone)
    )
    told = course.wire(course.last(range, params.limit))
    return t.Windows(kind=params.kind, items=told, revision=revision)


def _iso(slot: int) -> str:
    return iso(slot * SLOT_MS) or ""
