"""What alert rules are looked at for, and the values that they find there.

Only what was touched and worked on lately is looked at, and what fires or waits to: so the cost of a look does not depend
on how many sessions there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from functools import cached_property
from typing import Final

import sqlalchemy as sa

from ccdashd.analytics import progress
from ccdashd.derive import periods
from ccdashd.derive.alerts import FRESH_MS, Reading, Rule, Subject, subject_of
from ccdashd.derive.measures import NONE, Measures
from ccdashd.derive.metric import Metric, Value
from ccdashd.derive.metrics import METRICS
from ccdashd.derive.periods import ALL, Range
from ccdashd.derive.slots import SLOT_MS
from ccdashd.derive.windows import five_hours
from ccdashd.protocol import types as t
from ccdashd.store import facts, fresh, projects, usage_series
from ccdashd.store.filters import Filter
from ccdashd.store.linked import linked

_TABLES: Final[Mapping[t.AlertScope, str]] = {"session": "sessions", "project": "projects", "feature": "features"}
_Part = tuple[str, Range]
"""The label of a period or window, and its time."""


@dataclass
class Touched:
    """What changed since the last look."""

    everything: bool = False
    """All that was worked on lately counts as touched: rules changed, or nothing is known yet."""
    sessions: set[str] = field(default_factory=set)
    projects: set[str] = field(default_factory=set)
    features: set[str] = field(default_factory=set)

    def __bool__(self) -> bool:
        return self.everything or bool(self.sessions or self.projects or self.features)


class Survey:
    """One look, at the time `now` in milliseconds since the epoch."""

    def __init__(self, connection: sa.Connection, touched: Touched, zone: tzinfo, now: int) -> None:
        self._connection = connection
        self._zone = zone
        self._now = now
        self._touched = touched
        self._sessions = fresh.sessions(connection, now - FRESH_MS)
        self._written = fresh.features(connection, now - FRESH_MS)
        self._parts: dict[t.AlertPeriod, _Part] = {}

    @cached_property
    def _features(self) -> set[str]:
        return self._written | fresh.features_of(self._connection, self._sessions)

    @cached_property
    def _projects(self) -> set[str]:
        return {*self._sessions.values(), *fresh.projects_of(self._connection, self._written)}

    @cached_property
    def _hot_sessions(self) -> set[str]:
        """Sessions that were touched, of those that were worked on lately."""
        if self._touched.everything:
            return set(self._sessions)
        return self._sessions.keys() & fresh.mains(self._connection, self._touched.sessions)

    @cached_property
    def _hot_projects(self) -> set[str]:
        if self._touched.everything:
            return self._projects
        return self._projects & (self._touched.projects | {self._sessions[id] for id in self._hot_sessions})

    @cached_property
    def _hot_features(self) -> set[str]:
        if self._touched.everything:
            return self._features
        named = self._touched.features
        return (self._features & named if named else set()) | fresh.features_of(self._connection, self._hot_sessions)

    def readings(self, rule: Rule, known: Iterable[str]) -> dict[str, tuple[Subject, Reading | None]]:
        """The subjects of a rule that are looked at, by key, each as it is: what was touched, and those `known` by key.

        None for those that are over: a past period or window, or what was deleted.
        """
        before = {key: subject_of(rule, key) for key in known}
        hot = self._hot_ids(rule)
        metric = METRICS.get(rule.metric)
        if metric is None or not (hot or before):  # a newer version may know it
            return {}
        part = self._part(rule)
        if part is None:
            return {key: (subject, None) for key, subject in before.items()}
        label, range = part
        there = self._there(rule.scope, {subject.id for subject in before.values()})
        lasting = {subject for subject in before.values() if subject.part == label and subject.id in there}
        subjects = lasting | {Subject(id, label) for id in hot}
        values = self._values(metric, rule, range, {subject.id for subject in subjects})
        found: dict[str, tuple[Subject, Reading | None]] = {key: (subject, None) for key, subject in before.items()}
        for subject in subjects:
            found[subject.key] = subject, Reading(values[subject.id], self._is_fresh(rule.scope, subject.id))
        return found

    # --- who ---

    def _hot_ids(self, rule: Rule) -> set[str]:
        """What of a rule's scope was touched, of what was worked on lately."""
        project = projects.project_id(rule.root) if rule.root else None
        match rule.scope:
            case "session":
                return {id for id in self._hot_sessions if project in (None, self._sessions[id])}
            case "project":
                return {id for id in self._hot_projects if project in (None, id)}
            case "feature":
                return {id for id in self._hot_features if project is None or id.startswith(f"{project}/")}
            case _:
                return {""} if self._touched and self._is_fresh(rule.scope, "") else set()

    def _there(self, scope: t.AlertScope, ids: set[str]) -> set[str]:
        table = _TABLES.get(scope)
        return ids if table is None else fresh.existing(self._connection, table, ids)

    def _is_fresh(self, scope: t.AlertScope, id: str) -> bool:
        match scope:
            case "session":
                return id in self._sessions
            case "project":
                return id in self._projects
            case "feature":
                return id in self._features
            case _:
                return bool(self._sessions or self._written)

    # --- when ---

    def _part(self, rule: Rule) -> _Part | None:
        """The period or window that runs; None where there is no such window."""
        if rule.scope == "window":
            return self._running_window()
        if rule.period == "total":
            return "", ALL
        if rule.period not in self._parts:
            slot = self._now // SLOT_MS
            step = periods.steps(rule.period, slot, slot + 1, self._zone)[0]
            self._parts[rule.period] = step.label, Range(step.start * SLOT_MS, step.end * SLOT_MS)
        return self._parts[rule.period]

    def _running_window(self) -> _Part | None:
        spans = five_hours(usage_series.used(self._connection))
        span = next((span for span in reversed(spans) if span.start * SLOT_MS <= self._now < span.end * SLOT_MS), None)
        if span is None:
            return None
        start = periods.local(span.start * SLOT_MS, self._zone)
        return start.isoformat(" ", "minutes"), Range(span.start * SLOT_MS, span.end * SLOT_MS)

    # --- what ---

    def _values(self, metric: Metric, rule: Rule, range: Range, ids: set[str]) -> dict[str, Value]:
        if metric.source == "plans":
            return self._of_plans(metric, rule.scope, range, ids)
        needs = frozenset(metric.needs)
        project = projects.project_id(rule.root) if rule.root else None
        # What is asked for by name is not hidden.
        filter = Filter(project_id=project, include_hidden=project is not None).during(range)
        match rule.scope:
            case "session":
                found = facts.measures(self._connection, replace(filter, sessions=tuple(sorted(ids))), needs, "session")
            case "project":
                found = facts.measures(self._connection, filter, needs, "project")
            case "feature":
                found = {id: self._of_feature(id, needs) for id in ids}
            case _:
                found = {"": facts.total(self._connection, filter, needs)}
        return {id: metric.value(found.get(id, NONE)) for id in ids}

    def _of_feature(self, id: str, needs: frozenset[str]) -> Measures:
        work = tuple(link.id for link in linked(self._connection, "feature", id) if link.type == "session")
        return facts.total(self._connection, Filter(sessions=work), needs)

    def _of_plans(self, metric: Metric, scope: t.AlertScope, range: Range, ids: set[str]) -> dict[str, Value]:
        owners = projects.ids(self._connection)
        if scope == "project":
            owners &= ids
        elif scope == "feature":
            owners = fresh.projects_of(self._connection, ids)
        today = periods.local(self._now, self._zone).date()
        plans = progress.Plans(self._connection, owners, self._zone, today)
        parts = {"project": plans.projects, "feature": plans.features}.get(scope, {})
        whole = list(plans.projects.values())

        def value(id: str) -> Value:
            of = [parts[id]] if id in parts else [] if id else whole
            return progress.value(metric.id, of, range)  # type: ignore[arg-type]

        return {id: value(id) for id in ids}
