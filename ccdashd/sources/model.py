"""What every reader of agent logs gives: rows that are ready to be stored, and figures of one log.

Rows are array-like, so that they cross from a parse worker to the writer as plain tuples in the order of the columns of
their table (`ccdashd.store.schema`). Times are milliseconds since the epoch, places are byte offsets into the log.
"""

from __future__ import annotations

from typing import Final

import msgspec

KINDS: Final = (
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
)
"""Kinds of transcript entries. Stored by position: append only, never reorder."""

KIND: Final = {name: number for number, name in enumerate(KINDS)}

PAGE = 256
"""Entries in one stored page of a transcript."""


class Entry(msgspec.Struct, array_like=True, gc=False):
    """One content block of one record, as a transcript shows it."""

    offset: int
    length: int
    block: int
    kind: int
    time: int | None
    uuid: str | None
    parent: str | None
    text: str
    truncated: bool = False
    model: str | None = None
    tool: str | None = None
    tool_use_id: str | None = None
    is_error: bool = False
    sidechain: bool = False


class Message(msgspec.Struct, array_like=True, gc=False):
    """The usage of one API message as far as this log knows it.

    `mirror` marks usage that was seen in a copy inside a parent's ``agent_progress`` records; `copied` marks records that
    carry another session's id (a fork or resume); `lower_bound` says that no record of the message had a stop reason.
    """

    message_id: str
    request_id: str
    time: int | None
    model: str
    input: int
    output: int
    cache_read: int
    cache_write: int
    cache_write_5m: int
    cache_write_1h: int
    lower_bound: bool
    mirror: bool
    copied: bool
    sidechain: bool
    web_searches: int = 0
    fast: bool = False
    """Answered in the faster, dearer mode."""
    reported: int | None = None
    """What the agent says that it cost, in 10^-12 dollars."""


class ToolCall(msgspec.Struct, array_like=True, gc=False):
    """A tool call and its result, either of which may be missing or come first. `status` is None while no result came."""

    tool_use_id: str
    name: str | None = None
    target: str | None = None
    called_at: int | None = None
    call_offset: int | None = None
    call_length: int | None = None
    status: str | None = None
    ended_at: int | None = None
    result_offset: int | None = None
    result_length: int | None = None
    agent_id: str | None = None
    sidechain: bool = False
    message: int | None = None
    """Number, among the messages of what was read, of the one that made the call."""


class FileUpdate(msgspec.Struct, array_like=True, gc=False):
    """What one tool call did to one path. `action` is read, edit or write; lines are counted from the recorded patch."""

    tool_use_id: str
    path: str | None = None
    action: str | None = None
    additions: int | None = None
    deletions: int | None = None
    created: bool | None = None
    time: int | None = None
    """Of the call."""


class Event(msgspec.Struct, array_like=True, gc=False):
    """What happened beside messages and tool calls.

    `kind`: ``prompt``, ``steering``, ``command``, ``bash`` (typed by the user), ``interrupt``, ``compaction``,
    ``api_error``. `key` is that of the record's uuid; `copied` as in `Message`.
    """

    kind: str
    time: int | None
    key: bytes
    copied: bool


class Summary(msgspec.Struct, array_like=True, gc=False):
    """A summary line; `leaf` is the key of the uuid that it names, often one in another log."""

    offset: int
    leaf: bytes
    text: str


class Signal(msgspec.Struct, array_like=True, gc=False):
    """What a record says of a plan or a commit.

    `kind`: ``command``, a slash command with its arguments; ``mention`` and ``shell``, a Markdown file that a prompt or a
    shell line names, as written; ``commit``, the hash of one that was made.
    """

    kind: str
    value: str
    offset: int
    time: int | None


class Finding(msgspec.Struct, array_like=True, gc=False):
    """Something in a log that was not understood, or understood only after a repair."""

    code: str
    severity: str
    offset: int
    length: int
    line: int
    message: str
    count: int = 1


class Stats(msgspec.Struct, omit_defaults=True):
    """Figures of one log that cannot be had from its rows by a query. Addable: an append only counts on."""

    lines: int = 0
    records: int = 0
    entries: int = 0
    duplicates: int = 0
    prompts: int = 0
    commands: int = 0
    bash_inputs: int = 0
    interrupts: int = 0
    steering: int = 0
    meta: int = 0
    notifications: int = 0
    teammate_messages: int = 0
    sidechain_prompts: int = 0
    sidechain_roots: int = 0
    compactions: int = 0
    api_errors: int = 0
    synthetic: int = 0
    started_at: int | None = None
    ended_at: int | None = None
    first_prompt: str = ""
    first_prompt_at: int | None = None
    first_command: str = ""
    custom_title: str = ""
    ai_title: str = ""
    slug: str = ""
    version: str = ""
    git_branch: str = ""
    cwd: str = ""
    """The first cwd."""
    agent_type: str = ""
    agent_description: str = ""
    agent_prompt: str = ""
    """The first prompt that an agent gave to a sub-agent."""
    parent_tool_use_id: str = ""
    root_uuid: str = ""
    """The first uuid: two logs that share it are forks of one conversation."""
    record_types: dict[str, int] = {}
    unknown_types: dict[str, int] = {}
    command_names: dict[str, int] = {}
    session_ids: dict[str, int] = {}
    cwds: dict[str, int] = {}
    git_branches: dict[str, int] = {}
    versions: dict[str, int] = {}
    agent_ids: dict[str, int] = {}
    forked_from: dict[str, int] = {}
    pr_links: dict[str, int] = {}
