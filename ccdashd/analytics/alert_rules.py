"""Which alert rules make sense: what clients may ask for, and what a journal may hold."""

from __future__ import annotations

import math
from typing import Final

from ccdashd.derive.alerts import HYSTERESIS, Rule, is_upper
from ccdashd.derive.metric import Metric
from ccdashd.derive.metrics import find
from ccdashd.errors import InvalidParams
from ccdashd.protocol import types as t

LARGEST: Final = 1e15
"""The largest threshold."""

_LENGTHS: Final[dict[t.AlertPeriod, float]] = {"hour": 3600.0, "day": 86_400.0, "week": 604_800.0, "month": 2_419_200.0}
"""Seconds of each period, at least."""

_WINDOW: Final = 18_000.0
_LONGEST: Final = 604_800.0


def default_period(metric: Metric, scope: t.AlertScope) -> t.AlertPeriod:
    """The period of a rule that names none: what accrues is looked at by the day."""
    return "day" if scope in ("all", "project") and not _is_state(metric) else "total"


def default_resolve(metric: Metric, operator: t.AlertOperator, threshold: float) -> float:
    """A tenth of the threshold below it; above it where small values are alerted, as far as values go."""
    margin = abs(threshold) * HYSTERESIS
    return threshold - margin if is_upper(operator) else min(threshold + margin, _top(metric))


def _top(metric: Metric) -> float:
    return 1.0 if metric.unit == "share" else LARGEST


def _is_state(metric: Metric) -> bool:
    """Whether a metric is what plans are now, whatever the period."""
    return metric.source == "plans" and not metric.adds_up


def checked(rule: Rule, *, has_project: bool) -> Rule:
    """The rule, if it can ever fire and be resolved. Raises InvalidParams.

    `has_project` says whether it is of one project: its root may not be known yet.
    """
    metric = find(rule.metric)
    _check_scope(metric, rule, has_project)
    top = _top(metric)
    for field, value in (("threshold", rule.threshold), ("resolve", rule.resolve)):
        if not (math.isfinite(value) and 0 <= value <= top):
            raise InvalidParams(field, f"must be a number from 0 to {top:g}", value)
    _check_threshold(metric, rule)
    longest = _WINDOW if rule.scope == "window" else _LENGTHS.get(rule.period, _LONGEST)
    longest = min(longest, _LONGEST)
    if not (math.isfinite(rule.for_seconds) and 0 <= rule.for_seconds < longest):
        raise InvalidParams("forSeconds", f"must be a number of seconds from 0 to below {longest:g}", rule.for_seconds)
    return rule


def _check_scope(metric: Metric, rule: Rule, has_project: bool) -> None:
    if rule.scope not in ("all", "window") and rule.scope not in metric.dimensions:
        raise InvalidParams("scope", f"{metric.id} is not known of a {rule.scope}", rule.scope)
    if rule.scope == "window" and metric.source == "plans":
        raise InvalidParams("scope", f"{metric.id} is not known of a window", rule.scope)
    if rule.scope in ("session", "feature", "window") and rule.period != "total":
        raise InvalidParams("period", f"a {rule.scope} is looked at as a whole: it must be total", rule.period)
    if _is_state(metric) and rule.period != "total":
        raise InvalidParams("period", f"{metric.id} is what it is now: it must be total", rule.period)
    if has_project and rule.scope == "window":
        raise InvalidParams("project", "a window is that of all projects", rule.scope)


def _check_threshold(metric: Metric, rule: Rule) -> None:
    always = {">=": 0.0, "<=": 1.0 if metric.unit == "share" else math.inf}
    never = {"<": 0.0, ">": 1.0 if metric.unit == "share" else math.inf}
    for word, bounds in (("always", always), ("never", never)):
        if bounds.get(rule.operator) == rule.threshold:
            raise InvalidParams("threshold", f"{metric.id} {rule.operator} {rule.threshold:g} is {word} so", rule.threshold)
    beyond = rule.resolve > rule.threshold if is_upper(rule.operator) else rule.resolve < rule.threshold
    if beyond:
        side = "above" if is_upper(rule.operator) else "below"
        raise InvalidParams("resolve", f"must not be {side} the threshold, where the alert fires", rule.resolve)
