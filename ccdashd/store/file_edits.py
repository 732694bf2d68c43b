"""Recorded changes of one file: which calls made them, what they say, and whose they are."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

import sqlalchemy as sa

from ccdashd.archive.archive import Archive
from ccdashd.archive.records import Records
from ccdashd.sources.claude_edits import recorded
from ccdashd.sources.edits import Edit
from ccdashd.store import logs, projects
from ccdashd.store.connection import raw_connection

# Copies of a call in several logs are one; the row that counts is taken, or else one whose log is there.
_EDITS = """
SELECT c.tool_use_id, u.file_path, f.session_id, f.path, f.id, c.name, c.called_at, c.call_offset, c.call_length,
       c.result_offset, c.result_length, COALESCE(m.model, '')
FROM json_each(?) j CROSS JOIN session_file_updates u ON u.file_path = j.value AND u.action IN ('edit', 'write')
     CROSS JOIN session_tool_calls c ON c.file_id = u.file_id AND c.n = u.n AND c.status = 'success'
     CROSS JOIN sync_state f ON f.id = u.file_id AND f.session_id IS NOT NULL
     LEFT JOIN session_messages m ON m.file_id = c.file_id AND m.n = c.message
WHERE c.call_offset IS NOT NULL
ORDER BY f.state = 'gone', u.counted DESC, f.path
"""
_WORKERS = """
SELECT s.id, s.title, s.agent_id, s.agent_type, p.title
FROM json_each(?) j JOIN sessions s ON s.id = j.value LEFT JOIN sessions p ON p.id = s.parent_id AND s.agent_id IS NOT NULL
"""
# From each folder to the next one in the index: there are few, however many sessions ran in each.
_FOLDERS = """
WITH RECURSIVE folder (cwd) AS (
    SELECT MIN(cwd) FROM sessions WHERE project_id = ?1
    UNION ALL
    SELECT (SELECT MIN(s.cwd) FROM sessions s WHERE s.project_id = ?1 AND s.cwd > folder.cwd) FROM folder
    WHERE folder.cwd IS NOT NULL
)
SELECT cwd FROM folder WHERE cwd <> ''
"""
_HOLDING = """
SELECT DISTINCT p.id, p.root, s.cwd
FROM session_file_updates u JOIN sync_state f ON f.id = u.file_id JOIN sessions s ON s.id = f.session_id
     JOIN projects p ON p.id = s.project_id
WHERE u.file_path = ?
"""

_WORKTREE = re.compile(r"/(?:\.claude/worktrees|\.worktrees|\.git/worktrees)/[^/]+")
"""Where agents and people keep worktrees inside a repository."""


class Recorded(NamedTuple):
    """A call that changed the file, and the place of its records in a log."""

    tool_use_id: str
    path: str
    """Of the file, in the working copy where it was changed."""
    session_id: str
    log: str
    """Its path."""
    file_id: int
    tool: str
    time: int | None
    offset: int
    length: int
    result_offset: int | None
    result_length: int | None
    model: str


def of_path(connection: sa.Connection, paths: Sequence[str]) -> list[Recorded]:
    """The changes of a file, known by these paths, in the order in which they were made."""
    found: dict[str, Recorded] = {}
    for id, path, session_id, log, *others in raw_connection(connection).execute(_EDITS, (json.dumps(paths),)):
        found.setdefault(id, Recorded(id, path, session_id, logs.path_from(log), *others))
    return sorted(found.values(), key=lambda edit: (edit.time if edit.time is not None else -1, edit.log, edit.offset))


def known_paths(connection: sa.Connection, path: str) -> list[str]:
    """The path, and the same file in other working copies of its project, such as worktrees of git."""
    copy = _working_copy(connection, path)
    if copy is None:
        return [path]
    id, root, folder = copy
    place = os.path.relpath(path, folder)
    folders = {root, *(_top(cwd, root) for (cwd,) in raw_connection(connection).execute(_FOLDERS, (id,)))}
    return [path, *sorted(os.path.join(other, place) for other in folders - {folder})]


def _working_copy(connection: sa.Connection, path: str) -> tuple[str, str, str] | None:
    """The project of a path: id and root; and the folder of the working copy that the path lies in."""
    project = projects.above(connection, path)
    if project is not None:
        return *project, _top(path, project[1])
    # A worktree outside of the project: known by the sessions in it.
    rows = raw_connection(connection).execute(_HOLDING, (path,))
    above = [row for row in rows if row[2] and path.startswith(row[2].rstrip("/") + "/")]
    return min(above, key=lambda row: (-len(row[2]), row), default=None)


def _top(path: str, root: str) -> str:
    """The working copy that a path belongs to: the project itself, a worktree inside it, or a folder elsewhere."""
    if path != root and not path.startswith(root.rstrip("/") + "/"):
        return path
    inside = _WORKTREE.match(path, len(root.rstrip("/")))
    return path[: inside.end()] if inside is not None else root


@contextmanager
def reading(archive: Archive, changes: Iterable[Recorded]) -> Iterator[list[Edit | None]]:
    """What the records say, to be used while their logs are open; None for each of which there is neither log nor copy any
    more, or whose log was rewritten."""
    with ExitStack() as stack:
        logs: dict[str, Records | None] = {}
        for change in changes:
            if change.log not in logs:
                log = _open(archive, change.log)
                logs[change.log] = stack.enter_context(log) if log is not None else None
        yield [_read(change, logs[change.log]) for change in changes]


def _open(archive: Archive, log: str) -> Records | None:
    try:
        return Records(archive, log)
    except OSError:
        return None


def _read(change: Recorded, log: Records | None) -> Edit | None:
    if log is None:
        return None

    def result(size: int | None) -> bytes:
        if change.result_offset is None or change.result_length is None:
            return b""
        length = change.result_length if size is None else min(size, change.result_length)
        return _bytes(log, length, change.result_offset)

    return recorded(_bytes(log, change.length, change.offset), change.tool_use_id, result)


def _bytes(log: Records, length: int, offset: int) -> bytes:
    try:
        return log.read(offset, length)
    except OSError:
        return b""


class Worker(NamedTuple):
    """A session that changed the file."""

    title: str
    subagent: str | None
    """Its type, where it is a sub-agent; empty where that is unknown."""
    main: str
    """Title of the session that started it; of a session that nobody started, its own."""


def workers(connection: sa.Connection, session_ids: Iterable[str]) -> dict[str, Worker]:
    """The sessions by id."""
    rows = raw_connection(connection).execute(_WORKERS, (json.dumps(sorted(session_ids)),))
    return {
        id: Worker(title, (agent_type or "") if agent_id is not None else None, main or title)
        for id, title, agent_id, agent_type, main in rows
    }
