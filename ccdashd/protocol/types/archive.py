"""``archive/*`` and ``retention/*``: copies of logs that agents delete, what is kept of them for how long, and bundles."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from ccdashd.protocol.types.base import Params, Wire, WorkParams
from ccdashd.protocol.types.daemon import Problem


class ArchiveStatus(Wire, frozen=True):
    """What the archive holds; sizes in bytes."""

    enabled: bool
    folder: str
    """Absolute path."""
    logs: int
    """Logs that there is a copy of."""
    only_copies: int
    """Of these, logs that are gone, or of which an earlier version is kept."""
    source_bytes: int
    """What the logs took, or take; earlier versions too."""
    stored_bytes: int
    """What the copies take on disk."""
    waiting_logs: int
    """Logs that changed since they were copied, or that there is no copy of; excluded ones left out."""
    waiting_bytes: int
    excluded_logs: int
    """Logs that settings, or a prune, keep out of the archive."""
    running: bool
    last_run_at: str | None
    problem: str | None
    """Why the last run failed, in plain words."""
    revision: int


class ArchiveRunParams(WorkParams, frozen=True, kw_only=True):
    """Copy now. By default what has been quiet for the time of the setting `archive_quiet_seconds`."""

    all: bool = False
    """Also what is being written."""
    sessions: list[str] | None = None
    """Only these sessions, by id or a start of it that fits no other; also when they are being written."""


class ArchiveRunResult(Wire, frozen=True):
    logs: int
    """Logs that were copied, whole or from where they grew."""
    source_bytes: int
    """Bytes that were read."""
    stored_bytes: int
    """Bytes that were written."""
    seconds: float
    problems: list[Problem]
    revision: int


class ArchiveListParams(Params, frozen=True, kw_only=True):
    project: str | None = None
    """Its id, root or name."""
    gone: bool | None = None
    """Only logs that are gone (true), or that are still there (false)."""
    limit: Annotated[int, Meta(ge=1, le=500)] = 100
    offset: Annotated[int, Meta(ge=0)] = 0


class ArchivedLog(Wire, frozen=True):
    """A log that there is a copy of."""

    path: str
    session_id: str | None
    title: str
    project_id: str | None
    project: str | None
    size: int
    """Bytes of the newest version."""
    stored_bytes: int
    """On disk, of all its versions; what it shares with other logs is counted for each."""
    versions: int
    gone: bool
    modified_at: str
    archived_at: str


class ArchiveRestoreParams(WorkParams, frozen=True, kw_only=True):
    session: str
    folder: str
    """Absolute path; the logs are written below it, as they lay below the agent's own folder. No file is replaced."""


class ArchiveRestoreResult(Wire, frozen=True):
    paths: list[str]
    """Absolute paths that were written."""
    bytes: int
    revision: int


class RetentionPolicy(Params, frozen=True, kw_only=True):
    """Which sessions may go: those that fit `project` and `status`, and are over one of the limits. What is tagged ``keep``
    never goes, and what is linked with a feature, task or document goes after all that is not."""

    id: str = ""
    """At most 50 lower-case letters, digits and ``-``; empty for one that is only given to ``archive/prune``."""
    max_age_days: Annotated[int, Meta(ge=1)] | None = None
    """Days since the last record."""
    max_bytes: Annotated[int, Meta(ge=0)] | None = None
    """Bytes that copies may take on disk; the oldest go first."""
    max_sessions: Annotated[int, Meta(ge=0)] | None = None
    """The oldest go first."""
    project: str | None = None
    """Id, root or name of the project; all by default. Of a policy that is set, the root."""
    status: Literal["linked", "unlinked", "done"] | None = None
    """Only sessions that are linked with a feature; with nothing; or with features of which all are done."""
    automatic: bool = False
    """Carried out once a day; else only when asked."""


class RetentionPolicies(Wire, frozen=True):
    items: list[RetentionPolicy]
    next_run_at: str | None
    """When automatic policies are carried out next; null where there is none."""
    revision: int


class RetentionSetParams(Params, frozen=True, kw_only=True):
    policy: RetentionPolicy


class RetentionDeleteParams(Params, frozen=True, kw_only=True):
    id: str


class PruneParams(WorkParams, frozen=True, kw_only=True):
    """By the policies that are set, or by one that is given here. Without `apply`, only said what would go."""

    policy: RetentionPolicy | None = None
    sessions: list[str] | None = None
    """These sessions and no others, whatever policies say, by id or a start of it that fits no other; those tagged ``keep``
    stay all the same."""
    apply: bool = False


