"""``sessions/*`` but transcripts: lists, figures, tool calls, files, relatives."""

from __future__ import annotations

from typing import Any, Literal

from ccdashd.protocol.types.base import Page, Params, Tokens, Wire
from ccdashd.protocol.types.daemon import Diagnostic
from ccdashd.protocol.types.entities import Entity
from ccdashd.protocol.types.tags import ExternalLink

SessionStatus = Literal["active", "completed", "empty"]
TitleSource = Literal["custom", "ai", "summary", "prompt", "command", "none"]
SessionSort = Literal["endedAt", "startedAt", "title", "tokens", "records", "duration"]


class SessionsList(Params, frozen=True):
    """Filters are joined by *and*. Each word of `text` is looked for in title and first prompt, case-insensitively."""

    offset: int = 0
    """Items to leave out at the start; prefer `cursor`."""
    limit: int = 50
    """At most 500."""
    cursor: str | None = None
    """`nextCursor` of the page before."""
    project: str | None = None
    """A project's id, or a path inside it."""
    model: str | None = None
    """Sessions in which this model answered."""
    agent: str | None = None
    """Such as ``claude-code``."""
    branch: str | None = None
    """A git branch."""
    status: SessionStatus | None = None
    """``active``: being written; ``empty``: no prompt and no answer."""
    text: str | None = None
    since: str | None = None
    """ISO 8601 time or date: sessions with activity at or after it."""
    until: str | None = None
    """ISO 8601 time or date: sessions with activity before it."""
    parent: str | None = None
    """Only sub-agents of this session."""
    feature: str | None = None
    """A feature's id or slug: sessions that are linked with it."""
    tag: str | None = None
    """A tag of the user."""
    include_subagents: bool = False
    """Also list sub-agents as sessions."""
    include_hidden: bool = False
    """Also list sessions of hidden projects."""
    include_empty: bool = False
    """Also list sessions without prompt and answer."""
    sort: SessionSort = "endedAt"
    order: Literal["asc", "desc"] = "desc"
    min_revision: int | None = None
    """Wait until the cache is at least at this revision."""


class SessionRow(Wire, frozen=True):
    """A session as lists show it. `indexed` is false while only head and tail of its log were read."""

    id: str
    project_id: str
    project_name: str
    title: str
    title_source: TitleSource
    """Where the title is from."""
    agent: str
    status: SessionStatus
    model: str
    """The model of most messages."""
    started_at: str | None
    """Time of the earliest record."""
    ended_at: str | None
    """Time of the latest record."""
    duration: float
    """Seconds from the earliest to the latest record."""
    cwd: str
    """The folder the session began in."""
    git_branch: str
    records: int
    """Records in its log."""
    prompts: int
    """Prompts that the user typed."""
    tool_calls: int
    tool_errors: int
    tokens: Tokens
    """Each API message once."""
    subagents: int
    """Sub-agents it started."""
    parent_id: str | None
    """The session that started this sub-agent."""
    source_gone: bool
    """True when the log is no longer there."""
    indexed: bool


