"""Links as clients ask for them: found and made by hand, in lists, trees and circles of what is related."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import sqlalchemy as sa

from ccdashd.store.connection import raw_connection
from ccdashd.store.planning import select

# --- how many sessions a feature has ---

_FOUND = """
SELECT l.target_id, l.source_id FROM entity_links l JOIN sessions s ON s.id = l.source_id AND s.agent_id IS NULL
WHERE l.target_type = 'feature' AND l.target_id IN ({}) AND l.source_type = 'session'
  AND NOT EXISTS (SELECT 1 FROM user_links u WHERE u.id = l.id AND u.state = 'dismissed')
"""
_MADE = """
SELECT u.target_id, u.source_id FROM user_links u JOIN sessions s ON s.id = u.source_id AND s.agent_id IS NULL
WHERE u.target_type = 'feature' AND u.target_id IN ({}) AND u.source_type = 'session' AND u.state = 'made'
"""
_MADE_REVERSED = """
SELECT u.source_id, u.target_id FROM user_links u JOIN sessions s ON s.id = u.target_id AND s.agent_id IS NULL
WHERE u.source_type = 'feature' AND u.source_id IN ({}) AND u.target_type = 'session' AND u.state = 'made'
"""


def recount(connection: sa.Connection, feature_ids: Collection[str]) -> set[str]:
    """Write how many main sessions these features are linked with; returns those whose number is another than before."""
    linked: dict[str, set[str]] = {id: set() for id in feature_ids}
    for query in (_FOUND, _MADE, _MADE_REVERSED):
        for feature_id, session_id in select(connection, query, feature_ids):
            linked[feature_id].add(session_id)
    stored: dict[str, int] = dict(select(connection, "SELECT id, sessions FROM features WHERE id IN ({})", feature_ids))
    other = {id: len(linked[id]) for id, number in stored.items() if number != len(linked[id])}
    rows = [(number, id) for id, number in other.items()]
    raw_connection(connection).executemany("UPDATE features SET sessions = ? WHERE id = ?", rows)
    return set(other)


def linked_by_hand(connection: sa.Connection, session_ids: Iterable[str]) -> set[str]:
    """Features that the user linked with any of these sessions."""
    if raw_connection(connection).execute("SELECT 1 FROM user_links LIMIT 1").fetchone() is None:
        return set()
    out = "SELECT target_id FROM user_links WHERE source_type = 'session' AND source_id IN ({}) AND target_type = 'feature'"
    back = (
        "SELECT source_id FROM user_links WHERE target_type = 'session' AND target_id IN ({}) AND source_type = 'feature'"
    )
    wanted = list(session_ids)
    return {id for query in (out, back) for (id,) in select(connection, query, wanted)}
