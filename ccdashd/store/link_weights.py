"""Which main sessions work on which features or tasks, and how sure that is."""

from __future__ import annotations

from collections import defaultdict
from typing import Literal

import sqlalchemy as sa

from ccdashd.store.connection import raw_connection

_FOUND = """
SELECT l.source_id, l.target_id, MAX(l.confidence)
FROM entity_links l JOIN sessions s ON s.id = l.source_id AND s.agent_id IS NULL
WHERE l.source_type = 'session' AND l.target_type = :type
  AND l.id NOT IN (SELECT id FROM user_links WHERE state = 'dismissed')
GROUP BY l.source_id, l.target_id
"""
# A link that the user made is as sure as can be, whichever way round it is.
_MADE = """
SELECT source_id, target_id FROM user_links WHERE source_type = 'session' AND target_type = :type AND state = 'made'
UNION SELECT target_id, source_id FROM user_links WHERE target_type = 'session' AND source_type = :type AND state = 'made'
"""

Weights = dict[str, dict[str, float]]
"""Of each main session: confidence by what it is linked with."""


def link_weights(connection: sa.Connection, type: Literal["feature", "task"]) -> Weights:
    """The links of main sessions with features or tasks, but for those that the user dismissed."""
    raw = raw_connection(connection)
    found: Weights = defaultdict(dict)
    for session, other, confidence in raw.execute(_FOUND, {"type": type}):
        found[session][other] = confidence
    for session, other in raw.execute(_MADE, {"type": type}):
        found[session][other] = 1.0
    return dict(found)
