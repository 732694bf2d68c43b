"""One log from disk to rows, whole or from where it grew. Runs in a parse worker or on a thread; opens nothing but the log.

Imports only readers, so that a worker starts fast.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

import msgspec

from ccdashd import sources
from ccdashd.derive.slots import active, is_minute
from ccdashd.logfile import description, guard, stamp
from ccdashd.sources.claude_code import ClaudeCodeReader, agent_meta
from ccdashd.sources.log import Log, pack_keys
from ccdashd.sources.model import Entry, Stats
from ccdashd.sources.result import FileResult, Known, Row
from ccdashd.store import pages

BLOCK = 256 * 1024
"""Bytes read at a time, few enough to stay in the processor's cache; a longer line is read whole."""

GLANCE = 64 * 1024
"""Bytes of head and of tail that a glance reads."""


class _Pages:
    """Packs the pages of a transcript as they are turned. `keys` are the stored ones of the first page."""

    def __init__(self, keys: bytes) -> None:
        self.rows: list[Row] = []
        self._keys = keys

    def turn(self, page: int, entries: list[Entry], keys: list[str]) -> None:
        packed, self._keys = self._keys + pack_keys(keys), b""
        if entries or packed:
            self.rows.append((page, len(entries), packed, pages.pack(entries)))


def read_log(path: str, text_cap: int, known: Known | None = None) -> FileResult:
    """Read a log whole, or on from `known`. Raises OSError."""
    identity = sources.identify(path)
    assert identity is not None, path
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        status = os.fstat(fd)
        mtime_ns = stamp(path, status.st_mtime_ns)
        start = 0
        if known is not None:
            resumed = _resume(fd, known.parsed_to)
            # Looked at once more: the log may have been replaced since the claim.
            if resumed is None or guard(fd, known.parsed_to) != known.guard:
                known = None
            else:
                start = resumed
        own = identity.session_id
        if known is None:
            packed = _Pages(b"")
            log = Log(own, text_cap=text_cap, turn=packed.turn)
        else:
            packed = _Pages(known.tail_keys)
            log = Log(own, known.stats, known.seen, text_cap, known.tail, known.tool_name, packed.turn)
        before = log.stats.records
        sealed = guard(fd, status.st_size)
        reader = ClaudeCodeReader(log)
        end = _feed(reader, fd, start, status.st_size)
        reader.flush()
        log.close()
        result = _result(path, identity, status, mtime_ns, log.stats)
        result.start = start
        result.parsed_to = end
        result.guard = _seal(fd, status, sealed, end)
        if not result.guard or stamp(path, status.st_mtime_ns) != mtime_ns:
            result.mtime_ns = 0  # the log or its description changed meanwhile: what was read is to be read again
        result.pages = packed.rows
        result.messages = _rows(log.messages.values())
        result.tool_calls = _rows(call for call in log.tool_calls.values() if call.tool_use_id)
        result.file_updates = _rows(log.file_updates.values())
        result.summaries = _rows(log.summaries)
        result.signals = _rows(log.signals)
        result.findings = _rows(log.findings)
        result.events = _rows(log.events)
        result.minutes = active(filter(is_minute, log.minutes))
        result.records = log.stats.records - before
        return result
    finally:
        os.close(fd)


def _seal(fd: int, before: os.stat_result, sealed: bytes, end: int) -> bytes:
    """The guard of what was read up to `end`; empty where the log was rewritten while it was read.

    `before` and `sealed` are what `fstat` and `guard` said of the whole log when reading began.
    """
    after = os.fstat(fd)
    if (after.st_size, after.st_mtime_ns) == (before.st_size, before.st_mtime_ns):
        return sealed if end == before.st_size else guard(fd, end)
    seal = guard(fd, end)
    return seal if guard(fd, before.st_size) == sealed else b""


def _resume(fd: int, end: int) -> int | None:
    """Where to read on after a last reading that ended at `end`.

    When that was at a record without newline, a newline must follow; else (None) the line holds more than the record, and
    only a reading of the whole log tells that as a first reading would.
    """
    if end == 0 or os.pread(fd, 1, end - 1) == b"\n":
        return end
    after = os.pread(fd, 1, end)
    return end + len(after) if after in (b"\n", b"") else None


def _feed(reader: ClaudeCodeReader, fd: int, start: int, size: int) -> int:
    """Feed the bytes from `start` to `size` in blocks; returns where reading ended."""
    offset = reached = start
    while reached < size:
        # A line that the last block cut is read again from its beginning, which is cheaper than to join its parts.
        length = max(BLOCK, 2 * (reached - offset))
        data = os.pread(fd, min(length, size - offset), offset)
        if offset + len(data) <= reached:
            break  # the log shrank while it was read; the next look will tell
        reached = offset + len(data)
        offset = reader.feed(data, offset, final=reached >= size)
    return offset


def _describe(path: str, stats: Stats) -> None:
    stats.agent_type = stats.agent_description = stats.parent_tool_use_id = ""
    try:
        with open(description(path) or "", "rb") as file:
            meta = agent_meta(file.read(GLANCE))
    except OSError:
        return
    stats.agent_type = meta.agentType or ""
    stats.agent_description = meta.description or ""
    stats.parent_tool_use_id = meta.toolUseId or ""


def _result(path: str, identity: sources.Identity, status: os.stat_result, mtime_ns: int, stats: Stats) -> FileResult:
    """Whose log it is and its figures, which is all that a glance gives."""
    if identity.agent_id is not None:
        _describe(path, stats)
    session_id, parent_id = None, identity.parent_id
    if stats.records:
        session_id, parent_id = sources.session_of(path, identity, stats.session_ids)
    return FileResult(
        path=path,
        size=status.st_size,
        mtime_ns=mtime_ns,
        inode=status.st_ino,
        agent=identity.agent,
        session_id=session_id,
        parent_id=parent_id,
        agent_id=identity.agent_id,
        stats=stats,
    )


def _rows(rows: Iterable[msgspec.Struct]) -> list[Row]:
    return list(map(msgspec.structs.astuple, rows))


def glance(path: str) -> FileResult:
    """The figures that head and tail of a log give: enough to list it before it is read whole. Raises OSError."""
    identity = sources.identify(path)
    assert identity is not None, path
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        status = os.fstat(fd)
        mtime_ns = stamp(path, status.st_mtime_ns)
        log = Log(identity.session_id, text_cap=0)
        reader = ClaudeCodeReader(log)
        head = os.pread(fd, GLANCE, 0)
        reader.feed(head, 0, final=status.st_size <= GLANCE)
        if status.st_size > GLANCE:
            begin = max(GLANCE, status.st_size - GLANCE)
            tail = os.pread(fd, GLANCE, begin)
            newline = tail.find(b"\n") + 1
            reader.feed(tail[newline:], begin + newline)
        reader.flush()
    finally:
        os.close(fd)
    result = _result(path, identity, status, mtime_ns, log.stats)
    result.glance = True
    return result
