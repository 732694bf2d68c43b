"""Alert rules: those that are there from the start, and when an alert begins and ends. Pure.

    ok ──crossed──► pending ──held so long──► firing ──back beyond `resolve`──► ok
                       │                        │
                       └──not crossed──► ok     └──silence──► quiet ──back beyond `resolve`──► ok

A rule looks at *subjects*: sessions, projects, features, windows, or all together. An alert calls for attention now, so it
begins only where its subject is *fresh*: worked on within the last hour. Thus a first index, a rebuild or a new rule
tells nothing of what is long over. A subject that goes silent while it fires is quiet: its alert ends, and since a cost
never falls, it does not begin anew when the work goes on; only a value that came back can cross again.

Subjects with a time of their own (a day, a window) do not go quiet: they end, and their alerts with them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

import msgspec

from ccdashd.protocol.types.alerts import AlertOperator, AlertPeriod, AlertScope

FRESH_MS: Final = 3_600_000
"""Milliseconds after the last work on a subject within which it counts as fresh."""

HYSTERESIS: Final = 0.1
"""By default a value must come back by so large a part of the threshold."""


class Rule(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A rule as the journal and the cache keep it; `protocol.types.AlertRule` says what its fields mean."""

    name: str
    metric: str
    scope: AlertScope
    period: AlertPeriod = "total"
    root: str = ""
    """Root of the only project that is looked at; empty for all."""
    operator: AlertOperator = ">"
    threshold: float
    resolve: float
    for_seconds: float = 0.0
    desktop: bool = False
    command: bool = False
    active: bool = True

    @property
    def timed(self) -> bool:
        """Whether its subjects have an end: a running period or window."""
        return self.scope == "window" or self.period != "total"

    def crossed(self, value: float) -> bool:
        """Whether a value lies beyond the threshold."""
        return _beyond(self.operator, value, self.threshold)

    def is_back(self, value: float) -> bool:
        """Whether a value came back beyond `resolve`; between the two all stays as it was."""
        if self.crossed(value):
            return False
        return value <= self.resolve if is_upper(self.operator) else value >= self.resolve


class Subject(NamedTuple):
    """What a rule is looked at for."""

    id: str
    """Of the session, project or feature; empty for a window or all."""
    part: str = ""
    """The period or window that runs, as its label; empty for all time."""

    @property
    def key(self) -> str:
        """Tells the subjects of one rule apart."""
        return f"{self.id}@{self.part}" if self.part else self.id


def subject_of(rule: Rule, key: str) -> Subject:
    """The subject of a rule that has this key."""
    if not rule.timed:
        return Subject(key)
    id, _, part = key.rpartition("@")
    return Subject(id, part)


def is_upper(operator: AlertOperator) -> bool:
    """Whether an operator sets a bound that values must not exceed."""
    return operator in (">", ">=")


def _beyond(operator: AlertOperator, value: float, threshold: float) -> bool:
    match operator:
        case ">":
            return value > threshold
        case ">=":
            return value >= threshold
        case "<":
            return value < threshold
        case "<=":
            return value <= threshold


SEEDED: Final[Mapping[str, Rule]] = {
    # A session that goes in circles is noticed by its cost first.
    "session-cost": Rule(name="Costly session", metric="cost", scope="session", threshold=5.0, resolve=4.5),
    # A day that costs as much as a month of most plans.
    "day-cost": Rule(name="Costly day", metric="cost", scope="all", period="day", threshold=50.0, resolve=45.0),
    # Friction: tools that fail again and again point at a broken setup or a lost agent.
    "session-tool-errors": Rule(
        name="Failing tools", metric="toolErrors", scope="session", operator=">=", threshold=25.0, resolve=22.5
    ),
    # The provider is overloaded, or a limit is reached: waiting is cheaper than retrying.
    "api-errors": Rule(
        name="API errors", metric="apiErrors", scope="all", period="hour", operator=">=", threshold=10.0, resolve=9.0
    ),
    # Off, as most long sessions get there: 80 % of a context window of 200,000 tokens, shortly before it is compacted.
    "session-context": Rule(
        name="Full context",
        metric="contextPeak",
        scope="session",
        operator=">=",
        threshold=160_000.0,
        resolve=144_000.0,
        active=False,
    ),
    # Off, as what a window may cost depends on the plan.
    "window-cost": Rule(name="Costly window", metric="cost", scope="window", threshold=25.0, resolve=22.5, active=False),
}
"""Rules that are there from the start, by id. The user's change of one takes its place until it is deleted."""


Phase = Literal["pending", "firing", "quiet"]
Event = Literal["fired", "resolved", "quieted"]


class State(NamedTuple):
    """Where a subject of a rule stands that is not simply in order."""

    phase: Phase
    since: int
    """Milliseconds since the epoch: when it began to be so."""


class Reading(NamedTuple):
    """A subject as it is now."""

    value: float | None
    """None where the metric has no value, such as a share of nothing: that crosses nothing, and brings nothing back."""
    fresh: bool


def step(rule: Rule, state: State | None, reading: Reading | None, now: int) -> tuple[State | None, Event | None]:
    """The next state of a subject, None where it is in order; and what is to be noted of it.

    `reading` is None where the subject is over: a past day or window, a session that was deleted. A `quieted` alert ends
    as a `resolved` one does; `resolved` in phase quiet says that the value came back, of which nobody needs to be told. A
    clock that was set back begins a wait anew.
    """
    phase = state.phase if state is not None else None
    if phase in ("firing", "quiet"):
        return _ending(rule, state, reading, now)
    if reading is None or not reading.fresh or reading.value is None or not rule.crossed(reading.value):
        return None, None
    since = min(state.since, now) if state is not None else now
    if now - since >= rule.for_seconds * 1000:
        return State("firing", now), "fired"
    return State("pending", since), None


def _ending(rule: Rule, state: State | None, reading: Reading | None, now: int) -> tuple[State | None, Event | None]:
    quiet = state is not None and state.phase == "quiet"
    if reading is None:
        return (state, None) if quiet else (None, "resolved")
    if reading.value is not None and rule.is_back(reading.value):
        return None, "resolved"
    if not (quiet or reading.fresh or rule.timed):
        return State("quiet", now), "quieted"
    return state, None
