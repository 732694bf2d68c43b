"""Rows of what sessions refer to in projects with planning files, from what their logs say."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Any

import msgspec
import sqlalchemy as sa

from ccdashd.derive.session_refs import Ref, Roots, Said, Session, refs
from ccdashd.store.connection import raw_connection, select
from ccdashd.store.logs import shown

_CHUNK = 200

_ROWS = "SELECT session_id, project_id, kind, value, detail, count, path, offset, time FROM session_refs"
_OF_SESSIONS = f"{_ROWS} WHERE session_id IN ({{}})"
_WRITE = "INSERT INTO session_refs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
_DELETE = "DELETE FROM session_refs WHERE session_id = ?"

_SESSIONS = "SELECT id, project_id, cwd, started_at, details FROM sessions WHERE id IN ({})"
_LOGS = "SELECT session_id, path FROM sync_state WHERE session_id IN ({}) ORDER BY path"
_SIGNALS = """
SELECT f.session_id, f.path, s.kind, s.value, s.offset, s.time
FROM sync_state f JOIN session_signals s ON s.file_id = f.id WHERE f.session_id IN ({})
"""
# A call that failed did nothing; one without a result has not happened yet.
_TOUCHES = """
SELECT f.session_id, f.path, u.file_path, u.action, c.tool_use_id, c.call_offset, c.called_at
FROM sync_state f
JOIN session_file_updates u ON u.file_id = f.id
JOIN session_tool_calls c ON c.file_id = u.file_id AND c.n = u.n
WHERE f.session_id IN ({}) AND c.status = 'success'
  AND (u.file_path LIKE '%.md' OR u.file_path LIKE '%.mdc' OR u.file_path LIKE '%.markdown')
"""
_OF_PROJECTS = "SELECT id FROM sessions WHERE project_id IN ({})"
_TOUCHING = """
SELECT DISTINCT f.session_id FROM session_file_updates u JOIN sync_state f ON f.id = u.file_id
WHERE u.file_path >= ? AND u.file_path < ? AND f.session_id IS NOT NULL
"""
_SPEAKING = """
SELECT DISTINCT f.session_id FROM session_signals s JOIN sync_state f ON f.id = s.file_id
WHERE (instr(s.value, ?) OR instr(s.value, '~/')) AND f.session_id IS NOT NULL
"""


class _Stats(msgspec.Struct):
    cwds: dict[str, int] = {}
    git_branches: dict[str, int] = {}


class _Details(msgspec.Struct):
    """`derive.sessions.Details`, as far as it is needed here."""

    stats: _Stats


_details = msgspec.json.Decoder(_Details)


def renew(connection: sa.Connection, session_ids: Collection[str], roots: Roots) -> set[str]:
    """Make the rows of these sessions what their logs say; returns those whose rows are other ones than before."""
    changed: set[str] = set()
    wanted = sorted(session_ids)
    if len(wanted) > _CHUNK:
        # Of very many, most refer to nothing: they are not looked at, but for what they had.
        query = "SELECT DISTINCT session_id FROM session_refs"
        had = {id for (id,) in raw_connection(connection).execute(query)}
        wanted = sorted(had.union(concerned(connection, roots.roots.values(), roots.roots)) & set(session_ids))
    for begin in range(0, len(wanted), _CHUNK):
        part = wanted[begin : begin + _CHUNK]
        new = _read(connection, part, roots)
        known = of_sessions(connection, part)
        other = [id for id in part if new.get(id, []) != known.get(id, [])]
        raw = raw_connection(connection)
        raw.executemany(_DELETE, [(id,) for id in other if id in known])
        raw.executemany(_WRITE, [ref for id in other for ref in new.get(id, [])])
        changed.update(other)
    return changed


def concerned(connection: sa.Connection, project_ids: Iterable[str], roots: Iterable[str]) -> set[str]:
    """Sessions of these projects, and those of others that touched or named a file below these roots."""
    found = {id for (id,) in select(connection, _OF_PROJECTS, project_ids)}
    raw = raw_connection(connection)
    for root in roots:
        below = root.rstrip("/") + "/"
        found.update(id for (id,) in raw.execute(_TOUCHING, (below, below[:-1] + "0")))
        found.update(id for (id,) in raw.execute(_SPEAKING, (below,)))
    return found


def of_sessions(connection: sa.Connection, session_ids: Iterable[str]) -> dict[str, list[Ref]]:
    """What sessions refer to, in order."""
    found: defaultdict[str, list[Ref]] = defaultdict(list)
    for row in select(connection, _OF_SESSIONS, session_ids):
        found[row[0]].append(Ref(*row))
    for rows in found.values():
        rows.sort(key=lambda ref: ref[:5])
    return dict(found)


def _read(connection: sa.Connection, session_ids: list[str], roots: Roots) -> dict[str, list[Ref]]:
    if not roots.roots:
        return {}
    logs: defaultdict[str, list[str]] = defaultdict(list)
    for session_id, path in select(connection, _LOGS, session_ids):
        logs[session_id].append(shown(path))
    said = _said(connection, session_ids, {id for id, paths in logs.items() if len(paths) > 1})
    found = {}
    for id, project_id, cwd, started_at, details in select(connection, _SESSIONS, session_ids):
        if id not in said and project_id not in roots:
            continue
        stats = _details.decode(details).stats
        log = next(iter(logs[id]), "")
        session = Session(
            id, project_id, cwd, tuple(sorted(stats.cwds)), tuple(sorted(stats.git_branches)), log, started_at
        )
        rows = refs(session, said.get(id, ()), roots)
        if rows:
            found[id] = rows
    return found


def _said(connection: sa.Connection, session_ids: list[str], several: set[str]) -> dict[str, list[Said]]:
    """What logs say; what `several` logs of one session say alike counts once, at the first place."""
    found: defaultdict[str, list[Said]] = defaultdict(list)
    copies: defaultdict[str, dict[Any, Said]] = defaultdict(dict)

    def note(session_id: str, identity: Any, row: Said) -> None:
        if session_id not in several:
            found[session_id].append(row)
            return
        known = copies[session_id].get(identity)
        if known is None or (row.path, row.offset) < (known.path, known.offset):
            copies[session_id][identity] = row

    for session_id, path, kind, value, offset, time in select(connection, _SIGNALS, session_ids):
        note(session_id, (kind, value, time), Said(kind, value, shown(path), offset, time))
    for session_id, path, file_path, action, call_id, offset, time in select(connection, _TOUCHES, session_ids):
        kind = "read" if action == "read" else "write"
        note(session_id, call_id, Said(kind, file_path, shown(path), offset or 0, time))
    for session_id, rows in copies.items():
        found[session_id] = list(rows.values())
    return found
