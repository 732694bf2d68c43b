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
    """Place in the transcript, counted from 0."""
    kind: EntryKind
    timestamp: str | None
    text: str
    """What a person reads; for a tool call its input as JSON."""
    truncated: bool
    uuid: str | None
    """The record's own id in the log."""
    parent_uuid: str | None
    """`uuid` of the record that this one follows."""
    model: str | None
    tool: str | None
    """Name of the tool."""
    tool_use_id: str | None
    """Joins a tool call and its result."""
    is_error: bool
    """True for a result that is an error."""
    sidechain: bool
    """True when a sub-agent wrote it."""
    file: str
    """Absolute path of the log."""
    offset: int
    """First byte of the record in the log."""
    length: int
    """Bytes of the record."""


class TranscriptParams(Params, frozen=True):
    """A chunk of `limit` entries: from entry `start` (an index; negative counts from the end) or from the entry `from`
    (an id or uuid), forward or backward. `kinds` filters after the chunk was cut."""

    id: str
    """The session, as in ``sessions/get``."""
    start: int | None = None
    from_: str | None = msgspec.field(default=None, name="from")
    limit: int = 100
    """At most 500."""
    direction: Literal["forward", "backward"] = "forward"
    kinds: list[EntryKind] | None = None
    min_revision: int | None = None
    """Wait until the cache is at least at this revision."""


class Transcript(Wire, frozen=True):
    """Entries in order of the log. `next` and `previous` are `start` values for the neighbouring chunks."""

    session_id: str
    items: list[Entry]
    total: int
    """Entries in the whole transcript."""
    start: int
    """Index of the first item."""
    next: int | None
    previous: int | None
    revision: int


class EntryParams(Params, frozen=True):
    id: str
    """The session, as in ``sessions/get``."""
    entry: str
    """The entry's id or uuid."""


class EntryPayload(Wire, frozen=True):
    """The record as it stands in the log; `raw` is its text when it is not JSON."""

    entry: Entry
    record: Any
    """The JSON value."""
    raw: str | None
    revision: int
