"""Every entity, parameter and result of the ``ccdash/*`` wire, camelCase in JSON.

Times are UTC ISO 8601 with milliseconds and ``Z``; durations seconds; sizes bytes; token counts tokens. An entity is
referred to as ``{type, id}``; ids are stable across rebuilds.
"""

from __future__ import annotations

from typing import Any, Generic, Literal, TypeVar

import msgspec

T = TypeVar("T")


class Wire(msgspec.Struct, rename="camel", frozen=True, kw_only=True, omit_defaults=False):
    """Base of everything that crosses the wire."""


class Params(Wire, forbid_unknown_fields=True, frozen=True):
    """Base of parameters: an unknown field is an error that names it, not a silent no-op."""


class NoParams(Params, frozen=True):
    """For methods that take nothing."""


class Page(Wire, Generic[T], frozen=True):
    """One page of a list. `nextCursor` is keyset: it stays right while rows are inserted."""

    items: list[T]
    total: int
    offset: int
    limit: int
    revision: int
    next_cursor: str | None = None


class Ref(Wire, frozen=True):
    """A reference to an entity."""

    type: str
    id: str


class Ok(Wire, frozen=True):
    """An acknowledgement, with the revision at which it holds."""

    ok: bool = True
    revision: int = 0


# --- ccdash/* ---------------------------------------------------------------------------------------------------------


class Hello(Params, frozen=True):
    """Who calls. `protocol` is compared, `version` only shown; `cwd` is where the user stands."""

    client: str = ""
    version: str = ""
    protocol: int = 1
    cwd: str | None = None


class Indexing(Wire, frozen=True):
    """Progress of a scan. `phase` is ``idle``, ``scan``, ``glance``, ``parse`` or ``finish``; sizes in bytes."""

    phase: Literal["idle", "scan", "glance", "parse", "finish"]
    done: int = 0
    total: int = 0
    files_done: int = 0
    files_total: int = 0
    rate: float = 0.0
    """Bytes per second of this run."""
    eta: float | None = None
    """Seconds left, when known."""
    complete: bool = False
    """True once the first index of this database is complete."""


class HelloResult(Wire, frozen=True):
    version: str
    protocol: int
    schema: str
    pid: int
    started_at: str
    revision: int
    profile: str
    indexing: Indexing


class Problem(Wire, frozen=True):
    """A part of the daemon that is not well, in plain words, and what the user can do."""

    part: str
    problem: str
    hint: str = ""
    since: str = ""


class WatchStatus(Wire, frozen=True):
    """The watcher. `mode` is ``inotify``, ``watchfiles``, ``polling`` or ``off``."""

    mode: str
    directories: int
    restarts: int
    overflows: int
    events: int
    last_scan_at: str | None = None
    healthy: bool = True


class Root(Wire, frozen=True):
    """A folder of agent logs that is looked at."""

    path: str
    agent: str
    exists: bool
    files: int


class Status(Wire, frozen=True):
    """`state` is ``ok``, ``indexing`` or ``degraded`` (then `problems` says why)."""

    state: Literal["ok", "indexing", "degraded"]
    version: str
    pid: int
    profile: str
    started_at: str
    uptime: float
    revision: int
    clients: int
    indexing: Indexing
    watch: WatchStatus
    roots: list[Root]
    counts: dict[str, int]
    problems: list[Problem]
    socket: str
    database: str
    database_bytes: int
    memory_bytes: int
    auto_started: bool


class Diagnostic(Wire, frozen=True):
    """One thing that was not understood, or that a user might miss. `count` such cases were folded into one row."""

    code: str
    severity: Literal["error", "warning", "info"]
    message: str
    path: str | None = None
    line: int | None = None
    offset: int | None = None
    length: int | None = None
    session_id: str | None = None
    count: int = 1
    hint: str = ""


class DoctorParams(Params, frozen=True):
    severity: Literal["error", "warning", "info"] = "info"
    """The least severe diagnostics to list."""
    path: str | None = None
    limit: int = 500


class Doctor(Wire, frozen=True):
    """What was not understood (`diagnostics`), and how the counts balance."""

    problems: list[Problem]
    diagnostics: list[Diagnostic]
    total: int
    by_code: dict[str, int]
    record_types: dict[str, int]
    unknown_record_types: dict[str, int]
    hidden_sessions: int
    revision: int


class SubscribeParams(Params, frozen=True):
    """`topics`: ``sessions``, ``projects``, ``indexing``, ``transcript:<session id>``, or ``*`` for the first three."""

    topics: list[str]


class SubscribeResult(Wire, frozen=True):
    topics: list[str]
    revision: int


