"""Each API message and each event once: which of its rows stands for it in totals, over all logs.

Both stand in several logs after a fork or resume, a sub-agent's message also as a mirror in its parent's log. The row with
the largest output counts; among equals one that was not copied, then the one whose path comes first. Mirrors count only
while no log holds the message itself, and then apart.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, TypeVar

import sqlalchemy as sa

from ccdashd.derive.slots import slot_of
from ccdashd.store.connection import raw_connection

K = TypeVar("K", str, bytes)


class Kind(NamedTuple):
    """Statements about the rows of a table, by the key that those of one message, or of one event, share."""

    shared: str
    one: str
    rows: str
    set: str


def _kind(table: str, key: str, figures: str, mirror: str) -> Kind:
    """`figures` are columns of `m`: what is one message only together with the key, its output, whether it is a mirror."""
    shared = f"""
        SELECT DISTINCT a.{key} FROM {table} a
        WHERE a.file_id = ? AND ({mirror} OR EXISTS (
            SELECT 1 FROM {table} b WHERE b.{key} = a.{key} AND (b.file_id <> a.file_id OR b.n <> a.n)))
        """
    return Kind(
        shared,
        f"{shared} AND a.{key} = ?",
        f"""
        SELECT m.file_id, m.n, {figures}, m.copied, m.counted, m.time, f.path
        FROM {table} m JOIN sync_state f ON f.id = m.file_id WHERE m.{key} = ?
        """,
        f"UPDATE {table} SET counted = ? WHERE file_id = ? AND n = ?",
    )


MESSAGES = _kind("session_messages", "message_id", "m.request_id, m.output, m.mirror", "a.mirror")
EVENTS = _kind("session_events", "key", "'', 0, 0", "0")


def shared(connection: sa.Connection, kind: Kind, file_id: int, among: Iterable[K] | None = None) -> set[K]:
    """Keys of a log, or those `among` them, that other rows know as well."""
    raw = raw_connection(connection)
    if among is None:
        return {row[0] for row in raw.execute(kind.shared, (file_id,))}
    return {row[0] for key in set(among) for row in raw.execute(kind.one, (file_id, key))}


def recount(connection: sa.Connection, kind: Kind, keys: Iterable[K]) -> dict[int, int]:
    """Choose anew which rows count; returns the logs in which that changed, each with the first slot of such a row."""
    raw = raw_connection(connection)
    changed: dict[int, int] = {}
    for key in sorted(keys):
        rows = raw.execute(kind.rows, (key,)).fetchall()
        real = any(not mirror for *_, mirror, _copied, _counted, _time, _path in rows)
        best: dict[str, tuple[int, bool, bytes, int, int]] = {}
        for file_id, n, request_id, output, mirror, copied, _, _, path in rows:
            if real and mirror:
                continue
            # Mirrors may carry another request id than the message itself, so they are one whatever theirs.
            part = "" if mirror else request_id
            rank = (-output, bool(copied), path if isinstance(path, bytes) else path.encode(), file_id, n)
            best[part] = min(rank, best.get(part, rank))
        winners = {rank[3:] for rank in best.values()}
        for file_id, n, _, _, _, _, counted, time, _ in rows:
            counts = (file_id, n) in winners
            if counts != bool(counted):
                raw.execute(kind.set, (counts, file_id, n))
                changed[file_id] = min(slot_of(time), changed.get(file_id, slot_of(time)))
    return changed
