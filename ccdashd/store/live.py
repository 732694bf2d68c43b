"""What goes on right now: sessions that are being written, the one at a place, and how full its context is."""

from __future__ import annotations

from typing import NamedTuple

import sqlalchemy as sa

from ccdashd.sources.claude_assistant import SYNTHETIC
from ccdashd.store.connection import raw_connection
from ccdashd.store.filters import Filter
from ccdashd.store.linked import linked
from ccdashd.store.schema import features, projects, sessions
from ccdashd.store.session_rows import ACTIVE_MS

# A main session is live while it or a sub-agent of it is written.
_LIVE = f"""
WITH recent AS (
    SELECT CASE WHEN agent_id IS NULL THEN id ELSE parent_id END AS main, MAX(ended_at) AS last
    FROM sessions WHERE ended_at > :now - {ACTIVE_MS} AND NOT source_gone GROUP BY 1
)
SELECT s.id, s.project_id, s.cwd FROM recent JOIN sessions s ON s.id = recent.main
WHERE NOT s.source_gone AND {{where}} ORDER BY recent.last DESC, s.id DESC
"""
# Of each log of the session the last message of the main thread that went to a model; several logs are rare.
_LAST_MESSAGE = """
SELECT m.model, m.input + m.cache_read + MAX(m.cache_write, m.cache_write_5m + m.cache_write_1h)
FROM sync_state f JOIN session_messages m ON m.file_id = f.id AND m.n = (
    SELECT n FROM session_messages
    WHERE file_id = f.id AND NOT sidechain AND NOT mirror AND model <> ? ORDER BY n DESC LIMIT 1)
WHERE f.session_id = ? ORDER BY m.time DESC, f.id DESC LIMIT 1
"""
_FIRING = "SELECT COUNT(*) FROM alert_states WHERE state = 'firing'"


class Live(NamedTuple):
    """A main session that is being written."""

    id: str
    project_id: str
    cwd: str


class Context(NamedTuple):
    """What the last prompt of a session held."""

    model: str
    tokens: int


def live(connection: sa.Connection, now: int, filter: Filter) -> list[Live]:
    """The main sessions that are being written at `now`, in milliseconds since the epoch; the last written first."""
    where, parameters = filter.where_main()
    return [Live(*row) for row in raw_connection(connection).execute(_LIVE.format(where=where), {**parameters, "now": now})]


def at_place(candidates: list[Live], cwd: str, project_id: str | None) -> Live | None:
    """The one of these that works at `cwd`: in that folder, or else in the nearest above it, or else in the project."""

    def nearness(session: Live) -> int:
        if cwd == session.cwd or cwd.startswith(session.cwd.rstrip("/") + "/"):
            return len(session.cwd)
        return 0 if session.project_id == project_id else -1

    found = max(candidates, key=nearness, default=None)  # of several equal ones the first, which was written last
    return found if found is not None and nearness(found) >= 0 else None


def context(connection: sa.Connection, session_id: str) -> Context | None:
    """What the last prompt of a session's main thread held; None before its first answer."""
    row = raw_connection(connection).execute(_LAST_MESSAGE, (SYNTHETIC, session_id)).fetchone()
    return Context(*row) if row else None


def project_of(connection: sa.Connection, session_id: str) -> str:
    """The id of the project that a session belongs to."""
    return str(connection.execute(sa.select(sessions.c.project_id).where(sessions.c.id == session_id)).scalar_one())


def project_name(connection: sa.Connection, project_id: str) -> str:
    """What a project is called."""
    return str(connection.execute(sa.select(projects.c.name).where(projects.c.id == project_id)).scalar_one())


def feature_of(connection: sa.Connection, session_id: str) -> str | None:
    """The slug of the feature that a session is linked with the surest."""
    surest = next((link.id for link in linked(connection, "session", session_id) if link.type == "feature"), None)
    if surest is None:
        return None
    return connection.execute(sa.select(features.c.slug).where(features.c.id == surest)).scalar_one_or_none()


def firing(connection: sa.Connection) -> int:
    """How many alerts are firing."""
    (count,) = raw_connection(connection).execute(_FIRING).fetchone()
    return int(count)
