"""Transcripts: entries of a session from its pages, and whole records from its logs by offset."""

from __future__ import annotations

import hashlib
import os
from functools import lru_cache
from typing import Any, NamedTuple

import sqlalchemy as sa

from ccdashd.clock import iso
from ccdashd.errors import Conflict, NotFound, ReadOnly
from ccdashd.protocol import types as t
from ccdashd.sources import lines
from ccdashd.sources.model import KINDS, PAGE, Entry
from ccdashd.store import logs, pages
from ccdashd.store.schema import session_logs, sync_state


class _Log(NamedTuple):
    id: int
    path: str
    tag: str
    entries: int


def _logs(connection: sa.Connection, session_id: str) -> list[_Log]:
    counts = (
        sa.select(sync_state.c.id, sync_state.c.path, sa.func.coalesce(sa.func.sum(session_logs.c.entries), 0).label("n"))
        .outerjoin(session_logs, session_logs.c.file_id == sync_state.c.id)
        .where(sync_state.c.session_id == session_id)
        .group_by(sync_state.c.id, sync_state.c.path)
    )
    found = [_Log(row.id, logs.path_from(row.path), log_tag(row.path), row.n) for row in connection.execute(counts)]
    return sorted(found, key=lambda log: log.path)


@lru_cache(4096)
def log_tag(path: str | bytes) -> str:
    """Tells a session's logs apart in ids of entries."""
    data = path if isinstance(path, bytes) else path.encode()
    return hashlib.blake2b(data, digest_size=3).hexdigest()


