"""What sessions cost: the messages of their logs, each once, at the prices of the day.

Nothing of it is stored, so other prices need no logs read again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import sqlalchemy as sa

from ccdashd.derive.pricing import LATEST, Prices, Spent, Usage, charge, total
from ccdashd.protocol import types as t
from ccdashd.store.connection import raw_connection

_KEPT = 5_000
"""Sessions whose costs are remembered, at most: some 5 MB."""

_MEMBERS = """
SELECT j.value, s.id FROM json_each(?) j JOIN sessions s ON s.parent_id = j.value AND s.agent_id IS NOT NULL
"""
# A message's row changes where its log was read, which sync_state tells, or where another log's copy began or ceased to
# stand for it, which the session's sums tell: its own, and those of mirrors in its details.
_STATES = """
SELECT s.id, s.details, s.own_in, s.own_out, s.own_cache_read, s.own_cache_write, s.own_cache_write_5m,
       s.own_cache_write_1h, f.id, f.parsed_to, f.guard, f.parser
FROM json_each(?) j JOIN sessions s ON s.id = j.value JOIN sync_state f ON f.session_id = s.id
ORDER BY s.id, f.id
"""
_TOKENS = """m.input AS input, m.output AS output, m.cache_read AS read,
             MAX(m.cache_write - m.cache_write_1h, m.cache_write_5m) AS five, m.cache_write_1h AS hour"""
_COUNTED = f"""
SELECT f.session_id AS session_id, m.model AS model, m.mirror AS mirror, m.lower_bound AS lower_bound,
       COALESCE(m.time, {LATEST}) AS time, {_TOKENS}
FROM json_each(?) j CROSS JOIN sync_state f ON f.session_id = j.value
     CROSS JOIN session_messages m ON m.file_id = f.id AND m.counted
"""
_SUMS = f"""
SELECT session_id, model, mirror, MAX(lower_bound), SUM(input), SUM(output), SUM(read), SUM(five), SUM(hour), MIN(time),
       MAX(time), MIN(input + read + five + hour), MAX(input + read + five + hour)
FROM ({_COUNTED}) GROUP BY session_id, model, mirror
"""
_MESSAGES = f"""
SELECT lower_bound, time, input, output, read, five, hour FROM ({_COUNTED}) WHERE model = ? AND mirror = ?
"""


class _Known(NamedTuple):
    """What a session cost, as of a state of its rows."""

    state: tuple[object, ...]
    own: Spent | None
    mirrored: Spent | None
    """What sub-agents cost whose own logs are gone, from the copies in the session's log."""


class Costs:
    """Prices the messages in the cache. Safe to use from several threads."""

    def __init__(self, prices: Prices) -> None:
        self._prices = prices
        self._known: dict[str, _Known] = {}

    def session_costs(self, connection: sa.Connection, ids: Iterable[str], *, with_subagents: bool) -> dict[str, t.Cost]:
        """What each of these sessions cost, of those whose logs tell any usage. Messages that another session's log stands
        for, such as those before a fork, cost there."""
        return {id: wire(spent) for id, spent in self.spent(connection, ids, with_subagents=with_subagents).items()}

    def total_cost(self, connection: sa.Connection, ids: Iterable[str], *, with_subagents: bool) -> t.Cost | None:
        """What these sessions cost together, each message once; None where no usage is known."""
        members = _members(connection, ids) if with_subagents else {id: [id] for id in ids}
        sessions = {id for group in members.values() for id in group}
        parts = self._spent(connection, {id: [id] for id in sessions}, mirrored=with_subagents)
        return wire(total(parts.values())) if parts else None

    def spent(self, connection: sa.Connection, ids: Iterable[str], *, with_subagents: bool) -> dict[str, Spent]:
        """The same as `session_costs` before it is rounded, to add up."""
        members = _members(connection, ids) if with_subagents else {id: [id] for id in ids}
        return self._spent(connection, members, mirrored=with_subagents)

    def _spent(self, connection: sa.Connection, groups: Mapping[str, list[str]], *, mirrored: bool) -> dict[str, Spent]:
        known = self._update(connection, {id for group in groups.values() for id in group})
        spent: dict[str, Spent] = {}
        for main, group in groups.items():
            costs = [known[id] for id in group if id in known]
            parts = [cost.own for cost in costs] + [cost.mirrored for cost in costs if mirrored]
            if used := [part for part in parts if part is not None]:
                spent[main] = total(used)
        return spent

    def _update(self, connection: sa.Connection, ids: Iterable[str]) -> dict[str, _Known]:
        """What each session cost, from what is remembered where that is still so."""
        states: dict[str, tuple[object, ...]] = {}
        for id, details, *state in raw_connection(connection).execute(_STATES, (json.dumps(list(ids)),)):
            states[id] = (*states.get(id, ()), hash(details), *state)
        known = {id: found for id in states if (found := self._known.get(id)) is not None and found.state == states[id]}
        stale = states.keys() - known.keys()
        if stale:
            known |= self._read(connection, {id: states[id] for id in stale})
            if len(self._known) + len(stale) > _KEPT:
                self._known = {}
            self._known |= {id: known[id] for id in stale}
        return known

    def _read(self, connection: sa.Connection, states: Mapping[str, tuple[object, ...]]) -> dict[str, _Known]:
        own: dict[str, list[Spent]] = {}
        mirrored: dict[str, list[Spent]] = {}
        for id, model, mirror, *figures in (
            raw_connection(connection).execute(_SUMS, (json.dumps(list(states)),)).fetchall()
        ):
            lower_bound, *tokens, first, last, smallest, largest = figures
            rates = self._prices.tariff(model).rates((first, last), (smallest, largest))
            if rates is not None and len(rates) == 1:
                spent = charge(model, rates.pop(), Usage(*tokens), lower_bound=bool(lower_bound))
            else:
                spent = self._each(connection, id, model, mirror)
            (mirrored if mirror else own).setdefault(id, []).append(spent)
        return {
            id: _Known(state, total(own[id]) if id in own else None, total(mirrored[id]) if id in mirrored else None)
            for id, state in states.items()
        }

    def _each(self, connection: sa.Connection, id: str, model: str, mirror: int) -> Spent:
        rows = raw_connection(connection).execute(_MESSAGES, (json.dumps([id]), model, mirror))
        return total(
            self._prices.message(model, time, Usage(*tokens), lower_bound=bool(lower_bound))
            for lower_bound, time, *tokens in rows
        )


def wire(spent: Spent) -> t.Cost:
    """A cost as the wire has it."""
    return t.Cost(usd=spent.usd, provenance=spent.provenance, unpriced_models=sorted(spent.unpriced))


def _members(connection: sa.Connection, ids: Iterable[str]) -> dict[str, list[str]]:
    """Each session with its sub-agents."""
    members = {id: [id] for id in ids}
    for id, subagent in raw_connection(connection).execute(_MEMBERS, (json.dumps(list(members)),)):
        members[id].append(subagent)
    return members
