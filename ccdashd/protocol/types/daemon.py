"""``ccdash/*``: the daemon itself, its health, and subscriptions."""

from __future__ import annotations

from typing import Literal

from ccdashd.protocol.types.base import Params, Wire


class Hello(Params, frozen=True):
    """Who calls. `protocol` is compared, `version` only shown; `cwd` is where the user stands."""

    client: str = ""
    """Name of the program, for the log."""
    version: str = ""
    """Version of the program."""
    protocol: int = 1
    """The protocol it speaks."""
    cwd: str | None = None
    """Absolute path."""


class Indexing(Wire, frozen=True):
    """Progress of a scan, an index or a check; sizes in bytes. In ``plans``, planning files are read, and counted only;
    ``work`` is a long job that a client asked for, such as an export."""

    phase: Literal["idle", "scan", "glance", "parse", "finish", "plans", "verify", "work"]
    done: int = 0
    """Bytes read so far in this run."""
    total: int = 0
    """Bytes to read in this run."""
    files_done: int = 0
    """Files read so far in this run."""
    files_total: int = 0
    """Files to read in this run."""
    rate: float = 0.0
    """Bytes per second of this run."""
    eta: float | None = None
    """Seconds left, when known."""
    complete: bool = False
    """True once the first index of this database is complete."""


class HelloResult(Wire, frozen=True):
    version: str
    """Version of the daemon's package."""
    protocol: int
    """The protocol the daemon speaks."""
    schema: str
    """Version of the database schema."""
    pid: int
    """Process id."""
    started_at: str
    revision: int
    """The last committed revision."""
    profile: str
    """Name of the profile that is served."""
    indexing: Indexing


class Problem(Wire, frozen=True):
    """A part of the daemon that is not well, in plain words, and what the user can do."""

    part: str
    """The part, such as ``watch`` or ``database``."""
    problem: str
    """What is wrong."""
    hint: str = ""
    """What to do about it."""
    since: str = ""
    """When it began, empty when unknown."""


class WatchStatus(Wire, frozen=True):
    """The watcher. `mode` is ``inotify``, ``watchfiles``, ``polling`` or ``off``."""

    mode: str
    directories: int
    """Folders that are watched."""
    restarts: int
    """How often the watcher had to be set up anew."""
    overflows: int
    """How often the kernel dropped events; each was followed by a scan."""
    events: int
    """Events since start."""
    last_scan_at: str | None = None
    """When all files were last compared with the cache."""
    healthy: bool = True
    """False while changes may be noticed by a scan only."""


class Root(Wire, frozen=True):
    """A folder of agent logs that is looked at."""

    path: str
    agent: str
    """Which agent writes there."""
    exists: bool
    files: int
    """Logs found there."""


class Status(Wire, frozen=True):
    """`state` is ``ok``, ``indexing`` or ``degraded`` (then `problems` says why)."""

    state: Literal["ok", "indexing", "degraded"]
    version: str
    pid: int
    profile: str
    started_at: str
    uptime: float
    """Seconds since start."""
    revision: int
    """The last committed revision."""
    clients: int
    """Connections, with the one that asks."""
    indexing: Indexing
    watch: WatchStatus
    roots: list[Root]
    """Where logs are looked for."""
    counts: dict[str, int]
    """Rows in the cache by entity."""
    problems: list[Problem]
    socket: str
    """Absolute path."""
    database: str
    """Absolute path."""
    database_bytes: int
    memory_bytes: int
    """Resident memory of the daemon."""
    auto_started: bool
    """True when a client started the daemon, which then stops when it was idle for long."""
    metrics_url: str | None = None
    """Where Prometheus can scrape it; null where it cannot."""
    repricing: bool = False
    """True while costs and figures over time are computed anew, as after prices changed: until then some are old."""


class Diagnostic(Wire, frozen=True):
    """One thing that was not understood, or that a user might miss. `count` such cases were folded into one row."""

    code: str
    """Stable name of the kind of finding."""
    severity: Literal["error", "warning", "info"]
    message: str
    path: str | None = None
    """The file it is about."""
    line: int | None = None
    """Line in the file, counted from 1."""
    offset: int | None = None
    """First byte in the file."""
    length: int | None = None
    """Number of bytes."""
    session_id: str | None = None
    """The session it is about."""
    count: int = 1
    hint: str = ""
    """What to do about it."""


class DoctorParams(Params, frozen=True):
    severity: Literal["error", "warning", "info"] = "info"
    """The least severe diagnostics to list."""
    path: str | None = None
    """Only findings about this file, or below this folder."""
    limit: int = 500
    """At most so many diagnostics."""


class Doctor(Wire, frozen=True):
    """What was not understood (`diagnostics`), and how the counts balance."""

    problems: list[Problem]
    diagnostics: list[Diagnostic]
    total: int
    """Diagnostics of the asked severity, whether listed or not."""
    by_code: dict[str, int]
    """Diagnostics by code."""
    record_types: dict[str, int]
    """Records by type, over all logs."""
    unknown_record_types: dict[str, int]
    """Records by type, of types that no reader knows."""
    hidden_sessions: int
    """Sessions that lists leave out by default: empty, or of a hidden project."""
    revision: int


class SubscribeParams(Params, frozen=True):
    """`topics`: ``sessions``, ``projects``, ``documents``, ``tasks``, ``features``, ``links``, ``tags``, ``indexing``,
    ``transcript:<session id>``, or ``*`` for all but the last."""

    topics: list[str]


class SubscribeResult(Wire, frozen=True):
    topics: list[str]
    """Everything this connection is now subscribed to."""
    revision: int
    """Notifications come for changes after this revision."""


class Change(Wire, frozen=True):
    """`op` is ``upsert`` or ``delete``."""

    type: str
    """``session``, ``project``, ``document``, ``task``, ``feature``, ``link`` or ``tag``."""
    id: str
    """Id of the entity."""
    op: Literal["upsert", "delete"]


class ChangesParams(Params, frozen=True):
    since: int
    """The last revision the client knows."""


class Changes(Wire, frozen=True):
    """What changed since a revision; `fresh` when that is no longer known and everything should be read anew."""

    revision: int
    """The revision the changes lead to."""
    fresh: bool
    changes: list[Change]
