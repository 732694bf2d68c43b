"""How many of each entity the cache holds."""

from __future__ import annotations

import sqlalchemy as sa

from ccdashd.store.schema import diagnostics, projects, sessions


def counts(connection: sa.Connection, revision: int) -> dict[str, int]:
    """``sessions`` (without sub-agents), ``subagents``, ``projects``, ``diagnostics``."""
    subagents = sa.func.count(sessions.c.parent_id)
    row = connection.execute(sa.select(sa.func.count() - subagents, subagents).select_from(sessions)).one()
    return {
        "sessions": row[0],
        "subagents": row[1],
        "projects": connection.execute(sa.select(sa.func.count()).select_from(projects)).scalar_one(),
        "diagnostics": connection.execute(sa.select(sa.func.count()).select_from(diagnostics)).scalar_one(),
    }
