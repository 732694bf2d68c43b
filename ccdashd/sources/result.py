"""What a reading of one log gives, and what a later one needs to go on from there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from ccdashd.sources.model import Entry, Stats

Row = tuple[Any, ...]


class FileResult(msgspec.Struct, array_like=True):
    """What was read of one log. Rows are tuples in the order of their table's columns after `file_id`."""

    path: str
    size: int
    mtime_ns: int
    """Of a sub-agent's log mixed with that of its description: only good to tell a change by."""
    inode: int
    agent: str
    session_id: str | None
    """None where the log holds no record."""
    parent_id: str | None
    agent_id: str | None
    stats: Stats
    start: int = 0
    """Where reading began: 0 for a whole log."""
    parsed_to: int = 0
    guard: bytes = b""
    """Hash of samples of the bytes before `parsed_to`; empty where the log was not read whole."""
    glance: bool = False
    """Whether only head and tail were read: there are figures, but no rows."""
    pages: list[Row] = []
    messages: list[Row] = []
    tool_calls: list[Row] = []
    file_updates: list[Row] = []
    summaries: list[Row] = []
    signals: list[Row] = []
    findings: list[Row] = []
    events: list[Row] = []
    minutes: dict[int, int] = {}
    """Active minutes by slot: see `store.schema.session_minutes`."""
    records: int = 0
    """Records read in this go."""
    problem: str = ""
    gone: bool = False
    """Whether it was read from the archive, since the log is no longer there or no longer so."""


@dataclass
class Known:
    """What is stored of a log that grew: enough to read on from `parsed_to`."""

    parsed_to: int
    guard: bytes
    stats: Stats
    seen: set[str]
    tail: list[Entry]
    """Entries of the last page, when it is not full."""
    tail_keys: bytes
    tool_name: Callable[[str], str | None]
    """The tool of a call by its id: the result of a call that was read before shows which tool gave it."""
