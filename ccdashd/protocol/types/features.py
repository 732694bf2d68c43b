"""``features/*``."""

from __future__ import annotations

from typing import Any, Literal

from ccdashd.protocol.types.base import Params, Tokens, Wire
from ccdashd.protocol.types.documents import Blocker, Criterion, DocumentRow
from ccdashd.protocol.types.entities import Cost, Counts, Entity, Mismatch, PlanStatus
from ccdashd.protocol.types.sessions import SessionRow
from ccdashd.protocol.types.tags import ExternalLink

FeatureSort = Literal["name", "status", "progress", "tasks", "modifiedAt", "sessions", "priority"]


class FeaturesList(Params, frozen=True):
    """Filters are joined by *and*. Each word of `text` is looked for in name and slug, case-insensitively."""

    offset: int = 0
    """Items to leave out at the start; prefer `cursor`."""
    limit: int = 50
    """At most 500."""
    cursor: str | None = None
    """`nextCursor` of the page before."""
    project: str | None = None
    """A project's id or name, or a path inside it."""
    status: list[PlanStatus] | None = None
    """Any of these."""
    category: str | None = None
    tag: str | None = None
    """A tag of the user, or of the files' frontmatter."""
    text: str | None = None
    mismatch: bool | None = None
    """Only those whose files contradict each other (true), or never those (false)."""
    include_hidden: bool = False
    """Also those of hidden projects."""
    sort: FeatureSort = "modifiedAt"
    """``status`` goes from todo to done, then blocked, deferred, archived, unknown; ``priority`` from low to critical,
    other words first."""
    order: Literal["asc", "desc"] = "desc"
    min_revision: int | None = None
    """Wait until the cache is at least at this revision."""


class FeatureRow(Wire, frozen=True):
    """A feature as lists show it: all documents and progress files of one name."""

    id: str
    project_id: str
    project_name: str
    slug: str
    name: str
    status: PlanStatus
    """What follows from its documents, phases and tasks; ``features/get`` has the evidence."""
    raw_status: str
    """As written in the document that holds the feature's status; empty where none does."""
    category: str
    priority: str
    phases: int
    phases_done: int
    tasks: Counts
    progress: float
    """Tasks that are done, deferred or archived, of all; from 0 to 1."""
    documents: int
    sessions: int
    """Sessions linked with it, without sub-agents."""
    open_blockers: int
    mismatches: int
    modified_at: str | None
    """When a file of it was last written."""


class FeatureId(Params, frozen=True):
    id: str
    """The id, or the slug (also without its ``-v1``) where only one project has it."""
    project: str | None = None
    """A project's id or name, or a path inside it."""


class StatusEvidence(Wire, frozen=True):
    """Which file says what about a status."""

    role: str
    """What the file is: ``prd``, ``implementation_plan``, ``progress``, ``tasks``, …"""
    path: str
    line: int
    raw: str
    """As written."""
    status: PlanStatus


class Phase(Wire, frozen=True):
    """One phase as one file tells it: two files on the same phase are two rows."""

    id: str
    feature_id: str
    phase: str
    """As written."""
    title: str
    raw_status: str
    """As written in its own file."""
    status: PlanStatus
    document_id: str
    path: str
    line: int
    tasks: Counts
    progress: float
    """From 0 to 1."""
    started: str
    """As written."""
    completed: str
    """As written."""
    mismatches: list[Mismatch]


class LinkedSession(Wire, frozen=True):
    session: SessionRow
    confidence: float
    signals: list[str]
    """Kinds of evidence for the link."""
    tokens: Tokens
    """Of the session and its sub-agents; each API message once."""
    cost: Cost | None
    """Of the session and its sub-agents; null where no usage is known."""


class Feature(Wire, frozen=True):
    """A feature with its phases, documents and sessions."""

    id: str
    project_id: str
    project_name: str
    slug: str
    name: str
    description: str
    status: PlanStatus
    raw_status: str
    holder: str | None
    """The document whose status is that of the feature: the one that ``features/setStatus`` edits."""
    evidence: list[StatusEvidence]
    """What each file says of the status."""
    mismatches: list[Mismatch]
    category: str
    priority: str
    owners: list[str]
    file_tags: list[str]
    """Tags in the frontmatter of its files."""
    tasks: Counts
    progress: float
    """From 0 to 1."""
    phases: list[Phase]
    documents: list[DocumentRow]
    blockers: list[Blocker]
    criteria: list[Criterion]
    """At most 50: those that are not met first, then those of which no file tells; ``documents/get`` has all of a file."""
    criteria_total: int
    criteria_unmet: int
    questions: list[str]
    """Open questions."""
    commits: list[str]
    prs: list[str]
    sessions: list[LinkedSession]
    """Sessions linked with it, the surest first, at most 100, without sub-agents."""
    sessions_total: int
    tokens: Tokens
    """Of all sessions linked with it, and their sub-agents; each API message once."""
    cost: Cost | None
    """Of all sessions linked with it; a session that is linked with several features counts fully in each."""
    seconds: float
    """Sum of the durations of its sessions."""
    versions: list[Entity]
    """Other versions of it (``-v2``), and features that it supersedes or comes from."""
    related: list[Entity]
    """What else is linked with it, the surest first, at most 50."""
    tags: list[str]
    """Tags of the user."""
    external_links: list[ExternalLink]
    metadata: dict[str, Any]
    modified_at: str | None
    revision: int


class FeaturesTree(Params, frozen=True):
    """Features with their phases and tasks; with `id` of one feature only."""

    project: str | None = None
    id: str | None = None
