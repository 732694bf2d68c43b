"""Whole records of transcripts, read from their logs by offset, and the binary content that they hold."""

from __future__ import annotations

import base64
from typing import Any

import sqlalchemy as sa

from ccdashd.archive import records
from ccdashd.archive.archive import Archive
from ccdashd.derive import blobs
from ccdashd.errors import Conflict, NotFound, ReadOnly
from ccdashd.protocol import types as t
from ccdashd.sources import lines
from ccdashd.sources.model import Entry
from ccdashd.store.entries import Log, entry_id
from ccdashd.store.outlines import Outline, outline
from ccdashd.store.transcripts import wire


def payload(connection: sa.Connection, archive: Archive, session_id: str, wanted: str, revision: int) -> t.EntryPayload:
    """The record of one entry, whole. Raises NotFound, ReadOnly where the log is gone and there is no copy of it, Conflict
    where it was rewritten."""
    own, index = _place(connection, session_id, wanted)
    log, [entry] = own.log(index), own.read(connection, index, index + 1)
    record, raw = _record(archive, log, entry)
    place = entry_id(log, entry.offset, 0)
    held = blobs.take(record, lambda number: f"blob:{_blob_id(place, number)}")
    return t.EntryPayload(
        entry=wire(log, entry, index, session_id, branch=own.branch(index)),
        record=record,
        raw=raw,
        blobs=[reference(blob, place, number) for number, blob in enumerate(held)],
        revision=revision,
    )


def blob(connection: sa.Connection, archive: Archive, session_id: str, params: t.BlobParams) -> t.Blob:
    """A piece of the binary content of a record. Raises as `payload`."""
    place, _, number = params.blob.rpartition(".")
    try:
        own, index = _place(connection, session_id, place)
    except NotFound:
        raise NotFound("blob", params.blob, "sessions/entry lists those of an entry") from None
    log, [entry] = own.log(index), own.read(connection, index, index + 1)
    record, _ = _record(archive, log, entry)
    held = {str(index): blob for index, blob in enumerate(blobs.take(record, str))}
    found = held.get(number)
    if found is None:
        raise NotFound("blob", params.blob, f"entry {place} holds {len(held)}")
    end = params.start + params.limit
    return t.Blob(
        blob=reference(found, place, int(number)),
        start=params.start,
        data=base64.b64encode(found.data[params.start : end]).decode(),
        next=end if end < len(found.data) else None,
    )


def _place(connection: sa.Connection, session_id: str, wanted: str) -> tuple[Outline, int]:
    own = outline(connection, session_id)
    index = own.find(connection, wanted)
    if index is None:
        raise NotFound("entry", wanted, f"session {session_id} has none with that id or uuid")
    return own, index


def _blob_id(place: str, number: int) -> str:
    return f"{place}.{number}"


def reference(blob: blobs.Blob, place: str, number: int) -> t.BlobRef:
    """What names the blob of that number, of the record whose first entry has the id `place`."""
    return t.BlobRef(
        id=_blob_id(place, number),
        media_type=blob.media_type,
        declared=blob.declared,
        bytes=len(blob.data),
        sha256=blob.sha256,
    )


def _record(archive: Archive, log: Log, entry: Entry) -> tuple[Any, str | None]:
    """The record of an entry; None and its text where it is not JSON."""
    try:
        data = records.read(archive, log.path, entry.offset, entry.length)
    except FileNotFoundError:
        hint = "there is no copy of it; what the cache keeps of it is in the transcript"
        raise ReadOnly(f"the log of this entry is gone, and {hint}") from None
    except OSError as error:
        raise ReadOnly(f"the log of this entry cannot be read: {error.strerror or error}") from error
    record: Any = None
    raw: str | None = None
    try:
        record = lines.loads(data)
    except ValueError:
        raw = data.decode("utf-8", "replace")
    if len(data) < entry.length or (entry.uuid and isinstance(record, dict) and record.get("uuid") != entry.uuid):
        raise Conflict("the log changed since it was read; ask again in a moment")
    return record, raw
