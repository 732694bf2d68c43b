"""Documents by folder, and tasks by feature, phase and parent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import chain, groupby
from typing import Any, Literal

import sqlalchemy as sa

from ccdashd.protocol import types as t
from ccdashd.store import finding, paging
from ccdashd.store import projects as repository
from ccdashd.store.document_lists import at_or_below
from ccdashd.store.plan_lists import phase_title
from ccdashd.store.schema import documents, feature_phases, features, projects, tasks

DEPTH = 40
"""Levels of folders, or of tasks below tasks, that a tree has at most."""

CHILDREN = 1000
"""Children that a node has at most."""


def of_documents(connection: sa.Connection, params: t.DocumentsTree) -> list[t.TreeNode]:
    """Documents by folder; those of several projects by project first. Raises NotFound for a project."""
    table = documents.c
    query = sa.select(table.id, table.project_id, table.path, table.title, table.status)
    query = query.order_by(table.project_id, table.path)
    folder = (params.path or "").removeprefix("./").strip("/")
    if folder and folder != ".":
        query = query.where(at_or_below(folder), table.path != folder)
        start = len(folder) + 1
    else:
        start = 0
    if params.project is not None:
        rows = connection.execute(query.where(table.project_id == repository.find(connection, params.project))).all()
        return _folders(rows, start, 1)
    names: dict[str, str] = dict(connection.execute(sa.select(projects.c.id, projects.c.name)).all())
    rows = connection.execute(query.where(paging.shown(table.project_id))).all()
    return [
        _node("project", id, names[id], "", _folders(list(own), start, 2))
        for id, own in groupby(rows, key=lambda row: str(row.project_id))
    ]


def _folders(rows: Sequence[Any], start: int, level: int) -> list[t.TreeNode]:
    """Folders and documents below the folder that is the first `start` characters of all paths; folders come first."""

    def part(row: Any) -> str:
        name, slash, _ = row.path[start:].partition("/")
        return str(name + slash)

    folders: list[t.TreeNode] = []
    leaves: list[t.TreeNode] = []
    for name, group in groupby(rows, key=part):
        below = list(group)
        if not name.endswith("/"):
            leaves += [_node("document", row.id, row.title or row.path, row.status or "", []) for row in below]
        elif level < DEPTH:
            end = start + len(name)
            path = below[0].path[: end - 1]
            folders.append(_node("folder", path, name[:-1], "", _folders(below, end, level + 1)))
        else:
            path = below[0].path[: start + len(name) - 1]
            folders.append(_node("folder", path, name[:-1], "", [], more=len(below)))
    return folders + leaves


def of_tasks(connection: sa.Connection, params: t.TasksTree) -> list[t.TreeNode]:
    """Tasks by feature and phase, and those without a feature by document. Raises NotFound, and InvalidParams for a name
    that several have."""
    table = tasks.c
    where = _of_project(connection, table.project_id, params.project)
    if params.feature is not None:
        where.append(table.feature_id == finding.feature_id(connection, params.feature, params.project, field="feature"))
    if params.document is not None:
        where.append(
            table.document_id == finding.document_id(connection, params.document, params.project, field="document")
        )
    found = _Tasks(connection, where)
    with_tasks = features.c.id.in_(found.features)
    return _features(connection, found, with_tasks, empty_phases=False) + found.by_document(connection)


def of_features(connection: sa.Connection, params: t.FeaturesTree) -> list[t.TreeNode]:
    """Features with their phases and tasks. Raises NotFound, and InvalidParams for a name that several have."""
    if params.id is not None:
        id = finding.feature_id(connection, params.id, params.project)
        return _features(connection, _Tasks(connection, [tasks.c.feature_id == id]), features.c.id == id)
    where = _of_project(connection, tasks.c.project_id, params.project)
    found = _Tasks(connection, [*where, tasks.c.feature_id.is_not(None)])
    return _features(connection, found, *_of_project(connection, features.c.project_id, params.project))


def _of_project(
    connection: sa.Connection, project_id: sa.ColumnElement[str], project: str | None
) -> list[sa.ColumnElement[bool]]:
    if project is None:
        return [paging.shown(project_id)]
    return [project_id == repository.find(connection, project)]


class _Tasks:
    """Tasks by where they belong: below another one, in a phase, in a feature, or in a document alone."""

    def __init__(self, connection: sa.Connection, where: Iterable[sa.ColumnElement[bool]]) -> None:
        table = tasks.c
        query = sa.select(
            table.id,
            table.document_id,
            table.parent_id,
            table.task_id,
            table.title,
            table.status,
            table.feature_id,
            table.phase_id,
        )
        rows = connection.execute(query.where(*where).order_by(table.document_id, table.n)).all()
        ids = {row.id for row in rows}
        self.features = sorted({row.feature_id for row in rows if row.feature_id is not None})
        self._below: defaultdict[str, list[Any]] = defaultdict(list)
        self._within: defaultdict[str, dict[str | None, list[Any]]] = defaultdict(dict)
        self._loose: defaultdict[str, list[Any]] = defaultdict(list)
        for row in rows:
            if row.parent_id in ids:
                self._below[row.parent_id].append(row)
            elif row.feature_id is not None:
                self._within[row.feature_id].setdefault(row.phase_id, []).append(row)
            else:
                self._loose[row.document_id].append(row)

    def in_phase(self, feature_id: str, phase_id: str) -> list[t.TreeNode]:
        """Tasks of a phase."""
        return self._nodes(self._within[feature_id].pop(phase_id, ()), 1)

    def in_none(self, feature_id: str) -> list[t.TreeNode]:
        """Tasks of a feature that were in none of the phases asked for."""
        return self._nodes(chain.from_iterable(self._within[feature_id].values()), 1)

    def by_document(self, connection: sa.Connection) -> list[t.TreeNode]:
        """Documents with their tasks that belong to no feature."""
        table = documents.c
        query = sa.select(table.id, table.title, table.path, table.status).where(table.id.in_(self._loose))
        return [
            _node("document", row.id, row.title or row.path, row.status or "", self._nodes(self._loose[row.id], 1))
            for row in connection.execute(query.order_by(table.id))
        ]

    def _nodes(self, rows: Iterable[Any], level: int) -> list[t.TreeNode]:
        nodes = []
        for row in rows:
            below = self._below[row.id]
            children, more = (self._nodes(below, level + 1), 0) if level < DEPTH else ([], len(below))
            nodes.append(_node("task", row.id, row.title or row.task_id or row.id, row.status, children, more=more))
        return nodes


def _features(
    connection: sa.Connection, found: _Tasks, *where: sa.ColumnElement[bool], empty_phases: bool = True
) -> list[t.TreeNode]:
    table, phase = features.c, feature_phases.c
    rows = connection.execute(sa.select(table.id, table.name, table.status).where(*where).order_by(table.id)).all()
    query = sa.select(phase.id, phase.feature_id, phase.phase, phase.title, phase.status)
    query = query.where(phase.feature_id.in_(sa.select(table.id).where(*where))).order_by(phase.feature_id, phase.n)
    phases: defaultdict[str, list[t.TreeNode]] = defaultdict(list)
    for row in connection.execute(query):
        below = found.in_phase(row.feature_id, row.id)
        if below or empty_phases:
            phases[row.feature_id].append(_node("phase", row.id, phase_title(row.phase, row.title), row.status, below))
    return [_node("feature", row.id, row.name, row.status, [*phases[row.id], *found.in_none(row.id)]) for row in rows]


def _node(
    type_: t.EntityType | Literal["folder"], id: str, title: str, status: str, children: list[t.TreeNode], *, more: int = 0
) -> t.TreeNode:
    more += max(len(children) - CHILDREN, 0)
    return t.TreeNode(type=type_, id=id, title=title, status=status, children=children[:CHILDREN], more=more)
