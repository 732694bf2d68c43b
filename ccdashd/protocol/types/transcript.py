"""``sessions/transcript`` and ``sessions/entry``: what stands in a log, in order."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from ccdashd.protocol.types.base import Params, Wire

EntryKind = Literal[
    "prompt",
    "command",
    "steering",
    "queued",
    "bash",
    "meta",
    "interrupt",
    "notification",
    "teammate",
    "compactSummary",
    "assistant",
    "thinking",
    "toolCall",
    "toolResult",
    "image",
    "system",
    "compaction",
    "attachment",
    "summary",
    "unknown",
]


class Entry(Wire, frozen=True):
    """One thing in a transcript: one content block of a record. `id` is stable; `text` may be cut (`truncated`): the
    whole is read from the log by ``sessions/entry``."""

    id: str
    index: int
    kind: EntryKind
    timestamp: str | None
    text: str
    truncated: bool
    uuid: str | None
    parent_uuid: str | None
    model: str | None
    tool: str | None
    tool_use_id: str | None
    is_error: bool
    sidechain: bool
    file: str
    offset: int
    length: int


class TranscriptParams(Params, frozen=True):
    """A chunk of `limit` entries: from entry `start` (an index; negative counts from the end) or from the entry `from`
    (an id or uuid), forward or backward. `kinds` filters after the chunk was cut."""

    id: str
    start: int | None = None
    from_: str | None = msgspec.field(default=None, name="from")
    limit: int = 100
    direction: Literal["forward", "backward"] = "forward"
    kinds: list[EntryKind] | None = None
    min_revision: int | None = None


class Transcript(Wire, frozen=True):
    """Entries in order of the log. `next` and `previous` are `start` values for the neighbouring chunks."""

    session_id: str
    items: list[Entry]
    total: int
    start: int
    next: int | None
    previous: int | None
    revision: int


class EntryParams(Params, frozen=True):
    id: str
    entry: str
    """The entry's id or uuid."""


class EntryPayload(Wire, frozen=True):
    """The record as it stands in the log; `raw` is its text when it is not JSON."""

    entry: Entry
    record: Any
    raw: str | None
    revision: int
