"""Summaries name a record by its uuid, often one in another log: finds the session that holds it."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from ccdashd.store.schema import session_logs, session_summaries, sync_state


def leaves(connection: sa.Connection, file_ids: Iterable[int] | None = None) -> set[bytes]:
    """The keys that summaries name: those of these logs, or all."""
    query = sa.select(session_summaries.c.leaf).distinct().where(session_summaries.c.leaf != b"")
    if file_ids is not None:
        query = query.where(session_summaries.c.file_id.in_(list(file_ids)))
    return set(connection.execute(query).scalars())


def leaves_of(connection: sa.Connection, session_id: str) -> set[bytes]:
    """The keys of the summaries that were joined with a session."""
    query = sa.select(session_summaries.c.leaf).where(session_summaries.c.session_id == session_id)
    return set(connection.execute(query).scalars())


def sessions_named(connection: sa.Connection, file_id: int) -> set[str]:
    """The sessions that the summaries in a log were joined with."""
    table = session_summaries.c
    query = sa.select(table.session_id).where(table.file_id == file_id, table.session_id.is_not(None))
    return set(connection.execute(query).scalars())


def held(connection: sa.Connection, file_id: int) -> set[bytes]:
    """The keys that summaries name and that a log holds."""
    known = leaves(connection)
    query = sa.select(session_logs.c["keys"]).where(session_logs.c.file_id == file_id)
    return {key for keys in connection.execute(query).scalars() for key in named(known, keys)} if known else set()


def named(wanted: set[bytes], keys: bytes) -> set[bytes]:
    """Those of the wanted keys that stand in a run of keys."""
    return {keys[i : i + 8] for i in range(0, len(keys), 8)} & wanted


def resolve(connection: sa.Connection, wanted: set[bytes]) -> set[str]:
    """Find the session of each key; returns the sessions whose summaries changed.

    Looks at the keys of all logs once, whatever the number wanted. Among several logs the one with the first path is taken.
    """
    if not wanted:
        return set()
    found: dict[bytes, tuple[bytes, str]] = {}
    query = sa.select(session_logs.c["keys"], sync_state.c.path, sync_state.c.session_id).join(
        sync_state, sync_state.c.id == session_logs.c.file_id
    )
    for keys, path, session_id in connection.execute(query):
        for key in named(wanted, keys):
            place = (path if isinstance(path, bytes) else path.encode(), session_id)
            if key not in found or place < found[key]:
                found[key] = place
    changed: set[str] = set()
    table = session_summaries
    rows = connection.execute(sa.select(table.c.file_id, table.c.offset, table.c.leaf, table.c.session_id))
    for file_id, offset, leaf, known in rows.all():
        if leaf not in wanted:
            continue
        session_id = found[leaf][1] if leaf in found else None
        if session_id != known:
            changed |= {known, session_id} - {None}
            row = (table.c.file_id == file_id) & (table.c.offset == offset)
            connection.execute(sa.update(table).where(row).values(session_id=session_id))
    return changed
