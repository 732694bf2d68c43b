"""Alert rules as people write them: ``cost > 20 per day``, ``toolErrors >= 25 per session``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from ccdash.amounts import amount
from ccdash.errors import UsageError

OPERATORS = (">=", "<=", ">", "<")
PERIODS = ("hour", "day", "week", "month")
SCOPES = ("project", "feature", "session", "window")

_RULE = re.compile(r"\s*([A-Za-z]\w*)\s*(>=|<=|>|<)\s*(\S+)((?:\s+per\s+\w+|\s+in\s+total)*)\s*")
_BOUND = re.compile(r"\s*(>=|<=|>|<)\s*(\S+)\s*")
_NUMBER = re.compile(r"\$?(\d[\d_,]*(?:\.\d+)?|\.\d+)\s*(k|M|G|%|s|m|h|d)?")
_UNITS = {"k": 1e3, "M": 1e6, "G": 1e9, "%": 0.01, "s": 1, "m": 60, "h": 3600, "d": 86_400}

_EXAMPLE = "Such as: `ccdash alerts add 'cost > 20 per day'`."


class Bound(NamedTuple):
    """An operator and a threshold."""

    operator: str
    threshold: float


def read_rule(text: str) -> dict[str, Any]:
    """The parameters of ``alerts/create`` that a rule stands for. Raises `UsageError`."""
    match = _RULE.fullmatch(text)
    if match is None:
        raise UsageError(f"{text!r} is no rule. A rule is a metric, one of {' '.join(OPERATORS)}, and a number. {_EXAMPLE}")
    params: dict[str, Any] = {"metric": match[1], "operator": match[2], "threshold": read_number(match[3])}
    for word in match[4].split()[1::2]:
        field = "period" if word in (*PERIODS, "total") else "scope"
        if field == "scope" and word not in SCOPES:
            raise UsageError(f"per {word}: a rule is looked at per {', '.join((*PERIODS, *SCOPES))}, or in total.")
        if field in params:
            raise UsageError(f"{text!r} names {params[field]} and {word}; one of them is enough.")
        params[field] = word
    return params


def read_bound(text: str) -> Bound:
    """An operator and a number, such as ``> 30``. Raises `UsageError`."""
    match = _BOUND.fullmatch(text)
    if match is None:
        raise UsageError(f"{text!r} is no bound. That is one of {' '.join(OPERATORS)} and a number, such as '> 30'.")
    return Bound(match[1], read_number(match[2]))


def read_number(text: str) -> float:
    """A number with what people write about it: ``$20``, ``80%``, ``160k``, ``1.5M``, ``90m`` (minutes), ``2h``.

    Raises `UsageError`.
    """
    match = _NUMBER.fullmatch(text.strip())
    if match is None:
        raise UsageError(f"{text!r} is no number. Use 20, $20, 80%, 160k, 1.5M, or a time such as 90s, 10m, 2h, 1d.")
    return float(re.sub("[_,]", "", match[1])) * _UNITS.get(match[2] or "", 1)


def written(rule: Mapping[str, Any], unit: str) -> str:
    """A rule of the wire as people write it, with its threshold in the unit of its metric."""
    bound = amount(unit, rule["threshold"])
    period = "" if rule["period"] == "total" else f" per {rule['period']}"
    scope = "" if rule["scope"] == "all" else f" per {rule['scope']}"
    total = " in total" if not period and not scope else ""
    return f"{rule['metric']} {rule['operator']} {bound}{period}{scope}{total}"