class PrunedSession(Wire, frozen=True):
    """A session of which ccdash's own copy goes. Where the agent's log is still there, the session stays in the cache, and
    is not copied again unless it grows; else it is gone from the cache too."""

    id: str
    title: str
    project_id: str | None
    project: str | None
    ended_at: str | None
    linked: bool
    gone: bool
    """True where the agent's log is gone: nothing is left of the session."""
    bytes: int
    """Of its copies on disk."""
    reason: str
    """Which limit it is over, in words."""


class PruneResult(Wire, frozen=True):
    items: list[PrunedSession]
    applied: bool
    freed_bytes: int
    """On disk, with what the cache gave back; what would be freed without `apply`, by estimate."""
    kept: dict[str, int]
    """Sessions that are over a limit or were asked for, and stay, by reason: ``keep`` (the tag), ``active`` (it is being
    written), ``linked`` (others went in its place), ``uncopied`` (there is no copy)."""
    problems: list[Problem]
    revision: int


class PrunesParams(Params, frozen=True, kw_only=True):
    limit: Annotated[int, Meta(ge=1, le=500)] = 100
    offset: Annotated[int, Meta(ge=0)] = 0


class Pruned(Wire, frozen=True):
    """A session that was pruned."""

    at: str
    id: str
    title: str
    reason: str
    bytes: int


BundleOf = Literal["session", "feature", "project", "all"]


class ExportParams(WorkParams, frozen=True, kw_only=True):
    """What to put into a bundle, and where. A feature comes with its sessions and documents, a session with its sub-agents;
    links, tags and notes of all that is in it come along."""

    what: BundleOf
    id: str | None = None
    """Of the session, feature or project; as the other methods take it."""
    path: str
    """Absolute path of the file to write, ``*.tar.zst``."""
    replace: bool = False
    """Replace a file that is there."""
    redact: bool = False
    """Take out secrets, addresses and paths of the home folder."""


class Redactions(Wire, frozen=True):
    """What was taken out, by kind, such as ``aws-access-key``, ``private-key``, ``email``, ``home-path``."""

    counts: dict[str, int]
    files: int
    """Logs and documents that held any."""


class ExportResult(Wire, frozen=True):
    path: str
    bytes: int
    sessions: int
    """With sub-agents."""
    logs: int
    documents: int
    edits: int
    """Links, tags, notes and the like."""
    redactions: Redactions | None
    problems: list[Problem]
    """What could not be put in, such as a log that is gone and was never archived."""
    revision: int


class ImportParams(WorkParams, frozen=True, kw_only=True):
    path: str
    """Absolute path of the bundle."""
    conflict: Literal["skip", "replace", "keepBoth"] = "skip"
    """What to do with a session that is there and has other content: leave it, let the bundle's take its place in the
    archive (the agent's own file is never touched), or keep both, the imported one under an id of its own."""
    dry_run: bool = False
    """Check the whole bundle and say what would be done."""


class ImportedSession(Wire, frozen=True):
    id: str
    title: str
    action: Literal["added", "same", "skipped", "replaced", "keptBoth"]
    new_id: str | None = None
    """Of one that was kept beside another."""


class ImportResult(Wire, frozen=True):
    sessions: list[ImportedSession]
    documents: int
    """Planning files in the bundle; they are left in it, and never written into a project."""
    edits: int
    """Links, tags and notes that were added."""
    from_version: str
    """Version of ccdash that wrote the bundle."""
    exported_at: str
    redacted: bool
    revision: int


class RenderParams(Params, frozen=True, kw_only=True):
    """A transcript as a page, piece by piece: put the pieces one after the other."""

    id: str
    """The session, as in ``sessions/get``."""
    format: Literal["markdown", "html", "json"]
    subagents: bool = False
    """With the transcripts of sub-agents, where they were called."""
    redact: bool = False
    """Take out secrets, addresses and paths of the home folder; images too, since nobody knows what they show."""
    start: Annotated[int, Meta(ge=0)] = 0
    """`next` of the piece before."""


class RenderedPiece(Wire, frozen=True):
    """About a megabyte of a document, or a single entry that is longer."""

    text: str
    next: int | None
    """`start` of the piece that follows; null on the last one."""
    total: int
    """Entries in all."""
    redactions: Redactions | None
    """What was taken out of this piece."""
    revision: int
