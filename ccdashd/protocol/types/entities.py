"""What documents, tasks, features and links share: references to entities, statuses, trees, costs."""

from __future__ import annotations

from typing import Literal

from ccdashd.protocol.types.base import Params, Wire

EntityType = Literal["session", "project", "feature", "phase", "task", "document", "file", "commit"]

PlanStatus = Literal["todo", "in_progress", "review", "done", "blocked", "deferred", "archived", "unknown"]
"""What the words of files come down to; the word itself is kept beside it."""


class EntityRef(Params, frozen=True):
    """An entity. Ids: a session's own; a project's own; ``<project>/<slug>`` of a feature; ``<project>/<path>`` of a
    document; ``<document>#<key>`` of a task; ``<document>#phase-<phase>`` of a phase; ``<project>/<first 7 digits>`` of a
    commit; the absolute path of a file."""

    type: EntityType
    id: str


class Entity(Wire, frozen=True):
    """An entity as lists of other things show it."""

    type: EntityType
    id: str
    title: str
    """Its title, name or path; the id where nothing else is known."""
    status: str = ""
    """Of a task, phase, document, feature or session."""
    project_id: str | None = None
    missing: bool = False
    """True where something refers to it, but it is not there."""


class TreeNode(Wire, frozen=True):
    """An entity with what is below it. A folder of documents has type ``folder`` and its path as id."""

    type: EntityType | Literal["folder"]
    id: str
    title: str
    status: str
    children: list[TreeNode]
    more: int = 0
    """Children left out, since the tree is cut at a depth or number."""


class Tree(Wire, frozen=True):
    items: list[TreeNode]
    revision: int


class Counts(Wire, frozen=True):
    """Tasks by status; `total` is their sum."""

    total: int = 0
    todo: int = 0
    in_progress: int = 0
    review: int = 0
    done: int = 0
    blocked: int = 0
    deferred: int = 0
    archived: int = 0
    unknown: int = 0


class Evidence(Wire, frozen=True):
    """Why something is so: which file or record says it, and where."""

    signal: str
    """Kind of evidence, such as ``command``, ``write``, ``frontmatter`` or ``branch``."""
    weight: float
    """From 0 to 1."""
    place: str = ""
    """Where it stands: a path in the project, or a log."""
    line: int | None = None
    """In a planning file, counted from 1."""
    offset: int | None = None
    """In a log, in bytes."""
    detail: str = ""
    """What it says there."""
    count: int = 1
    """How often."""


class Mismatch(Wire, frozen=True):
    """Where a file says one thing and another thing follows from it or from another file."""

    code: str
    """``status``, ``completed_with_open_tasks``, ``open_with_all_tasks_done``, ``completed_tasks``, ``total_tasks``,
    ``progress``, …"""
    message: str
    declared: str
    computed: str
    evidence: list[Evidence]


class Cost(Wire, frozen=True):
    """What API calls cost. `provenance`: ``reported`` by the agent, ``computed`` from tokens and prices, ``lower_bound``
    where some usage is not final or has no price, ``unpriced`` where nothing has one."""

    usd: float
    """US dollars, exact to a millionth."""
    provenance: Literal["reported", "computed", "lower_bound", "unpriced"]
    unpriced_models: list[str]
    """Models without a price; their tokens are not in `usd`."""
