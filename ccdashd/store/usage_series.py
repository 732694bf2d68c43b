"""The use of models over time: sums by slot, and what a window of limits holds."""

from __future__ import annotations

import json
from typing import NamedTuple

import sqlalchemy as sa

from ccdashd.derive.measures import Measures
from ccdashd.derive.pricing import PICO_PER_MICRO
from ccdashd.store.connection import raw_connection
from ccdashd.store.filters import Filter

_USED = "SELECT DISTINCT slot FROM usage_slots WHERE slot >= ? ORDER BY slot"
_COSTS = "SELECT x.slot, SUM(x.cost_micro), SUM(x.cost_pico) FROM usage_slots x WHERE {where} GROUP BY 1 ORDER BY 1"
_SUMS = """SUM(x.messages), SUM(x.lower_bounds), SUM(x.reported), SUM(x.unpriced), SUM(x.input), SUM(x.output),
       SUM(x.cache_read), SUM(x.cache_write), SUM(x.cache_write_5m), SUM(x.cache_write_1h), SUM(x.cost_micro),
       SUM(x.cost_pico), json_group_array(DISTINCT x.model) FILTER (WHERE x.unpriced)"""
_BY_SLOT = f"SELECT x.slot, {_SUMS} FROM usage_slots x WHERE {{where}} GROUP BY 1 ORDER BY 1"
# A sub-agent's use is that of its main session; what belongs to no session is one of its own.
_PARTS = f"""
SELECT x.slot, x.model, CASE WHEN s.agent_id IS NULL THEN s.id ELSE COALESCE(s.parent_id, s.id) END, {_SUMS}
FROM usage_slots x JOIN sync_state f ON f.id = x.file_id LEFT JOIN sessions s ON s.id = f.session_id
WHERE {{where}} GROUP BY 1, 2, 3 ORDER BY 1
"""


class Part(NamedTuple):
    """What a session with its sub-agents used of a model in a slot."""

    slot: int
    model: str
    session_id: str | None
    measures: Measures


def used(connection: sa.Connection, since: int = 0) -> list[int]:
    """The slots, from one on, in which anything was used, of whatever part of the work; they ascend."""
    return [slot for (slot,) in raw_connection(connection).execute(_USED, (since,))]


def costs(connection: sa.Connection, filter: Filter) -> list[tuple[int, int]]:
    """What each slot cost, in picodollars; they ascend."""
    where, parameters = filter.where(usage=True)
    rows = raw_connection(connection).execute(_COSTS.format(where=where), parameters)
    return [(slot, micro * PICO_PER_MICRO + pico) for slot, micro, pico in rows]


def by_slot(connection: sa.Connection, filter: Filter) -> list[tuple[int, Measures]]:
    """What was used in each slot: tokens by kind and cost; they ascend."""
    where, parameters = filter.where(usage=True)
    rows = raw_connection(connection).execute(_BY_SLOT.format(where=where), parameters)
    return [(slot, _measures(*sums)) for slot, *sums in rows]


def parts(connection: sa.Connection, filter: Filter) -> list[Part]:
    """The same by model and session; slots ascend."""
    where, parameters = filter.where(usage=True)
    rows = raw_connection(connection).execute(_PARTS.format(where=where), parameters)
    return [Part(slot, model, session_id, _measures(*sums)) for slot, model, session_id, *sums in rows]


def _measures(
    messages: int,
    lower_bounds: int,
    reported: int,
    unpriced: int,
    fresh: int,
    output: int,
    read: int,
    write: int,
    five: int,
    hour: int,
    micro: int,
    pico: int,
    unpriced_models: str,
) -> Measures:
    return Measures(
        messages=messages,
        lower_bounds=lower_bounds,
        reported=reported,
        unpriced=unpriced,
        input=fresh,
        output=output,
        cache_read=read,
        cache_write=write,
        cache_write_5m=five,
        cache_write_1h=hour,
        cost=micro * PICO_PER_MICRO + pico,
        unpriced_models=frozenset(json.loads(unpriced_models)) if unpriced else frozenset(),
    )
