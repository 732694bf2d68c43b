"""Transcripts: chunks of entries in the order of a session or a branch."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from ccdashd.clock import iso
from ccdashd.errors import NotFound
from ccdashd.protocol import types as t
from ccdashd.sources.model import KINDS, PAGE, Entry
from ccdashd.store import entries, logs
from ccdashd.store.entries import Log, entry_id
from ccdashd.store.outlines import outline
from ccdashd.store.reading_order import order

_MARKS = ("[image]", "[document]")
"""Lines of a text that stand for content that is none; the readers of logs write them."""


def wire(log: Log, entry: Entry, index: int, session_id: str, depth: int = 0, branch: str | None = None) -> t.Entry:
    """An entry as the wire has it, at a place in a transcript."""
    return t.Entry(
        id=entry_id(log, entry.offset, entry.block),
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
        session_id=session_id,
        depth=depth,
        branch=branch,
        has_blobs=any(mark in entry.text for mark in _MARKS),
    )


def chunk(connection: sa.Connection, session_id: str, params: t.TranscriptParams, revision: int) -> t.Transcript:
    """The chunk that the parameters ask for. Raises NotFound where its first entry, or the branch, is unknown."""
    shown = order(connection, session_id, params.branch, with_subagents=params.subagents)
    total = len(shown)
    if params.from_ is not None:
        found = shown.find(connection, params.from_)
        if found is None:
            where = f"session {session_id}" if params.branch is None else f"that branch of session {session_id}"
            raise NotFound("entry", params.from_, f"{where} has none with that id or uuid")
        start = found
    else:
        start = params.start if params.start is not None else (0 if params.direction == "forward" else -1)
        start = max(total + start, 0) if start < 0 else min(start, total)
    if params.direction == "backward":
        stop = min(start + 1, total)
        start = max(stop - params.limit, 0)
    else:
        stop = min(start + params.limit, total)
    items: list[t.Entry] = []
    for part in shown.between(start, stop):
        for place, entry in enumerate(part.outline.read(connection, part.start, part.stop), part.start):
            own, branch = part.outline, part.outline.branch(place)
            items.append(wire(own.log(place), entry, start + len(items), part.session_id, part.depth, branch))
    wanted = set(params.kinds) if params.kinds is not None else None
    return t.Transcript(
        session_id=session_id,
        items=[item for item in items if wanted is None or item.kind in wanted],
        total=total,
        start=start,
        next=stop if stop < total else None,
        previous=max(start - params.limit, 0) if start > 0 else None,
        revision=revision,
    )


def ids_at(connection: sa.Connection, session_id: str, path: str, offsets: Iterable[int]) -> dict[int, str]:
    """For records of a log, by offset: the id of the first entry of each. Those that have none in the transcript are left
    out; of one that stands in several logs, it is that of the copy which is shown."""
    own = outline(connection, session_id)
    log = next((log for log in own.logs if log.path == path), None)
    if log is None:
        return {}
    wanted = set(offsets)
    shown = own.first_entries(log)
    ids = {offset: own.id(shown[offset]) for offset in wanted & shown.keys()}
    if len(own.logs) > 1 and len(ids) < len(wanted):
        for head in entries.heads(connection, log):
            if head.offset in wanted and head.offset not in ids and head.uuid is not None:
                index = own.find(connection, head.uuid)
                if index is not None:
                    ids[head.offset] = own.id(index)
    return ids


def new_entries(
    connection: sa.Connection, revision: int, *, session_id: str, path: str, start: int
) -> tuple[list[t.Entry], int]:
    """Entries that a log got from offset `start` on. They are told without branch: it would take reading the whole log."""
    found = entries.logs_of(connection, [session_id])[session_id]
    if len(found) > 1:
        own = outline(connection, session_id)
        places = [n for n in range(len(own)) if own.offsets[n] >= start and own.log(n).path == path]
        return [wire(own.log(n), own.read(connection, n, n + 1)[0], n, session_id) for n in places], revision
    made = []
    for log in found:
        # An append adds to the last pages; begin with the last and go back while its first entry is new.
        first = max(log.entries - 1, 0) // PAGE * PAGE
        piece = entries.read(connection, log, first, log.entries)
        while first and piece and piece[0].offset >= start:
            first = max(first - PAGE, 0)
            piece = entries.read(connection, log, first, log.entries)
        made = [wire(log, e, first + n, session_id) for n, e in enumerate(piece) if e.offset >= start]
    return made, revision
