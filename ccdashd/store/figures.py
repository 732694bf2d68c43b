"""What sessions used, and which tools they called: sums over the rows of their logs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from ccdashd.store.connection import raw_connection
from ccdashd.store.database import get_meta

TOKENS = ("tokens_in", "tokens_out", "cache_read", "cache_write", "cache_write_5m", "cache_write_1h")
"""Columns of a session with the tokens of all messages in its logs, in the order of `Used.tokens`."""

OWN = ("own_in", "own_out", "own_cache_read", "own_cache_write", "own_cache_write_5m", "own_cache_write_1h")
"""The same of those messages only that no other session owns: these add up over sessions."""

# Nearly every session has one log, in which each message and each call stands once.
_USAGE = """
SELECT f.session_id, m.model, m.mirror, m.counted, COUNT(*), SUM(m.lower_bound), SUM(m.input), SUM(m.output),
       SUM(m.cache_read), SUM(m.cache_write), SUM(m.cache_write_5m), SUM(m.cache_write_1h)
FROM sync_state f JOIN session_messages m ON m.file_id = f.id
WHERE f.session_id IN ({marks})
GROUP BY f.session_id, m.model, m.mirror, m.counted
"""
_TOOLS = """
SELECT f.session_id, c.name, COUNT(*), SUM(COALESCE(c.status, '') = 'success'), SUM(COALESCE(c.status, '') = 'error'),
       SUM(MAX(COALESCE(c.ended_at - c.called_at, 0), 0))
FROM sync_state f JOIN session_tool_calls c ON c.file_id = f.id
WHERE f.session_id IN ({marks}) AND c.name IS NOT NULL
GROUP BY f.session_id, c.name
"""
# Where every message of a log counts, its roll-ups hold the same sums, but not how long messages are at least.
_NOT_ALL = """
SELECT f.session_id, m.model, SUM(m.lower_bound), SUM(NOT m.counted)
FROM sync_state f JOIN session_messages m ON m.file_id = f.id
WHERE f.session_id IN ({marks}) AND (m.lower_bound OR NOT m.counted) AND NOT m.mirror
GROUP BY f.session_id, m.model
"""
_USAGE_ROLLED = """
SELECT f.session_id, u.model, u.mirror, 1, SUM(u.messages), 0, SUM(u.input), SUM(u.output), SUM(u.cache_read),
       SUM(u.cache_write), SUM(u.cache_write_5m), SUM(u.cache_write_1h)
FROM sync_state f JOIN usage_slots u ON u.file_id = f.id
WHERE f.session_id IN ({marks})
GROUP BY f.session_id, u.model, u.mirror
"""
_TOOLS_ROLLED = """
SELECT f.session_id, s.tool, SUM(s.calls), SUM(s.success), SUM(s.errors), SUM(s.ms)
FROM sync_state f CROSS JOIN tool_slots s ON s.file_id = f.id
WHERE f.session_id IN ({marks})
GROUP BY f.session_id, s.tool
"""
# Copies in several logs of a session are one; all copies agree but for what a torn one lacks.
_USAGE_ONCE = """
SELECT session_id, model, mirror, counted, COUNT(*), SUM(lower_bound), SUM(input), SUM(output), SUM(cache_read),
       SUM(cache_write), SUM(five), SUM(hour)
FROM (SELECT f.session_id, m.mirror, MAX(m.counted) AS counted, MAX(m.model) AS model, MAX(m.input) AS input,
             MAX(m.output) AS output, MAX(m.cache_read) AS cache_read, MAX(m.cache_write) AS cache_write,
             MAX(m.cache_write_5m) AS five, MAX(m.cache_write_1h) AS hour, MIN(m.lower_bound) AS lower_bound
      FROM sync_state f JOIN session_messages m ON m.file_id = f.id
      WHERE f.session_id IN ({marks})
      GROUP BY f.session_id, m.message_id, m.request_id, m.mirror)
