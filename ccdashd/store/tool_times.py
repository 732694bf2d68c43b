"""Tools: how often they were called, in which sessions, and how long calls took."""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

import sqlalchemy as sa

from ccdashd.store.connection import raw_connection
from ccdashd.store.filters import Filter
from ccdashd.store.slots import slot_of
from ccdashd.store.sums import MAIN, OWNERS

_CALLS = "SELECT x.tool, SUM(x.calls), SUM(x.success), SUM(x.errors), SUM(x.ms) FROM tool_slots x WHERE {where} GROUP BY 1"
_SESSIONS = f"""
SELECT DISTINCT x.tool, {MAIN} FROM (SELECT DISTINCT x.tool, x.file_id FROM tool_slots x WHERE {{where}}) x {OWNERS}
"""
# The calls that `tool_slots` counts, one by one, as far as they ended.
_DURATIONS = f"""
SELECT x.tool, x.ms
FROM (SELECT c.file_id, c.name AS tool, MAX(c.ended_at - c.called_at, 0) AS ms,
             {slot_of("c.called_at")} AS slot
      FROM session_tool_calls c LEFT JOIN session_messages m ON m.file_id = c.file_id AND m.n = c.message
      WHERE c.name IS NOT NULL AND c.called_at IS NOT NULL AND c.ended_at IS NOT NULL AND COALESCE(m.counted, 1)) x
WHERE {{where}}
"""


class Calls(NamedTuple):
    """Sums over the calls of a tool."""

    calls: int
    success: int
    errors: int
    ms: int


def calls(connection: sa.Connection, filter: Filter) -> dict[str, Calls]:
    """How often each tool was called, how that ended, and the milliseconds that it took."""
    where, parameters = filter.where()
    rows = raw_connection(connection).execute(_CALLS.format(where=where), parameters)
    return {tool: Calls(*sums) for tool, *sums in rows}


def sessions(connection: sa.Connection, filter: Filter) -> dict[str, set[str]]:
    """The main sessions that called each tool, themselves or by a sub-agent."""
    where, parameters = filter.where()
    found: dict[str, set[str]] = defaultdict(set)
    for tool, session_id in raw_connection(connection).execute(_SESSIONS.format(where=where), parameters):
        found[tool].add(session_id)
    return found


def durations(connection: sa.Connection, filter: Filter) -> dict[str, list[int]]:
    """How many milliseconds each call of a tool took that ended, the shortest first. Reads every call."""
    where, parameters = filter.where()
    found: dict[str, list[int]] = defaultdict(list)
    for tool, ms in raw_connection(connection).execute(_DURATIONS.format(where=where), parameters):
        found[tool].append(ms)
    for times in found.values():
        times.sort()
    return found
