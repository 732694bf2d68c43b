"""A question for metrics: of which part of the work, in what time, and how its answers are told."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import tzinfo
from functools import cached_property
from typing import Final, TypedDict

import sqlalchemy as sa

from ccdashd.analytics.progress import Part, PlanMetric, Plans, value
from ccdashd.clock import iso
from ccdashd.derive import periods
from ccdashd.derive.measures import NONE, Measures, cost_of
from ccdashd.derive.metric import Metric, Value, hold, needs
from ccdashd.derive.metrics import find_all
from ccdashd.derive.periods import ALL, Range
from ccdashd.errors import InvalidParams
from ccdashd.protocol import types as t
from ccdashd.store import facts, filters, finding, projects
from ccdashd.store.times import Grain, Times, times

_PLANS: Final[Mapping[str, PlanMetric]] = {
    "tasksDone": "tasksDone",
    "taskCompletion": "taskCompletion",
    "featureProgress": "featureProgress",
}
_OF_SESSIONS: Final = {"model": None, "agent": None, "branch": None, "session": None, "subagents": "include"}
"""Fields of a scope that say nothing of plans, as they are where nothing was given."""


class Told(TypedDict):
    """Fields of `protocol.types.Values`."""

    values: dict[str, Value]
    cost: t.Cost | None


class Asked:
    """What was asked, looked up in one snapshot of the cache.

    Raises InvalidParams for a time, zone or metric that is none, and for metrics that cannot be told of what is asked for;
    NotFound for what is not there.
    """

    def __init__(
        self,
        connection: sa.Connection,
        scope: t.Scope,
        names: Sequence[str],
        zone: tzinfo,
        now: int,
        *,
        field: str = "metrics",
    ) -> None:
        """`names` are those of metrics, in the parameter `field`; `now` is in milliseconds since the epoch."""
        self.connection = connection
        self.zone = zone
        self.now = now
        self.metrics = find_all(names, field)
        self._scope = scope
        self._check(scope)
        self.range = periods.resolve(scope.since, scope.until, zone, now)
        self.filter = filters.resolve(connection, scope, self.range)
        self.needs = needs(self.metrics)
        self.planned = any(metric.source == "plans" for metric in self.metrics)

    def _check(self, scope: t.Scope) -> None:
        if scope.model is not None:
            hold(self.metrics, "model", "model")
        for metric in self.metrics:
            if metric.source == "plans":
                for name, value in _OF_SESSIONS.items():
                    if getattr(scope, name) != value:
                        raise InvalidParams(name, f"{metric.id} is of plans, which cannot be told by that; leave it out")

    @property
    def previous(self) -> Range | None:
        """The time before, to compare with; None where the range is open."""
        return periods.previous(self.range, self.zone)

    def times(self, grain: Grain) -> Times:
        """Keys of time for what was asked."""
        return times(grain, self.zone, self.filter, self.now)

    # --- plans ---

    @cached_property
    def _plans(self) -> Plans:
        hidden = self._scope.include_hidden or self._scope.feature is not None
        ids = projects.ids(self.connection) if hidden else projects.shown_ids(self.connection)
        if self.filter.project_id is not None:
            ids = {self.filter.project_id}
        return Plans(self.connection, ids, self.zone, periods.local(self.now, self.zone).date())

    def plans(self, by: t.Dimension | None = None) -> dict[str, Part]:
        """The plans that were asked for, by project, or by feature; without `by` whichever adds up. None where no metric is
        of plans."""
        if not self.planned:
            return {}
        if self._scope.feature is not None:
            id = finding.feature_id(self.connection, self._scope.feature, self._scope.project, field="feature")
            part = self._plans.features.get(id)
            return {} if part is None else {id.partition("/")[0] if by == "project" else id: part}
        return self._plans.features if by == "feature" else self._plans.projects

    # --- answers ---

    def told(self, measures: Measures, plans: Collection[Part], range: Range) -> Told:
        """The values of all metrics, of the work that has these measures and of these plans in that time."""
        return Told(
            values={
                metric.id: value(_PLANS[metric.id], plans, range) if metric.source == "plans" else metric.value(measures)
                for metric in self.metrics
            },
            cost=cost_of(measures) if "cost" in self.needs else None,
        )

    def undated(self, measures: Measures, plans: Collection[Part]) -> Told | None:
        """The values of what has no time: of work that has these measures, and of these plans. None where there is none of
        it, or it was not asked for."""
        tasks = sum(part.undated for part in plans)
        if self.range != ALL or (measures is NONE and not tasks):
            return None
        told = self.told(measures, (), self.range)
        if "tasksDone" in told["values"]:
            told["values"]["tasksDone"] = tasks
        return told

    def before(self) -> t.Values | None:
        """The values of the time before."""
        range = self.previous
        if range is None:
            return None
        measures = facts.total(self.connection, self.filter.during(range), self.needs)
        return t.Values(**self.told(measures, self.plans().values(), range))


def leads(metric: Metric, found: Mapping[str, Value]) -> float:
    """What rows are sorted by: the value of a metric, or less than any where there is none."""
    value = found[metric.id]
    return float("-inf") if value is None else value


def period(range: Range) -> t.Period:
    """A range as the wire has it."""
    return t.Period(start=iso(range.start), end=iso(range.end))


def check_count(field: str, number: int, least: int, most: int) -> None:
    """Raises InvalidParams of `field` where a number is not between these."""
    if not least <= number <= most:
        raise InvalidParams(field, f"must be between {least} and {most}", number)
