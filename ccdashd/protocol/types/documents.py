"""``documents/*``: planning files."""

from __future__ import annotations

from typing import Any, Literal

from ccdashd.protocol.types.base import Params, Wire
from ccdashd.protocol.types.daemon import Diagnostic
from ccdashd.protocol.types.entities import Counts, Entity, Mismatch, PlanStatus
from ccdashd.protocol.types.tags import ExternalLink

DocumentSort = Literal["path", "title", "type", "status", "modifiedAt", "tasks"]


class DocumentsList(Params, frozen=True):
    """Filters are joined by *and*. Each word of `text` is looked for in title and path, case-insensitively."""

    offset: int = 0
    """Items to leave out at the start; prefer `cursor`."""
    limit: int = 50
    """At most 500."""
    cursor: str | None = None
    """`nextCursor` of the page before."""
    project: str | None = None
    """A project's id or name, or a path inside it."""
    type: str | None = None
    """Type of document, such as ``prd`` or ``progress``."""
    status: list[PlanStatus] | None = None
    """Any of these."""
    feature: str | None = None
    """A feature's id or slug."""
    tag: str | None = None
    """A tag of the user, or of the file's frontmatter."""
    path: str | None = None
    """Only at or below this path in the project."""
    text: str | None = None
    problems: bool = False
    """Only those with findings."""
    include_hidden: bool = False
    """Also those of hidden projects."""
    sort: DocumentSort = "path"
    """``path`` is by project, then path. ``status`` begins with none, then goes from todo to done, blocked, deferred,
    archived, unknown."""
    order: Literal["asc", "desc"] = "asc"
    min_revision: int | None = None
    """Wait until the cache is at least at this revision."""


class DocumentRow(Wire, frozen=True):
    """A document as lists show it."""

    id: str
    project_id: str
    project_name: str
    path: str
    """In the project."""
    title: str
    doc_type: str
    """Normalised type, such as ``prd``, ``implementation_plan``, ``progress``, ``quick_feature``."""
    raw_status: str
    """As written; empty where the file has none."""
    status: PlanStatus | None
    """Null where the file has no status."""
    feature_id: str | None
    tasks: Counts
    findings: int
    """Things in it that were not understood."""
    recovered: bool
    """True when its frontmatter was readable only after a repair."""
    size: int
    """Bytes."""
    modified_at: str
    """When the file was last written."""


class DocumentRef(Wire, frozen=True):
    """A reference from a document to another file."""

    field: str
    """Key in the frontmatter, or ``body``."""
    raw: str
    """As written."""
    path: str
    """In the project; empty where it leads out of it."""
    line: int
    document_id: str | None
    """The document there."""
    exists: bool
    """Whether there is a file or folder at that path."""


class Blocker(Wire, frozen=True):
    title: str
    description: str
    severity: str
    raw_status: str
    open: bool
    tasks: list[str]
    """Tasks that it holds up, as written."""
    path: str
    """The file that names it."""
    line: int


class Criterion(Wire, frozen=True):
    """A success criterion or quality gate."""

    text: str
    raw_status: str
    met: bool | None
    """Null where the file does not tell."""
    path: str
    line: int


class DocumentId(Params, frozen=True):
    id: str
    """The id, an absolute path, or a path in the project (also its end, where only one document has it)."""
    project: str | None = None
    """A project's id or name, or a path inside it."""
    content: bool = False
    """Also give the text of the file."""


class Document(Wire, frozen=True):
    """A document with all that was read in it."""

    id: str
    project_id: str
    project_name: str
    path: str
    """In the project."""
    absolute_path: str
    title: str
    doc_type: str
    raw_type: str
    """As written."""
    raw_status: str
    status: PlanStatus | None
    status_line: int
    """Line of the status, 0 where there is none."""
    feature_id: str | None
    phase: str
    owners: list[str]
    file_tags: list[str]
    """Tags in the file's frontmatter."""
    category: str
    priority: str
    effort: str
    """As written; never money."""
    created: str
    """As written."""
    updated: str
    """As written."""
    tasks: Counts
    blockers: list[Blocker]
    criteria: list[Criterion]
    questions: list[str]
    """Open questions."""
    refs: list[DocumentRef]
    files: list[str]
    """Files that it affects or changed, in the project."""
    commits: list[str]
    prs: list[str]
    sessions: list[str]
    """Sessions that its frontmatter names."""
    headings: list[str]
    mismatches: list[Mismatch]
    diagnostics: list[Diagnostic]
    frontmatter: dict[str, Any]
    """All of it, as written."""
    recovered: bool
    hash: str
    """SHA-256 of the file's bytes, hexadecimal; an edit names it."""
    size: int
    modified_at: str
    content: str | None
    """The text, when asked for; bytes that are not UTF-8 become U+FFFD."""
    tags: list[str]
    """Tags of the user."""
    external_links: list[ExternalLink]
    metadata: dict[str, Any]
    related: list[Entity]
    """What is linked with it, the surest first, at most 50."""
    revision: int


class DocumentsTree(Params, frozen=True):
    project: str | None = None
    """A project's id or name, or a path inside it; by default all projects."""
    path: str | None = None
    """Only below this folder of the project."""
