"""The sessions that are linked with a feature, and what they used."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

import sqlalchemy as sa

from ccdashd.derive.pricing import total
from ccdashd.protocol import types as t
from ccdashd.store.costs import spent, wire
from ccdashd.store.figures import OWN
from ccdashd.store.linked import linked
from ccdashd.store.schema import sessions
from ccdashd.store.session_rows import rows_of, tokens

SHOWN = 100
"""Linked sessions that a feature shows."""

_table = sessions.c


class Work(NamedTuple):
    """Sessions linked with a feature, the surest first, and what all of them, whether shown or not, used."""

    sessions: list[t.LinkedSession]
    total: int
    tokens: t.Tokens
    cost: t.Cost | None
    seconds: float


def work_of(connection: sa.Connection, feature_id: str) -> Work:
    """The work on a feature: its main sessions, each with its sub-agents."""
    links = [link for link in linked(connection, "feature", feature_id) if link.type == "session"]
    seconds = _seconds(connection, [link.id for link in links])
    links = [link for link in links if link.id in seconds]
    shown = links[:SHOWN]
    used = _used(connection, seconds)
    costs = spent(connection, seconds, with_subagents=True)
    rows = rows_of(connection, [link.id for link in shown])
    return Work(
        sessions=[
            t.LinkedSession(
                session=rows[link.id],
                confidence=link.confidence,
                signals=list(link.signals),
                tokens=tokens(used[link.id]),
                cost=wire(costs[link.id]) if link.id in costs else None,
            )
            for link in shown
        ],
        total=len(links),
        tokens=tokens([sum(numbers) for numbers in zip([0] * len(OWN), *used.values(), strict=True)]),
        cost=wire(total(costs.values())) if costs else None,
        seconds=sum(seconds.values(), 0.0),
    )


def _seconds(connection: sa.Connection, ids: Sequence[str]) -> dict[str, float]:
    """How long each of these took that is a main session."""
    query = sa.select(_table.id, _table.started_at, _table.ended_at).where(_table.id.in_(ids), _table.agent_id.is_(None))
    return {
        id: (ended_at - started_at) / 1000 if started_at is not None else 0.0
        for id, started_at, ended_at in connection.execute(query)
    }


def _used(connection: sa.Connection, mains: Collection[str]) -> dict[str, list[int]]:
    """Tokens of main sessions with their sub-agents, of those messages that no other session owns."""
    used = {id: [0] * len(OWN) for id in mains}
    query = sa.select(_table.id, _table.parent_id, *(_table[name] for name in OWN))
    query = query.where(_table.id.in_(mains) | (_table.parent_id.in_(mains) & _table.agent_id.is_not(None)))
    for id, parent_id, *figures in connection.execute(query):
        main = id if id in used else parent_id
        used[main] = [sum(pair) for pair in zip(used[main], figures, strict=True)]
    return used
