"""One log from disk to rows, whole or from where it grew. Runs in a parse worker or on a thread; opens nothing but the log.

Imports only readers, so that a worker starts fast.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable

import msgspec

from ccdashd import sources
from ccdashd.archive.archive import Archive
from ccdashd.derive.slots import active, is_minute
from ccdashd.logfile import described, guard, stamp
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
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        status = os.fstat(fd)
        mtime_ns = stamp(path, status.st_mtime_ns)
        start = _resume(fd, known.parsed_to) if known is not None else None
        # Looked at once more: the log may have been replaced since the claim.
        if known is None or start is None or guard(fd, known.parsed_to) != known.guard:
            result = _read(fd, status, path, text_cap, described(path))
        else:
            result = _read(fd, status, path, text_cap, described(path), known, start)
        if not result.guard or stamp(path, status.st_mtime_ns) != mtime_ns:
            mtime_ns = 0  # the log or its description changed meanwhile: what was read is to be read again
        result.mtime_ns = mtime_ns
        return result
    finally:
        os.close(fd)


def read_copy(archive: Archive, path: str, text_cap: int) -> FileResult:
    """Read a log whole from its copy: the newest, or an earlier one where `path` names that. Raises OSError."""
    source = archive.source(path)
    if source is None:
        raise FileNotFoundError("there is no such copy in the archive any more")
    version = source.version
    with tempfile.TemporaryFile() as file:
        fd = file.fileno()
        archive.restore(version, fd)
        result = _read(fd, os.fstat(fd), source.manifest.log, text_cap, version.meta)
    result.path = path
    result.mtime_ns = version.mtime_ns
    result.inode = 0
    result.gone = True
    return result


def _read(
    fd: int,
    status: os.stat_result,
    path: str,
    text_cap: int,
    meta: bytes | None,
    known: Known | None = None,
    start: int = 0,
) -> FileResult:
    """Read what is open of the log whose place is `path`, whole or from `start` on, which is where `known` ends.

    `meta` describes the sub-agent whose log it is.
    """
    identity = sources.identify(path)
    assert identity is not None, path
    if known is None:
        packed = _Pages(b"")
        log = Log(identity.session_id, text_cap=text_cap, turn=packed.turn)
    else:
        packed = _Pages(known.tail_keys)
        log = Log(identity.session_id, known.stats, known.seen, text_cap, known.tail, known.tool_name, packed.turn)
    before = log.stats.records
    sealed = guard(fd, status.st_size)
    reader = ClaudeCodeReader(log)
    end = _feed(reader, fd, start, status.st_size)
    reader.flush()
    log.close()
    result = _result(path, identity, status, log.stats, meta)
    result.start = start
    result.parsed_to = end
    result.guard = _seal(fd, status, sealed, end)
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


def _describe(meta: bytes | None, stats: Stats) -> None:
    described = agent_meta(meta or b"")
    stats.agent_type = described.agentType or ""
    stats.agent_description = described.description or ""
    stats.parent_tool_use_id = described.toolUseId or ""


def _result(path: str, identity: sources.Identity, status: os.stat_result, stats: Stats, meta: bytes | None) -> FileResult:
    """Whose log it is and its figures, which is all that a glance gives."""
    if identity.agent_id is not None:
        _describe(meta, stats)
    session_id, parent_id = None, identity.parent_id
    if stats.records:
        session_id, parent_id = sources.session_of(path, identity, stats.session_ids)
    return FileResult(
        path=path,
        size=status.st_size,
        mtime_ns=status.st_mtime_ns,
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
    result = _result(path, identity, status, log.stats, described(path))
    result.mtime_ns = mtime_ns
    result.glance = True
    return result
