"""Rows of one log: written whole, extended when the log grew, kept when it is gone."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

from ccdashd.ingest.parse import FileResult, Known
from ccdashd.sources import PARSER
from ccdashd.sources.log import unpack_keys
from ccdashd.sources.model import PAGE, Stats
from ccdashd.store import pages
from ccdashd.store.database import raw_connection
from ccdashd.store.schema import (
    diagnostics,
    session_file_updates,
    session_logs,
    session_messages,
    session_summaries,
    session_tool_calls,
    sync_state,
)

_stats = msgspec.json.Decoder(Stats)
_encode = msgspec.json.Encoder().encode


def path_value(path: str) -> Any:
    """A path as it is stored: text, or its bytes where the name is not UTF-8 (SQLite holds either in one column)."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return os.fsencode(path)
    return path


def path_from(value: str | bytes) -> str:
    """The inverse of `path_value`."""
    return os.fsdecode(value) if isinstance(value, bytes) else value


def shown(value: str | bytes) -> str:
    """A stored path for people and JSON: bytes that are not UTF-8 become U+FFFD."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def _insert(table: sa.Table, *, merge: dict[str, str] | None = None) -> str:
    """The driver's INSERT for all columns of `table`; with `merge`, expressions for columns of rows that exist."""
    names = [column.name for column in table.columns]
    marks = ", ".join("?" * len(names))
    quoted = ", ".join(f'"{name}"' for name in names)
    statement = f"INSERT INTO {table.name} ({quoted}) VALUES ({marks})"
    if merge is not None:
        keys = ", ".join(f'"{column.name}"' for column in table.primary_key)
        sets = ", ".join(f'"{name}" = {expression}' for name, expression in merge.items())
        statement += f" ON CONFLICT ({keys}) DO UPDATE SET {sets}"
    return statement


def _first_known(names: Sequence[str]) -> dict[str, str]:
    return {name: f'COALESCE("{name}", excluded."{name}")' for name in names}


def _larger(name: str) -> str:
    # The figures of the sighting with the larger output; of the later one where they are equal.
    return f'CASE WHEN excluded."output" >= "output" THEN excluded."{name}" ELSE "{name}" END'


_PAGES = _insert(session_logs, merge={name: f'excluded."{name}"' for name in ("entries", "keys", "data")})
_MESSAGES = _insert(
    session_messages,
    merge={
        "time": 'MIN(COALESCE("time", excluded."time"), COALESCE(excluded."time", "time"))',
        "model": "CASE WHEN excluded.model = '' OR (model <> '' AND excluded.\"output\" < \"output\") "
        "THEN model ELSE excluded.model END",
        **{
            name: _larger(name)
            for name in ("input", "cache_read", "cache_write", "cache_write_5m", "cache_write_1h", "output")
        },
        **{name: f'"{name}" AND excluded."{name}"' for name in ("lower_bound", "mirror", "copied", "sidechain")},
    },
)
_TOOL_CALLS = _insert(
    session_tool_calls,
    merge={
        **_first_known(["name", "target", "called_at", "call_offset", "call_length"]),
        **_first_known(["ended_at", "result_offset", "result_length"]),
        "status": "CASE WHEN status = 'error' OR excluded.status = 'error' THEN 'error' "
        "ELSE COALESCE(status, excluded.status) END",
        "agent_id": "COALESCE(excluded.agent_id, agent_id)",
        "sidechain": "sidechain OR excluded.sidechain",
    },
)
_FILE_UPDATES = _insert(
    session_file_updates,
    merge={
        **_first_known(["file_path", "action"]),
        **{name: f'COALESCE(excluded."{name}", "{name}")' for name in ("additions", "deletions", "created")},
    },
)
_SUMMARIES = _insert(session_summaries)
_DIAGNOSTICS = _insert(diagnostics, merge={"count": '"count" + excluded."count"', "message": "excluded.message"})

ROW_TABLES = (
    session_logs,
    session_messages,
    session_tool_calls,
    session_file_updates,
    session_summaries,
    diagnostics,
)


def store(connection: sa.Connection, result: FileResult) -> int:
    """Write what was read of a log: all its rows anew, or those of its new end. Returns its `file_id`."""
    path = path_value(result.path)
    file_id: int | None = connection.execute(
        sa.select(sync_state.c.id).where(sync_state.c.path == path)
    ).scalar_one_or_none()
    values = {
        "agent": result.agent,
        "size": result.size,
        "mtime_ns": result.mtime_ns,
        "inode": result.inode,
        "parsed_to": result.parsed_to,
        "guard": result.guard,
        "parser": PARSER,
        "state": "glanced" if result.glance else "ok",
        "problem": result.problem,
        "session_id": result.session_id,
        "parent_id": result.parent_id,
        "agent_id": result.agent_id,
        "root_uuid": result.stats.root_uuid,
        "stats": _encode(result.stats),
    }
    if file_id is None:
        inserted = connection.execute(sa.insert(sync_state).values(path=path, **values)).inserted_primary_key
        assert inserted is not None
        file_id = inserted[0]
    else:
        connection.execute(sa.update(sync_state).where(sync_state.c.id == file_id).values(**values))
        if result.start == 0:
            clear(connection, file_id)
    assert file_id is not None
    if not result.glance:
        _rows(connection, file_id, result)
    return file_id