class SessionCounts(Wire, frozen=True):
    records: int
    """Lines of the log that are records."""
    prompts: int
    """Prompts that the user typed."""
    commands: int
    """Slash commands."""
    assistant_messages: int
    """API messages, each counted once."""
    tool_calls: int
    tool_errors: int
    """Tool calls that answered with an error."""
    compactions: int
    """How often the context was compacted."""
    subagents: int
    bash_inputs: int = 0
    """Shell lines that the user typed."""
    interrupts: int = 0
    """How often the user stopped the agent."""
    steering: int = 0
    """Text typed while the agent worked: in a tool result's record, or queued."""
    meta: int = 0
    """User records that the agent wrote itself."""
    notifications: int = 0
    """Messages of background tasks."""
    teammate_messages: int = 0
    """Messages of other agents in a team."""
    sidechain_prompts: int = 0
    """Prompts that an agent gave to a sub-agent within this log."""
    api_errors: int = 0
    """Answers of the API that were errors."""
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
    """Where the title is from."""
    agent: str
    status: SessionStatus
    model: str
    """The model of most messages."""
    models: dict[str, int]
    """Assistant messages by model."""
    started_at: str | None
    """Time of the earliest record."""
    ended_at: str | None
    """Time of the latest record."""
    duration: float
    """Seconds from `startedAt` to `endedAt`."""
    cwd: str
    """The folder the session began in."""
    cwds: dict[str, int]
    """Records by folder."""
    git_branch: str
    """The branch of the last record that names one."""
    git_branches: dict[str, int]
    """Records by branch."""
    version: str
    """The agent's version in the last record that names one."""
    versions: dict[str, int]
    """Records by the agent's version."""
    source_files: list[str]
    """Absolute paths of its logs."""
    source_gone: bool
    """True when its logs are no longer there; the session stays."""
    indexed: bool
    """False while only head and tail of its log were read."""
    counts: SessionCounts
    tools: dict[str, int]
    """Tool calls by tool."""
    commands: dict[str, int]
    """Slash commands by name."""
    tokens: Tokens
    tokens_own: Tokens
    """Without messages that another session owns."""
    tokens_mirrored: Tokens
    """Usage of sub-agents whose own logs are gone, known only from copies in this session's logs; in no other figure."""
    tokens_by_model: dict[str, Tokens]
    """`tokens` by model."""
    output_lower_bound_messages: int
    """Messages whose log holds no final usage: their output tokens are a lower bound."""
    files_edited: list[str]
    """Paths that an edit tool was called on."""
    files_changed: list[str]
    """The same without calls that failed or never ended."""
    first_prompt: str
    """The first prompt of the user, possibly cut."""
    summaries: list[str]
    """Summaries that the agent wrote of it."""
    slug: str
    """The agent's own short name of it."""
    pr_links: list[str]
    """Pull requests that it opened."""
    record_types: dict[str, int]
    """Records by type."""
    parent_id: str | None
    """The session that started this sub-agent."""
    parent_tool_use_id: str | None
    """The tool call that started this sub-agent."""
    agent_type: str | None
    """Which kind of sub-agent this is."""
    subagents: list[str]
    """Ids of the sub-agents it started."""
    forked_from: list[str]
    """Ids of the sessions whose messages it repeats."""
    forks: list[str]
    """Ids of the sessions that repeat its messages."""
    diagnostics: list[Diagnostic]
    """What was not understood in its logs."""
    tags: list[str]
    """Tags of the user."""
    external_links: list[ExternalLink]
    metadata: dict[str, Any]
    """Notes, ratings and other values that the user gave it."""
    related: list[Entity]
    """Features, tasks, documents and commits that are linked with it, the surest first, at most 50."""
    revision: int


class ToolUsage(Wire, frozen=True):
    name: str
    calls: int
    success: int
    errors: int
    pending: int
    """Calls without a result."""
    total_seconds: float
    """Sum over calls with a result."""


class ToolCall(Wire, frozen=True):
    id: str
    """The agent's id of the call."""
    name: str
    status: Literal["success", "error", "pending"]
    """``pending`` has no result."""
    target: str
    """What it acted on: a path, a command line, a pattern, a description."""
    started_at: str | None
    seconds: float | None
    """From call to result."""
    agent_id: str | None
    """The sub-agent that it started."""
    entry: str
    """Id of the entry in the transcript."""


class ToolsParams(Params, frozen=True):
    id: str
    """The session, as in ``sessions/get``."""
    name: str | None = None
    """Only calls of this tool."""
    status: Literal["success", "error", "pending"] | None = None
    """Only calls with this status."""
    offset: int = 0
    limit: int = 100
    """At most 500."""


class Tools(Wire, frozen=True):
    usage: list[ToolUsage]
    """Every tool of the session."""
    calls: Page[ToolCall]
    """The calls asked for, in order of the log."""


class FileChange(Wire, frozen=True):
    """What one session did to one path. Lines are counted from the recorded patches."""

    path: str
    """Absolute path."""
    reads: int
    edits: int
    failed: int
    """Calls that answered with an error."""
    additions: int
    """Lines added."""
    deletions: int
    """Lines removed."""
    created: bool
    """True when the session wrote the file first."""
    first_at: str | None
    last_at: str | None


class SessionFiles(Wire, frozen=True):
    items: list[FileChange]
    revision: int


class ThreadNode(Wire, frozen=True):
    """`relation` is ``self``, ``parent``, ``subagent``, ``fork`` or ``origin``."""

    id: str
    """Id of the session."""
    relation: Literal["self", "parent", "subagent", "fork", "origin"]
    title: str
    agent_type: str | None
    """Which kind of sub-agent this is."""
    tool_use_id: str | None
    """The tool call that started this sub-agent."""
    parent_id: str | None
    """The session that started it."""
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
