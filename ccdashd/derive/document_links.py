"""Links that planning files say: to commits, files, other documents and sessions, and what is part of what. Pure.

One chain of parents makes the tree: a task is below the task that it is indented under, else below its phase, else below
its document; a phase is below its feature (and, less sure, below the document that tells of it), a document below its
feature.
"""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import msgspec

from ccdashd.derive import slugs
from ccdashd.derive.links import FRONTMATTER, Found, Key, strongest
from ccdashd.derive.slugs import Claim
from ccdashd.protocol import types as t

Entity = tuple[t.EntityType, str]

_EXPLICIT: Final = 0.98
_REFERENCE: Final = 0.9
_BODY: Final = 0.7
_BY_PATH: Final = 0.74
_INHERITED: Final = 0.64
_FILES_CAP: Final = 500
"""Links to files of one document or task."""

_PLANS: Final = frozenset({"implementation_plan", "phase_plan"})
_TO_PRD: Final = frozenset({"prd_ref", "prd", "prd_link", "parent_prd", "prd_path"})
_TO_PLAN: Final = frozenset({"plan_ref", "implementation_plan_ref", "implementation_plan", "plan", "plan_path"})
_COMMIT: Final = re.compile(r"[0-9a-f]{7,40}", re.IGNORECASE)


class RefData(msgspec.Struct, gc=False):
    """`sources.planning.model.Ref`, as far as it is needed here."""

    field: str
    path: str = ""
    line: int = 0


class DocumentData(msgspec.Struct, gc=False):
    """`sources.planning.model.Document`, as far as it is needed here: decodes from `document_data.data`."""

    path: str
    doc_type: str
    status_line: int = 0
    refs: list[RefData] = []
    files: list[str] = []
    commits: list[str] = []
    session_ids: list[str] = []


class TaskData(msgspec.Struct, gc=False):
    """`sources.planning.model.Task`, as far as it is needed here: decodes from `task_data.data`."""

    key: str
    line: int
    task_id: str = ""
    depends_on: list[str] = []
    commits: list[str] = []
    files: list[str] = []
    session_ids: list[str] = []


class TaskRow(NamedTuple):
    """A task with what its row says of its place."""

    id: str
    document_id: str
    path: str
    """Of its document, in the project."""
    n: int
    parent_id: str | None
    phase_id: str | None
    data: TaskData


class Project:
    """Where documents are, and which of a project's paths are documents."""

    def __init__(self, id: str, root: str, documents: Container[str]) -> None:
        self.id = id
        self._above = root.rstrip("/") + "/"
        self._documents = documents
        self._known: dict[str, Entity | None] = {}

    def place(self, path: str) -> Entity | None:
        """The document, or else the file, that a document means by a path; None for a pattern, or the project itself."""
        if path not in self._known:
            self._known[path] = self._place(path)
        return self._known[path]

    def _place(self, path: str) -> Entity | None:
        plain = posixpath.normpath(path) if path else "."
        if "*" in plain or plain == ".":
            return None
        if plain.startswith("/"):
            if not plain.startswith(self._above):
                return "file", plain
            plain = plain[len(self._above) :]
        if plain in self._documents:
            return "document", f"{self.id}/{plain}"
        return "file", posixpath.normpath(self._above + plain)


class _Links:
    """Links of one owner, with evidence for the same link brought together."""

    def __init__(self) -> None:
        self._found: dict[Key, Found] = {}

    def add(self, key: Key, sure: float, piece: t.Evidence, order: int = 0) -> None:
        if key[:2] == key[2:4]:
            return
        known = self._found.get(key)
        if known is None:
            self._found[key] = Found(key, sure, [piece], order)
        else:
            known.confidence = max(known.confidence, sure)
            known.evidence.append(piece)

    def all(self) -> list[Found]:
        for found in self._found.values():
            if len(found.evidence) > 1:
                found.evidence = strongest(found.evidence)
        return list(self._found.values())


