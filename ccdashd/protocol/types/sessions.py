"""``sessions/*`` but transcripts: lists, figures, tool calls, files, relatives."""

from __future__ import annotations

from typing import Literal

from ccdashd.protocol.types.base import Page, Params, Tokens, Wire
from ccdashd.protocol.types.daemon import Diagnostic

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
