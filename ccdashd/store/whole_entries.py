"""Entries of transcripts with their whole texts, which are read from the logs or their copies, record by record."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import msgspec
import sqlalchemy as sa

from ccdashd.archive.archive import Archive
from ccdashd.archive.records import Records
from ccdashd.derive import blobs
from ccdashd.derive.blobs import Blob
from ccdashd.protocol import types as t
from ccdashd.sources import lines
from ccdashd.sources.claude_whole import Whole, whole
from ccdashd.sources.model import KIND, Entry
from ccdashd.store.entries import Log, entry_id
from ccdashd.store.payloads import reference
from ccdashd.store.reading_order import Order
from ccdashd.store.transcripts import wire

GROUP = 64
"""Entries that are read from the cache at a time."""

_ALWAYS = frozenset({KIND["toolCall"], KIND["attachment"], KIND["unknown"]})
"""Kinds of which the cache does not keep all, whatever their length."""


class WholeEntry(msgspec.Struct):
    """An entry, its whole text in it, and what belongs to it."""

    entry: t.Entry
    input: Any
    """Of a tool call its input, of what is not understood all of it."""
    blobs: list[t.BlobRef]
    data: list[Blob]
    """The content of each."""


def entries(connection: sa.Connection, archive: Archive, shown: Order, start: int) -> Iterator[WholeEntry]:
    """Entries from the place `start` in an order on. One whose log cannot be read any more comes as the cache has it."""
    with closing(_Reader(archive)) as reader:
        while start < len(shown):
            stop = min(start + GROUP, len(shown))
            for part in shown.between(start, stop):
                for place, entry in enumerate(part.outline.read(connection, part.start, part.stop), part.start):
                    log = part.outline.log(place)
                    told = wire(log, entry, start, part.session_id, part.depth, part.outline.branch(place))
                    yield _entry(told, log, entry, reader)
                    start += 1


class _Reader:
    """Reads records of one log after the other."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._path: str | None = None
        self._records: Records | None = None

    def record(self, path: str, entry: Entry) -> dict[str, Any] | None:
        """The record of an entry; None where it cannot be read, or is no longer that."""
        try:
            if path != self._path:
                self.close()
                self._path = path
                self._records = Records(self._archive, path)
            data = self._records.read(entry.offset, entry.length) if self._records is not None else b""
            record = _decoded(data)
        except (OSError, ValueError):
            return None
        if len(data) < entry.length or not isinstance(record, dict):
            return None
        return record if entry.uuid is None or record.get("uuid") == entry.uuid else None

    def close(self) -> None:
        """Let go of the log."""
        if self._records is not None:
            self._records.close()
        self._records = None


def _entry(told: t.Entry, log: Log, entry: Entry, reader: _Reader) -> WholeEntry:
    record = None
    if entry.kind in _ALWAYS or entry.truncated or told.has_blobs:
        record = reader.record(log.path, entry)
    if record is None:
        return WholeEntry(told, None, [], [])
    place = entry_id(log, entry.offset, 0)
    held = blobs.take(record, lambda number: f"blob:{place}.{number}")
    made = whole(record, entry)
    numbers = sorted(_named(made, place, len(held)))
    references = [reference(held[number], place, number) for number in numbers]
    told = msgspec.structs.replace(told, text=made.text, truncated=False)
    return WholeEntry(told, made.input, references, [held[number] for number in numbers])


def _decoded(data: bytes) -> Any:
    """A JSON value. Raises ValueError."""
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return lines.loads(data)


def _named(made: Whole, place: str, count: int) -> set[int]:
    """Numbers of the blobs that a part of a record names."""
    names = {f"blob:{place}.{number}": number for number in range(count)}
    found: set[int] = set()
    left: list[Any] = [made.part, made.input]
    while left and names:
        value = left.pop()
        if isinstance(value, dict):
            left.extend(value.values())
        elif isinstance(value, list):
            left.extend(value)
        elif isinstance(value, str) and value in names:
            found.add(names[value])
    return found