class Change(Wire, frozen=True):
    """`op` is ``upsert`` or ``delete``."""

    type: str
    id: str
    op: Literal["upsert", "delete"]


class ChangesParams(Params, frozen=True):
    since: int


class Changes(Wire, frozen=True):
    """What changed since a revision; `fresh` when that is no longer known and everything should be read anew."""

    revision: int
    fresh: bool
    changes: list[Change]


# --- projects/* -------------------------------------------------------------------------------------------------------


class Tokens(Wire, frozen=True):
    """Tokens by kind. `cacheWrite` is the sum of the 5-minute and 1-hour writes and of those of unknown lifetime."""

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0
    cache_write5m: int = msgspec.field(default=0, name="cacheWrite5m")
    cache_write1h: int = msgspec.field(default=0, name="cacheWrite1h")


class Project(Wire, frozen=True):
    """`origin` is ``discovered`` (from a session's cwd) or ``added`` (by the user)."""

    id: str
    name: str
    root: str
    origin: str
    hidden: bool
    sessions: int
    subagents: int
    last_activity_at: str | None
    tokens: Tokens
    """Each API message once, over all sessions of the project."""


class ProjectsList(Params, frozen=True):
    include_hidden: bool = False
    offset: int = 0
    limit: int = 100


class ProjectId(Params, frozen=True):
    id: str


class ProjectsAdd(Params, frozen=True):
    root: str
    name: str | None = None


class ProjectsUpdate(Params, frozen=True):
    id: str
    name: str | None = None
    hidden: bool | None = None


# --- sessions/* -------------------------------------------------------------------------------------------------------

SessionStatus = Literal["active", "completed", "empty"]
TitleSource = Literal["custom", "ai", "summary", "prompt", "command", "none"]
SessionSort = Literal["endedAt", "startedAt", "title", "tokens", "records", "duration"]


class SessionsList(Params, frozen=True):
    """Filters are joined by *and*. `text` is looked for in titles and first prompts, case-insensitively."""

    offset: int = 0
    limit: int = 50
    cursor: str | None = None
    project: str | None = None
    """A project's id, or a path inside it."""
    model: str | None = None
    agent: str | None = None
    branch: str | None = None
    status: SessionStatus | None = None
    text: str | None = None
    since: str | None = None
    """ISO 8601 time or date: sessions with activity at or after it."""
    until: str | None = None
    parent: str | None = None
    """Only sub-agents of this session."""
    include_subagents: bool = False
    include_hidden: bool = False
    include_empty: bool = False
    sort: SessionSort = "endedAt"
    order: Literal["asc", "desc"] = "desc"
    min_revision: int | None = None


class SessionRow(Wire, frozen=True):
    """A session as lists show it. `indexed` is false while only head and tail of its log were read."""

    id: str
    project_id: str
    project_name: str
    title: str
    title_source: TitleSource
    agent: str
    status: SessionStatus
    model: str
    started_at: str | None
    ended_at: str | None
    duration: float
    cwd: str
    git_branch: str
    records: int
    prompts: int
    tool_calls: int
    tool_errors: int
    tokens: Tokens
    subagents: int
    parent_id: str | None
    source_gone: bool
    indexed: bool


class SessionCounts(Wire, frozen=True):
    records: int
    prompts: int
    commands: int
    assistant_messages: int
    tool_calls: int
    tool_errors: int
    compactions: int
    subagents: int
    bash_inputs: int = 0
    interrupts: int = 0
    steering: int = 0
    """Text typed while the agent worked: in a tool result's record, or queued."""
    meta: int = 0
    notifications: int = 0
    teammate_messages: int = 0
    sidechain_prompts: int = 0
    api_errors: int = 0
    duplicates: int = 0
    """Records that stand twice in the session's files (counted in `records`, nowhere else)."""


class SessionParams(Params, frozen=True):
    """The id, or a prefix of it that is unique."""

    id: str


class Session(Wire, frozen=True):
    """One session. `tokens` counts each API message of its logs once; `tokensOwn` leaves out those that another session
    owns (a fork or resume repeats its origin's messages), so that `tokensOwn` adds up over sessions."""

    id: str
    project_id: str
    project_name: str
    title: str
    title_source: TitleSource
    agent: str
    status: SessionStatus
    model: str
    """The model of most messages."""
    models: dict[str, int]
    """Assistant messages by model."""
    started_at: str | None
    ended_at: str | None
    duration: float
    cwd: str
    cwds: dict[str, int]
    git_branch: str
    git_branches: dict[str, int]
    version: str
    versions: dict[str, int]
    source_files: list[str]
    source_gone: bool
    indexed: bool
    counts: SessionCounts
    tools: dict[str, int]
    commands: dict[str, int]
    tokens: Tokens
    tokens_own: Tokens
    tokens_by_model: dict[str, Tokens]
    output_lower_bound_messages: int
    files_edited: list[str]
    """Paths that an edit tool was called on."""
    files_changed: list[str]
    """The same without calls that failed or never ended."""
    first_prompt: str
    summaries: list[str]
    slug: str
    pr_links: list[str]
    record_types: dict[str, int]
    parent_id: str | None
    parent_tool_use_id: str | None
    agent_type: str | None
    subagents: list[str]
    forked_from: list[str]
    forks: list[str]
    diagnostics: list[Diagnostic]
    revision: int


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


