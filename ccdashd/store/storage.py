"""What databases take on disk, table by table (https://www.sqlite.org/dbstat.html)."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import apsw
import sqlalchemy as sa

from ccdashd.protocol import types as t
from ccdashd.store.connection import raw_connection

Execute = Callable[[str], Iterable[tuple[Any, ...]]]
"""Runs a query; of either driver."""

_OBJECTS = "SELECT name, tbl_name, type, COALESCE(sql, '') FROM sqlite_master"
_BYTES = "SELECT name, pgsize FROM dbstat('main', 1)"
_HAS_BYTES = "SELECT COUNT(*) FROM pragma_module_list WHERE name = 'dbstat'"
_VIRTUAL = "CREATE VIRTUAL TABLE"
_DOCUMENTS = "_docsize"
"""Ends the name of the table of FTS5 that has a row for each document."""


def tables(execute: Execute, prefix: str = "") -> list[t.StoragePart]:
    """The tables of a database with their indexes, the largest first; what an FTS5 table consists of counts as that table.

    SQLite may be built without what measures; bytes are 0 then.
    """
    objects = list(execute(_OBJECTS))
    virtual = [name for name, _, _, sql in objects if sql.upper().startswith(_VIRTUAL)]

    def owner(table: str) -> str:
        return next((name for name in virtual if table.startswith(f"{name}_")), table)

    owners: dict[str, str] = {name: owner(table) for name, table, _, _ in objects}
    sizes: defaultdict[str, int] = defaultdict(int)
    if next(iter(execute(_HAS_BYTES)))[0]:
        for name, size in execute(_BYTES):
            sizes[owners.setdefault(name, name)] += size
    rows: defaultdict[str, int] = defaultdict(int)
    for name, _, kind, _ in objects:
        if kind != "table" or name in virtual or (owners[name] != name and not name.endswith(_DOCUMENTS)):
            continue
        rows[owners[name]] += next(iter(execute(f'SELECT COUNT(*) FROM "{name}"')))[0]
    parts = [t.StoragePart(name=prefix + name, bytes=sizes[name], rows=rows[name]) for name in sizes.keys() | rows.keys()]
    return sorted(parts, key=lambda part: (-part.bytes, part.name))


def free(execute: Execute) -> int:
    """Bytes of pages that nothing uses."""
    (pages,), (size,) = (next(iter(execute(f"PRAGMA {name}"))) for name in ("freelist_count", "page_size"))
    return int(pages * size)


def execute_on(connection: sa.Connection) -> Execute:
    """`Execute` of the cache."""
    return lambda query: raw_connection(connection).execute(query).fetchall()


def of_text(path: Path) -> tuple[list[t.StoragePart], int]:
    """`tables` and `free` of the index of texts; nothing where it is not there, or damaged."""
    try:
        connection = apsw.Connection(os.fspath(path), flags=apsw.SQLITE_OPEN_READONLY)
    except apsw.Error:
        return [], 0
    try:
        return tables(connection.execute, "text: "), free(connection.execute)
    except apsw.Error:
        return [], 0
    finally:
        connection.close()


def source_bytes(connection: sa.Connection) -> int:
    """Bytes of the agents' logs that are there."""
    query = "SELECT COALESCE(SUM(size), 0) FROM sync_state WHERE state <> 'gone'"
    return int(raw_connection(connection).execute(query).fetchone()[0])
