"""How the cache in use differs from one that was made anew beside it (`anew`), table by table.

Rows are compared in SQL, by their keys. Where they differ in packed columns, what is packed is compared: the same may be
written in several ways.
"""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

import msgspec
import sqlalchemy as sa
import zstandard

from ccdashd.store import pages
from ccdashd.store.anew import stored_meta, tolerant
from ccdashd.store.connection import raw_connection
from ccdashd.store.schema import META, log_seals, meta, metadata, session_logs, sync_state

MOST: Final = 2000
"""Rows of a table that are looked at closely; beyond that, so many differ that it does not matter which."""

_COMPUTED: Final = {"indexed": "0", "linked": "[]", "prices": ""}
"""Values of `meta` that follow from files, and what a missing one means."""

Row = dict[str, Any]


class Difference(NamedTuple):
    """A table of which rows differ."""

    table: str
    rows: int
    """How many; at least so many where they are `MOST`."""
    key: str
    """Of the first."""
    columns: list[str]
    """In which it differs; none where it is only in one of the caches."""


def differences(connection: sa.Connection) -> Iterator[Difference]:
    """Tables whose rows in the cache in use are not those of the new one. Raises `sqlite3.Error` where it is corrupt."""
    for table in metadata.sorted_tables:
        if table not in (meta, log_seals):
            raw = raw_connection(connection)
            with tolerant(raw):
                found = [wrong for wrong in _rows(raw, table) if wrong is not None]
            if found:
                key, columns = found[0]
                yield Difference(table.name, len(found), key, columns)


def wrong_tables(connection: sa.Connection) -> Iterator[str]:
    """Tables and indexes of the cache in use that are not made as those of the new one are."""
    raw = raw_connection(connection)
    with tolerant(raw):
        stored, fresh = _shapes(raw, "stored"), _shapes(raw, "main")
    for name in sorted(stored.keys() | fresh.keys()):
        if stored.get(name) != fresh.get(name):
            yield name


def _shapes(raw: sqlite3.Connection, schema: str) -> dict[str, Any]:
    """What SQLite makes of each table and index, by its name in lower case, as all names are compared."""
    shapes: dict[str, Any] = {}
    for kind, name, table, sql in raw.execute(f"SELECT type, name, tbl_name, sql FROM {schema}.sqlite_master").fetchall():
        info = "table_xinfo" if kind == "table" else "index_xinfo"
        columns = raw.execute(f"PRAGMA {schema}.{info}({_quoted(name)})").fetchall()
        keys = raw.execute(f"PRAGMA {schema}.foreign_key_list({_quoted(name)})").fetchall() if kind == "table" else []
        # Defaults and conditions may be written in several ways, depending on what made the table.
        rest = re.sub(r".*\)|[\s\"]+", " ", str(sql or ""), flags=re.DOTALL).strip()
        shapes[str(name).lower()] = repr((kind, table, columns, sorted(keys), rest)).lower()
    return shapes


def _quoted(name: str) -> str:
    return "'" + name.replace("'", "''") + "'"


def wrong_meta(connection: sa.Connection) -> Iterator[str]:
    """What is wrong with the table `meta` of the cache in use, in words."""
    stored = stored_meta(connection)
    fresh = {row.key: row.value for row in connection.execute(sa.select(meta))}
    for key in sorted(stored.keys() | fresh.keys()):
        value = stored.get(key, "")
        if key not in META:
            yield f"nobody wrote {key!r}"
        elif key in _COMPUTED and stored.get(key, _COMPUTED[key]) != fresh.get(key, _COMPUTED[key]):
            yield f"{key} is {value!r}, not {fresh.get(key)!r}"
    if not (stored.get("revision", "").isascii() and stored.get("revision", "").isdigit()):
        yield f"revision is {stored.get('revision')!r}, and no number"
    if stored.get("open") not in ("0", "1"):
        yield f"open is {stored.get('open')!r}, neither 0 nor 1"


def _rows(raw: sqlite3.Connection, table: sa.Table) -> Iterator[tuple[str, list[str]] | None]:
    """Key and columns of each row that differs; None for those that say the same in another way."""
    names = [column.name for column in table.columns]
    # A log is the same by its path, whatever its number.
    keys = ["path"] if table is sync_state else [column.name for column in table.primary_key]
    others = [name for name in names if name not in keys]
    same = " AND ".join(f'a."{name}" = b."{name}"' for name in keys)
    other = " OR ".join(f'a."{name}" IS NOT b."{name}"' for name in others) or "0"
    both = ", ".join(f'a."{name}", b."{name}"' for name in names)
    changed = (
        f"SELECT {both} FROM stored.{table.name} a CROSS JOIN main.{table.name} b WHERE {same} AND ({other}) LIMIT {MOST}"
    )
    for values in raw.execute(changed):
        stored, fresh = dict(zip(names, values[::2], strict=True)), dict(zip(names, values[1::2], strict=True))
        columns = [name for name in others if not _is_same(table, name, stored, fresh)]
        yield (_key(keys, stored), columns) if columns else None
    first = ", ".join(f'a."{name}"' for name in keys)
    for one, two in (("stored", "main"), ("main", "stored")):
        missing = f"SELECT 1 FROM {two}.{table.name} b WHERE {same}"
        query = f"SELECT {first} FROM {one}.{table.name} a WHERE NOT EXISTS ({missing}) LIMIT {MOST}"
        for values in raw.execute(query):
            yield _key(keys, dict(zip(keys, values, strict=True))), []


def _key(keys: list[str], row: Mapping[str, Any]) -> str:
    values = (os.fsdecode(value) if isinstance(value, bytes) else str(value) for value in map(row.__getitem__, keys))
    return os.fsencode(" ".join(values)).decode("utf-8", "replace")


def _is_same(table: sa.Table, column: str, stored: Row, fresh: Row) -> bool:
    one, other = stored[column], fresh[column]
    # Nobody can tell any more when a log that is gone was written, and where on the disk.
    if table is sync_state and column in ("inode", "mtime_ns") and stored["state"] == fresh["state"] == "gone":
        return True
    return one == other or (isinstance(one, bytes) and isinstance(other, bytes) and _is_equal(table, one, other))


def _is_equal(table: sa.Table, one: bytes, other: bytes) -> bool:
    """Whether two packed values hold the same."""
    decode = pages.unpack if table is session_logs else msgspec.json.decode
    try:
        equal: bool = decode(one) == decode(other)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, zstandard.ZstdError):
        return False
    return equal