def of_document(project: Project, document: DocumentData, tasks: Sequence[TaskRow], *, alone: bool) -> list[Found]:
    """The links that a document and its tasks say. `alone`: it has no feature, whose links tell the order of tasks."""
    links = _Links()
    place = document.path
    own: Entity = ("document", f"{project.id}/{place}")
    for ref in document.refs:
        target = project.place(ref.path) if ref.path else None
        if target is not None:
            weight = _BODY if ref.field == "body" else _REFERENCE
            piece = t.Evidence(signal="reference", weight=weight, place=place, line=ref.line or None, detail=ref.field)
            links.add(_refer(own, document.doc_type, ref.field, target), weight, piece)
    _named(links, project, own, place, None, document.files, document.commits)
    for session_id in document.session_ids:
        piece = t.Evidence(signal="frontmatter", weight=FRONTMATTER, place=place, detail=session_id)
        links.add(Key("session", session_id, *own, "references"), FRONTMATTER, piece)
    for task in tasks:
        data = task.data
        line = data.line or None
        _named(links, project, ("task", task.id), place, line, data.files, data.commits)
        for session_id in data.session_ids:
            piece = t.Evidence(signal="frontmatter", weight=1.0, place=place, line=line, detail=session_id)
            links.add(Key("session", session_id, "task", task.id, "implements"), 1.0, piece)
    if alone:
        _order(links, tasks)
    return links.all()


def _refer(own: Entity, doc_type: str, field: str, target: Entity) -> Key:
    """A plan implements the PRD that it names, or that names it; any other reference is one."""
    if target[0] == "document" and field in _TO_PRD and doc_type in _PLANS:
        return Key(*own, *target, "implements")
    if target[0] == "document" and field in _TO_PLAN and doc_type == "prd":
        return Key(*target, *own, "implements")
    return Key(*own, *target, "references")


def _named(
    links: _Links, project: Project, own: Entity, place: str, line: int | None, files: Sequence[str], commits: Iterable[str]
) -> None:
    """Files and commits that the frontmatter names."""
    for path in files[:_FILES_CAP]:
        target = project.place(path)
        if target is not None:
            piece = t.Evidence(signal="frontmatter", weight=_REFERENCE, place=place, line=line, detail=path)
            links.add(Key(*own, *target, "references"), _REFERENCE, piece)
    for digest in commits:
        if _COMMIT.fullmatch(digest):
            piece = t.Evidence(signal="frontmatter", weight=_REFERENCE, place=place, line=line, detail=digest)
            commit = f"{project.id}/{digest[:7].lower()}"
            links.add(Key(*own, "commit", commit, "references"), _REFERENCE, piece)


def _order(links: _Links, tasks: Sequence[TaskRow]) -> None:
    """Below what each task is, and which waits for which."""
    for task in tasks:
        parent: Entity = ("document", task.document_id)
        if task.parent_id is not None:
            parent = ("task", task.parent_id)
        elif task.phase_id is not None:
            parent = ("phase", task.phase_id)
        piece = t.Evidence(signal="file", weight=1.0, place=task.path, line=task.data.line or None)
        links.add(Key(*parent, "task", task.id, "child"), 1.0, piece, task.n)
    for key, piece in _waits(tasks):
        links.add(key, 1.0, piece)


def _waits(tasks: Sequence[TaskRow]) -> Iterator[tuple[Key, t.Evidence]]:
    """Which task waits for which: an id means the task of the same file, else the only one of the feature."""
    in_file: dict[tuple[str, str], str] = {}
    anywhere: defaultdict[str, set[str]] = defaultdict(set)
    for task in tasks:
        for name in dict.fromkeys((task.data.key, task.data.task_id)):
            if name:
                in_file.setdefault((task.document_id, name), task.id)
                anywhere[name].add(task.id)
    for task in tasks:
        for name in task.data.depends_on:
            first = in_file.get((task.document_id, name))
            if first is None and len(anywhere.get(name, ())) == 1:
                (first,) = anywhere[name]
            if first is not None:
                line = task.data.line or None
                piece = t.Evidence(signal="depends_on", weight=1.0, place=task.path, line=line, detail=name)
                yield Key("task", first, "task", task.id, "blocks"), piece


