"""What the cache holds, in numbers."""

from __future__ import annotations

import sqlalchemy as sa

from ccdashd.protocol import types as t
from ccdashd.store.schema import documents, features, projects, session_messages, sessions, sync_state, tasks
from ccdashd.store.session_rows import tokens

_file = sync_state.c


def counts(connection: sa.Connection, revision: int) -> dict[str, int]:
    """Numbers of entities, for the status."""
    table = sessions.c
    subagent = table.agent_id.is_not(None)
    query = sa.select(
        sa.func.coalesce(sa.func.sum(sa.case((~subagent & ~table.empty, 1), else_=0)), 0).label("sessions"),
        sa.func.coalesce(sa.func.sum(sa.case((subagent, 1), else_=0)), 0).label("subagents"),
        sa.func.coalesce(sa.func.sum(sa.case((table.empty, 1), else_=0)), 0).label("emptySessions"),
        sa.func.coalesce(sa.func.sum(sa.case((table.source_gone, 1), else_=0)), 0).label("sourceGone"),
        sa.func.coalesce(sa.func.sum(sa.case((~table.indexed, 1), else_=0)), 0).label("unindexed"),
    )
    found = dict(connection.execute(query).mappings().one())
    tables = {"projects": projects, "files": sync_state, "documents": documents, "tasks": tasks, "features": features}
    for name, rows in tables.items():
        found[name] = connection.execute(sa.select(sa.func.count()).select_from(rows)).scalar_one()
    return {str(name): int(value) for name, value in found.items()}


def totals(connection: sa.Connection) -> tuple[int, t.Tokens, t.Tokens, int]:
    """``(messages, tokens, mirrored tokens, messages with a lower bound)``, each API message once over all logs."""
    message = session_messages.c
    figures = [
        message[name] for name in ("input", "output", "cache_read", "cache_write", "cache_write_5m", "cache_write_1h")
    ]
    bounds = sa.func.sum(sa.cast(message.lower_bound, sa.Integer))
    query = (
        sa.select(message.mirror, sa.func.count(), bounds, *map(sa.func.sum, figures))
        .where(message.counted)
        .group_by(message.mirror)
    )
    rows = {bool(row[0]): row for row in connection.execute(query)}
    own, mirrored = rows.get(False), rows.get(True)
    zero = [0] * 6
    return (
        own[1] if own is not None else 0,
        tokens(list(own[3:]) if own is not None else zero),
        tokens(list(mirrored[3:]) if mirrored is not None else zero),
        own[2] if own is not None else 0,
    )


def sources(connection: sa.Connection) -> tuple[int, int, int]:
    """``(logs, bytes, logs that are gone)``."""
    gone = sa.func.coalesce(sa.func.sum(sa.case((_file.state == "gone", 1), else_=0)), 0)
    size = sa.func.coalesce(sa.func.sum(sa.case((_file.state == "gone", 0), else_=_file.size)), 0)
    count, total, lost = connection.execute(sa.select(sa.func.count(), size, gone)).one()
    return count, total, lost
