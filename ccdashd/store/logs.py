"""Rows of one log: written whole, extended when the log grew, kept when it is gone."""

from __future__ import annotations

import functools
import os
import sqlite3
from collections.abc import Callable, Iterable
from typing import Any

import msgspec
import sqlalchemy as sa

from ccdashd.sources import PARSER
from ccdashd.sources.log import StoredKeys
from ccdashd.sources.log import merge as merge_messages
from ccdashd.sources.model import PAGE, Message, Stats, ToolCall
from ccdashd.sources.result import FileResult, Known, Row
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


def _insert(table: sa.Table, verb: str = "INSERT") -> str:
    """The driver's statement that writes a row of all columns of `table`."""
    names = ", ".join(f'"{column.name}"' for column in table.columns)
    marks = ", ".join("?" * len(table.columns))
    return f"{verb} INTO {table.name} ({names}) VALUES ({marks})"


_STATE_COLUMNS = [column.name for column in sync_state.columns if column.name != "id"]
_ADD = f"INSERT INTO sync_state ({', '.join(_STATE_COLUMNS)}) VALUES ({', '.join('?' * len(_STATE_COLUMNS))})"
_CHANGE = f"UPDATE sync_state SET {', '.join(f'{name} = ?' for name in _STATE_COLUMNS)} WHERE id = ?"
_FIND = "SELECT id FROM sync_state WHERE path = ?"

_PAGES = _insert(session_logs, "INSERT OR REPLACE")
_MESSAGES = _insert(session_messages, "INSERT OR REPLACE")
_TOOL_CALLS = _insert(session_tool_calls, "INSERT OR REPLACE")
_FILE_UPDATES = _insert(session_file_updates, "INSERT OR REPLACE")
_SUMMARIES = _insert(session_summaries)
_DIAGNOSTICS = _insert(diagnostics, "INSERT OR REPLACE")

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
    raw = raw_connection(connection)
    path = path_value(result.path)
    values = (
        path,
        result.agent,
        result.size,
        result.mtime_ns,
        result.inode,
        result.parsed_to,
        result.guard,
        PARSER,
        "glanced" if result.glance else "ok",
        result.problem,
        result.session_id,
        result.parent_id,
        result.agent_id,
        result.stats.root_uuid,
        _encode(result.stats),
    )
    known = raw.execute(_FIND, (path,)).fetchone()
    if known is None:
        file_id = raw.execute(_ADD, values).lastrowid
        assert file_id is not None
    else:
        file_id = int(known[0])
        raw.execute(_CHANGE, (*values, file_id))
        if result.start == 0:
            clear(connection, file_id)
    if not result.glance:
        _rows(raw, file_id, result)
    return file_id


def _rows(raw: sqlite3.Connection, file_id: int, result: FileResult) -> None:
    messages = list(enumerate(result.messages))
    calls = list(enumerate(result.tool_calls))
    updates = result.file_updates
    if result.start:
        messages = _joined(raw, file_id, "session_messages", ("message_id", "request_id"), messages, _merge_messages)
        calls = _joined(raw, file_id, "session_tool_calls", ("tool_use_id",), calls, _merge_calls)
    numbers = {call[0]: n for n, call in calls}
    changes = [(numbers[update[0]], update[1:]) for update in updates]
    if result.start:
        changes = _known_updates(raw, file_id, changes)
    raw.executemany(_PAGES, [(file_id, *row) for row in result.pages])
    raw.executemany(_MESSAGES, [(file_id, n, *row, not row[_MIRROR]) for n, row in messages])
    raw.executemany(_TOOL_CALLS, [(file_id, n, *row) for n, row in calls])
    raw.executemany(_FILE_UPDATES, [(file_id, n, *row) for n, row in changes])
    raw.executemany(_SUMMARIES, [(file_id, *row, None) for row in result.summaries])
    raw.executemany(
        _DIAGNOSTICS,
        [
            (file_id, offset, code, severity, length, line, message, count)
            for code, severity, offset, length, line, message, count in result.findings
        ],
    )


_MIRROR = Message.__struct_fields__.index("mirror")


def _joined(
    raw: sqlite3.Connection,
    file_id: int,
    table: str,
    keys: tuple[str, ...],
    rows: list[tuple[int, Row]],
    merge: Callable[[Row, Row], Row],
) -> list[tuple[int, Row]]:
    """New rows of a log that grew, numbered on from the stored ones and merged with those of the same key.

    The columns of the key are the first after the number.
    """
    (last,) = raw.execute(f"SELECT MAX(n) FROM {table} WHERE file_id = ?", (file_id,)).fetchone()
    following = 0 if last is None else last + 1
    query = f"SELECT * FROM {table} WHERE file_id = ? AND {' AND '.join(f'{key} = ?' for key in keys)}"
    joined = []
    for _, row in rows:
        known = raw.execute(query, (file_id, *row[: len(keys)])).fetchone()
        if known is None:
            joined.append((following, row))
            following += 1
        else:
            joined.append((known[1], merge(known[2:], row)))
    return joined