def _pages(connection: sa.Connection, log: _Log, start: int, stop: int) -> list[Entry]:
    """Entries `start` to `stop` of one log."""
    query = (
        sa.select(session_logs.c.page, session_logs.c.data)
        .where(session_logs.c.file_id == log.id, session_logs.c.page.between(start // PAGE, max(stop - 1, 0) // PAGE))
        .order_by(session_logs.c.page)
    )
    found: list[Entry] = []
    first = start // PAGE * PAGE
    for row in connection.execute(query):
        found += pages.unpack(row.data)
    return found[start - first : stop - first]


def _merged(connection: sa.Connection, found: list[_Log]) -> list[tuple[_Log, Entry]]:
    """The entries of several logs of one session, each once: log by log, the one that begins first coming first."""
    read = [(log, _pages(connection, log, 0, log.entries)) for log in found]
    read.sort(
        key=lambda pair: (min((e.time for e in pair[1] if e.time is not None), default=0), -len(pair[1]), pair[0].path)
    )
    seen: set[tuple[str, int]] = set()
    merged = []
    for log, entries in read:
        for entry in entries:
            key = (entry.uuid, entry.block) if entry.uuid is not None else None
            if key is not None and key in seen:
                continue
            if key is not None:
                seen.add(key)
            merged.append((log, entry))
    return merged


def _id(log: _Log, entry: Entry) -> str:
    """Of the first block: ``<log>-<offset of the record>``; of a further one with ``-<block>``."""
    place = f"{log.tag}-{entry.offset}"
    return f"{place}-{entry.block}" if entry.block else place


def _wire(log: _Log, entry: Entry, index: int) -> t.Entry:
    return t.Entry(
        id=_id(log, entry),
        index=index,
        kind=KINDS[entry.kind],
        timestamp=iso(entry.time),
        text=entry.text,
        truncated=entry.truncated,
        uuid=entry.uuid,
        parent_uuid=entry.parent,
        model=entry.model,
        tool=entry.tool,
        tool_use_id=entry.tool_use_id,
        is_error=entry.is_error,
        sidechain=entry.sidechain,
        file=logs.shown(logs.path_value(log.path)),
        offset=entry.offset,
        length=entry.length,
    )


def chunk(connection: sa.Connection, session_id: str, params: t.TranscriptParams, revision: int) -> t.Transcript:
    """The chunk that the parameters ask for. Raises NotFound where its first entry is unknown."""
    found = _logs(connection, session_id)
    merged = _merged(connection, found) if len(found) > 1 else None
    total = len(merged) if merged is not None else sum(log.entries for log in found)
    if params.from_ is not None:
        start = _index(connection, found, merged, session_id, params.from_)
    else:
        start = params.start if params.start is not None else (0 if params.direction == "forward" else -1)
        start = max(total + start, 0) if start < 0 else min(start, total)
    if params.direction == "backward":
        stop = min(start + 1, total)
        start = max(stop - params.limit, 0)
    else:
        stop = min(start + params.limit, total)
    if merged is not None:
        piece = merged[start:stop]
    else:
        piece = [(log, entry) for log in found for entry in _pages(connection, log, start, stop)]
    wanted = set(params.kinds) if params.kinds is not None else None
    items = [_wire(log, entry, start + n) for n, (log, entry) in enumerate(piece)]
    return t.Transcript(
        session_id=session_id,
        items=[item for item in items if wanted is None or item.kind in wanted],
        total=total,
        start=start,
        next=stop if stop < total else None,
        previous=max(start - params.limit, 0) if start > 0 else None,
        revision=revision,
    )


def _index(
    connection: sa.Connection, found: list[_Log], merged: list[tuple[_Log, Entry]] | None, session_id: str, wanted: str
) -> int:
    everything = merged if merged is not None else [(x, e) for x in found for e in _pages(connection, x, 0, x.entries)]
    for index, (log, entry) in enumerate(everything):
        if entry.uuid == wanted or _id(log, entry) == wanted:
            return index
    raise NotFound("entry", wanted, f"session {session_id} has none with that id or uuid")


def payload(connection: sa.Connection, session_id: str, wanted: str, revision: int) -> t.EntryPayload:
    """The record of one entry, whole. Raises NotFound, ReadOnly where the log is gone, Conflict where it was rewritten."""
    found = _logs(connection, session_id)
    merged = _merged(connection, found)
    index = _index(connection, found, merged, session_id, wanted)
    log, entry = merged[index]
    shown = _wire(log, entry, index)
    try:
        data = _bytes(log.path, entry.offset, entry.length)
    except FileNotFoundError:
        raise ReadOnly("the log of this entry is gone; what the cache keeps of it is in the transcript") from None
    except OSError as error:
        raise ReadOnly(f"the log of this entry cannot be read: {error.strerror}") from error
    record: Any = None
    raw: str | None = None
    try:
        record = lines.loads(data)
    except ValueError:
        raw = data.decode("utf-8", "replace")
    if len(data) < entry.length or (entry.uuid and isinstance(record, dict) and record.get("uuid") != entry.uuid):
        raise Conflict("the log changed since it was read; ask again in a moment")
    return t.EntryPayload(entry=shown, record=record, raw=raw, revision=revision)


def _bytes(path: str, offset: int, length: int) -> bytes:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.pread(fd, length, offset)
    finally:
        os.close(fd)


def new_entries(
    connection: sa.Connection, revision: int, *, session_id: str, path: str, start: int
) -> tuple[list[t.Entry], int]:
    """Entries that a log got from offset `start` on."""
    found = _logs(connection, session_id)
    entries = []
    merged = _merged(connection, found) if len(found) > 1 else None
    if merged is not None:
        entries = [_wire(x, e, n) for n, (x, e) in enumerate(merged) if x.path == path and e.offset >= start]
    else:
        for log in found:
            # An append adds to the last pages; begin with the last and go back while its first entry is new.
            first = max(log.entries - 1, 0) // PAGE * PAGE
            piece = _pages(connection, log, first, log.entries)
            while first and piece and piece[0].offset >= start:
                first = max(first - PAGE, 0)
                piece = _pages(connection, log, first, log.entries)
            entries = [_wire(log, e, first + n) for n, e in enumerate(piece) if e.offset >= start]
    return entries, revision
