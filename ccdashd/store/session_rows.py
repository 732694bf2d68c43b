"""A session's row as lists show it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from ccdashd.clock import iso
from ccdashd.protocol import types as t
from ccdashd.store.figures import TOKENS
from ccdashd.store.schema import projects, sessions

ACTIVE_MS = 600_000
"""A session counts as active for this long after its last record."""

ROW = sa.select(*(column for column in sessions.c if column.name != "details"), projects.c.name.label("project_name")).join(
    projects, projects.c.id == sessions.c.project_id
)
"""All that `wire` needs."""


def now() -> int:
    """The time as rows have it, in milliseconds since the epoch."""
    return round(time.time() * 1000)


def status(now: int, *, empty: bool, source_gone: bool, ended_at: int | None) -> t.SessionStatus:
    """Whether a session is being written, is over, or never said anything."""
    if empty:
        return "empty"
    if not source_gone and ended_at is not None and now - ended_at < ACTIVE_MS:
        return "active"
    return "completed"


def tokens(figures: Sequence[int]) -> t.Tokens:
    """Input, output, cache read, cache write, 5-minute and 1-hour write, as the wire has them."""
    return t.Tokens(
        input=figures[0],
        output=figures[1],
        cache_read=figures[2],
        cache_write=figures[3],
        cache_write5m=figures[4],
        cache_write1h=figures[5],
    )


def row_tokens(row: Any) -> t.Tokens:
    """The token columns of a session's row."""
    return tokens([getattr(row, name) for name in TOKENS])


def _seconds(row: Any) -> float:
    return 0.0 if row.started_at is None else (row.ended_at - row.started_at) / 1000


def wire(row: Any, now: int) -> t.SessionRow:
    """A row of `ROW`; whether the session is active depends on the time `now`."""
    return t.SessionRow(
        id=row.id,
        project_id=row.project_id,
        project_name=row.project_name,
        title=row.title,
        title_source=row.title_source,
        agent=row.agent,
        status=status(now, empty=row.empty, source_gone=row.source_gone, ended_at=row.ended_at),
        model=row.model,
        started_at=iso(row.started_at),
        ended_at=iso(row.ended_at),
        duration=_seconds(row),
        cwd=row.cwd,
        git_branch=row.git_branch,
        records=row.records,
        prompts=row.prompts,
        tool_calls=row.tool_calls,
        tool_errors=row.tool_errors,
        tokens=row_tokens(row),
        subagents=row.subagents,
        parent_id=row.parent_id,
        source_gone=row.source_gone,
        indexed=row.indexed,
    )


def rows_of(connection: sa.Connection, session_ids: Sequence[str]) -> dict[str, t.SessionRow]:
    """List rows by id."""
    moment = now()
    return {row.id: wire(row, moment) for row in connection.execute(ROW.where(sessions.c.id.in_(session_ids)))}
