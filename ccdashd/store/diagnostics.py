"""What was not understood in logs and planning files, and which sessions a user might miss."""

from __future__ import annotations

import os
from typing import Any

import msgspec
import sqlalchemy as sa

from ccdashd.protocol import types as t
from ccdashd.sources.model import Stats
from ccdashd.store import logs
from ccdashd.store.schema import diagnostics, document_diagnostics, documents, projects, sessions, sync_state

_stats = msgspec.json.Decoder(Stats)
_file = sync_state.c

SEVERITIES = ("info", "warning", "error")

_OF_LINES = sa.select(diagnostics, _file.path, _file.session_id).join(sync_state, _file.id == diagnostics.c.file_id)


def of_session(connection: sa.Connection, session_id: str, limit: int = 100) -> list[t.Diagnostic]:
    """What was not understood in the logs of a session, by log and place."""
    query = _OF_LINES.where(_file.session_id == session_id)
    query = query.order_by(_file.path, diagnostics.c.offset, diagnostics.c.code).limit(limit)
    return [_of_line(row) for row in connection.execute(query)]


def of_document(connection: sa.Connection, document_id: str) -> list[t.Diagnostic]:
    """What was not understood in a planning file, by place."""
    return sorted(_of_documents(connection, documents.c.id == document_id), key=lambda item: item.line or 0)


def doctor(
    connection: sa.Connection, params: t.DoctorParams, problems: list[t.Problem], skipped: list[str], revision: int
) -> t.Doctor:
    """What was not understood, the most severe first, and the sessions that a user might miss.

    `skipped` are files among the logs that are none, and planning files that cannot be named on the wire.
    """
    found = (
        _of_files(connection)
        + [_of_line(row) for row in connection.execute(_OF_LINES)]
        + _of_documents(connection)
        + [_skipped(path) for path in skipped]
    )
    if params.path is not None:
        wanted = params.path.rstrip("/")
        found = [item for item in found if item.path is not None and (item.path + "/").startswith(wanted + "/")]
    least = SEVERITIES.index(params.severity)
    found = [item for item in found if SEVERITIES.index(item.severity) >= least]
    found.sort(key=_order)
    by_code: dict[str, int] = {}
    for item in found:
        by_code[item.code] = by_code.get(item.code, 0) + item.count
    types: dict[str, int] = {}
    unknown: dict[str, int] = {}
    for stats in connection.execute(sa.select(_file.stats)).scalars():
        decoded = _stats.decode(stats)
        _add(types, decoded.record_types)
        _add(unknown, decoded.unknown_types)
    hidden = connection.execute(
        sa.select(sa.func.count())
        .select_from(sessions)
        .join(projects, projects.c.id == sessions.c.project_id)
        .where(sessions.c.agent_id.is_(None), sessions.c.empty | projects.c.hidden)
    ).scalar_one()
    return t.Doctor(
        problems=problems,
        diagnostics=found[: params.limit],
        total=len(found),
        by_code=by_code,
        record_types=types,
        unknown_record_types=unknown,
        hidden_sessions=hidden,
        revision=revision,
    )


def _order(item: t.Diagnostic) -> tuple[object, ...]:
    """The most severe first, then by file and place."""
    return (-SEVERITIES.index(item.severity), item.path or "", item.offset or 0, item.line or 0, item.code)


def _add(total: dict[str, int], more: dict[str, int]) -> None:
    for key, count in more.items():
        total[key] = total.get(key, 0) + count


def _of_line(row: Any) -> t.Diagnostic:
    return t.Diagnostic(
        code=row.code,
        severity=row.severity,
        message=row.message,
        path=logs.shown(row.path),
        line=row.line,
        offset=row.offset,
        length=row.length,
        session_id=row.session_id,
        count=row._mapping["count"],
    )


