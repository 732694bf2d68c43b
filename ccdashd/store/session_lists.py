"""Lists of sessions: filtered, sorted, paged by place or by cursor."""

from __future__ import annotations

from functools import partial
from typing import Any

import sqlalchemy as sa

from ccdashd.clock import milliseconds
from ccdashd.errors import InvalidParams
from ccdashd.protocol import types as t
from ccdashd.store import finding, paging
from ccdashd.store import projects as repository
from ccdashd.store.linked import linked
from ccdashd.store.schema import sessions
from ccdashd.store.session_rows import ACTIVE_MS, ROW, now, wire

_SORTS: dict[str, Any] = {
    "endedAt": sessions.c.ended_at,
    "startedAt": sessions.c.started_at,
    "title": sessions.c.title,
    "tokens": sessions.c.tokens_in + sessions.c.tokens_out + sessions.c.cache_read + sessions.c.cache_write,
    "records": sessions.c.records,
    "duration": sessions.c.ended_at - sessions.c.started_at,
}


def page(connection: sa.Connection, params: t.SessionsList, revision: int) -> t.Page[t.SessionRow]:
    """One page of the list. Raises NotFound for a project or feature that is not there, InvalidParams for a time or cursor
    that is none."""
    moment = now()
    keys = (_SORTS[params.sort], sessions.c.id)
    where = _filters(connection, params, moment)
    return paging.page(connection, ROW, partial(wire, now=moment), sessions, where, keys, params, revision)


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
        where.append(paging.shown(table.project_id))
    if params.model:
        where.append(paging.contains("model", table.model, params.model))
    if params.agent:
        where.append(table.agent == params.agent)
    if params.branch:
        where.append(table.git_branch == params.branch)
    if params.feature is not None:
        of_feature = linked(
            connection, "feature", finding.feature_id(connection, params.feature, params.project, field="feature")
        )
        where.append(table.id.in_([link.id for link in of_feature if link.type == "session"]))
    if params.tag is not None:
        where.append(paging.tagged(connection, "session", table.id, params.tag))
    if params.since:
        where.append(table.ended_at >= _time("since", params.since))
    if params.until:
        where.append(table.started_at <= _time("until", params.until))
    return where + paging.words(params.text, table.title, table.first_prompt)


def _time(field: str, text: str) -> int:
    try:
        return milliseconds(text)
    except ValueError:
        raise InvalidParams(
            field, "is no ISO 8601 time or date, such as 2026-01-31 or 2026-01-31T12:00:00Z", text
        ) from None


def active(connection: sa.Connection, within: float) -> list[t.SessionRow]:
    """Main sessions with a record in the last `within` seconds, or with a sub-agent that has one; newest first."""
    moment = now()
    since = moment - round(min(max(within, 0.0) * 1000, moment))
    recent = sa.select(sessions.c.parent_id).where(sessions.c.ended_at > since, sessions.c.parent_id.is_not(None))
    query = ROW.where(
        sessions.c.agent_id.is_(None), ~sessions.c.source_gone, (sessions.c.ended_at > since) | sessions.c.id.in_(recent)
    ).order_by(sessions.c.ended_at.desc(), sessions.c.id.desc())
    return [wire(row, moment) for row in connection.execute(query)]
