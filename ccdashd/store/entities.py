"""Entities of every type by their ids, as lists of other things show them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

import sqlalchemy as sa

from ccdashd.protocol import types as t
from ccdashd.store.connection import select
from ccdashd.store.plan_lists import phase_title
from ccdashd.store.session_rows import now, status

Key = tuple[t.EntityType, str]

_Fetch = Callable[[str, Iterable[str]], Iterator[Any]]


def entities(connection: sa.Connection, refs: Iterable[Key]) -> dict[Key, t.Entity]:
    """Each of these entities by its type and id; `missing` where there is none.

    Files and commits are known by what refers to them alone: they are never missing where their project is there, and no
    file is looked at.
    """
    wanted: dict[t.EntityType, dict[str, None]] = defaultdict(dict)
    for type_, id in refs:
        wanted[type_][id] = None
    fetch = partial(select, connection)
    found: dict[Key, t.Entity] = {}
    for type_, ids in wanted.items():
        for entity in _FINDERS[type_](fetch, list(ids)):
            found[(type_, entity.id)] = entity
        for id in ids:
            if (type_, id) not in found:
                found[(type_, id)] = t.Entity(type=type_, id=id, title=id, missing=True)
    return found


def _sessions(fetch: _Fetch, ids: list[str]) -> Iterator[t.Entity]:
    query = "SELECT id, title, project_id, empty, source_gone, ended_at FROM sessions WHERE id IN ({})"
    moment = now()
    for id, title, project_id, empty, gone, ended_at in fetch(query, ids):
        state = status(moment, empty=bool(empty), source_gone=bool(gone), ended_at=ended_at)
        yield t.Entity(type="session", id=id, title=title or id, status=state, project_id=project_id)


def _projects(fetch: _Fetch, ids: list[str]) -> Iterator[t.Entity]:
    for id, name in fetch("SELECT id, name FROM projects WHERE id IN ({})", ids):
        yield t.Entity(type="project", id=id, title=name, project_id=id)


def _features(fetch: _Fetch, ids: list[str]) -> Iterator[t.Entity]:
    for id, name, state, project_id in fetch("SELECT id, name, status, project_id FROM features WHERE id IN ({})", ids):
        yield t.Entity(type="feature", id=id, title=name or id, status=state, project_id=project_id)


_PHASES = """
SELECT p.id, p.phase, p.title, p.status, f.project_id FROM feature_phases p JOIN features f ON f.id = p.feature_id
WHERE p.id IN ({})
"""


def _phases(fetch: _Fetch, ids: list[str]) -> Iterator[t.Entity]:
    for id, phase, title, state, project_id in fetch(_PHASES, ids):
        yield t.Entity(type="phase", id=id, title=phase_title(phase, title) or id, status=state, project_id=project_id)


def _tasks(fetch: _Fetch, ids: list[str]) -> Iterator[t.Entity]:
    query = "SELECT id, title, task_id, status, project_id FROM tasks WHERE id IN ({})"
    for id, title, task_id, state, project_id in fetch(query, ids):
        yield t.Entity(type="task", id=id, title=title or task_id or id, status=state, project_id=project_id)


def _documents(fetch: _Fetch, ids: list[str]) -> Iterator[t.Entity]:
    query = "SELECT id, title, path, status, project_id FROM documents WHERE id IN ({})"
    for id, title, path, state, project_id in fetch(query, ids):
        yield t.Entity(type="document", id=id, title=title or path, status=state or "", project_id=project_id)


def _files(fetch: _Fetch, ids: list[str]) -> Iterator[t.Entity]:
    """Files by their path in the project with the longest root above them."""
    above = {path: list(_folders(path)) for path in ids}
    roots = {folder for folders in above.values() for folder in folders}
    projects = {root: id for id, root in fetch("SELECT id, root FROM projects WHERE root IN ({})", sorted(roots))}
    for path, folders in above.items():
        root = next((folder for folder in folders if folder in projects), None)
        title = path if root is None else path[len(root) :].lstrip("/")
        yield t.Entity(type="file", id=path, title=title or path, project_id=projects[root] if root is not None else None)


def _folders(path: str) -> Iterator[str]:
    """The folders above a path, and itself, the longest first."""
    while True:
        yield path
        cut = path.rfind("/")
        if cut < 0 or path == "/":
            return
        path = path[:cut] or "/"


def _commits(fetch: _Fetch, ids: list[str]) -> Iterator[t.Entity]:
    projects = {id.rpartition("/")[0] for id in ids}
    known = {id for (id,) in fetch("SELECT id FROM projects WHERE id IN ({})", sorted(projects))}
    for id in ids:
        project_id, _, digits = id.rpartition("/")
        if project_id in known:
            yield t.Entity(type="commit", id=id, title=digits, project_id=project_id)


_FINDERS: dict[t.EntityType, Callable[[_Fetch, list[str]], Iterator[t.Entity]]] = {
    "session": _sessions,
    "project": _projects,
    "feature": _features,
    "phase": _phases,
    "task": _tasks,
    "document": _documents,
    "file": _files,
    "commit": _commits,
}
