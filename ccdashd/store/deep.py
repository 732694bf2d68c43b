"""Which logs a deep search has to look at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

import sqlalchemy as sa

from ccdashd.derive.periods import bounds
from ccdashd.protocol import types as t
from ccdashd.store import logs, projects, sessions
from ccdashd.store.connection import raw_connection

_PICKED = """
SELECT f.id, f.path, f.size, f.state = 'gone', f.session_id FROM sync_state f LEFT JOIN sessions s ON s.id = f.session_id
WHERE {} ORDER BY COALESCE(s.ended_at, f.mtime_ns / 1000000) DESC, f.path
"""
_SHOWN = "(s.project_id IS NULL OR s.project_id NOT IN (SELECT id FROM projects WHERE hidden))"


@dataclass(frozen=True, slots=True)
class Log:
    """A log to look at. One that is `gone` can only be read from the archive."""

    id: int
    path: str
    size: int
    gone: bool
    session_id: str | None


def pick(params: t.DeepSearchParams, zone: tzinfo, now: int, connection: sa.Connection, revision: int) -> list[Log]:
    """The logs that are asked for, the newest first. Raises NotFound and InvalidParams.

    Those of hidden projects count where their project or session is named.
    """
    where, values = ["1"], dict[str, Any]()
    if params.project is not None:
        where.append("s.project_id = :project")
        values["project"] = projects.find(connection, params.project)
    if params.session is not None:
        where.append("(s.id = :session OR s.parent_id = :session)")
        values["session"] = sessions.find(connection, params.session)
    if params.project is None and params.session is None:
        where.append(_SHOWN)
    if params.after is not None:
        where.append("COALESCE(s.ended_at, f.mtime_ns / 1000000) >= :after")
        values["after"] = bounds("after", params.after, zone, now)[0]
    if params.before is not None:
        where.append("COALESCE(s.started_at, f.mtime_ns / 1000000) < :before")
        values["before"] = bounds("before", params.before, zone, now)[0]
    if not params.archived:
        where.append("f.state != 'gone'")
    rows = raw_connection(connection).execute(_PICKED.format(" AND ".join(where)), values)
    return [Log(id, logs.path_from(path), size, bool(gone), session) for id, path, size, gone, session in rows]