def _of_files(connection: sa.Connection) -> list[t.Diagnostic]:
    """What is to be said of whole logs: why a session is not listed, or not all of it."""
    query = (
        sa.select(_file.path, _file.state, _file.problem, _file.size, _file.parsed_to, _file.session_id)
        .add_columns(sessions.c.empty, projects.c.hidden, projects.c.name, sessions.c.project_id)
        .outerjoin(sessions, sessions.c.id == _file.session_id)
        .outerjoin(projects, projects.c.id == sessions.c.project_id)
        .where(
            (_file.state != "ok")
            | (_file.size != _file.parsed_to)
            | _file.session_id.is_(None)
            | sessions.c.empty
            | projects.c.hidden
        )
    )
    found = []
    for row in connection.execute(query):
        for code, severity, message, hint in _reasons(row):
            found.append(
                t.Diagnostic(
                    code=code,
                    severity=severity,  # type: ignore[arg-type]
                    message=message,
                    path=logs.shown(row.path),
                    session_id=row.session_id,
                    offset=row.parsed_to if code == "torn-tail" else None,
                    length=row.size - row.parsed_to if code == "torn-tail" else None,
                    hint=hint,
                )
            )
    return found


def _of_documents(connection: sa.Connection, *where: sa.ColumnElement[bool]) -> list[t.Diagnostic]:
    """What was not understood in planning files, and which of them could not be read."""
    file = (documents.c.path.label("file"), projects.c.root)
    found = (
        sa.select(document_diagnostics, *file)
        .join(documents, documents.c.id == document_diagnostics.c.document_id)
        .join(projects, projects.c.id == documents.c.project_id)
        .where(*where)
        .order_by(document_diagnostics.c.document_id, document_diagnostics.c.n)
    )
    unread = sa.select(documents.c.problem, *file).join(projects, projects.c.id == documents.c.project_id)
    hint = "it is tried again whenever it changes; what was read of it before is not kept"
    return [
        t.Diagnostic(
            code="unreadable",
            severity="error",
            message=f"the planning file cannot be read: {row.problem}",
            path=os.path.join(row.root, row.file),
            hint=hint,
        )
        for row in connection.execute(unread.where(documents.c.problem != "", *where))
    ] + [
        t.Diagnostic(
            code=row.code,
            severity=row.severity,
            message=row.message,
            path=os.path.join(row.root, row.file),
            line=row.line,
            hint=row.hint,
        )
        for row in connection.execute(found)
    ]


def _skipped(path: str) -> t.Diagnostic:
    shown = logs.shown(logs.path_value(path))
    if shown != path:
        message, hint = "the file's name is not UTF-8, so it is not read", "rename it to have it read"
        return t.Diagnostic(code="unnamed", severity="warning", message=message, path=shown, hint=hint)
    if ".orphaned-" in os.path.basename(path):
        message = "the agent left this copy of a log behind after a crash; it is not read"
        hint = "rename it to <session>.jsonl to have it read"
    else:
        message, hint = "this file is no transcript, so it is not read", ""
    return t.Diagnostic(code="not-a-transcript", severity="info", message=message, path=shown, hint=hint)


def _reasons(row: sa.Row[tuple[object, ...]]) -> list[tuple[str, str, str, str]]:
    reasons = []
    if row.state == "gone":
        reasons.append(("source-gone", "info", "the log is gone; what was read of it is kept", ""))
    elif row.state == "unreadable":
        hint = "check its permissions; it is tried again at every scan"
        reasons.append(("unreadable", "error", f"the log cannot be read: {row.problem}", hint))
    elif row.state == "glanced":
        reasons.append(("not-indexed", "info", "only head and tail of the log were read so far", "wait for the index"))
    elif row.size > row.parsed_to:
        rest = row.size - row.parsed_to
        message = f"the last {rest} bytes are an unfinished line; they are read when it is complete"
        reasons.append(("torn-tail", "warning", message, ""))
    elif row.size == 0:
        reasons.append(("empty-file", "info", "the log is empty, so there is no session to list", ""))
    elif row.session_id is None:
        reasons.append(("no-records", "warning", "the log holds no record, so there is no session to list", ""))
    if row.empty:
        hint = "ccdash sessions --empty lists it as well"
        reasons.append(("empty-session", "info", "nobody said anything in this session, so lists leave it out", hint))
    if row.hidden:
        hint = f"ccdash projects unhide {row.project_id}"
        reasons.append(("hidden-project", "info", f"its project {row.name} is hidden", hint))
    return reasons
