"""Each API message once: which of its rows stands for it in totals, over all logs.

A message stands in several logs after a fork or resume, and a sub-agent's also as a mirror in its parent's log. The row
with the largest output counts; among equals one that was not copied, then the one whose path comes first. Mirrors count
only while no log holds the message itself, and then apart.
"""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from ccdashd.store.connection import raw_connection

_SHARED = """
SELECT DISTINCT a.message_id FROM session_messages a
WHERE a.file_id = ? AND (a.mirror OR EXISTS (
    SELECT 1 FROM session_messages b
    WHERE b.message_id = a.message_id AND (b.file_id <> a.file_id OR b.n <> a.n)))
"""
_ROWS = """
SELECT m.file_id, m.n, m.request_id, m.output, m.mirror, m.copied, m.counted, f.path
FROM session_messages m JOIN sync_state f ON f.id = m.file_id WHERE m.message_id = ?
"""
_SET = "UPDATE session_messages SET counted = ? WHERE file_id = ? AND n = ?"


def shared(connection: sa.Connection, file_id: int, among: Iterable[str] | None = None) -> set[str]:
    """Messages of a log, or those `among` them, that other rows know as well."""
    raw = raw_connection(connection)
    if among is None:
        return {row[0] for row in raw.execute(_SHARED, (file_id,))}
    one = f"{_SHARED} AND a.message_id = ?"
    return {row[0] for message_id in set(among) for row in raw.execute(one, (file_id, message_id))}


def recount(connection: sa.Connection, message_ids: Iterable[str]) -> set[int]:
    """Choose anew which rows count; returns the logs in which that changed."""
    raw = raw_connection(connection)
    changed: set[int] = set()
    for message_id in sorted(message_ids):
        rows = raw.execute(_ROWS, (message_id,)).fetchall()
        real = any(not mirror for *_, mirror, _copied, _counted, _path in rows)
        best: dict[str, tuple[tuple[int, bool, bytes], int]] = {}
        for file_id, _, request_id, output, mirror, copied, _, path in rows:
            if real and mirror:
                continue
            # Mirrors may carry another request id than the message itself, so they are one whatever theirs.
            key = "" if mirror else request_id
            rank = (-output, bool(copied), path if isinstance(path, bytes) else path.encode())
            if key not in best or (rank, file_id) < best[key]:
                best[key] = (rank, file_id)
        winners = {(file_id, key) for key, (_, file_id) in best.items()}
        for file_id, n, request_id, _, mirror, _, counted, _ in rows:
            counts = (file_id, "" if mirror else request_id) in winners and not (real and mirror)
            if counts != bool(counted):
                raw.execute(_SET, (counts, file_id, n))
                changed.add(file_id)
    return changed
