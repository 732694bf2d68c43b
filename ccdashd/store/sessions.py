"""Sessions as lists and single views show them."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from ccdashd.clock import iso, milliseconds
from ccdashd.derive.sessions import Details
from ccdashd.errors import InvalidParams, NotFound
from ccdashd.protocol import types as t
from ccdashd.store import logs
from ccdashd.store.figures import OWN, TOKENS
from ccdashd.store.schema import (
    diagnostics,
    projects,
    session_file_updates,
    session_tool_calls,
    session_tool_usage,
    sessions,
    sync_state,
)

ACTIVE_MS = 600_000
"""A session counts as active for this long after its last record."""

_details = msgspec.json.Decoder(Details)

_SORTS: dict[str, Any] = {
    "endedAt": sessions.c.ended_at,
    "startedAt": sessions.c.started_at,
    "title": sessions.c.title,
    "tokens": sessions.c.tokens_in + sessions.c.tokens_out + sessions.c.cache_read + sessions.c.cache_write,
    "records": sessions.c.records,
    "duration": sessions.c.ended_at - sessions.c.started_at,
}
_ROW = sa.select(
    *(column for column in sessions.c if column.name != "details"), projects.c.name.label("project_name")
).join(projects, projects.c.id == sessions.c.project_id)


def _now() -> int:
    return round(time.time() * 1000)


def status_of(row: Any, now: int) -> t.SessionStatus:
    """Whether a session is being written, is over, or never said anything."""
    if row.empty:
        return "empty"
    if not row.source_gone and row.ended_at is not None and now - row.ended_at < ACTIVE_MS:
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


def _wire(row: Any, now: int) -> t.SessionRow:
    return t.SessionRow(
        id=row.id,
        project_id=row.project_id,
        project_name=row.project_name,
        title=row.title,
        title_source=row.title_source,
        agent=row.agent,
        status=status_of(row, now),
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


def page(connection: sa.Connection, params: t.SessionsList, revision: int) -> t.Page[t.SessionRow]:
    """One page of the list. Raises InvalidParams for a time or cursor that is none."""
    now = _now()
    where = _filters(connection, params, now)
    total = connection.execute(
        sa.select(sa.func.count())
        .select_from(sessions)
        .join(projects, projects.c.id == sessions.c.project_id)
        .where(*where)
    ).scalar_one()
    key = _SORTS[params.sort]
    down = params.order == "desc"
    query = _ROW.add_columns(key.label("sort_key")).where(*where)
    if params.cursor is not None:
        query = query.where(_after(key, down, *_cursor(params)))
    order = (key.desc(), sessions.c.id.desc()) if down else (key.asc(), sessions.c.id.asc())
    rows = connection.execute(query.order_by(*order).offset(params.offset).limit(params.limit + 1)).all()
    more = len(rows) > params.limit
    rows = rows[: params.limit]
    return t.Page(
        items=[_wire(row, now) for row in rows],
        total=total,
        offset=params.offset,
        limit=params.limit,
        revision=revision,
        next_cursor=_encode_cursor(params, rows[-1]) if more and rows else None,
    )


def _filters(connection: sa.Connection, params: t.SessionsList, now: int) -> list[sa.ColumnElement[bool]]:
    table = sessions.c
    where: list[sa.ColumnElement[bool]] = []
    if params.parent is not None:
        where.append(table.parent_id == params.parent)
    elif not params.include_subagents:
        where.append(table.agent_id.is_(None))
    if params.status == "empty":
        where.append(table.empty)
    elif not params.include_empty:
        where.append(~table.empty)
    if params.status == "active":
        where += [table.ended_at > now - ACTIVE_MS, ~table.source_gone]
    elif params.status == "completed":
        where.append(sa.or_(table.ended_at <= now - ACTIVE_MS, table.ended_at.is_(None), table.source_gone))
    if params.project is not None:
        where.append(table.project_id == _project(connection, params.project))
    elif not params.include_hidden:
        where.append(~projects.c.hidden)
    if params.model:
        where.append(table.model.contains(params.model, autoescape=True))
    if params.agent:
        where.append(table.agent == params.agent)
    if params.branch:
        where.append(table.git_branch == params.branch)
    if params.text:
        words = params.text
        where.append(table.title.contains(words, autoescape=True) | table.first_prompt.contains(words, autoescape=True))
    if params.since:
        where.append(table.ended_at >= _time("since", params.since))
    if params.until:
        where.append(table.started_at <= _time("until", params.until))
    return where


def _time(field: str, text: str) -> int:
    try:
        return milliseconds(text)
    except ValueError:
        raise InvalidParams(
            field, "is no ISO 8601 time or date, such as 2026-01-31 or 2026-01-31T12:00:00Z", text
        ) from None


def _project(connection: sa.Connection, wanted: str) -> str:
    """The id of the project with that id or name, or of the one that holds that path."""
    rows = connection.execute(sa.select(projects.c.id, projects.c.root, projects.c.name)).all()
    for row in rows:
        if row.id == wanted:
            return str(row.id)
    if wanted.startswith("/"):
        path = wanted.rstrip("/") or "/"
        holding = [row for row in rows if path == row.root or path.startswith(row.root.rstrip("/") + "/")]
        if holding:
            return str(max(holding, key=lambda row: len(row.root)).id)
    named = [row.id for row in rows if row.name == wanted]
    if len(named) == 1:
        return str(named[0])
    raise NotFound("project", wanted, "several have that name; give the id" if named else "see projects/list")


def _cursor(params: t.SessionsList) -> tuple[Any, str]:
    try:
        sort, order, value, key = json.loads(base64.urlsafe_b64decode(params.cursor or ""))
    except ValueError:
        raise InvalidParams("cursor", "is not one that sessions/list gave", params.cursor) from None
    if (sort, order) != (params.sort, params.order) or not isinstance(key, str):
        raise InvalidParams("cursor", "belongs to another sort or order", params.cursor)
    return value, key


def _encode_cursor(params: t.SessionsList, row: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps([params.sort, params.order, row.sort_key, row.id]).encode()).decode()


def _after(key: Any, down: bool, value: Any, last: str) -> sa.ColumnElement[bool]:
    """What comes after a row in the order by `key` and id, in which NULL is the least."""
    table = sessions.c
    if down:
        if value is None:
            return sa.and_(key.is_(None), table.id < last)
        return sa.or_(key < value, sa.and_(key == value, table.id < last), key.is_(None))
    if value is None:
        return sa.or_(sa.and_(key.is_(None), table.id > last), key.is_not(None))
    return sa.or_(key > value, sa.and_(key == value, table.id > last))


def rows_of(connection: sa.Connection, session_ids: Sequence[str]) -> dict[str, t.SessionRow]:
    """List rows by id."""
    now = _now()
    return {row.id: _wire(row, now) for row in connection.execute(_ROW.where(sessions.c.id.in_(session_ids)))}


def active(connection: sa.Connection, within: float) -> list[t.SessionRow]:
    """Main sessions with a record in the last `within` seconds, or with a sub-agent that has one; newest first."""
    now = _now()
    since = now - round(within * 1000)
    recent = sa.select(sessions.c.parent_id).where(sessions.c.ended_at > since, sessions.c.parent_id.is_not(None))
    query = _ROW.where(
        sessions.c.agent_id.is_(None), ~sessions.c.source_gone, (sessions.c.ended_at > since) | sessions.c.id.in_(recent)
    ).order_by(sessions.c.ended_at.desc(), sessions.c.id.desc())
    return [_wire(row, now) for row in connection.execute(query)]


def find(connection: sa.Connection, wanted: str) -> str:
    """The id that is `wanted` or begins so. Raises NotFound, also where several do."""
    if connection.execute(sa.select(sessions.c.id).where(sessions.c.id == wanted)).first() is not None:
        return wanted
    if wanted:
        query = sa.select(sessions.c.id).where(sessions.c.id.startswith(wanted, autoescape=True))
        main = connection.execute(query.where(sessions.c.agent_id.is_(None)).limit(2)).scalars().all()
        found = main or connection.execute(query.limit(2)).scalars().all()
        if len(found) == 1:
            return str(found[0])
        if found:
            raise NotFound("session", wanted, "several ids begin so; give more of it")
    raise NotFound("session", wanted, "see sessions/list")


def get(connection: sa.Connection, session_id: str, revision: int) -> t.Session:
    """One session with all its figures."""
    row = connection.execute(_ROW.add_columns(sessions.c.details).where(sessions.c.id == session_id)).one()
    details = _details.decode(row.details)
    stats = details.stats
    paths = connection.execute(
        sa.select(sync_state.c.path).where(sync_state.c.session_id == session_id).order_by(sync_state.c.path)
    ).scalars()
    edited, changed = _edited(connection, session_id)
    origins, forks = relatives(connection, session_id, details)
    usage = sa.select(session_tool_usage.c.tool_name, session_tool_usage.c.call_count)
    children = sa.select(sessions.c.id).where(sessions.c.parent_id == session_id).order_by(sessions.c.id)
    listed = _wire(row, _now())
    return t.Session(
        **{name: getattr(listed, name) for name in _SHARED},
        models=details.models,
        cwds=stats.cwds,
        git_branches=stats.git_branches,
        version=row.version,
        versions=stats.versions,
        source_files=[logs.shown(path) for path in paths],
        counts=_counts(row, details),
        tools=dict(connection.execute(usage.where(session_tool_usage.c.session_id == session_id)).tuples().all()),
        commands=stats.command_names,
        tokens_own=tokens([getattr(row, name) for name in OWN]),
        tokens_mirrored=tokens(details.tokens_mirrored),
        tokens_by_model={model: tokens(figures) for model, figures in details.tokens_by_model.items()},
        output_lower_bound_messages=row.lower_bounds,
        files_edited=edited,
        files_changed=changed,
        first_prompt=row.first_prompt,
        summaries=details.summaries,
        slug=stats.slug,
        pr_links=sorted(stats.pr_links),
        record_types=stats.record_types,
        parent_tool_use_id=_started_by(connection, row),
        agent_type=row.agent_type,
        subagents=list(connection.execute(children).scalars()),
        forked_from=origins,
        forks=forks,
        diagnostics=_diagnostics(connection, session_id),
        revision=revision,
    )


_SHARED = tuple(
    name for name in t.SessionRow.__struct_fields__ if name in t.Session.__struct_fields__ and name != "subagents"
)


def _started_by(connection: sa.Connection, row: Any) -> str | None:
    """The parent's call that started a sub-agent: named beside its log since 2.1.2xx, in the parent's log before."""
    known: str | None = row.parent_tool_use_id
    if known is not None or row.parent_id is None:
        return known
    return calls_by_agent(connection, row.parent_id).get(row.agent_id)


def _counts(row: Any, details: Details) -> t.SessionCounts:
    stats = details.stats
    names = t.SessionCounts.__struct_fields__
    return t.SessionCounts(**{name: getattr(row if hasattr(row, name) else stats, name) for name in names})


def _edited(connection: sa.Connection, session_id: str) -> tuple[list[str], list[str]]:
    """Paths that an edit tool was called on, and those of calls that succeeded."""
    update, call = session_file_updates.c, session_tool_calls.c
    query = (
        sa.select(update.file_path, sa.func.max(sa.func.coalesce(call.status, "") == "success"))
        .select_from(session_file_updates)
        .join(sync_state, sync_state.c.id == update.file_id)
        .join(session_tool_calls, (call.file_id == update.file_id) & (call.n == update.n))
        .where(sync_state.c.session_id == session_id, update.action.in_(("edit", "write")), update.file_path.is_not(None))
        .group_by(update.file_path)
        .order_by(update.file_path)
    )
    rows = connection.execute(query).all()
    return [path for path, _ in rows], [path for path, succeeded in rows if succeeded]


def relatives(connection: sa.Connection, session_id: str, details: Details) -> tuple[list[str], list[str]]:
    """``(origins, forks)``: sessions whose logs begin with the same record, and those that the records name."""
    named = set(details.stats.forked_from) - {session_id}
    root = details.stats.root_uuid
    if not root:
        return sorted(named), []
    table = sync_state.c
    query = sa.select(sessions.c.id, sessions.c.ended_at, sessions.c.details).where(
        sessions.c.id.in_(sa.select(table.session_id).where(table.root_uuid == root, table.session_id != session_id)),
    )
    origins, forks = named, set()
    own_end = details.stats.ended_at or 0
    for row in connection.execute(query):
        theirs = _details.decode(row.details).stats
        if row.id in named or row.id in details.stats.session_ids:
            origins.add(row.id)
        elif session_id in theirs.forked_from or session_id in theirs.session_ids:
            forks.add(row.id)
        elif (row.ended_at or 0, row.id) < (own_end, session_id):
            origins.add(row.id)
        else:
            forks.add(row.id)
    return sorted(origins), sorted(forks)


def calls_by_agent(connection: sa.Connection, session_id: str) -> dict[str, str]:
    """The call that started each sub-agent, as far as the session's own logs name it."""
    call = session_tool_calls.c
    query = (
        sa.select(call.agent_id, sa.func.min(call.tool_use_id))
        .join(sync_state, sync_state.c.id == call.file_id)
        .where(sync_state.c.session_id == session_id, call.agent_id.is_not(None))
        .group_by(call.agent_id)
    )
    return dict(connection.execute(query).tuples().all())


def details_of(connection: sa.Connection, session_id: str) -> Details:
    """What the session's row keeps beside its columns."""
    return _details.decode(
        connection.execute(sa.select(sessions.c.details).where(sessions.c.id == session_id)).scalar_one()
    )


def _diagnostics(connection: sa.Connection, session_id: str, limit: int = 100) -> list[t.Diagnostic]:
    query = (
        sa.select(diagnostics, sync_state.c.path)
        .join(sync_state, sync_state.c.id == diagnostics.c.file_id)
        .where(sync_state.c.session_id == session_id)
        .order_by(sync_state.c.path, diagnostics.c.offset, diagnostics.c.code)
        .limit(limit)
    )
    return [
        t.Diagnostic(
            code=row["code"],
            severity=row["severity"],
            message=row["message"],
            path=logs.shown(row["path"]),
            line=row["line"],
            offset=row["offset"],
            length=row["length"],
            session_id=session_id,
            count=row["count"],
        )
        for row in connection.execute(query).mappings()
    ]
