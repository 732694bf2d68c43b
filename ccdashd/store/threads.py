"""The sessions around a session: its parent, its sub-agents, its forks and origins."""

from __future__ import annotations

from typing import Any

import msgspec
import sqlalchemy as sa

from ccdashd.clock import iso
from ccdashd.derive.sessions import Details
from ccdashd.protocol import types as t
from ccdashd.store.schema import session_tool_calls, sessions, sync_state
from ccdashd.store.session_rows import row_tokens

_details = msgspec.json.Decoder(Details)


def thread(connection: sa.Connection, session_id: str, revision: int) -> t.Thread:
    """The session, its parent, its sub-agents (also those whose log is not there), its forks and origins."""
    own = connection.execute(sa.select(sessions).where(sessions.c.id == session_id)).one()
    details = _details.decode(own.details)
    nodes = [_node(own, "self")]
    if own.parent_id is not None:
        parent = connection.execute(sa.select(sessions).where(sessions.c.id == own.parent_id)).one_or_none()
        nodes.insert(0, _node(parent, "parent") if parent is not None else _missing(own.parent_id, "parent", None, None))
    calls = calls_by_agent(connection, session_id)
    children = connection.execute(
        sa.select(sessions).where(sessions.c.parent_id == session_id).order_by(sessions.c.started_at, sessions.c.id)
    ).all()
    nodes += [_node(child, "subagent", child.parent_tool_use_id or calls.get(child.agent_id)) for child in children]
    there = {child.agent_id for child in children}
    lost = [agent for agent in details.agents if agent not in there]
    nodes += [_missing(f"{session_id}/agent-{agent}", "subagent", calls.get(agent), session_id) for agent in lost]
    origins, forks = relatives(connection, session_id, details)
    for relation, ids in (("origin", origins), ("fork", forks)):
        rows = {row.id: row for row in connection.execute(sa.select(sessions).where(sessions.c.id.in_(ids)))}
        nodes += [_node(rows[x], relation) if x in rows else _missing(x, relation, None, None) for x in ids]
    return t.Thread(session_id=session_id, nodes=nodes, revision=revision)


def _node(row: Any, relation: Any, tool_use_id: str | None = None) -> t.ThreadNode:
    return t.ThreadNode(
        id=row.id,
        relation=relation,
        title=row.title,
        agent_type=row.agent_type,
        tool_use_id=tool_use_id or row.parent_tool_use_id,
        parent_id=row.parent_id,
        started_at=iso(row.started_at),
        ended_at=iso(row.ended_at),
        tokens=row_tokens(row),
        missing=False,
    )


def _missing(id: str, relation: Any, tool_use_id: str | None, parent_id: str | None) -> t.ThreadNode:
    return t.ThreadNode(
        id=id,
        relation=relation,
        title="",
        agent_type=None,
        tool_use_id=tool_use_id,
        parent_id=parent_id,
        started_at=None,
        ended_at=None,
        tokens=t.Tokens(),
        missing=True,
    )


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
    return dict(connection.execute(query).all())
