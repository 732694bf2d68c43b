"""The use of models over time: sums by slot, and what a window of limits holds."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate, pairwise
from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from ccdashd.derive.measures import Measures
from ccdashd.derive.periods import Range
from ccdashd.derive.pricing import PICO_PER_MICRO
from ccdashd.derive.windows import Span
from ccdashd.store.connection import raw_connection
from ccdashd.store.filters import Filter
from ccdashd.store.sums import MAIN, OWNERS

_COLUMNS: Final = (
    "messages",
    "lower_bounds",
    "reported",
    "unpriced",
    "input",
    "output",
    "cache_read",
    "cache_write",
    "cache_write_5m",
    "cache_write_1h",
    "cost_micro",
    "cost_pico",
)
_USED = "SELECT DISTINCT slot FROM usage_slots WHERE slot >= ? ORDER BY slot"
_FIRST = "SELECT MIN(x.slot) FROM usage_slots x WHERE x.slot >= 0 AND {where}"
_SUMS = ", ".join(f"SUM(x.{name})" for name in _COLUMNS)
_UNPRICED = "json_group_array(DISTINCT x.model) FILTER (WHERE x.unpriced)"
_WITHIN = """json_each(:spans) w CROSS JOIN usage_slots x INDEXED BY usage_slots_slot
     ON x.slot >= MAX(json_extract(w.value, '$[0]'), 0) AND x.slot < json_extract(w.value, '$[1]')"""
_SPENT = f"SELECT w.key, SUM(x.cost_micro), SUM(x.cost_pico) FROM {_WITHIN} WHERE {{where}} GROUP BY 1"
_PIECES = f"SELECT w.key, {_UNPRICED}, {_SUMS} FROM {_WITHIN} WHERE {{where}} GROUP BY 1"
_UNDATED = f"SELECT {_UNPRICED}, {_SUMS} FROM usage_slots x WHERE x.slot < 0 AND {{where}} HAVING COUNT(*)"
# A sub-agent's use is that of its main session.
_SPANS = f"""
SELECT w.key, MIN(x.slot), MAX(x.slot), COUNT(DISTINCT {MAIN}), json_group_array(DISTINCT x.model), {_UNPRICED}, {_SUMS}
FROM {_WITHIN} {OWNERS} WHERE {{where}} GROUP BY 1
"""


class Held(NamedTuple):
    """What was used in a span of time, and by whom."""

    first: int
    """The first slot with use."""
    last: int
    sessions: int
    """Main sessions that used something, themselves or by a sub-agent."""
    models: list[str]
    measures: Measures


def used(connection: sa.Connection, since: int = 0) -> list[int]:
    """The slots, from one on, in which anything was used, of whatever part of the work; they ascend."""
    return [slot for (slot,) in raw_connection(connection).execute(_USED, (since,))]


def first(connection: sa.Connection, filter: Filter) -> int | None:
    """The first slot in which anything was used; None where nothing was."""
    where, parameters = filter.where(usage=True)
    slot: int | None = raw_connection(connection).execute(_FIRST.format(where=where), parameters).fetchone()[0]
    return slot


def spent(connection: sa.Connection, filter: Filter, spans: Sequence[Span]) -> dict[Span, int]:
    """What each span cost, in picodollars; those without use are left out."""
    where, parameters = filter.where(usage=True)
    rows = raw_connection(connection).execute(_SPENT.format(where=where), {**parameters, "spans": json.dumps(spans)})
    return {spans[place]: micro * PICO_PER_MICRO + pico for place, micro, pico in rows}


class Series:
    """What was used in times that overlap, each slot of which was added up once."""

    def __init__(self, cuts: Sequence[int], pieces: Mapping[int, tuple[frozenset[str], Sequence[int]]]) -> None:
        """`pieces` by place: the models without a price, and the sums in the order of `_COLUMNS`, of what lies between a
        cut and the next one."""
        self._places = {cut: place for place, cut in enumerate(cuts)}
        nothing = (frozenset[str](), (0,) * len(_COLUMNS))
        listed = [pieces.get(place, nothing) for place in range(len(cuts))]
        self._models = [models for models, _ in listed]
        self._until = [[0, *accumulate(column)] for column in zip(*(sums for _, sums in listed), strict=True)]

    def during(self, range: Range) -> Measures:
        """What was used in a time that begins and ends at cuts."""
        begin, stop = (self._places[slot or 0] for slot in range.slots)
        models = frozenset[str]().union(*self._models[begin:stop])
        return _measures(models, [until[stop] - until[begin] for until in self._until])


def series(connection: sa.Connection, filter: Filter, ranges: Iterable[Range]) -> Series:
    """What was used in these times, which are closed: tokens by kind and cost."""
    cuts = sorted({slot or 0 for range in ranges for slot in range.slots})
    where, parameters = filter.where(usage=True)
    rows = raw_connection(connection).execute(
        _PIECES.format(where=where), {**parameters, "spans": json.dumps(list(pairwise(cuts)))}
    )
    return Series(cuts, {place: (_names(unpriced), sums) for place, unpriced, *sums in rows})


def undated(connection: sa.Connection, filter: Filter) -> Measures | None:
    """What was used nobody knows when; None where there is none of it."""
    where, parameters = filter.where(usage=True)
    row = raw_connection(connection).execute(_UNDATED.format(where=where), parameters).fetchone()
    return None if row is None else _measures(_names(row[0]), row[1:])


def held(connection: sa.Connection, filter: Filter, spans: Sequence[Span]) -> dict[Span, Held]:
    """What each span holds; those without use are left out."""
    where, parameters = filter.where(usage=True)
    statement = _SPANS.format(where=where)
    found = {}
    for key, first, last, sessions, models, unpriced, *sums in raw_connection(connection).execute(
        statement, {**parameters, "spans": json.dumps(spans)}
    ):
        measures = _measures(_names(unpriced), sums)
        found[spans[key]] = Held(first, last, sessions, sorted(json.loads(models)), measures)
    return found


def _names(array: str) -> frozenset[str]:
    return frozenset(json.loads(array)) if len(array) > len("[]") else frozenset()


def _measures(unpriced_models: frozenset[str], sums: Sequence[int]) -> Measures:
    found: dict[str, Any] = dict(zip(_COLUMNS, sums, strict=True))
    cost = found.pop("cost_micro") * PICO_PER_MICRO + found.pop("cost_pico")
    return Measures(cost=cost, unpriced_models=unpriced_models, **found)
