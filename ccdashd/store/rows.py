"""Rows of one log: written whole, extended when the log grew, kept when it is gone."""

from __future__ import annotations

import functools
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import msgspec
import sqlalchemy as sa

from ccdashd.derive.slots import FAR_MS, active, minutes_of, slot_of
from ccdashd.sources import PARSER
from ccdashd.sources.log import StoredKeys
from ccdashd.sources.log import merge as merge_messages
from ccdashd.sources.model import PAGE, Event, Message, Stats, ToolCall
from ccdashd.sources.result import FileResult, Known, Row
from ccdashd.store import pages, rollups
from ccdashd.store.connection import raw_connection, select
from ccdashd.store.logs import path_value
from ccdashd.store.schema import (
    diagnostics,
    log_seals,
    session_events,
    session_file_updates,
    session_logs,
    session_messages,
    session_minutes,
    session_signals,
    session_summaries,
    session_tool_calls,
    sync_state,
)

_stats = msgspec.json.Decoder(Stats)
_encode = msgspec.json.Encoder().encode


def _insert(table: sa.Table, verb: str = "INSERT", columns: Sequence[str] = ()) -> str:
    """The driver's statement that writes a row of these columns of `table`, by default all."""
    columns = columns or [column.name for column in table.columns]
    names = ", ".join(f'"{name}"' for name in columns)
    marks = ", ".join("?" * len(columns))
    return f"{verb} INTO {table.name} ({names}) VALUES ({marks})"


_STATE_COLUMNS = [column.name for column in sync_state.columns if column.name != "id"]
_ADD = f"INSERT INTO sync_state ({', '.join(_STATE_COLUMNS)}) VALUES ({', '.join('?' * len(_STATE_COLUMNS))})"
_CHANGE = f"UPDATE sync_state SET {', '.join(f'{name} = ?' for name in _STATE_COLUMNS)} WHERE id = ?"
_FIND = "SELECT id FROM sync_state WHERE path = ?"

_PAGES = _insert(session_logs, "INSERT OR REPLACE")
_MESSAGES = _insert(session_messages, "INSERT OR REPLACE", ["file_id", "n", *Message.__struct_fields__, "counted"])
_TOOL_CALLS = _insert(session_tool_calls, "INSERT OR REPLACE")
_FILE_UPDATES = _insert(session_file_updates, "INSERT OR REPLACE")
_SUMMARIES = _insert(session_summaries)
_SIGNALS = _insert(session_signals)
_DIAGNOSTICS = _insert(diagnostics, "INSERT OR REPLACE")
_EVENTS = _insert(session_events)
_MINUTES = _insert(session_minutes, "INSERT OR REPLACE")

ROW_TABLES = (
    session_logs,
    session_messages,
    session_tool_calls,
    session_file_updates,
    session_summaries,
    session_signals,
    diagnostics,
    session_events,
    session_minutes,
)
"""Those of which a log's rows are made from what is read of it alone."""


class Stored(NamedTuple):
    """A log that was written."""

    file_id: int
    since: int | None
    """The first slot of its new and its changed rows; None where all are new."""


def store(connection: sa.Connection, result: FileResult) -> Stored:
    """Write what was read of a log: all its rows anew, or those of its new end."""
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
        "glanced" if result.glance else "gone" if result.gone else "ok",
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
    if result.glance:
        return Stored(file_id, None)
    if result.start:
        return Stored(file_id, _append(connection, file_id, result))
    calls = list(enumerate(result.tool_calls))
    numbers = {call[0]: n for n, call in calls}
    changes = [(numbers[update[0]], update[1:]) for update in result.file_updates]
    _rows(raw, file_id, result, list(enumerate(result.messages)), calls, changes)
    return Stored(file_id, None)


