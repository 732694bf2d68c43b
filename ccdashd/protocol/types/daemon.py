"""``ccdash/*``: the daemon itself, its health, and subscriptions."""

from __future__ import annotations

from typing import Literal

from ccdashd.protocol.types.base import Params, Wire


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
