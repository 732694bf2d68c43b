"""What one session and its sub-agents used: sums, and message by message."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import sqlalchemy as sa

from ccdashd.derive.cost_lines import Message
from ccdashd.derive.measures import Measures
from ccdashd.derive.pricing import PICO_PER_MICRO, Usage
from ccdashd.store.connection import raw_connection

_FROM = """
FROM (SELECT id, agent_type FROM sessions WHERE id = :id
      UNION ALL SELECT id, agent_type FROM sessions WHERE parent_id = :id AND agent_id IS NOT NULL AND :subagents) s
     CROSS JOIN sync_state f ON f.session_id = s.id
"""
_SUMS = f"""
SELECT s.id, s.agent_type, u.mirror, u.model, SUM(u.messages), SUM(u.lower_bounds), SUM(u.reported), SUM(u.unpriced),
       SUM(u.input), SUM(u.output), SUM(u.cache_read), SUM(u.cache_write), SUM(u.cache_write_5m), SUM(u.cache_write_1h),
       SUM(u.cost_micro), SUM(u.cost_pico)
{_FROM} CROSS JOIN usage_slots u ON u.file_id = f.id AND (:subagents OR NOT u.mirror)
GROUP BY s.id, u.mirror, u.model
"""
_MESSAGES = f"""
SELECT m.model, m.time, m.fast, m.reported, m.input, m.output, m.cache_read,
       MAX(m.cache_write - m.cache_write_1h, m.cache_write_5m), m.cache_write_1h, m.web_searches
{_FROM} CROSS JOIN session_messages m ON m.file_id = f.id AND m.counted AND (:subagents OR NOT m.mirror)
"""


class Part(NamedTuple):
    """What the session or one of its sub-agents used of one model."""

    session_id: str
    agent_type: str | None
    mirror: bool
    """Known from copies in the log of the session only, so that of a sub-agent whose own log is gone."""
    measures: Measures


def parts(connection: sa.Connection, session_id: str, *, subagents: bool) -> list[Part]:
    """What a session used, and with `subagents` each of its sub-agents."""
    found = []
    for id, agent_type, mirror, model, *sums in _rows(connection, _SUMS, session_id, subagents=subagents):
        messages, lower_bounds, reported, unpriced, *tokens, micro, pico = sums
        fresh, output, read, write, five, hour = tokens
        measures = Measures(
            messages=messages,
            lower_bounds=lower_bounds,
            reported=reported,
            unpriced=unpriced,
            input=fresh,
            output=output,
            cache_read=read,
            cache_write=write,
            cache_write_5m=five,
            cache_write_1h=hour,
            cost=micro * PICO_PER_MICRO + pico,
            unpriced_models=frozenset((model,)) if unpriced else frozenset(),
        )
        found.append(Part(id, agent_type, bool(mirror), measures))
    return found


def messages(connection: sa.Connection, session_id: str, *, subagents: bool) -> Iterator[Message]:
    """Each message of the session that counts, and with `subagents` those of its sub-agents."""
    for model, time, fast, reported, *used in _rows(connection, _MESSAGES, session_id, subagents=subagents):
        yield Message(model, time, Usage(*used), bool(fast), reported)


def _rows(connection: sa.Connection, statement: str, session_id: str, *, subagents: bool) -> Iterator[tuple[Any, ...]]:
    yield from raw_connection(connection).execute(statement, {"id": session_id, "subagents": subagents})
