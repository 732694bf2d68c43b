"""``tasks/*``, and the write-through of statuses."""

from __future__ import annotations

from typing import Any, Literal

from ccdashd.protocol.types.base import Params, Wire
from ccdashd.protocol.types.entities import Entity, PlanStatus
from ccdashd.protocol.types.tags import ExternalLink

TaskForm = Literal["list", "map", "checkbox", "numbered"]
TaskSort = Literal["path", "status", "priority", "title", "feature", "modifiedAt"]


class TasksList(Params, frozen=True):
    """Filters are joined by *and*. Each word of `text` is looked for in id, title and description, case-insensitively."""

    offset: int = 0
    """Items to leave out at the start; prefer `cursor`."""
    limit: int = 50
    """At most 500."""
    cursor: str | None = None
    """`nextCursor` of the page before."""
    project: str | None = None
    """A project's id or name, or a path inside it."""
    feature: str | None = None
    """A feature's id or slug."""
    phase: str | None = None
    """A phase's id, or a phase as written (``1``, ``2.5``, ``M1``)."""
    document: str | None = None
    """A document, as in ``documents/get``."""
    status: list[PlanStatus] | None = None
    """Any of these."""
    assignee: str | None = None
    priority: str | None = None
    """As written, case-insensitively."""
    form: TaskForm | None = None
    recovered: bool | None = None
    """Only those of files that were readable after a repair only (true), or never those (false)."""
    tag: str | None = None
    """A tag of the user."""
    text: str | None = None
    include_hidden: bool = False
    """Also those of hidden projects."""
    sort: TaskSort = "path"
    """``path`` is the order of the files. ``status`` goes from todo to done, then blocked, deferred, archived, unknown;
    ``priority`` from low to critical, other words first."""
    order: Literal["asc", "desc"] = "asc"
    min_revision: int | None = None
    """Wait until the cache is at least at this revision."""


class TaskRow(Wire, frozen=True):
    """A task as lists show it."""

    id: str
    project_id: str
    project_name: str
    document_id: str
    path: str
    """Of the file, in the project."""
    line: int
    feature_id: str | None
    phase_id: str | None
    phase: str
    """As written."""
    task_id: str
    """As written; not unique."""
    title: str
    raw_status: str
    """As written."""
    status: PlanStatus
    priority: str
    assignees: list[str]
    effort: str
    """As written; never money."""
    form: TaskForm
    """How it stands in its file: an item of the list or map `tasks`, a box or a numbered line in the text."""
    recovered: bool
    """True when its file was readable only after a repair."""


class TaskId(Params, frozen=True):
    id: str
    """The id, or the task's id as written (or its end of the id) where only one task has it."""
    project: str | None = None
    """A project's id or name, or a path inside it."""
    feature: str | None = None
    """A feature's id or slug, to tell tasks of the same id apart."""


class Task(Wire, frozen=True):
    """A task with all that its file says of it."""

    id: str
    project_id: str
    project_name: str
    document_id: str
    path: str
    absolute_path: str
    line: int
    feature_id: str | None
    phase_id: str | None
    phase: str
    batch: str
    section: str
    """Heading above it, of a task in the text."""
    parent_id: str | None
    """The task that it is indented below."""
    children: list[str]
    """Tasks indented below it."""
    task_id: str
    title: str
    description: str
    raw_status: str
    status: PlanStatus
    priority: str
    assignees: list[str]
    model: str
    effort: str
    started: str
    """As written."""
    completed: str
    """As written."""
    depends_on: list[Entity]
    """Tasks that come first, as far as they are known; `missing` where an id leads nowhere."""
    blocks: list[Entity]
    """Tasks that wait for it."""
    files: list[str]
    commits: list[str]
    sessions: list[str]
    acceptance: list[str]
    notes: list[str]
    fields: dict[str, Any]
    """All keys in its file, as written."""
    form: TaskForm
    recovered: bool
    hash: str
    """SHA-256 of its file, hexadecimal; an edit names it."""
    tags: list[str]
    external_links: list[ExternalLink]
    metadata: dict[str, Any]
    related: list[Entity]
    """What is linked with it, the surest first, at most 50."""
    revision: int


class TasksTree(Params, frozen=True):
    """Tasks by feature, phase and parent."""

    project: str | None = None
    feature: str | None = None
    document: str | None = None


class SetTaskStatus(Params, frozen=True):
    """Without `apply`, tells what would change. With it, `hashes` must name the file and the hash that the preview or the
    entity gave; where the file is another one now, nothing is written (Conflict)."""

    id: str
    """A task, as in ``tasks/get``."""
    status: str
    """A status, or any word that means one (``completed``); a word of your own is written as it is."""
    project: str | None = None
    feature: str | None = None
    counters: bool = False
    """Also set those counters that are in the file (`completed_tasks`, `overall_progress`, …) to what they should be."""
    updated: bool = False
    """Also set `updated` to today, where it is there."""
    apply: bool = False
    hashes: dict[str, str] | None = None
    """Path in the project to hash."""


class SetPhaseStatus(Params, frozen=True):
    """As `SetTaskStatus`: the status of a phase is that of its own file."""

    id: str
    """A phase's id."""
    status: str
    counters: bool = False
    updated: bool = False
    apply: bool = False
    hashes: dict[str, str] | None = None


class SetFeatureStatus(Params, frozen=True):
    """As `SetTaskStatus`: the status of a feature is that of the one document that holds it."""

    id: str
    """A feature, as in ``features/get``."""
    status: str
    project: str | None = None
    cascade: bool = False
    """Also set it in the other documents of the feature that have a status: plans and phases."""
    counters: bool = False
    updated: bool = False
    apply: bool = False
    hashes: dict[str, str] | None = None


class LineChange(Wire, frozen=True):
    """One value that changes in a file."""

    line: int
    field: str
    """Such as ``status``, ``tasks.T1-001.status`` or ``completed_tasks``."""
    before: str
    """The value without quotes; empty where there was none."""
    after: str


class FileEdit(Wire, frozen=True):
    """What an edit does to one file."""

    path: str
    """In the project."""
    document_id: str
    hash: str
    """SHA-256 of the bytes that the edit was made for."""
    new_hash: str
    """SHA-256 of the bytes with the edit."""
    changes: list[LineChange]
    diff: str
    """Unified diff."""


class StatusResult(Wire, frozen=True):
    applied: bool
    files: list[FileEdit]
    """Empty where the files say so already."""
    entity: Entity
    """The task, phase or feature: as it is at `revision`."""
    revision: int
