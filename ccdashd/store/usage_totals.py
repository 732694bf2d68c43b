"""The use of models as a whole, by all that the overview lists, in few queries."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from heapq import nsmallest
from itertools import groupby
from operator import itemgetter
from typing import Any, Final

import sqlalchemy as sa

from ccdashd.derive.measures import Measures
from ccdashd.derive.pricing import PICO_PER_MICRO
from ccdashd.store.connection import raw_connection
from ccdashd.store.filters import Filter
from ccdashd.store.sums import MAIN, OWNERS

_COST: Final = ("messages", "lower_bounds", "reported", "unpriced", "cost_micro", "cost_pico")
_TOKENS: Final = ("input", "output", "cache_read", "cache_write")
# In the order of an index by project and main session, so that nothing is sorted.
_BY_OWNER = f"""
SELECT s.project_id, {MAIN}, {", ".join(f"SUM(x.{name})" for name in _COST)}
FROM sessions s INDEXED BY sessions_work CROSS JOIN sync_state f ON f.session_id = s.id
     CROSS JOIN usage_slots x ON x.file_id = f.id
WHERE {{where}} GROUP BY 1, 2
"""
_BY_MODEL = f"""
SELECT x.model, {", ".join(f"SUM(x.{name})" for name in (*_COST, *_TOKENS))} FROM usage_slots x WHERE {{where}} GROUP BY 1
"""
_UNPRICED = f"""
SELECT COALESCE(s.project_id, ''), {MAIN}, x.model FROM usage_slots x {OWNERS}
WHERE x.unpriced AND {{where}} GROUP BY 1, 2, 3
"""

_Sums = Sequence[int]
"""In the order of `_COST`, and of `_TOKENS` where they are asked for."""


class Totals:
    """What was used, by project, main session and model."""

    def __init__(self, connection: sa.Connection, filter: Filter) -> None:
        self._raw = raw_connection(connection)
        self._where, self._parameters = filter.where(usage=True)
        self._models: dict[str, _Sums] = {model: sums for model, *sums in self._rows(_BY_MODEL)}
        self._whole = _plus(self._models.values())
        by_owner = self._rows(_BY_OWNER)
        self._projects = {id: _plus(row[2:] for row in rows) for id, rows in groupby(by_owner, itemgetter(0))}
        self._sessions: dict[str, list[_Sums]] = {}
        for _, id, *sums in by_owner:
            self._sessions.setdefault(id, []).append(sums)
        known = _plus(self._projects.values())
        rest = [self._whole[place] - known[place] for place in range(len(_COST))]
        if any(rest):  # some logs belong to no session
            self._projects[""] = rest
        self._unpriced = self._rows(_UNPRICED) if self._whole[_COST.index("unpriced")] else []

    @property
    def whole(self) -> Measures:
        """All of it, with tokens."""
        return _measures(self._whole, {row[2] for row in self._unpriced})

    def models(self) -> dict[str, Measures]:
        """By model, with tokens."""
        unpriced = {row[2] for row in self._unpriced}
        return {model: _measures(sums, unpriced & {model}) for model, sums in self._models.items()}

    def projects(self) -> dict[str, Measures]:
        """What each project cost, by id; empty where there is none."""
        return {id: _measures(sums, self._without_price(0, id)) for id, sums in self._projects.items()}

    def top_sessions(self, number: int) -> dict[str, Measures]:
        """What the main sessions cost that cost the most, the dearest first."""
        costs = {id: sum(map(_cost, parts)) for id, parts in self._sessions.items()}
        top = nsmallest(number, costs, key=lambda id: (-costs[id], id))
        return {id: _measures(_plus(self._sessions[id]), self._without_price(1, id)) for id in top}

    def _rows(self, statement: str) -> list[tuple[Any, ...]]:
        return self._raw.execute(statement.format(where=self._where), self._parameters).fetchall()

    def _without_price(self, column: int, key: str) -> set[str]:
        return {row[2] for row in self._unpriced if row[column] == key}


def _plus(parts: Iterable[_Sums]) -> _Sums:
    return [sum(column) for column in zip(*parts, strict=True)] or [0] * len((*_COST, *_TOKENS))


def _cost(sums: _Sums) -> int:
    return sums[4] * PICO_PER_MICRO + sums[5]


def _measures(sums: _Sums, unpriced_models: set[str]) -> Measures:
    known: dict[str, Any] = dict(zip((*_COST, *_TOKENS), sums, strict=False))
    for part in ("cost_micro", "cost_pico"):
        del known[part]
    return Measures(cost=_cost(sums), unpriced_models=frozenset(unpriced_models), **known)