def _rows(connection: sa.Connection, file_id: int, result: FileResult) -> None:
    many = raw_connection(connection).executemany
    many(_PAGES, [(file_id, *row) for row in result.pages])
    many(_MESSAGES, [(file_id, *row, not row[11]) for row in result.messages])
    many(_TOOL_CALLS, [(file_id, *row) for row in result.tool_calls])
    many(_FILE_UPDATES, [(file_id, *row) for row in result.file_updates])
    many(_SUMMARIES, [(file_id, *row, None) for row in result.summaries])
    many(
        _DIAGNOSTICS,
        [
            (file_id, offset, code, severity, length, line, message, count)
            for code, severity, offset, length, line, message, count in result.findings
        ],
    )


def clear(connection: sa.Connection, file_id: int) -> None:
    """Delete the rows of a log, not the log."""
    for table in ROW_TABLES:
        connection.execute(sa.delete(table).where(table.c.file_id == file_id))


def forget(connection: sa.Connection, file_id: int) -> None:
    """Delete a log with its rows."""
    connection.execute(sa.delete(sync_state).where(sync_state.c.id == file_id))


class FileState(msgspec.Struct):
    """What is known of a log, to tell whether it changed."""

    id: int
    path: str
    size: int
    mtime_ns: int
    inode: int
    parsed_to: int
    guard: bytes
    parser: int
    state: str
    session_id: str | None
    parent_id: str | None
    agent_id: str | None


_STATE = sa.select(*(sync_state.c[name] for name in FileState.__struct_fields__))


def _state(row: Any) -> FileState:
    return FileState(row.id, path_from(row.path), *row[2:])


def states(connection: sa.Connection, paths: Iterable[str] | None = None) -> dict[str, FileState]:
    """What is known of these logs, or of all."""
    if paths is None:
        rows = connection.execute(_STATE).all()
    else:
        rows = []
        wanted = [path_value(path) for path in paths]
        for begin in range(0, len(wanted), 500):
            part = wanted[begin : begin + 500]
            rows += connection.execute(_STATE.where(sync_state.c.path.in_(part))).all()
    return {state.path: state for state in map(_state, rows)}


def session_ids(connection: sa.Connection) -> set[str]:
    """All sessions that have a log."""
    query = sa.select(sync_state.c.session_id).distinct().where(sync_state.c.session_id.is_not(None))
    return set(connection.execute(query).scalars())


def known(connection: sa.Connection, file_id: int) -> Known:
    """What is needed to read on where the last reading of a log ended."""
    row = connection.execute(sa.select(sync_state.c.parsed_to, sync_state.c.stats).where(sync_state.c.id == file_id)).one()
    stats = _stats.decode(row.stats)
    seen: set[str] = set()
    last_keys = b""
    keys = sa.select(session_logs.c.page, session_logs.c["keys"]).where(session_logs.c.file_id == file_id)
    for page, packed in connection.execute(keys):
        seen |= unpack_keys(packed)
        if page == stats.entries // PAGE:
            last_keys = packed
    tail = []
    if stats.entries % PAGE:
        last = sa.select(session_logs.c.data).where(
            session_logs.c.file_id == file_id, session_logs.c.page == stats.entries // PAGE
        )
        tail = pages.unpack(connection.execute(last).scalar_one())
    return Known(row.parsed_to, stats, seen, tail, last_keys)


def mark(connection: sa.Connection, file_id: int, state: str, problem: str = "") -> None:
    """Note that a log is gone, unreadable, or there again."""
    connection.execute(sa.update(sync_state).where(sync_state.c.id == file_id).values(state=state, problem=problem))


def touch(connection: sa.Connection, file_id: int, size: int, mtime_ns: int, inode: int) -> None:
    """Note a new time or inode of a log whose bytes are what they were."""
    values = {"size": size, "mtime_ns": mtime_ns, "inode": inode}
    connection.execute(sa.update(sync_state).where(sync_state.c.id == file_id).values(state="ok", problem="", **values))


def move(connection: sa.Connection, file_id: int, path: str) -> None:
    """Note that a log was renamed."""
    connection.execute(sa.update(sync_state).where(sync_state.c.id == file_id).values(path=path_value(path), state="ok"))


def upsert(table: sa.Table) -> sqlite.Insert:
    """An INSERT of `table` that replaces the row of the same key."""
    statement = sqlite.insert(table)
    others = {column.name: statement.excluded[column.name] for column in table.columns if not column.primary_key}
    return statement.on_conflict_do_update(index_elements=list(table.primary_key), set_=others)