def _append(connection: sa.Connection, file_id: int, result: FileResult) -> int:
    """Write the rows of a log's new end; returns the first slot of those that are new or changed."""
    raw = raw_connection(connection)
    messages = _joined(connection, file_id, _MESSAGE_TABLE, result.messages)
    places = [n for n, _ in messages]
    new_calls = [
        row if row[_MESSAGE] is None else (*row[:_MESSAGE], places[row[_MESSAGE]], *row[_MESSAGE + 1 :])
        for row in result.tool_calls
    ]
    calls = _joined(connection, file_id, _CALL_TABLE, new_calls)
    changes = _joined_updates(raw, file_id, result, {call[0]: (n, call) for n, call in calls})
    _rows(raw, file_id, result, messages, calls, changes)
    # Messages are as early as the earliest of what was joined, calls as early as what was known of them.
    times = [row[_TIME] for _, row in messages]
    times += [row[_CALLED_AT] for _, row in calls]
    times += [row[_EVENT_TIME] for row in result.events]
    return min(map(slot_of, times), default=LAST)


def _rows(
    raw: sqlite3.Connection,
    file_id: int,
    result: FileResult,
    messages: list[tuple[int, Row]],
    calls: list[tuple[int, Row]],
    changes: list[tuple[int, Row]],
) -> None:
    raw.executemany(_PAGES, [(file_id, *row) for row in result.pages])
    raw.executemany(_MESSAGES, [(file_id, n, *row, not row[_MIRROR]) for n, row in messages])
    raw.executemany(_TOOL_CALLS, [(file_id, n, *row) for n, row in calls])
    succeeded = {n for n, row in calls if row[_STATUS] == "success"}
    # Nearly all of these count; the roll-ups look which do not.
    raw.executemany(_FILE_UPDATES, [(file_id, n, *row, row[1] in rollups.CHANGES and n in succeeded) for n, row in changes])
    raw.executemany(_SUMMARIES, [(file_id, *row, None) for row in result.summaries])
    if result.signals:
        first = _following(raw, "SELECT MAX(n) FROM session_signals WHERE file_id = ?", file_id) if result.start else 0
        raw.executemany(_SIGNALS, [(file_id, n, *row) for n, row in enumerate(result.signals, first)])
    raw.executemany(
        _DIAGNOSTICS,
        [
            (file_id, offset, code, severity, length, line, message, count)
            for code, severity, offset, length, line, message, count in result.findings
        ],
    )
    if result.events:
        first = _following(raw, "SELECT MAX(n) FROM session_events WHERE file_id = ?", file_id) if result.start else 0
        raw.executemany(_EVENTS, [(file_id, n, *row, True) for n, row in enumerate(result.events, first)])
    if result.minutes:
        minutes = result.minutes
        if result.start:
            around = (file_id, min(minutes) - 1, max(minutes) + 1)
            known = dict(raw.execute(_MINUTES_AROUND, around).fetchall())
            joined = active(minutes_of(minutes) + minutes_of(known))
            minutes = {slot: mask for slot, mask in joined.items() if mask != known.get(slot)}
        raw.executemany(_MINUTES, [(file_id, *row) for row in minutes.items()])


_MINUTES_AROUND = "SELECT slot, minutes FROM session_minutes WHERE file_id = ? AND slot BETWEEN ? AND ?"


LAST = slot_of(FAR_MS - 1)
"""The last slot that there is."""

_MIRROR, _TIME = (Message.__struct_fields__.index(name) for name in ("mirror", "time"))
_EVENT_TIME = Event.__struct_fields__.index("time")


def _merge_messages(known: Row, new: Row) -> Row:
    return msgspec.structs.astuple(merge_messages(Message(*known), Message(*new)))


def _merge_calls(known: Row, new: Row) -> Row:
    """The first call counts, and the first result, but for an error, which a later result may tell."""
    told, ended = (known if known[at] is not None else new for at in (_NAME, _STATUS))
    merged = [(ended if name in _OF_RESULT else told)[at] for at, name in enumerate(ToolCall.__struct_fields__)]
    if new[_STATUS] == "error":
        merged[_STATUS] = "error"
    merged[_AGENT] = known[_AGENT] if known[_AGENT] is not None else new[_AGENT]
    return tuple(merged)


