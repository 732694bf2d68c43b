"""What sessions cost: sums over the roll-ups of their logs, in which each message is once, at the prices of its day."""

from __future__ import annotations

import json
from collections.abc import Iterable

import sqlalchemy as sa

from ccdashd.derive.pricing import Spent, summed, total
from ccdashd.protocol import types as t
from ccdashd.store.connection import raw_connection

_MEMBERS = """
SELECT j.value, s.id FROM json_each(?) j JOIN sessions s ON s.parent_id = j.value AND s.agent_id IS NOT NULL
"""
_SUMS = """
SELECT f.session_id, u.mirror, u.model, SUM(u.messages), SUM(u.lower_bounds), SUM(u.reported), SUM(u.unpriced),
       SUM(u.cost_micro), SUM(u.cost_pico)
FROM json_each(?) j CROSS JOIN sync_state f ON f.session_id = j.value CROSS JOIN usage_slots u ON u.file_id = f.id
GROUP BY f.session_id, u.mirror, u.model
"""


def session_costs(connection: sa.Connection, ids: Iterable[str], *, with_subagents: bool) -> dict[str, t.Cost]:
    """What each of these sessions cost, of those whose logs tell any usage. Messages that another session's log stands
    for, such as those before a fork, cost there."""
    return {id: wire(cost) for id, cost in spent(connection, ids, with_subagents=with_subagents).items()}


def spent(connection: sa.Connection, ids: Iterable[str], *, with_subagents: bool) -> dict[str, Spent]:
    """The same as `session_costs` before it is rounded, to add up."""
    members = _members(connection, ids) if with_subagents else {id: [id] for id in ids}
    parts = _spent(connection, {id for group in members.values() for id in group}, mirrored=with_subagents)
    each = {main: [part for id in group for part in parts.get(id, ())] for main, group in members.items()}
    return {main: total(costs) for main, costs in each.items() if costs}


def _spent(connection: sa.Connection, ids: Iterable[str], *, mirrored: bool) -> dict[str, list[Spent]]:
    """What each session cost, by model; `mirrored`: also what only copies in its log tell of its sub-agents."""
    found: dict[str, list[Spent]] = {}
    for id, mirror, model, *sums in raw_connection(connection).execute(_SUMS, (json.dumps(list(ids)),)):
        if mirrored or not mirror:
            found.setdefault(id, []).append(summed(model, *sums))
    return found


def wire(spent: Spent) -> t.Cost:
    """A cost as the wire has it."""
    return t.Cost(usd=spent.usd, provenance=spent.provenance, unpriced_models=sorted(spent.unpriced))


def _members(connection: sa.Connection, ids: Iterable[str]) -> dict[str, list[str]]:
    """Each session with its sub-agents."""
    members = {id: [id] for id in ids}
    for id, subagent in raw_connection(connection).execute(_MEMBERS, (json.dumps(list(members)),)):
        members[id].append(subagent)
    return members
