"""What the cache knows of logs that are, or could be, in the archive: whose they are, and when they changed."""

from __future__ import annotations

from typing import NamedTuple

import sqlalchemy as sa

from ccdashd.store.connection import raw_connection
from ccdashd.store.logs import path_from
from ccdashd.store.sums import MAIN


class Log(NamedTuple):
    """A log, or an earlier version of one."""

    path: str
    size: int
    mtime_ns: int
    """By `logfile.stamp`."""
    gone: bool
    session_id: str
    main_id: str
    """The session itself, or the one whose sub-agent it is."""
    title: str
    cwd: str
    project_id: str | None
    project: str | None
    """Its name."""
    root: str
    """Of the project."""


_LOGS = f"""
SELECT f.path, f.size, f.mtime_ns, f.state = 'gone', s.id, {MAIN}, s.title, s.cwd, p.id, p.name, COALESCE(p.root, '')
FROM sync_state f JOIN sessions s ON s.id = f.session_id LEFT JOIN projects p ON p.id = s.project_id
"""


def logs(connection: sa.Connection, revision: int = 0) -> list[Log]:
    """All logs that belong to a session."""
    rows = raw_connection(connection).execute(_LOGS)
    return [Log(path_from(path), size, time, bool(gone), *others) for path, size, time, gone, *others in rows]


def of_session(connection: sa.Connection, session_id: str) -> list[Log]:
    """The logs of a session and of its sub-agents; of a sub-agent, its own."""
    found = logs(connection)
    return [log for log in found if session_id in (log.session_id, log.main_id)]
