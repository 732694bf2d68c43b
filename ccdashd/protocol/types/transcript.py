"""What stands in a log, in order: ``sessions/transcript``, ``/branches``, ``/entry`` and ``/blob``."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

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
    """What a person reads. Of a tool call the part of its input that says most on what it acts, such as a path or a
    command; of a result its beginning. Images stand as ``[image]``, documents as ``[document]``."""
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
    session_id: str
    """The session whose log it stands in: that of a sub-agent where such entries were asked for."""
    depth: int = 0
    """0 for the session that was asked for, 1 for its sub-agents, 2 for theirs."""
    branch: str | None = None
    """Id of the branch that it is on; null in notifications."""
    has_blobs: bool = False
    """True where its text says that it holds an image or a document; ``sessions/entry`` lists what it holds."""


class TranscriptParams(Params, frozen=True):
    """A chunk of `limit` entries: from entry `start` (an index; negative counts from the end) or from the entry `from`
    (an id or uuid), forward or backward. `kinds` filters after the chunk was cut. `branch` and `subagents` say what the
    transcript is that indexes count in."""

    id: str
    """The session, as in ``sessions/get``."""
    branch: str | None = None
    """Only what leads to the end of this branch, by its id, or ``current``."""
    subagents: bool = False
    """With the transcripts of sub-agents, and of theirs, behind the calls that started them. One whose call is not known
    stands at the time at which it began."""
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


class BlobRef(Wire, frozen=True):
    """An image or other binary content inside a record."""

    id: str
    """As ``sessions/blob`` takes it, with the session's id."""
    media_type: str
    """By its first bytes; ``application/octet-stream`` where these are not those of a known kind."""
    declared: str | None
    """The type that the log says, which need not be true."""
    bytes: int
    sha256: str


class EntryPayload(Wire, frozen=True):
    """The record as it stands in the log, but for its binary content; `raw` is its text when it is not JSON."""

    entry: Entry
    record: Any
    """The JSON value, in which ``blob:<id>`` stands for the text that encodes a blob."""
    raw: str | None
    blobs: list[BlobRef]
    """In the order of the record, equal ones once."""
    revision: int


class BlobParams(Params, frozen=True):
    """At most `limit` bytes of a blob from byte `start` on."""

    id: str
    """The session of the entry."""
    blob: str
    """`id` of a `BlobRef`."""
    start: Annotated[int, Meta(ge=0)] = 0
    limit: Annotated[int, Meta(ge=1, le=4_194_304)] = 1_048_576


class Blob(Wire, frozen=True):
    """A piece of binary content."""

    blob: BlobRef
    start: int
    data: str
    """The bytes in base64."""
    next: int | None
    """`start` of the next piece; null on the last one."""


BranchKind = Literal["main", "rewind", "compaction", "sidechain"]


class Branch(Wire, frozen=True):
    """A line of a conversation. Each entry is on one; it begins where the user went back and said something else
    (``rewind``), where the agent went on with a summary (``compaction``), or where a sub-agent wrote into the same log
    (``sidechain``)."""

    id: str
    """Id of its first entry."""
    kind: BranchKind
    parent: str | None
    """The branch that it leaves."""
    parent_entry: str | None
    """The entry there that it follows."""
    joined: bool
    """False where the log does not tell which entry it follows; then it is the one that was written before."""
    first: str
    last: str
    """Ids of its first and last entry."""
    start: int
    end: int
    """Their indexes in the whole transcript; entries of other branches may stand between them."""
    entries: int
    unjoined: int
    """Entries on it that name a record that is not shown, such as one of progress, and so follow the entry before them."""
    total: int
    """Entries that lead to its end: those on it, and those before it."""
    prompt: str | None
    """The first that was said on it."""
    started_at: str | None
    ended_at: str | None
    current: bool
    """True for the branch of what was said last."""


class Branches(Wire, frozen=True):
    """Branches in the order in which they begin; together they hold each entry once."""

    session_id: str
    items: list[Branch]
    current: str | None
    """Null in an empty transcript."""
    revision: int
