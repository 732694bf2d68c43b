"""What was worked on lately: main sessions, by themselves or by sub-agents, and features."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from ccdashd.store.connection import raw_connection, select

_SESSIONS = """
SELECT DISTINCT s.id, s.project_id
FROM sessions r JOIN sessions s ON s.id = CASE WHEN r.agent_id IS NULL THEN r.id ELSE r.parent_id END
WHERE r.ended_at >= ?
"""
_MAINS = "SELECT CASE WHEN agent_id IS NULL THEN id ELSE parent_id END FROM sessions WHERE id IN ({})"
_LINKED = """
SELECT target_id FROM entity_links WHERE target_type = 'feature' AND source_type = 'session' AND source_id IN ({})
"""
_MADE = """
SELECT CASE WHEN source_type = 'feature' THEN source_id ELSE target_id END FROM user_links
WHERE state = 'made' AND (source_type = 'feature' AND target_type = 'session' AND target_id = ?1
                          OR target_type = 'feature' AND source_type = 'session' AND source_id = ?1)
"""


def sessions(connection: sa.Connection, since: int) -> dict[str, str]:
    """The main sessions that were written since a time in milliseconds since the epoch, and their projects."""
    return dict(raw_connection(connection).execute(_SESSIONS, (since,)).fetchall())


def mains(connection: sa.Connection, ids: Iterable[str]) -> set[str]:
    """The main sessions of these sessions and sub-agents."""
    return {main for (main,) in select(connection, _MAINS, ids)}


def features(connection: sa.Connection, since: int) -> set[str]:
    """The features whose planning files were written since that time."""
    return {id for (id,) in raw_connection(connection).execute("SELECT id FROM features WHERE modified_at >= ?", (since,))}


def features_of(connection: sa.Connection, session_ids: Iterable[str]) -> set[str]:
    """The features that one of these main sessions is linked with."""
    raw, ids = raw_connection(connection), list(session_ids)
    found = {id for (id,) in select(connection, _LINKED, ids)}
    return found | {id for session in ids for (id,) in raw.execute(_MADE, (session,))}


def projects_of(connection: sa.Connection, feature_ids: Iterable[str]) -> set[str]:
    """The projects of these features."""
    return {id for (id,) in select(connection, "SELECT project_id FROM features WHERE id IN ({})", feature_ids)}


def existing(connection: sa.Connection, table: str, ids: Iterable[str]) -> set[str]:
    """Those of these ids that there are in `table`: ``sessions``, ``projects`` or ``features``."""
    assert table in ("sessions", "projects", "features")
    return {id for (id,) in select(connection, f"SELECT id FROM {table} WHERE id IN ({{}})", ids)}
