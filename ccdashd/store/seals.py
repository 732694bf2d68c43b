"""Checksums of the rows of logs that are gone. As long as a log, or a copy of it, is there, its rows can be compared with
that; afterwards these alone tell whether they are what was read."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable

import sqlalchemy as sa

from ccdashd.store import SCHEMA
from ccdashd.store.anew import tolerant
from ccdashd.store.connection import raw_connection
from ccdashd.store.rows import ROW_TABLES
from ccdashd.store.schema import session_summaries, sync_state

_IS_GONE = "SELECT 1 FROM sync_state WHERE id = ? AND state = 'gone'"
_SEAL = "INSERT OR REPLACE INTO log_seals VALUES (?, ?, ?)"
_SEALED = """
SELECT f.id, s.digest FROM stored.sync_state f JOIN stored.log_seals s ON s.file_id = f.id
WHERE f.state = 'gone' AND s.schema = ?
"""


def renew(connection: sa.Connection, file_ids: Iterable[int]) -> None:
    """Seal the rows, as they are now, of those of these logs that are gone."""
    raw = raw_connection(connection)
    for file_id in file_ids:
        if raw.execute(_IS_GONE, (file_id,)).fetchone():
            raw.execute(_SEAL, (file_id, SCHEMA, _digest(raw, "main", file_id)))


def broken(connection: sa.Connection) -> set[int]:
    """Logs in the attached cache `stored` (see `anew`) whose rows are not those that were sealed. Rows that were sealed
    under another schema cannot be compared."""
    raw = raw_connection(connection)
    with tolerant(raw):
        sealed = raw.execute(_SEALED, (SCHEMA,)).fetchall()
        return {file_id for file_id, digest in sealed if _digest(raw, "stored", file_id) != digest}


def _query(table: sa.Table, key: str) -> str:
    # What follows from other logs is not the log's own.
    derived = {"counted"} | ({"session_id"} if table is session_summaries else set())
    columns = ", ".join(f'"{column.name}"' for column in table.columns if column.name not in derived)
    order = ", ".join(f'"{column.name}"' for column in table.primary_key)
    return f"SELECT {columns} FROM {{}}.{table.name} WHERE {key} = ? ORDER BY {order}"


_QUERIES = (_query(sync_state, "id"), *(_query(table, "file_id") for table in ROW_TABLES))


def _digest(raw: sqlite3.Connection, schema: str, file_id: int) -> bytes:
    digest = hashlib.blake2b(digest_size=16)
    for query in _QUERIES:
        for row in raw.execute(query.format(schema), (file_id,)):
            digest.update(repr(row).encode("utf-8", "surrogateescape"))
    return digest.digest()