def _merge_messages(known: Row, new: Row) -> Row:
    width = len(Message.__struct_fields__)
    return msgspec.structs.astuple(merge_messages(Message(*known[:width]), Message(*new)))


def _merge_calls(known: Row, new: Row) -> Row:
    """What is known first stays, but an error, which a later result may tell."""
    merged = [old if old is not None else value for old, value in zip(known, new, strict=True)]
    if "error" in (known[_STATUS], new[_STATUS]):
        merged[_STATUS] = "error"
    merged[_SIDECHAIN] = known[_SIDECHAIN] if known[_NAME] is not None else new[_SIDECHAIN]
    return tuple(merged)


_NAME, _STATUS, _SIDECHAIN = (ToolCall.__struct_fields__.index(name) for name in ("name", "status", "sidechain"))


def _known_updates(raw: sqlite3.Connection, file_id: int, changes: list[tuple[int, Row]]) -> list[tuple[int, Row]]:
    """Changes of files, with what is stored of the same calls: the first call says the path, the last result the lines."""
    joined = []
    for n, row in changes:
        query = (
            "SELECT file_path, action, additions, deletions, created FROM session_file_updates WHERE file_id = ? AND n = ?"
        )
        stored = raw.execute(query, (file_id, n)).fetchone()
        if stored is not None:
            first, last = (stored[:2], row[:2]), (row[2:], stored[2:])
            row = tuple(a if a is not None else b for pair in (first, last) for a, b in zip(*pair, strict=True))
        joined.append((n, row))
    return joined


def clear(connection: sa.Connection, file_id: int) -> None:
    """Delete the rows of a log, not the log."""
    for table in ROW_TABLES:
        connection.execute(sa.delete(table).where(table.c.file_id == file_id))


def forget(connection: sa.Connection, file_id: int) -> None:
    """Delete a log with its rows."""
    clear(connection, file_id)
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


_STATE = f"SELECT {', '.join(FileState.__struct_fields__)} FROM sync_state"


def states(connection: sa.Connection, paths: Iterable[str] | None = None) -> dict[str, FileState]:
    """What is known of these logs, or of all."""
    raw = raw_connection(connection)
    if paths is None:
        rows = raw.execute(_STATE).fetchall()
    else:
        rows = []
        wanted = [path_value(path) for path in paths]
        for begin in range(0, len(wanted), 500):
            part = wanted[begin : begin + 500]
            rows += raw.execute(f"{_STATE} WHERE path IN ({', '.join('?' * len(part))})", part).fetchall()
    found = (FileState(file_id, path_from(path), *rest) for file_id, path, *rest in rows)
    return {state.path: state for state in found}


def session_ids(connection: sa.Connection) -> set[str]:
    """All sessions that have a log."""
    query = sa.select(sync_state.c.session_id).distinct().where(sync_state.c.session_id.is_not(None))
    return set(connection.execute(query).scalars())


def known(connection: sa.Connection, file_id: int) -> Known | None:
    """What is needed to read on where the last reading of a log ended; None when the log was forgotten since."""
    columns = (sync_state.c.parsed_to, sync_state.c.guard, sync_state.c.stats)
    row = connection.execute(sa.select(*columns).where(sync_state.c.id == file_id)).one_or_none()
    if row is None:
        return None
    stats = _stats.decode(row.stats)
    query = "SELECT page, keys FROM session_logs WHERE file_id = ?"
    keys: dict[int, bytes] = dict(raw_connection(connection).execute(query, (file_id,)).fetchall())
    last = stats.entries // PAGE
    tail = []
    if stats.entries % PAGE:
        page = sa.select(session_logs.c.data).where(session_logs.c.file_id == file_id, session_logs.c.page == last)
        tail = pages.unpack(connection.execute(page).scalar_one())
    name = functools.partial(_tool_name, raw_connection(connection), file_id)
    seen = StoredKeys(b"".join(keys.values()))
    return Known(row.parsed_to, row.guard, stats, seen, tail, keys.get(last, b""), name)


def _tool_name(raw: sqlite3.Connection, file_id: int, call_id: str) -> str | None:
    query = "SELECT name FROM session_tool_calls WHERE file_id = ? AND tool_use_id = ?"
    row = raw.execute(query, (file_id, call_id)).fetchone()
    return None if row is None else row[0]


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
