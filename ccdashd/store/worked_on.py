"""Which main sessions are linked with entities of a planning file, and what they cost; all of a file at once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

import sqlalchemy as sa

from ccdashd.derive.pricing import Spent, total
from ccdashd.protocol import types as t
from ccdashd.store.connection import raw_connection, select
from ccdashd.store.costs import spent, wire
from ccdashd.store.entities import Key
from ccdashd.store.schema import sessions
from ccdashd.store.session_rows import ROW, now, rows_of
from ccdashd.store.session_rows import wire as session_row

_FOUND = """
SELECT l.target_id, l.source_id, MAX(l.confidence)
FROM entity_links l JOIN sessions s ON s.id = l.source_id AND s.agent_id IS NULL
WHERE l.source_type = 'session' AND l.target_type = ? AND l.target_id IN ({})
  AND NOT EXISTS (SELECT 1 FROM user_links u WHERE u.id = l.id AND u.state = 'dismissed')
GROUP BY l.target_id, l.source_id
"""
_MADE = """
SELECT u.target_id, u.source_id FROM user_links u JOIN sessions s ON s.id = u.source_id AND s.agent_id IS NULL
WHERE u.state = 'made' AND u.source_type = 'session' AND u.target_type = ? AND u.target_id IN ({})
"""
_MADE_REVERSED = """
SELECT u.source_id, u.target_id FROM user_links u JOIN sessions s ON s.id = u.target_id AND s.agent_id IS NULL
WHERE u.state = 'made' AND u.target_type = 'session' AND u.source_type = ? AND u.source_id IN ({})
"""


class Work(NamedTuple):
    """Ids of the sessions that are linked with an entity, the surest first, and what they cost with their sub-agents."""

    sessions: list[str]
    cost: t.Cost | None


NO_WORK = Work([], None)


def worked_on(connection: sa.Connection, keys: Iterable[Key]) -> dict[Key, Work]:
    """The work on each of these entities that has any. A session that worked on several counts whole for each."""
    by_type: dict[t.EntityType, list[str]] = {}
    for type_, id in keys:
        by_type.setdefault(type_, []).append(id)
    linked: dict[Key, dict[str, float]] = {}
    for type_, ids in by_type.items():
        for id, session, confidence in select(connection, _FOUND, ids, type_):
            linked.setdefault((type_, id), {})[session] = confidence
        for query in (_MADE, _MADE_REVERSED) if _has_made(connection) else ():
            for id, session in select(connection, query, ids, type_):
                linked.setdefault((type_, id), {})[session] = 1.0
    costs = spent(connection, {session for found in linked.values() for session in found}, with_subagents=True)
    return {key: _work(found, costs) for key, found in linked.items()}


def _has_made(connection: sa.Connection) -> bool:
    return raw_connection(connection).execute("SELECT 1 FROM user_links LIMIT 1").fetchone() is not None


def _work(found: dict[str, float], costs: dict[str, Spent]) -> Work:
    surest = sorted(found, key=lambda session: (-found[session], session))
    known = [costs[session] for session in surest if session in costs]
    return Work(surest, wire(total(known)) if known else None)


def lately(connection: sa.Connection, project_id: str, limit: int, without: Collection[str] = ()) -> list[t.SessionRow]:
    """The main sessions of a project that were written last, but for some."""
    table = sessions.c
    query = ROW.where(table.project_id == project_id, table.agent_id.is_(None), ~table.empty, table.id.not_in(without))
    moment = now()
    rows = connection.execute(query.order_by(table.ended_at.desc(), table.id).limit(limit))
    return [session_row(row, moment) for row in rows]


def sessions_of(connection: sa.Connection, ids: Sequence[str]) -> list[t.SessionRow]:
    """Sessions as lists show them, in this order."""
    rows = rows_of(connection, ids) if ids else {}
    return [rows[id] for id in ids if id in rows]


def known_sessions(connection: sa.Connection, ids: Iterable[str]) -> set[str]:
    """Those of these ids that are sessions."""
    return {id for (id,) in select(connection, "SELECT id FROM sessions WHERE id IN ({})", ids)}
