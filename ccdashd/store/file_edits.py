"""Recorded changes of one file: which calls made them, what they say, and in which turn of a session they were made."""

from __future__ import annotations

import json
import os
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import NamedTuple

import sqlalchemy as sa

from ccdashd.derive.pricing import Prices, Spent, Usage, total
from ccdashd.sources.claude_edits import recorded
from ccdashd.sources.edits import Edit
from ccdashd.sources.log import pack_key
from ccdashd.sources.model import KIND, Entry
from ccdashd.store import logs, pages
from ccdashd.store.connection import raw_connection

# Copies of a call in several logs are one; the row that counts is taken, or else one whose log is there.
_EDITS = """
SELECT c.tool_use_id, f.session_id, f.path, f.id, c.name, c.called_at, c.call_offset, c.call_length, c.result_offset,
       c.result_length, COALESCE(m.model, '')
FROM json_each(?) j CROSS JOIN session_file_updates u ON u.file_path = j.value AND u.action IN ('edit', 'write')
     CROSS JOIN session_tool_calls c ON c.file_id = u.file_id AND c.n = u.n AND c.status = 'success'
     CROSS JOIN sync_state f ON f.id = u.file_id AND f.session_id IS NOT NULL
     LEFT JOIN session_messages m ON m.file_id = c.file_id AND m.n = c.message
WHERE c.call_offset IS NOT NULL
ORDER BY f.state = 'gone', u.counted DESC, f.path
"""
_PROMPTS = """
SELECT time, key FROM session_events
WHERE file_id = ? AND kind IN ('prompt', 'command', 'steering') AND time IS NOT NULL ORDER BY time, n
"""
_PAGE = "SELECT data FROM session_logs WHERE file_id = ? AND instr(keys, ?)"
_USED = """
SELECT model, time, lower_bound, fast, reported, input, output, cache_read,
       MAX(cache_write - cache_write_1h, cache_write_5m), cache_write_1h, web_searches
FROM session_messages WHERE file_id = ? AND counted AND time >= ? AND time < ?
"""
_WORKERS = """
SELECT s.id, s.title, s.agent_id, s.agent_type, p.title
FROM json_each(?) j JOIN sessions s ON s.id = j.value LEFT JOIN sessions p ON p.id = s.parent_id AND s.agent_id IS NOT NULL
"""
_ELSEWHERE = """
SELECT DISTINCT cwd FROM sessions WHERE project_id = ? AND cwd <> ''
"""

_ASKING = frozenset((KIND["prompt"], KIND["command"], KIND["steering"]))
_END = 2**62


class Recorded(NamedTuple):
    """A call that changed the file, and the place of its records in a log."""

    tool_use_id: str
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
    for tool_use_id, session_id, log, *others in raw_connection(connection).execute(_EDITS, (json.dumps(paths),)):
        found.setdefault(tool_use_id, Recorded(tool_use_id, session_id, logs.path_from(log), *others))
    return sorted(found.values(), key=lambda edit: (edit.time if edit.time is not None else -1, edit.log, edit.offset))


def paths_of(connection: sa.Connection, path: str, root: str, project_id: str) -> list[str]:
    """The path, and the same file in other working copies of its project, such as worktrees of git."""
    place = os.path.relpath(path, root)
    others = {cwd for (cwd,) in raw_connection(connection).execute(_ELSEWHERE, (project_id,))}
    below = root.rstrip("/") + "/"
    return [path, *sorted(os.path.join(cwd, place) for cwd in others if not (cwd + "/").startswith(below))]


def read(edits: Iterable[Recorded]) -> list[Edit | None]:
    """What the records say; None for each that is not there any more, or was rewritten."""
    open_: dict[str, int] = {}
    try:
        return [_read(edit, open_) for edit in edits]
    finally:
        for fd in open_.values():
            if fd >= 0:
                os.close(fd)


def _read(edit: Recorded, open_: dict[str, int]) -> Edit | None:
    fd = open_.get(edit.log)
    if fd is None:
        try:
            fd = os.open(edit.log, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            fd = -1
        open_[edit.log] = fd
    if fd < 0:
        return None
    try:
        call = os.pread(fd, edit.length, edit.offset)
        result = b""
        if edit.result_offset is not None and edit.result_length is not None:
            result = os.pread(fd, edit.result_length, edit.result_offset)
    except OSError:
        return None
    return recorded(call, edit.tool_use_id, result)


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


class Prompt(NamedTuple):
    """What the user asked for. `entry` is that of the log, with its offset."""

    entry: Entry
    time: int


class Turns:
    """The turns of one log: what was asked, and what was used until the next prompt."""

    def __init__(self, connection: sa.Connection, file_id: int) -> None:
        self._raw = raw_connection(connection)
        self._file_id = file_id
        self._prompts: dict[int, Prompt | None] = {}

    @cached_property
    def _asked(self) -> list[tuple[int, bytes]]:
        return self._raw.execute(_PROMPTS, (self._file_id,)).fetchall()

    def turn(self, time: int | None) -> int:
        """The number of the turn at a time; -1 before the first prompt."""
        return -1 if time is None else bisect_right(self._asked, time, key=lambda asked: asked[0]) - 1

    def prompt(self, turn: int) -> Prompt | None:
        """What began a turn."""
        if turn < 0:
            return None
        if turn not in self._prompts:
            self._prompts[turn] = self._find(*self._asked[turn])
        return self._prompts[turn]

    def spent(self, turn: int, prices: Prices) -> Spent | None:
        """What a turn cost, without sub-agents; None where it used nothing."""
        start = self._asked[turn][0] if turn >= 0 else 0
        end = self._asked[turn + 1][0] if turn + 1 < len(self._asked) else _END
        rows = self._raw.execute(_USED, (self._file_id, start, end)).fetchall()
        if not rows:
            return None
        return total(
            prices.message(model, time, Usage(*used), lower_bound=bool(lower_bound), fast=bool(fast), reported=reported)
            for model, time, lower_bound, fast, reported, *used in rows
        )

    def _find(self, time: int, key: bytes) -> Prompt | None:
        for (data,) in self._raw.execute(_PAGE, (self._file_id, key)):
            for entry in pages.unpack(data):
                if entry.kind in _ASKING and entry.uuid is not None and pack_key(entry.uuid) == key:
                    return Prompt(entry, time)
        return None