# --- of a feature ---


class Member(NamedTuple):
    """A document of a feature."""

    id: str
    path: str
    doc_type: str
    claim: Claim
    refs: Sequence[RefData] = ()


class Phase(NamedTuple):
    """A phase of a feature."""

    id: str
    n: int
    phase: str
    document_id: str
    line: int = 0


class Other(NamedTuple):
    """A document of another feature."""

    id: str
    feature_id: str
    doc_type: str


def of_feature(
    project_id: str,
    slug: str,
    members: Sequence[Member],
    phases: Sequence[Phase],
    tasks: Sequence[TaskRow],
    versions: Iterable[str],
    others: Mapping[str, Other],
) -> list[Found]:
    """What belongs to a feature, which of its tasks wait for which, and which other features its files name.

    `versions` are ids of related versions, `others` the documents of other features by their path in the project.
    """
    links = _Links()
    own: Entity = ("feature", f"{project_id}/{slug}")
    paths = {member.path for member in members}
    for n, member in enumerate(sorted(members, key=lambda member: member.path)):
        signal, sure = _membership(slug, member, paths)
        piece = t.Evidence(signal=signal, weight=sure, place=member.path, detail=member.doc_type)
        links.add(Key(*own, "document", member.id, "child"), sure, piece, len(phases) + n)
    for phase in phases:
        path = phase.document_id.removeprefix(f"{project_id}/")
        piece = t.Evidence(signal="phase", weight=1.0, place=path, line=phase.line or None, detail=phase.phase)
        links.add(Key(*own, "phase", phase.id, "child"), 1.0, piece, phase.n)
        links.add(Key("document", phase.document_id, "phase", phase.id, "child"), _REFERENCE, piece, phase.n)
    _order(links, tasks)
    _related(links, own, slug, project_id, versions)
    for member in members:
        for ref in member.refs:
            other = others.get(ref.path)
            explicit = ref.field != "body" and other is not None and other.doc_type in ("prd", *_PLANS)
            if other is not None and explicit and other.feature_id != own[1]:
                sure = _REFERENCE if ref.field.endswith("_ref") else 0.8
                piece = t.Evidence(
                    signal="reference",
                    weight=sure,
                    place=member.path,
                    line=ref.line or None,
                    detail=f"{ref.field}: {ref.path}",
                )
                links.add(Key(*own, "feature", other.feature_id, "references"), sure, piece)
    return links.all()


def _membership(slug: str, member: Member, paths: Container[str]) -> tuple[str, float]:
    """Why a document belongs to a feature, and how sure that is."""
    claim = member.claim
    if claim.feature_slug == slug:
        return "feature_slug", _EXPLICIT
    names = member.path.rpartition(".")[0].split("/")
    parts = {claim.by_path, *map(slugs.canonical, names), slugs.dated(names[-1])}
    if slug in parts and member.doc_type in ("prd", "implementation_plan", "phase_plan", "progress", "quick_feature"):
        return "path", _REFERENCE
    if slug in claim.named or any(ref in paths for ref in claim.refs):
        return "frontmatter", _REFERENCE
    return ("path", _BY_PATH) if slug in parts else ("inherited", _INHERITED)


def _related(links: _Links, own: Entity, slug: str, project_id: str, versions: Iterable[str]) -> None:
    for id in versions:
        other = id.removeprefix(f"{project_id}/")
        if slugs.base(other) != slugs.base(slug):
            piece = t.Evidence(signal="lineage", weight=1.0, detail=f"{slug}: {other}")
            links.add(Key(*own, "feature", id, "related"), 1.0, piece)
        elif (len(slug), slug) > (len(other), other):  # one link for both of them, from the later version
            piece = t.Evidence(signal="version", weight=1.0, detail=f"{slug}: {other}")
            links.add(Key(*own, "feature", id, "related"), 1.0, piece)
