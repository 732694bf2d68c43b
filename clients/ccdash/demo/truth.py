"""What a careful reader finds in the generated logs, counted while they are written, never by parsing them.

Every record carries the facts that it states; a tracker per log folds them by identity (a message by its id and request
id, a tool call by its id, everything else by uuid), so that facts stated twice count once.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Literal, NamedTuple

from ccdash.demo.clock import iso

MarkKind = Literal["prompt", "command", "bash", "interrupt", "steering", "compaction", "sidechainPrompt", "synthetic"]
TOKEN_KINDS = ("input", "output", "cacheRead", "cacheWrite")
TITLE_RANK = ("none", "command", "prompt", "summary", "ai", "custom")


class Message(NamedTuple):
    """One record of an API message: its figures so far; `final` when it has a stop reason."""

    id: str
    request: str
    model: str
    input: int
    output: int
    cache_read: int
    cache_write: int
    final: bool


class Call(NamedTuple):
    """A tool call; `edits` is the path that an edit tool was called on, else empty."""

    id: str
    name: str
    edits: str


class Result(NamedTuple):
    """The result of a tool call."""

    id: str
    is_error: bool


class Mark(NamedTuple):
    """Something of `kind`, identified by `id`; `text` is a prompt's text or a command's name."""

    kind: MarkKind
    id: str
    text: str = ""


class Title(NamedTuple):
    """A title that stands in the log; the last of the best source wins."""

    source: Literal["custom", "ai", "summary"]
    text: str


Fact = Message | Call | Result | Mark | Title


class Record(NamedTuple):
    """One line of a log, without its newline: `at` is its top-level timestamp in milliseconds, if it has one."""

    line: str
    at: int | None
    facts: tuple[Fact, ...] = ()


@dataclass
class SessionTruth:
    """The truth about one log. Token counts as in the `sessions/get` answer; `tokens_own` leaves out messages that were
    copied from another session. `path` is relative to the home folder."""

    id: str
    path: str
    cwd: str
    version: str
    parent_id: str | None = None
    agent_id: str | None = None
    parent_tool_use_id: str | None = None
    fault: str = ""
    forked_from: str | None = None
    records: int = 0
    title: str = ""
    title_source: str = "none"
    prompts: int = 0
    commands: int = 0
    bash_inputs: int = 0
    interrupts: int = 0
    steering: int = 0
    compactions: int = 0
    sidechain_prompts: int = 0
    api_errors: int = 0
    assistant_messages: int = 0
    output_lower_bound_messages: int = 0
    models: dict[str, int] = field(default_factory=dict)
    tools: dict[str, int] = field(default_factory=dict)
    tool_calls: int = 0
    tool_errors: int = 0
    tokens: dict[str, int] = field(default_factory=lambda: dict.fromkeys(TOKEN_KINDS, 0))
    tokens_own: dict[str, int] = field(default_factory=lambda: dict.fromkeys(TOKEN_KINDS, 0))
    messages_own: int = 0
    files_edited: list[str] = field(default_factory=list)
    files_changed: list[str] = field(default_factory=list)
    started_at: str | None = None
    ended_at: str | None = None
    subagents: list[str] = field(default_factory=list)
    """Keys of `Summary.agents`."""


@dataclass
class FeatureTruth:
    """The truth about one feature of a made-up project: its status, how many tasks of which status and how many files it
    has, whether they contradict each other, and which sessions worked on it; `executed_by` did more than to look."""

    slug: str
    status: str
    tasks: dict[str, int]
    mismatch: bool = False
    commit: str = ""
    executed_by: str = ""
    sessions: list[str] = field(default_factory=list)
    documents: int = 0
    completed: dict[str, int] = field(default_factory=dict)
    """Done tasks by the day that their file says; with an empty one, those of which it says none."""


@dataclass
class ProjectTruth:
    """The truth about the planning files below `root`; `documents` are all of them."""

    root: str
    documents: int = 0
    features: dict[str, FeatureTruth] = field(default_factory=dict)
    """By slug."""


@dataclass
class Summary:
    """What was written, and the truth about it. `totals` count each API message once over all files."""

    seed: int
    files: int = 0
    bytes: int = 0
    records: int = 0
    largest: str = ""
    """Id of the session with the largest log."""
    sessions: dict[str, SessionTruth] = field(default_factory=dict)
    agents: dict[str, SessionTruth] = field(default_factory=dict)
    """By ``<session id>/<agent id>``."""
    totals: dict[str, int] = field(default_factory=lambda: dict.fromkeys((*TOKEN_KINDS, "messages"), 0))
    projects: dict[str, ProjectTruth] = field(default_factory=dict)
    """By root, where planning files were written too."""

    def add(self, truth: SessionTruth, size: int) -> None:
        """Count one finished log of `size` bytes."""
        self.files += 1
        self.bytes += size
        self.records += truth.records
        if truth.agent_id is None:
            self.sessions[truth.id] = truth
        else:
            self.agents[f"{truth.parent_id}/{truth.agent_id}"] = truth
        for kind in TOKEN_KINDS:
            self.totals[kind] += truth.tokens_own[kind]
        self.totals["messages"] += truth.messages_own

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=1)

    @classmethod
    def from_json(cls, text: str) -> Summary:
        raw = json.loads(text)
        for group in ("sessions", "agents"):
            raw[group] = {key: SessionTruth(**value) for key, value in raw[group].items()}
        for project in raw["projects"].values():
            project["features"] = {slug: FeatureTruth(**value) for slug, value in project["features"].items()}
        raw["projects"] = {root: ProjectTruth(**value) for root, value in raw["projects"].items()}
        return cls(**raw)


class Tracker:
    """Folds the facts of one log. `borrowed` holds keys of messages that another log owns."""

    def __init__(self, borrowed: frozenset[tuple[str, str]] = frozenset()) -> None:
        self.borrowed = borrowed
        self.records = 0
        self.first: int | None = None
        self.last: int | None = None
        self.messages: dict[tuple[str, str], Message] = {}
        self.calls: dict[str, Call] = {}
        self.results: dict[str, bool] = {}
        self.marks: dict[MarkKind, dict[str, tuple[int, str]]] = {}
        self.title = Title("summary", "")

    def add(self, record: Record) -> None:
        self.records += 1
        if record.at is not None:
            self.first = record.at if self.first is None else min(self.first, record.at)
            self.last = record.at if self.last is None else max(self.last, record.at)
        for fact in record.facts:
            if isinstance(fact, Message):
                self._message(fact)
            elif isinstance(fact, Call):
                self.calls[fact.id] = fact
            elif isinstance(fact, Result):
                self.results[fact.id] = fact.is_error or self.results.get(fact.id, False)
            elif isinstance(fact, Mark):
                self.marks.setdefault(fact.kind, {}).setdefault(fact.id, (record.at or 0, fact.text))
            elif not self.title.text or TITLE_RANK.index(fact.source) >= TITLE_RANK.index(self.title.source):
                self.title = fact

    def _message(self, fact: Message) -> None:
        known = self.messages.get((fact.id, fact.request))
        # The figure only grows, so the largest is the last one written, in whatever order the records stand.
        if known is not None and known.output > fact.output:
            fact = known._replace(final=known.final or fact.final)
        elif known is not None:
            fact = fact._replace(final=known.final or fact.final)
        self.messages[fact.id, fact.request] = fact

    def count(self, kind: MarkKind) -> int:
        return len(self.marks.get(kind, ()))

    def finish(self, truth: SessionTruth) -> SessionTruth:
        """Write the counts into `truth`."""
        truth.records = self.records
        truth.prompts, truth.commands = self.count("prompt"), self.count("command")
        truth.bash_inputs, truth.interrupts = self.count("bash"), self.count("interrupt")
        truth.steering, truth.compactions = self.count("steering"), self.count("compaction")
        truth.sidechain_prompts, truth.api_errors = self.count("sidechainPrompt"), self.count("synthetic")
        for key, message in self.messages.items():
            truth.models[message.model] = truth.models.get(message.model, 0) + 1
            truth.output_lower_bound_messages += not message.final
            truth.messages_own += key not in self.borrowed
            for kind, tokens in zip(TOKEN_KINDS, message[3:7], strict=True):
                truth.tokens[kind] += tokens
                truth.tokens_own[kind] += 0 if key in self.borrowed else tokens
        truth.assistant_messages = len(self.messages)
        for call in self.calls.values():
            truth.tools[call.name] = truth.tools.get(call.name, 0) + 1
        truth.tool_calls = len(self.calls)
        truth.tool_errors = sum(self.results.values())
        truth.files_edited = sorted({call.edits for call in self.calls.values() if call.edits})
        truth.files_changed = sorted(
            {call.edits for call in self.calls.values() if call.edits and self.results.get(call.id) is False}
        )
        truth.started_at = None if self.first is None else iso(self.first)
        truth.ended_at = None if self.last is None else iso(self.last)
        self._title(truth)
        return truth

    def _title(self, truth: SessionTruth) -> None:
        if self.title.text:
            truth.title_source, truth.title = self.title
            return
        kinds: tuple[MarkKind, ...] = ("prompt", "command")
        for kind in kinds:
            texts = self.marks.get(kind)
            if texts:
                # The earliest by its time, which in a damaged log need not be the first line.
                truth.title_source, truth.title = kind, min(texts.values(), key=lambda mark: mark[0])[1]
                return