class ToolUsage(Wire, frozen=True):
    name: str
    calls: int
    success: int
    errors: int
    pending: int
    total_seconds: float


class ToolCall(Wire, frozen=True):
    id: str
    name: str
    status: Literal["success", "error", "pending"]
    target: str
    """What it acted on: a path, a command line, a pattern, a description."""
    started_at: str | None
    seconds: float | None
    agent_id: str | None
    entry: str


class ToolsParams(Params, frozen=True):
    id: str
    name: str | None = None
    status: Literal["success", "error", "pending"] | None = None
    offset: int = 0
    limit: int = 100


class Tools(Wire, frozen=True):
    usage: list[ToolUsage]
    calls: Page[ToolCall]


class FileChange(Wire, frozen=True):
    """What one session did to one path. Lines are counted from the recorded patches."""

    path: str
    reads: int
    edits: int
    failed: int
    additions: int
    deletions: int
    created: bool
    first_at: str | None
    last_at: str | None


class SessionFiles(Wire, frozen=True):
    items: list[FileChange]
    revision: int


class ThreadNode(Wire, frozen=True):
    """`relation` is ``self``, ``parent``, ``subagent``, ``fork`` or ``origin``."""

    id: str
    relation: Literal["self", "parent", "subagent", "fork", "origin"]
    title: str
    agent_type: str | None
    tool_use_id: str | None
    parent_id: str | None
    started_at: str | None
    ended_at: str | None
    tokens: Tokens
    missing: bool
    """True for a sub-agent that the log names but whose own log is not there."""


class Thread(Wire, frozen=True):
    session_id: str
    nodes: list[ThreadNode]
    revision: int


class ActiveParams(Params, frozen=True):
    within: float = 600.0
    """Seconds since the last sign of life."""


class SessionRows(Wire, frozen=True):
    items: list[SessionRow]
    revision: int


# --- files/* ----------------------------------------------------------------------------------------------------------


class FileContextParams(Params, frozen=True):
    """`path` absolute, or relative to `cwd`."""

    path: str
    cwd: str | None = None
    limit: int = 50


class FileTouch(Wire, frozen=True):
    session: SessionRow
    change: FileChange


class FileContext(Wire, frozen=True):
    """Who touched a path, newest first."""

    path: str
    project: Project | None
    sessions: list[FileTouch]
    total: int
    revision: int


# --- cache/* ----------------------------------------------------------------------------------------------------------


class CacheStatus(Wire, frozen=True):
    """`totals` over all sessions, each API message once; `sourceBytes` is the size of the logs."""

    revision: int
    schema: str
    database: str
    database_bytes: int
    wal_bytes: int
    source_bytes: int
    source_files: int
    files_gone: int
    sessions: int
    subagents: int
    messages: int
    tokens: Tokens
    output_lower_bound_messages: int
    files_parsed: int
    """Files read in full since start."""
    records_parsed: int
    """Records read since start."""
    rows_written: int
    """Rows written since start."""
    indexing: Indexing


class RescanResult(Wire, frozen=True):
    files: int
    parsed: int
    appended: int
    gone: int
    seconds: float
    revision: int


class RescanParams(Params, frozen=True):
    paths: list[str] | None = None
    """Files or folders to look at; by default every root."""


class VerifyResult(Wire, frozen=True):
    """`problems` tell what is wrong and what repairs it; empty when the cache says what the files say."""

    ok: bool
    checked_files: int
    problems: list[Problem]
    seconds: float
    revision: int


# --- notifications ----------------------------------------------------------------------------------------------------


class ChangedNotification(Wire, frozen=True):
    """``ccdash/changed``. `missed` tells a client that fell behind that changes before this revision were left out."""

    revision: int
    changes: list[Change]
    missed: bool = False


class TranscriptNotification(Wire, frozen=True):
    """``ccdash/transcript``: entries that were added to a session."""

    session_id: str
    entries: list[Entry]
    revision: int
    missed: bool = False


class IndexingNotification(Wire, frozen=True):
    """``ccdash/indexing``."""

    indexing: Indexing
    revision: int
