"""What alerts say: names of rules, sentences, amounts. Pure."""

from __future__ import annotations

from typing import Final

from ccdashd.derive.alerts import Rule
from ccdashd.derive.metric import Metric
from ccdashd.protocol import types as t
from ccdashd.protocol.types.alerts import AlertOperator, AlertPeriod

_SHOWN: Final = 120
"""Characters of a title that an alert repeats."""

_COMPARED: Final[dict[AlertOperator, str]] = {">": "more than", ">=": "at least", "<": "less than", "<=": "at most"}
_PER: Final[dict[AlertPeriod, str]] = {
    "total": "",
    "hour": " per hour",
    "day": " per day",
    "week": " per week",
    "month": " per month",
}
_WHOSE: Final[dict[t.AlertScope, str]] = {
    "all": "",
    "project": " of a project",
    "feature": " of a feature",
    "session": " of a session",
    "window": " of five hours",
}


def sentence(metric: Metric | None, label: str, value: float, operator: AlertOperator, threshold: float) -> str:
    """One sentence that says it all; without `metric` where it is one that this version does not know."""
    name, unit = (metric.name, metric.unit) if metric is not None else ("value", "count")
    return f"{label}: {name.lower()} is {amount(value, unit)}, {_COMPARED[operator]} {amount(threshold, unit)}"


def label(scope: t.AlertScope, title: str, part: str) -> str:
    """What a subject is called: the title of its entity, and its period or window."""
    if scope == "window":
        return f"Five hours from {part}"
    name = "All projects" if scope == "all" else title if len(title) <= _SHOWN else title[: _SHOWN - 1] + "…"
    return f"{name}, {part}" if part else name


def default_name(metric: Metric, rule: Rule) -> str:
    """What a rule is called unless the user says: ``Cost of a session > $5.00``."""
    bound = amount(rule.threshold, metric.unit)
    return f"{metric.name}{_WHOSE[rule.scope]}{_PER[rule.period]} {rule.operator} {bound}"


def amount(value: float, unit: t.MetricUnit) -> str:
    """A value with its unit, as people read it."""
    match unit:
        case "usd":
            return f"${value:,.2f}"
        case "share":
            return f"{100 * value:.4g} %"
        case "seconds":
            return _duration(value)
        case "tokens" | "lines":
            return f"{value:,.0f} {unit}"
        case _:
            return f"{value:,.0f}" if value == int(value) else f"{value:,.2f}"


def _duration(seconds: float) -> str:
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min"
    return f"{whole // 3600} h {whole % 3600 // 60:02} min"
