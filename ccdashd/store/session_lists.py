"""Lists of sessions: filtered, sorted, paged by place or by cursor."""

from __future__ import annotations

import base64
from typing import Annotated, Any

import msgspec
import sqlalchemy as sa

from ccdashd.clock import milliseconds
from ccdashd.errors import InvalidParams
from ccdashd.protocol import types as t
from ccdashd.store import projects as repository
from ccdashd.store.schema import projects, sessions
from ccdashd.store.session_rows import ACTIVE_MS, ROW, now, wire

_SORTS: dict[str, Any] = {
    "endedAt": sessions.c.ended_at,
    "startedAt": sessions.c.started_at,
    "title": sessions.c.title,
    "tokens": sessions.c.tokens_in + sessions.c.tokens_out + sessions.c.cache_read + sessions.c.cache_write,
    "records": sessions.c.records,
    "duration": sessions.c.ended_at - sessions.c.started_at,
}


_Stored = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
_decode = msgspec.json.Decoder(tuple[str, str, _Stored | str | None, str]).decode
"""A cursor: sort and order of the list, then the value sorted by and the id of the last row that was given."""


def page(connection: sa.Connection, params: t.SessionsList, revision: int) -> t.Page[t.SessionRow]:
    """One page of the list. Raises InvalidParams for a time or cursor that is none."""
    moment = now()
    where = _filters(connection, params, moment)
    total = connection.execute(
        sa.select(sa.func.count())
        .select_from(sessions)
        .join(projects, projects.c.id == sessions.c.project_id)
        .where(*where)
    ).scalar_one()
    key = _SORTS[params.sort]
    down = params.order == "desc"
    query = ROW.add_columns(key.label("sort_key")).where(*where)
    if params.cursor is not None:
        query = query.where(_after(key, down, *_cursor(params)))
    order = (key.desc(), sessions.c.id.desc()) if down else (key.asc(), sessions.c.id.asc())
    rows = connection.execute(query.order_by(*order).offset(params.offset).limit(params.limit + 1)).all()
    more = len(rows) > params.limit
    rows = rows[: params.limit]
    return t.Page(
        items=[wire(row, moment) for row in rows],
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
        where.append(table.project_id == repository.find(connection, params.project))
    elif not params.include_hidden:
        where.append(~projects.c.hidden)
    if params.model:
        where.append(table.model.contains(params.model, autoescape=True))
    if params.agent:
        where.append(table.agent == params.agent)
    if params.branch:
        where.append(table.git_branch == params.branch)
    for word in (params.text or "").split():
        where.append(table.title.contains(word, autoescape=True) | table.first_prompt.contains(word, autoescape=True))
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


def _cursor(params: t.SessionsList) -> tuple[Any, str]:
    try:
        sort, order, value, key = _decode(base64.urlsafe_b64decode(params.cursor or ""))
    except (ValueError, msgspec.DecodeError):
        raise InvalidParams("cursor", "is not one that sessions/list gave", params.cursor) from None
    if (sort, order) != (params.sort, params.order):
        raise InvalidParams("cursor", "belongs to another sort or order", params.cursor)
    return value, key


def _encode_cursor(params: t.SessionsList, row: Any) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode((params.sort, params.order, row.sort_key, row.id))).decode()


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


def active(connection: sa.Connection, within: float) -> list[t.SessionRow]:
    """Main sessions with a record in the last `within` seconds, or with a sub-agent that has one; newest first."""
    moment = now()
    since = moment - round(min(max(within, 0.0) * 1000, moment))
    recent = sa.select(sessions.c.parent_id).where(sessions.c.ended_at > since, sessions.c.parent_id.is_not(None))
    query = ROW.where(
        sessions.c.agent_id.is_(None), ~sessions.c.source_gone, (sessions.c.ended_at > since) | sessions.c.id.in_(recent)
    ).order_by(sessions.c.ended_at.desc(), sessions.c.id.desc())
    return [wire(row, moment) for row in connection.execute(query)]
