"""Is the cache what the files say? Reads every log again and compares."""

from __future__ import annotations

import os
from collections.abc import Iterator

import msgspec
import sqlalchemy as sa

from ccdashd.derive.pricing import Prices
from ccdashd.ingest.parse import read_log
from ccdashd.protocol import types as t
from ccdashd.sources import PARSER
from ccdashd.sources.result import FileResult
from ccdashd.store import logs, rollups
from ccdashd.store.schema import (
    diagnostics,
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

_encode = msgspec.json.Encoder().encode
_DERIVED = {"file_id", "counted", "session_id"}
"""Columns that say what a row is among those of all logs."""

_RESCAN = "ccdash rescan repairs it"
_REBUILD = "ccdash rebuild repairs it"


def database_problems(connection: sa.Connection, revision: int) -> list[t.Problem]:
    """What is wrong with the file itself, and with references between its tables."""
    problems = [
        t.Problem(part="cache.db", problem=str(line), hint="delete cache.db: it is rebuilt from your files")
        for (line,) in connection.exec_driver_sql("PRAGMA integrity_check(20)")
        if line != "ok"
    ]
    for row in connection.exec_driver_sql("PRAGMA foreign_key_check").fetchmany(20):
        problem = f"a row of {row[0]} refers to a missing row of {row[2]}"
        problems.append(t.Problem(part="cache.db", problem=problem, hint=_REBUILD))
    return problems


def to_check(connection: sa.Connection, revision: int) -> list[logs.FileState]:
    """Logs that can be compared: those that are there."""
    return [state for state in logs.states(connection).values() if state.state not in ("gone", "unreadable")]


def gone_problems(prices: Prices, connection: sa.Connection, revision: int) -> list[t.Problem]:
    """What is wrong with roll-ups of logs that are gone."""
    gone = logs.with_ids(connection, logs.newest(connection, gone=True))
    return [problem for state in gone for problem in _drifted(connection, state, prices)]


def log_problems(path: str, text_cap: int, prices: Prices, connection: sa.Connection, revision: int) -> list[t.Problem]:
    """What is wrong with the rows of one log, which is read again, and with its roll-ups."""
    state = logs.states(connection, [path]).get(path)
    if state is None:
        return []
    return [*_log(connection, state, text_cap), *_drifted(connection, state, prices)]


def _drifted(connection: sa.Connection, state: logs.FileState, prices: Prices) -> Iterator[t.Problem]:
    for table in rollups.drifted(connection, prices, state.id):
        problem = f"what {table} holds is not what the rows of the log add up to"
        yield t.Problem(part=_shown(state), problem=problem, hint=_REBUILD)


def _shown(state: logs.FileState) -> str:
    return logs.shown(logs.path_value(state.path))


def _log(connection: sa.Connection, state: logs.FileState, text_cap: int) -> Iterator[t.Problem]:
    shown = _shown(state)
    try:
        size = os.stat(state.path).st_size
        if not state.is_whole or state.parser != PARSER:
            yield t.Problem(part=shown, problem="the log was not read whole yet", hint="wait for the index to be complete")
            return
        result = read_log(state.path, text_cap)
    except OSError as error:
        yield t.Problem(part=shown, problem=f"the log cannot be read: {error.strerror or error}", hint=_RESCAN)
        return
    if size != state.size:
        yield t.Problem(part=shown, problem=f"the log has {size} bytes, the cache knows {state.size}", hint=_RESCAN)
        return
    for table in differences(connection, state.id, result):
        yield t.Problem(part=shown, problem=f"what {table} holds is not what the log says", hint=_REBUILD)


def differences(connection: sa.Connection, file_id: int, result: FileResult) -> list[str]:
    """Tables whose rows of a log differ from what a reading of it gave."""
    found = []
    stats = connection.execute(sa.select(sync_state.c.stats).where(sync_state.c.id == file_id)).scalar_one()
    if bytes(stats) != _encode(result.stats):
        found.append("sync_state")
    numbers = {call[0]: n for n, call in enumerate(result.tool_calls)}
    expected: list[tuple[sa.Table, list[tuple[object, ...]]]] = [
        (session_logs, result.pages),
        (session_messages, [(n, *row) for n, row in enumerate(result.messages)]),
        (session_tool_calls, [(n, *row) for n, row in enumerate(result.tool_calls)]),
        (session_file_updates, [(numbers[row[0]], *row[1:]) for row in result.file_updates]),
        (session_summaries, result.summaries),
        (session_signals, [(n, *row) for n, row in enumerate(result.signals)]),
        (session_events, [(n, *row) for n, row in enumerate(result.events)]),
        (session_minutes, sorted(result.minutes.items())),
    ]
    for table, rows in expected:
        columns = [column for column in table.c if column.name not in _DERIVED]
        stored = connection.execute(sa.select(*columns).where(table.c.file_id == file_id))
        if sorted(map(repr, (tuple(row) for row in stored))) != sorted(map(repr, rows)):
            found.append(table.name)
    # By code: of many findings of a kind, each reading keeps the first only.
    codes = sa.select(diagnostics.c.code).distinct().where(diagnostics.c.file_id == file_id)
    if set(connection.execute(codes).scalars()) != {row[0] for row in result.findings}:
        found.append(diagnostics.name)
    return found
