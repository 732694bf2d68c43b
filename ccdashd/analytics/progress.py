"""Metrics of plans: tasks that became done, how complete tasks are, and how far features are, at any time.

What is so now follows from planning files; when tasks were completed, from the dates in them; all else of the past, from
the days that the journal keeps. A day without a row is as the last one before it; before the first nothing is known.

`tasksDone` counts a task when its file says that it was completed. Of the tasks whose file does not say, those count that
are done beyond the most that ever were, on the day on which that was seen: so none counts twice when plans go and come
back, as they do with branches, or when a date is written later. Whatever the parts of time, they add up to the whole.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta, tzinfo
from functools import cached_property
from itertools import accumulate
from typing import Literal

import sqlalchemy as sa

from ccdashd.clock import EPOCH
from ccdashd.derive.metric import Value
from ccdashd.derive.periods import Range, midnight
from ccdashd.derive.progress_days import Figures, completion
from ccdashd.store import progress_days

PlanMetric = Literal["tasksDone", "taskCompletion", "featureProgress"]


class Part:
    """A project, a feature, or what of a project belongs to no feature. Times are in milliseconds since the epoch."""

    def __init__(self, done: Mapping[int, int], undated: int, states: Sequence[tuple[int, Figures]], now: Figures) -> None:
        """`done` is how many tasks became done, by time; `undated` how many were it when nobody knows; `states` are what
        is known of the past, in order, each from its time on."""
        self._times = sorted(done)
        self._sums = [0, *accumulate(done[time] for time in self._times)]
        self._changes = [time for time, _ in states]
        self._states = [figures for _, figures in states]
        self._now = now
        self.undated = undated

    @property
    def first(self) -> int | None:
        """The first time of which anything is known."""
        return min((*self._times[:1], *self._changes[:1]), default=None)

    def done(self, range: Range) -> int:
        """Tasks that became done in that time; in all time also those of which nobody knows when."""
        first = 0 if range.start is None else bisect_left(self._times, range.start)
        last = len(self._times) if range.end is None else bisect_left(self._times, range.end)
        undated = self.undated if range.start is None and range.end is None else 0
        return self._sums[last] - self._sums[first] + undated

    def state(self, range: Range) -> Figures | None:
        """How far it was at the end of that time; None where that is not known."""
        if range.end is None:
            return self._now
        place = bisect_left(self._changes, range.end)
        return self._states[place - 1] if place else None


def value(metric: PlanMetric, parts: Iterable[Part], range: Range) -> Value:
    """The value of a metric of several parts together: in that time, or at its end."""
    if metric == "tasksDone":
        return sum(part.done(range) for part in parts)
    states = [state for part in parts if (state := part.state(range)) is not None]
    if metric == "taskCompletion":
        pairs = [completion(state.counts) for state in states]
        of = sum(all for _, all in pairs)
        return sum(done for done, _ in pairs) / of if of else None
    features = sum(state.features for state in states)
    return sum(state.progress * state.features for state in states) / features if features else None


class Plans:
    """The plans of these projects, as one snapshot of the cache has them. `today` is the day in `zone`."""

    def __init__(self, connection: sa.Connection, project_ids: Collection[str], zone: tzinfo, today: date) -> None:
        self._connection = connection
        self._zone = zone
        self._midnights: dict[date, int] = {}
        self._today = today
        now = progress_days.current(connection)
        self._current = {id: now.get(id, Figures()) for id in project_ids}
        self._days = progress_days.days(connection, project_ids)
        self._dated: defaultdict[str, defaultdict[str, Counter[int]]] = defaultdict(lambda: defaultdict(Counter))
        self._ahead: defaultdict[str, Counter[str]] = defaultdict(Counter)
        """Tasks that are done, and whose file says that they will be."""
        tomorrow = self._midnight(today + timedelta(1))
        for project, feature, at, number in progress_days.completed(connection, project_ids):
            time = self._time(at)
            if time < tomorrow:
                self._dated[project][feature or ""][time] += number
            else:
                self._ahead[project][feature or ""] += number
        known = {id for id, figures in self._current.items() if figures != Figures()} | self._days.keys()
        self.projects = {id: self._project(id) for id in sorted(known)}
        """By id: those that have plans, or had some."""

    @cached_property
    def features(self) -> dict[str, Part]:
        """By id; with an empty one, where there are plans, what belongs to no feature. How far features were is not known,
        and of when their tasks were completed what files say; tasks that became done at some other time belong to none."""
        if not self.projects:
            return {}
        midnight = self._midnight(self._today)
        found: dict[str, Part] = {}
        rest, undated, others = Counter[int](), 0, [Figures().counts]
        for id in self.projects:
            gained, before = self._gains(id)
            rest += gained
            undated += before
        for (id, feature), now in progress_days.by_feature(self._connection, self._current.keys()).items():
            dated, ahead = self._dated[id][feature], self._ahead[id][feature]
            if feature:
                found[feature] = Part(dated, now.undated + ahead, [(midnight, now)], now)
                undated -= now.undated
            else:
                rest += dated
                undated += ahead
                others.append(now.counts)
        now = Figures(tuple(map(sum, zip(*others, strict=True))))
        return {**found, "": Part(rest, undated, [(midnight, now)], now)}

    def _project(self, id: str) -> Part:
        gained, undated = self._gains(id)
        done = sum(self._dated[id].values(), gained)
        now = self._current[id]
        states = [(self._midnight(day), figures) for day, figures in self._past(id)]
        return Part(done, undated + self._ahead[id].total(), [*states, (self._midnight(self._today), now)], now)

    def _past(self, id: str) -> list[tuple[date, Figures]]:
        """The days before today: a clock that was wrong may have noted later ones."""
        return [row for row in self._days.get(id, ()) if row[0] < self._today]

    def _gains(self, id: str) -> tuple[Counter[int], int]:
        """How many tasks without a date were done beyond the most that ever were, by time; and how many at first."""
        rows = [*(row for row in self._days.get(id, ()) if row[0] <= self._today), (self._today, self._current[id])]
        first = most = rows[0][1].undated
        gained: Counter[int] = Counter()
        for day, figures in rows:
            if figures.undated > most:
                gained[self._midnight(day)] += figures.undated - most
                most = figures.undated
        return gained, first

    def _time(self, at: str) -> int:
        """A date counts from its midnight on."""
        if len(at) == len("2026-11-03"):
            return self._midnight(date.fromisoformat(at))
        return round((datetime.fromisoformat(at) - EPOCH).total_seconds() * 1000)

    def _midnight(self, day: date) -> int:
        if day not in self._midnights:
            self._midnights[day] = midnight(day, self._zone)
        return self._midnights[day]
