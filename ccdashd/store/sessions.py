"""One session, found by its id, with all its figures."""

from __future__ import annotations

from typing import Any

import msgspec
import sqlalchemy as sa

from ccdashd.derive.sessions import Details
from ccdashd.errors import NotFound
from ccdashd.protocol import types as t
from ccdashd.store import diagnostics, linked, logs, threads
from ccdashd.store.figures import OWN
from ccdashd.store.schema import session_file_updates, session_tool_calls, session_tool_usage, sessions, sync_state
from ccdashd.store.session_rows import ROW, now, tokens, wire

_details = msgspec.json.Decoder(Details)


NAMED = 5
"""Ids that an error names at most, where several begin as the one that was asked for."""

LONGEST = 1_000
"""Characters up to which something can be the beginning of an id."""


def find(connection: sa.Connection, wanted: str) -> str:
    """The id that is `wanted` or begins so. Raises NotFound, also where several do."""
    if connection.execute(sa.select(sessions.c.id).where(sessions.c.id == wanted)).first() is not None:
        return wanted
    if 0 < len(wanted) <= LONGEST:
        query = sa.select(sessions.c.id).where(sessions.c.id.startswith(wanted, autoescape=True))
        query = query.order_by(sessions.c.ended_at.desc()).limit(NAMED)
        main = connection.execute(query.where(sessions.c.agent_id.is_(None))).scalars().all()
        found = main or connection.execute(query).scalars().all()
        if len(found) == 1:
            return str(found[0])
        if found:
            raise NotFound("session", wanted, f"several ids begin so; give more of it: {', '.join(found)}", found)
    raise NotFound("session", wanted, "see sessions/list")


def get(connection: sa.Connection, session_id: str, revision: int) -> t.Session:
    """One session with all its figures."""
    row = connection.execute(ROW.add_columns(sessions.c.details).where(sessions.c.id == session_id)).one()
    details = _details.decode(row.details)
    stats = details.stats
    paths = connection.execute(
        sa.select(sync_state.c.path).where(sync_state.c.session_id == session_id).order_by(sync_state.c.path)
    ).scalars()
    edited, changed = _edited(connection, session_id)
    origins, forks = threads.relatives(connection, session_id, details)
    usage = sa.select(session_tool_usage.c.tool_name, session_tool_usage.c.call_count)
    children = sa.select(sessions.c.id).where(sessions.c.parent_id == session_id).order_by(sessions.c.id)
    listed = wire(row, now())
    return t.Session(
        **{name: getattr(listed, name) for name in _SHARED},
        models=details.models,
        cwds=stats.cwds,
        git_branches=stats.git_branches,
        version=row.version,
        versions=stats.versions,
        source_files=[logs.shown(path) for path in paths],
        counts=_counts(row, details),
        tools=dict(connection.execute(usage.where(session_tool_usage.c.session_id == session_id)).all()),
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
        diagnostics=diagnostics.of_session(connection, session_id),
        **linked.around(connection, "session", session_id, lambda link: link.type in _RELATED),
        revision=revision,
    )


_RELATED = ("feature", "task", "document", "commit")

_SHARED = tuple(
    name for name in t.SessionRow.__struct_fields__ if name in t.Session.__struct_fields__ and name != "subagents"
)


def _started_by(connection: sa.Connection, row: Any) -> str | None:
    """The parent's call that started a sub-agent: named beside its log since 2.1.2xx, in the parent's log before."""
    known: str | None = row.parent_tool_use_id
    if known is not None or row.parent_id is None:
        return known
    return threads.calls_by_agent(connection, row.parent_id).get(row.agent_id)


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