_NAME, _STATUS, _AGENT, _MESSAGE, _CALLED_AT, _CALL_OFFSET = (
    ToolCall.__struct_fields__.index(name) for name in ("name", "status", "agent_id", "message", "called_at", "call_offset")
)
_OF_RESULT = {"status", "ended_at", "result_offset", "result_length"}


class _Table(NamedTuple):
    """How new rows are joined with stored ones of the same key, whose columns are the first after the number."""

    last: str
    find: str
    keys: int
    merge: Callable[[Row, Row], Row]


_MESSAGE_TABLE = _Table(
    "SELECT MAX(n) FROM session_messages WHERE file_id = ?",
    f"SELECT n, {', '.join(Message.__struct_fields__)} FROM session_messages WHERE file_id = ? AND message_id IN ({{}})",
    2,
    _merge_messages,
)
_CALL_TABLE = _Table(
    "SELECT MAX(n) FROM session_tool_calls WHERE file_id = ?",
    f"SELECT n, {', '.join(ToolCall.__struct_fields__)} FROM session_tool_calls "
    "WHERE file_id = ? AND tool_use_id IN ({})",
    1,
    _merge_calls,
)


def _joined(connection: sa.Connection, file_id: int, table: _Table, rows: list[Row]) -> list[tuple[int, Row]]:
    """New rows of a log that grew, numbered on from the stored ones and merged with those of the same key."""
    following = _following(raw_connection(connection), table.last, file_id)
    joined = []
    # All at once: calls have no index by their id, so that finding them is a walk over all of the log.
    stored = select(connection, table.find, [row[0] for row in rows], file_id)
    known = {tuple(row[: table.keys]): (n, row) for n, *row in stored}
    for row in rows:
        found = known.get(row[: table.keys])
        if found is None:
            joined.append((following, row))
            following += 1
        else:
            joined.append((found[0], table.merge(tuple(found[1]), row)))
    return joined


def _following(raw: sqlite3.Connection, last: str, file_id: int) -> int:
    """The number after the last of a log's rows."""
    (number,) = raw.execute(last, (file_id,)).fetchone()
    return 0 if number is None else number + 1


_UPDATE = (
    "SELECT file_path, action, additions, deletions, created, time FROM session_file_updates WHERE file_id = ? AND n = ?"
)


def _joined_updates(
    raw: sqlite3.Connection, file_id: int, result: FileResult, calls: Mapping[str, tuple[int, Row]]
) -> list[tuple[int, Row]]:
    """Changes of files, with what is stored of the same calls: the first call says path and time, the last result the
    lines."""
    offsets = {row[0]: row[_CALL_OFFSET] for row in result.tool_calls}
    joined = []
    for call_id, path, action, *patch, time in result.file_updates:
        n, call = calls[call_id]
        told = (path, action, time) if call[_CALL_OFFSET] == offsets[call_id] else (None, None, None)
        stored = raw.execute(_UPDATE, (file_id, n)).fetchone() or (None,) * 6
        path, action, time = (a if a is not None else b for a, b in zip((*stored[:2], stored[5]), told, strict=True))
        lines = [a if a is not None else b for a, b in zip(patch, stored[2:5], strict=True)]
        if path is not None or lines != [None] * 3:
            joined.append((n, (path, action, *lines, time)))
    return joined


def clear(connection: sa.Connection, file_id: int) -> None:
    """Delete the rows of a log, not the log."""
    for table in (*ROW_TABLES, *rollups.TABLES, log_seals):
        connection.execute(sa.delete(table).where(table.c.file_id == file_id))


def forget(connection: sa.Connection, file_id: int) -> None:
    """Delete a log with its rows."""
    clear(connection, file_id)
    connection.execute(sa.delete(sync_state).where(sync_state.c.id == file_id))


def known(connection: sa.Connection, file_id: int, path: str) -> Known | None:
    """What is needed to read on where the last reading of a log ended; None when it was forgotten or renamed since."""
    columns = (sync_state.c.parsed_to, sync_state.c.guard, sync_state.c.stats)
    row = connection.execute(
        sa.select(*columns).where(sync_state.c.id == file_id, sync_state.c.path == path_value(path))
    ).one_or_none()
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