GROUP BY session_id, model, mirror, counted
"""
_TOOLS_ONCE = """
SELECT session_id, name, COUNT(*), SUM(ended AND NOT failed), SUM(failed), SUM(MAX(COALESCE(ended_at - called_at, 0), 0))
FROM (SELECT f.session_id, MAX(c.name) AS name, MAX(c.status IS NOT NULL) AS ended,
             MAX(COALESCE(c.status, '') = 'error') AS failed, MIN(c.called_at) AS called_at, MIN(c.ended_at) AS ended_at
      FROM sync_state f JOIN session_tool_calls c ON c.file_id = f.id
      WHERE f.session_id IN ({marks})
      GROUP BY f.session_id, c.tool_use_id)
WHERE name IS NOT NULL
GROUP BY session_id, name
"""


class Used(NamedTuple):
    """Messages of one model. `tokens`: input, output, cache read, cache write, and its 5-minute and 1-hour parts."""

    messages: int
    lower_bounds: int
    tokens: tuple[int, ...]


class Usage(NamedTuple):
    """What a session used: all that its logs hold, what of that counts for it, and what mirrors alone tell of others."""

    by_model: dict[str, Used]
    own: tuple[int, ...]
    mirrored: tuple[int, ...]


class ToolUsage(NamedTuple):
    """A row of `session_tool_usage`."""

    session_id: str
    name: str
    calls: int
    success: int
    errors: int
    total_ms: int


def rows(connection: sa.Connection, statement: str, session_ids: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    """The rows of a statement whose ``{marks}`` stand for the sessions."""
    if session_ids:
        marks = ", ".join("?" * len(session_ids))
        yield from raw_connection(connection).execute(statement.format(marks=marks), session_ids)


class Sources(NamedTuple):
    """Sessions by what their figures are taken from."""

    rolled: dict[str, dict[str, int]]
    """The roll-ups of their log, in which all that it holds counts. With the messages whose output is a lower bound, by
    model."""
    single: list[str]
    """The rows of their log."""
    several: list[str]
    """The rows of their logs, each message and call once."""


def sources(connection: sa.Connection, single: Sequence[str], several: Sequence[str]) -> Sources:
    """What to take the figures from, of sessions with a single log, and of those with several."""
    if get_meta(connection, "prices") is None:
        return Sources({}, list(single), list(several))  # not everything is rolled up yet
    rolled: dict[str, dict[str, int]] = {session_id: {} for session_id in single}
    others = set()
    for session_id, model, lower_bounds, uncounted in rows(connection, _NOT_ALL, single):
        rolled[session_id][model] = lower_bounds
        if uncounted:
            others.add(session_id)
    return Sources({id: rolled[id] for id in single if id not in others}, sorted(others), list(several))


def usage(connection: sa.Connection, sources: Sources) -> dict[str, Usage]:
    """What each session used."""
    found: dict[str, Usage] = defaultdict(lambda: Usage({}, (0,) * 6, (0,) * 6))
    statements = (_USAGE_ROLLED, list(sources.rolled)), (_USAGE, sources.single), (_USAGE_ONCE, sources.several)
    for statement, session_ids in statements:
        for session_id, model, mirror, counted, messages, lower_bounds, *tokens in rows(connection, statement, session_ids):
            if session_id in sources.rolled:
                lower_bounds = sources.rolled[session_id].get(model, 0)
            known = found[session_id]
            if mirror:
                if counted:
                    found[session_id] = known._replace(mirrored=_plus(known.mirrored, tokens))
                continue
            before = known.by_model.get(model, Used(0, 0, (0,) * 6))
            used = Used(before.messages + messages, before.lower_bounds + lower_bounds, _plus(before.tokens, tokens))
            known.by_model[model] = used
            if counted:
                found[session_id] = known._replace(own=_plus(known.own, tokens))
    return found


def _plus(one: Sequence[int], other: Sequence[int]) -> tuple[int, ...]:
    return tuple(map(sum, zip(one, other, strict=True)))


def tools(connection: sa.Connection, sources: Sources) -> dict[str, list[ToolUsage]]:
    """Calls of each session by tool."""
    found: dict[str, list[ToolUsage]] = defaultdict(list)
    statements = (_TOOLS_ROLLED, list(sources.rolled)), (_TOOLS, sources.single), (_TOOLS_ONCE, sources.several)
    for statement, session_ids in statements:
        for row in rows(connection, statement, session_ids):
            found[row[0]].append(ToolUsage._make(row))
    return found
