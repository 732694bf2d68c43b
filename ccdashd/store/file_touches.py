"""Which main sessions touched a file, by themselves or by sub-agents, and for which features."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NamedTuple

import sqlalchemy as sa

from ccdashd.store import file_plans
from ccdashd.store.connection import raw_connection

# A call that another log holds as well, as that of a fork does, counts once.
_TOUCHES = """
SELECT COALESCE(CASE WHEN s.agent_id IS NOT NULL THEN s.parent_id END, s.id), MAX(c.called_at),
       MAX(u.action IN ('edit', 'write') AND c.status = 'success')
FROM json_each(?) j CROSS JOIN session_file_updates u ON u.file_path = j.value
     CROSS JOIN session_tool_calls c ON c.file_id = u.file_id AND c.n = u.n
     CROSS JOIN sync_state f ON f.id = u.file_id
     CROSS JOIN sessions s ON s.id = f.session_id
     LEFT JOIN session_messages m ON m.file_id = c.file_id AND m.n = c.message
WHERE COALESCE(m.counted, 1)
GROUP BY 1 ORDER BY 2 DESC, 1
"""
_FEATURES = """
SELECT id, name FROM (
    SELECT l.target_id AS feature, l.source_id AS session, l.confidence
    FROM json_each(:sessions) j CROSS JOIN entity_links l ON l.source_type = 'session' AND l.source_id = j.value
    WHERE l.target_type = 'feature'
      AND NOT EXISTS (SELECT 1 FROM user_links u WHERE u.id = l.id AND u.state = 'dismissed')
    UNION ALL
    SELECT u.target_id, u.source_id, 1.0 FROM json_each(:sessions) j CROSS JOIN user_links u
    WHERE u.state = 'made' AND u.source_type = 'session' AND u.source_id = j.value AND u.target_type = 'feature'
    UNION ALL
    SELECT u.source_id, u.target_id, 1.0 FROM json_each(:sessions) j CROSS JOIN user_links u
    WHERE u.state = 'made' AND u.target_type = 'session' AND u.target_id = j.value AND u.source_type = 'feature'
) JOIN features ON id = feature
GROUP BY id ORDER BY COUNT(DISTINCT session) DESC, SUM(confidence) DESC, id
"""

NAMING = 20
"""Planning files and tasks that name a file and are looked at for features, the surest."""


class Touch(NamedTuple):
    """What a main session did to a file."""

    session_id: str
    time: int | None
    """Of the last call, in milliseconds since the epoch."""
    changed: bool
    """Whether it changed it, or only read it."""


class Feature(NamedTuple):
    """A feature that a file belongs to."""

    id: str
    name: str


def of_paths(connection: sa.Connection, paths: Sequence[str]) -> list[Touch]:
    """Who touched a file, known by these paths, the last first."""
    rows = raw_connection(connection).execute(_TOUCHES, (json.dumps(list(paths)),))
    return [Touch(session_id, time, bool(changed)) for session_id, time, changed in rows]


def features(connection: sa.Connection, path: str, touches: Sequence[Touch]) -> list[Feature]:
    """The features of a file: first those whose plans name it, then those that the sessions worked on that changed it, or
    else that read it; those of most sessions first."""
    named = [Feature(row.id, row.name) for row in file_plans.of_path(connection, path, NAMING).features]
    ids = [touch.session_id for touch in touches if touch.changed] or [touch.session_id for touch in touches]
    rows = raw_connection(connection).execute(_FEATURES, {"sessions": json.dumps(ids)}) if ids else ()
    return list(dict.fromkeys([*named, *(Feature(*row) for row in rows)]))
