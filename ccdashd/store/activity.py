"""What sessions did: tool calls and files."""

from __future__ import annotations

import os
from typing import Any

import sqlalchemy as sa

from ccdashd.clock import iso
from ccdashd.protocol import types as t
from ccdashd.store.entries import log_tag
from ccdashd.store.schema import session_file_updates, session_tool_calls, sync_state
from ccdashd.store.session_rows import rows_of

_update = session_file_updates.c
_call = session_tool_calls.c
_file = sync_state.c


def tools(connection: sa.Connection, session_id: str, params: t.ToolsParams, revision: int) -> t.Tools:
    """Usage by tool, and a page of calls in the order in which they began."""
    once = (
        sa.select(
            _call.tool_use_id,
            sa.func.max(_call.name).label("name"),
            sa.func.max(_call.target).label("target"),
            sa.func.min(_call.called_at).label("called_at"),
            sa.func.min(_call.ended_at).label("ended_at"),
            sa.func.min(_call.call_offset).label("call_offset"),
            sa.func.max(_call.agent_id).label("agent_id"),
            sa.case(
                (sa.func.max(_call.status == "error") == sa.true(), "error"),
                (sa.func.max(_call.status).is_(None), "pending"),
                else_="success",
            ).label("status"),
            sa.func.min(_file.path).label("path"),
        )
        .join(sync_state, _file.id == _call.file_id)
        .where(_file.session_id == session_id)
        .group_by(_call.tool_use_id)
        .having(sa.func.max(_call.name).is_not(None))
        .subquery()
    )
    calls = once.c
    seconds = sa.func.sum(sa.func.coalesce(calls.ended_at - calls.called_at, 0)) / 1000.0
    usage = (
        sa.select(
            calls.name,
            sa.func.count(),
            *(_count(calls.status == status) for status in ("success", "error", "pending")),
            seconds,
        )
        .group_by(calls.name)
        .order_by(sa.func.count().desc(), calls.name)
    )
    where = []
    if params.name is not None:
        where.append(calls.name == params.name)
    if params.status is not None:
        where.append(calls.status == params.status)
    total = connection.execute(sa.select(sa.func.count()).select_from(once).where(*where)).scalar_one()
    listed = sa.select(once).where(*where).order_by(calls.called_at, calls.call_offset, calls.tool_use_id)
    rows = connection.execute(listed.offset(params.offset).limit(params.limit))
    return t.Tools(
        usage=[_usage(row) for row in connection.execute(usage)],
        calls=t.Page(
            items=[_tool_call(row) for row in rows],
            total=total,
            offset=params.offset,
            limit=params.limit,
            revision=revision,
        ),
    )


def _count(condition: Any) -> Any:
    return sa.func.sum(sa.case((condition, 1), else_=0))


def _usage(row: Any) -> t.ToolUsage:
    name, calls, success, errors, pending, seconds = row
    return t.ToolUsage(
        name=name, calls=calls, success=success, errors=errors, pending=pending, total_seconds=max(seconds, 0.0)
    )


def _tool_call(row: Any) -> t.ToolCall:
    duration = None if row.called_at is None or row.ended_at is None else max(row.ended_at - row.called_at, 0) / 1000
    return t.ToolCall(
        id=row.tool_use_id,
        name=row.name,
        status=row.status,
        target=row.target or "",
        started_at=iso(row.called_at),
        seconds=duration,
        agent_id=row.agent_id,
        entry=f"{log_tag(row.path)}-{row.call_offset}",
    )


# One row for each call, whichever of a session's logs hold it.
_TOUCHES = (
    sa.select(
        _file.session_id.label("session_id"),
        _call.tool_use_id,
        sa.func.max(_update.file_path).label("path"),
        sa.func.max(_update.action).label("action"),
        sa.func.max(_update.additions).label("additions"),
        sa.func.max(_update.deletions).label("deletions"),
        sa.func.max(_update.created).label("created"),
        sa.func.max(_call.status).label("status"),
        sa.func.min(_call.called_at).label("called_at"),
    )
    .select_from(session_file_updates)
    .join(sync_state, _file.id == _update.file_id)
    .join(session_tool_calls, (_call.file_id == _update.file_id) & (_call.n == _update.n))
    .where(_update.file_path.is_not(None), _file.session_id.is_not(None))
    .group_by(_file.session_id, _call.tool_use_id)
)


def _changes(touches: sa.Subquery) -> sa.Select[Any]:
    touch = touches.c
    done = touch.status == "success"
    edit = touch.action.in_(("edit", "write"))

    return (
        sa.select(
            touch.session_id,
            touch.path,
            _count(touch.action == "read").label("reads"),
            _count(edit & done).label("edits"),
            _count(edit & (sa.func.coalesce(touch.status, "") == "error")).label("failed"),
            sa.func.sum(sa.case((done, sa.func.coalesce(touch.additions, 0)), else_=0)).label("additions"),
            sa.func.sum(sa.case((done, sa.func.coalesce(touch.deletions, 0)), else_=0)).label("deletions"),
            sa.func.max(sa.func.coalesce(touch.created, sa.false())).label("created"),
            sa.func.min(touch.called_at).label("first_at"),
            sa.func.max(touch.called_at).label("last_at"),
        )
        .group_by(touch.session_id, touch.path)
        .order_by(sa.func.max(touch.called_at).desc(), touch.session_id, touch.path)
    )


def _change(row: Any) -> t.FileChange:
    return t.FileChange(
        path=row.path,
        reads=row.reads,
        edits=row.edits,
        failed=row.failed,
        additions=row.additions,
        deletions=row.deletions,
        created=bool(row.created),
        first_at=iso(row.first_at),
        last_at=iso(row.last_at),
    )


def files(connection: sa.Connection, session_id: str) -> list[t.FileChange]:
    """What a session read and changed, last touched first."""
    touches = _TOUCHES.where(_file.session_id == session_id).subquery()
    return [_change(row) for row in connection.execute(_changes(touches))]


def context(connection: sa.Connection, path: str, limit: int) -> tuple[list[t.FileTouch], int]:
    """Who touched a path, last first, and how many did. A session that only holds copies of a call is not counted."""
    touches = _TOUCHES.where(_update.file_path == path).subquery()
    changes = _changes(touches)
    total = connection.execute(sa.select(sa.func.count()).select_from(changes.subquery())).scalar_one()
    rows = connection.execute(changes.limit(limit)).all()
    listed = rows_of(connection, [row.session_id for row in rows])
    touched = [t.FileTouch(session=listed[row.session_id], change=_change(row)) for row in rows if row.session_id in listed]
    return touched, total


def resolve_path(path: str, cwd: str | None) -> str:
    """The absolute path that a client means; it is looked up, never opened."""
    return os.path.normpath(path if os.path.isabs(path) or cwd is None else os.path.join(cwd, path))
