"""What was pruned, and which sessions that keeps out of the archive: made of the journal, through `store.decisions`."""

from __future__ import annotations

import sqlalchemy as sa

from ccdashd.edits.compaction import KEPT_PRUNES
from ccdashd.edits.decisions import Name, PruneEdit
from ccdashd.protocol import types as t
from ccdashd.store.connection import raw_connection
from ccdashd.store.schema import prunes

_ADD = "INSERT OR IGNORE INTO prunes (session_id, at, title, reason, bytes, size, released) VALUES (?, ?, ?, ?, ?, ?, 0)"
_RELEASE = "UPDATE prunes SET released = 1 WHERE session_id = ? AND NOT released"
# As much as `edits.compaction` leaves of the journal.
_SHORTEN = """
DELETE FROM prunes
WHERE released AND rowid <= (SELECT rowid FROM prunes ORDER BY rowid DESC LIMIT 1 OFFSET ?)
"""


def apply(connection: sa.Connection, edit: PruneEdit) -> None:
    """Carry out one edit."""
    raw, id = raw_connection(connection), edit.session.key
    if edit.op == "prune":
        raw.execute(_ADD, (id, edit.at, edit.title, edit.reason, edit.bytes, edit.size))
    else:
        raw.execute(_RELEASE, (id,))
    raw.execute(_SHORTEN, (KEPT_PRUNES,))


def forget(connection: sa.Connection) -> None:
    """Forget all prunes."""
    connection.execute(sa.delete(prunes))


def page(connection: sa.Connection, params: t.PrunesParams, revision: int) -> t.Page[t.Pruned]:
    """One page of the history, the newest first."""
    total = connection.execute(sa.select(sa.func.count()).select_from(prunes)).scalar_one()
    query = sa.select(prunes).order_by(sa.literal_column("rowid").desc()).offset(params.offset).limit(params.limit)
    items = [
        t.Pruned(at=row.at, id=row.session_id, title=row.title, reason=row.reason, bytes=row.bytes)
        for row in connection.execute(query)
    ]
    return t.Page(items=items, total=total, offset=params.offset, limit=params.limit, revision=revision)


def kept_out(connection: sa.Connection) -> set[str]:
    """Main sessions that are not to be copied, with their sub-agents, since they were pruned."""
    return set(connection.execute(sa.select(prunes.c.session_id).where(~prunes.c.released)).scalars())


_GROWN = """
SELECT p.session_id FROM (SELECT session_id, MAX(size) AS size FROM prunes WHERE NOT released GROUP BY session_id) p
WHERE p.size < (
    SELECT COALESCE(SUM(f.size), 0) FROM sync_state f
    WHERE f.state <> 'gone'
          AND (f.session_id = p.session_id OR f.parent_id = p.session_id AND f.agent_id IS NOT NULL))
ORDER BY p.session_id
"""


def grown(connection: sa.Connection) -> list[str]:
    """Those of them whose logs hold more than when they were pruned, or are there again."""
    return [id for (id,) in raw_connection(connection).execute(_GROWN)]


def release(session_ids: list[str]) -> list[PruneEdit]:
    """The lines of the journal by which these sessions may be copied again."""
    return [PruneEdit(op="release", session=Name(type="session", key=id)) for id in session_ids]
