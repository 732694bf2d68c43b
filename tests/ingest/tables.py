"""Everything that a cache holds, in a form in which two caches can be compared."""

from __future__ import annotations

import json
import os
import sqlite3
from typing import Any

from ccdashd.store import pages
from ccdashd.store.schema import metadata

Tables = dict[str, dict[tuple[Any, ...], dict[str, Any]]]

_NOT_COMPARED = {"meta", "alembic_version", "log_seals"}
"""Revisions count the writes, of which two ways to one state take different numbers."""

_JSON = {"stats", "details", "data", "slugs", "counts", "evidence", "value"}

_KEYS = {"sync_state": ("path",)}
"""What identifies a row, where that is not its primary key."""


def dump(connection: sqlite3.Connection) -> Tables:
    """Every row of every table by its key; ids of logs become paths, packed columns are unpacked.

    Of a log that is gone, nobody can tell the inode and the time any more.
    """
    cursor = connection.cursor()
    cursor.row_factory = lambda cursor, row: {
        column[0]: value for column, value in zip(cursor.description, row, strict=True)
    }
    paths = {row["id"]: _shown(row["path"]) for row in cursor.execute("SELECT id, path FROM sync_state").fetchall()}
    tables: Tables = {}
    for table in metadata.tables:
        if table in _NOT_COMPARED:
            continue
        rows = [_plain(table, row, paths) for row in cursor.execute(f"SELECT * FROM {table}").fetchall()]
        tables[table] = {tuple(row[name] for name in _key(table)): row for row in rows}
        assert len(tables[table]) == len(rows), table
    return tables


def _key(table: str) -> tuple[str, ...]:
    names = [column.name for column in metadata.tables[table].primary_key]
    return _KEYS.get(table) or tuple("path" if name == "file_id" else name for name in names)


def dump_file(path: os.PathLike[str] | str) -> Tables:
    """`dump` of a database file, also one that a daemon has open."""
    connection = sqlite3.connect(f"file:{os.fspath(path)}?mode=ro", uri=True, isolation_level=None, timeout=20)
    try:
        connection.execute("BEGIN")
        return dump(connection)
    finally:
        connection.close()


def same(one: Tables, other: Tables, what: str) -> None:
    """Fails, and tells the first differences, where two caches do not hold the same."""
    found = []
    for table in one:
        for key in sorted(one[table].keys() | other[table].keys(), key=repr):
            left, right = one[table].get(key), other[table].get(key)
            if left is None or right is None:
                found.append(f"{table} {key}: {left} != {right}")
            elif left != right:
                found += [
                    f"{table} {key} {name}: {left[name]} != {right[name]}" for name in left if left[name] != right[name]
                ]
    assert not found, "\n".join([f"{what}: {len(found)} differences", *found[:20]])


def _plain(table: str, row: dict[str, Any], paths: dict[int, str]) -> dict[str, Any]:
    if "file_id" in row:
        row = {"path": paths[row.pop("file_id")], **row}
    if table == "sync_state":
        del row["id"]
        row["path"] = _shown(row["path"])
        if row["state"] == "gone":
            del row["inode"], row["mtime_ns"]
    if table == "session_logs":
        row["data"] = pages.unpack(row["data"])
    for name in _JSON & row.keys():
        if isinstance(row[name], bytes):
            row[name] = json.loads(row[name])
    return row


def _shown(path: str | bytes) -> str:
    return os.fsdecode(path)
