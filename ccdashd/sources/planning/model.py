"""What the readers of planning files give: a document with its tasks, blockers, criteria and references.

Everything is as written but where a field says otherwise; `status` fields are normalised (`STATUSES`) and stand beside the
raw word. Lines count from 1. Paths are relative to the project's root, with ``/``. A value that is not there is ``""``, an
empty list or None.
"""

from __future__ import annotations

import hashlib
from typing import Any, Final, Literal

import msgspec

Status = Literal["todo", "in_progress", "review", "done", "blocked", "deferred", "archived", "unknown"]

STATUSES: Final = ("todo", "in_progress", "review", "done", "blocked", "deferred", "archived", "unknown")

PLANNING_READER: Final = 1
"""Version of these readers: files read by an older one are read again."""

TaskForm = Literal["list", "map", "checkbox", "numbered"]
"""How a task stands in its file: an item of the list `tasks`, a value of the map `tasks`, a box or a numbered line of the
body."""


class _Record(msgspec.Struct, omit_defaults=True, kw_only=True):
    pass


class Finding(_Record):
    """Something in a file that was not understood, or understood only after a repair."""

    code: str
    severity: Literal["error", "warning", "info"]
    line: int
    message: str
    hint: str = ""
    column: int | None = None
    """Counted from 1."""


class Task(_Record):
    """One task of one file. `key` is unique in the file: the id as written, ``~2`` appended to a repeated one; a task
    without id gets ``@<n>``, its place among the tasks without id of this file."""

    key: str
    form: TaskForm
    line: int
    task_id: str = ""
    """As written, whatever its type."""
    title: str = ""
    description: str = ""
    raw_status: str = ""
    status: Status = "unknown"
    phase: str = ""
    """As written, without the word before its number: ``1``, ``2.5``, ``1-2``, ``all``, ``M1``; that of
    the file where the task has none."""
    batch: str = ""
    parent: str = ""
    """Key of the task that this one is indented below."""
    section: str = ""
    """Heading above it, of a task in the body."""
    assignees: list[str] = []
    depends_on: list[str] = []
    effort: str = ""
    """Effort as written (``5h``, ``2 pts``, ``M``); never money."""
    priority: str = ""
    model: str = ""
    started: str = ""
    completed: str = ""
    session_ids: list[str] = []
    commits: list[str] = []
    files: list[str] = []
    acceptance: list[str] = []
    notes: list[str] = []
    recovered: bool = False
    """The file's frontmatter was readable only after a repair."""
    fields: dict[str, Any] = {}
    """All keys of a task in frontmatter, as written (JSON values)."""


class Blocker(_Record):
    title: str
    line: int
    description: str = ""
    severity: str = ""
    raw_status: str = ""
    open: bool = True
    """False once it has a resolution or a terminal status."""
    tasks: list[str] = []


class Criterion(_Record):
    """A success criterion or quality gate."""

    text: str
    line: int
    id: str = ""
    raw_status: str = ""
    met: bool | None = None
    """None where the file does not tell."""


class Batch(_Record):
    name: str
    tasks: list[str] = []
    phase: str = ""
    blocked_by: list[str] = []


class PlannedPhase(_Record):
    """A phase as a plan announces it: in `wave_plan`, or by a heading ``Phase N``."""

    phase: str
    line: int
    title: str = ""
    depends_on: list[str] = []


class Ref(_Record):
    """A reference to another file. `path` is resolved against the project's root and the document's folder, without
    anchor; empty where it leaves the project or is a URL (`raw` has it)."""

    field: str
    """The key in the frontmatter (``prd_ref``, ``related_documents``, …), ``body`` for a link in the text."""
    raw: str
    path: str = ""
    line: int = 0


SlugSource = Literal["feature_slug", "prd", "feature", "prd_ref", "plan_ref", "path"]
"""Keys of the frontmatter, and the path of the file."""


class Slug(_Record):
    """A name of a feature that the file gives, in order of trust."""

    slug: str
    source: SlugSource


class Outline(_Record):
    """What features are made of: the part of a document that is read again whenever its feature changes."""

    path: str
    doc_type: str
    """Normalised: prd, implementation_plan, phase_plan, progress, quick_feature, context, worknote, report, adr, spike,
    design_spec, spec, feature_contract, human_brief, exploration, meta_plan, idea, bug, refactor, skill, agent, command,
    rule, template, changelog, readme, document, …"""
    title: str
    description: str = ""
    """What its frontmatter says of its aim or scope."""
    raw_status: str = ""
    status: Status | None = None
    """None where the file has no status at all."""
    status_line: int = 0
    phase: str = ""
    phase_title: str = ""
    owners: list[str] = []
    tags: list[str] = []
    category: str = ""
    priority: str = ""
    started: str = ""
    completed: str = ""
    declared_total: int | None = None
    declared_completed: int | None = None
    declared_progress: float | None = None
    """`overall_progress` or `progress`, 0 to 100."""
    tasks: list[Task] = []
    phases: list[PlannedPhase] = []
    blockers: list[Blocker] = []
    criteria: list[Criterion] = []
    questions: list[str] = []
    """Open questions, from the frontmatter or below a heading that says so."""
    commits: list[str] = []
    """Its own, then those of its tasks."""
    prs: list[str] = []


class Document(Outline):
    """One Markdown file."""

    raw_type: str = ""
    status_in_text: bool = False
    """The status stands in the text (``**Status**: …``), since the frontmatter has none."""
    has_frontmatter: bool = False
    recovered: bool = False
    slugs: list[Slug] = []
    version: str = ""
    effort: str = ""
    created: str = ""
    updated: str = ""
    batches: list[Batch] = []
    refs: list[Ref] = []
    files: list[str] = []
    """Files that it affects or changed, relative to the project's root, without a mark such as ``(NEW)``."""
    session_ids: list[str] = []
    supersedes: list[str] = []
    lineage_parent: str = ""
    headings: list[tuple[int, int, str]] = []
    """``(line, level, text)``, the first 200."""
    frontmatter: dict[str, Any] = {}
    """All of it as JSON values: text stays text, by YAML 1.2's core schema, dates and hashes are text."""
    findings: list[Finding] = []


def digest(data: bytes) -> str:
    """The hash by which a file's bytes are known, and edits name those that they were made for: SHA-256, hexadecimal."""
    return hashlib.sha256(data).hexdigest()


class PlanningFile(msgspec.Struct, kw_only=True):
    """A planning file as it was when it was read: its `stat`, its hash, and what it says."""

    path: str
    size: int = 0
    mtime_ns: int = 0
    inode: int = 0
    hash: str = ""
    """`digest` of its bytes; empty where it was not read."""
    problem: str = ""
    """Why it could not be read, in plain words; then there is no `document`."""
    document: Document | None = None
