"""What a metric is: how its value follows from `Measures`, and what it can be told by. Pure.

Every metric is a function of measures that add up, so the value of a whole follows from the measures of its parts, even
where the values themselves, such as shares and means, do not add up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Literal

from ccdashd.derive.measures import Measures
from ccdashd.errors import InvalidParams
from ccdashd.protocol import types as t

Source = Literal["usage", "tools", "activity", "minutes", "sessions", "files", "plans"]
"""Where the measures of a metric come from."""

Value = float | int | None

TIMES: Final[tuple[t.Dimension, ...]] = ("hour", "day", "week", "month")
_WORK: Final[tuple[t.Dimension, ...]] = (*TIMES, "project", "agent", "branch", "session", "feature", "task")
_OWN: Final[tuple[t.Dimension, ...]] = (*_WORK, "subagentType")
_DIMENSIONS: Final[dict[Source, tuple[t.Dimension, ...]]] = {
    "usage": (*_OWN, "model"),
    "tools": (*_OWN, "tool", "skill"),
    "activity": _OWN,
    "minutes": _WORK,
    "sessions": _WORK,
    "files": (*TIMES, "project", "agent", "branch", "session"),
    "plans": (*TIMES, "project", "feature"),
}


@dataclass(frozen=True)
class Metric:
    """One metric: what `analytics/metrics` tells of it, and its value."""

    id: str
    name: str
    unit: t.MetricUnit
    source: Source
    needs: tuple[str, ...]
    """Measures that `value` reads; of ``plans`` none."""
    value: Callable[[Measures], Value]
    """The value that follows from measures; None where there is nothing to divide by. Of ``plans`` always None: theirs is
    in `ccdashd.analytics.progress`."""
    description: str
    definition: str
    aggregation: t.Aggregation = "sum"
    kind: t.MetricKind = "counter"
    aliases: tuple[str, ...] = ()
    more: tuple[t.Dimension, ...] = ()
    """Dimensions beside those of its source."""

    @property
    def dimensions(self) -> tuple[t.Dimension, ...]:
        """What it can be broken down by."""
        return (*_DIMENSIONS[self.source], *self.more)

    @property
    def adds_up(self) -> bool:
        """Whether the values of parts add up to that of the whole."""
        return self.aggregation == "sum"

    def wire(self) -> t.Metric:
        """As `analytics/metrics` tells it."""
        return t.Metric(
            id=self.id,
            name=self.name,
            unit=self.unit,
            kind=self.kind,
            aggregation=self.aggregation,
            description=self.description,
            definition=self.definition,
            dimensions=list(self.dimensions),
            aliases=list(self.aliases),
        )


def hold(metrics: Iterable[Metric], dimension: t.Dimension, field: str) -> None:
    """Raises InvalidParams of `field` where one of these metrics cannot be told by `dimension`."""
    for metric in metrics:
        if dimension not in metric.dimensions:
            told = ", ".join(metric.dimensions)
            raise InvalidParams(field, f"{metric.id} cannot be told by {dimension}, only by {told}", dimension)


def needs(metrics: Iterable[Metric]) -> frozenset[str]:
    """The measures that the values of these metrics follow from."""
    return frozenset(measure for metric in metrics for measure in metric.needs)


def sum_of(measure: str) -> Callable[[Measures], Value]:
    """The value that is one measure."""

    def value(measures: Measures) -> Value:
        found: int = getattr(measures, measure)
        return found

    return value


def count(
    id: str,
    name: str,
    source: Source,
    measure: str,
    description: str,
    definition: str,
    *,
    unit: t.MetricUnit = "count",
    more: tuple[t.Dimension, ...] = (),
    aliases: tuple[str, ...] = (),
) -> Metric:
    """A metric that is one measure."""
    return Metric(id, name, unit, source, (measure,), sum_of(measure), description, definition, more=more, aliases=aliases)
