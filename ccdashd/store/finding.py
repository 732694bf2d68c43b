"""Documents, tasks and features by what people and editors call them."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from ccdashd.derive.slugs import canonical
from ccdashd.errors import InvalidParams, NotFound
from ccdashd.store import projects as repository
from ccdashd.store.schema import documents, features, projects, tasks

NAMED = 5
"""Candidates that an error names at most, where several have the name that was asked for."""

SHOWN = 200
"""Characters of what was asked for that an error repeats at most."""

_FEWER = {
    "document": "give its id, or more of its path, or project",
    "task": "give its id, or feature or project",
    "feature": "give its id, or project",
}


def document_id(connection: sa.Connection, wanted: str, project: str | None = None, *, field: str = "id") -> str:
    """The id of the document with that id, absolute path, path in its project, or end of such a path.

    Raises NotFound, and InvalidParams of `field` where several documents are called so.
    """
    table = documents.c
    if _is(connection, table.id, wanted):
        return wanted
    if wanted.startswith("/"):
        found = documents_at(connection, wanted)
    else:
        path = posixpath.normpath(wanted) if wanted else ""
        query = sa.select(table.id).where(*_within(connection, table.project_id, project))
        ends = _ends(table.path, "/" + path)
        found = _few(connection, query.where(table.path == path)) or _few(connection, query.where(ends))
    return _only("document", wanted, found, field)


def task_id(
    connection: sa.Connection, wanted: str, project: str | None = None, feature: str | None = None, *, field: str = "id"
) -> str:
    """The id of the task with that id, or with that id in its file, or whose id ends so; `feature` tells some apart.

    Raises NotFound, and InvalidParams of `field` where several tasks are called so.
    """
    table = tasks.c
    if _is(connection, table.id, wanted):
        return wanted
    path, _, key = wanted.partition("#")
    if path.startswith("/"):
        at = [f"{id}#{key}" for id in documents_at(connection, path)]
        return _only("task", wanted, _few(connection, sa.select(table.id).where(table.id.in_(at))), field)
    query = sa.select(table.id).where(*_within(connection, table.project_id, project))
    if feature is not None:
        query = query.where(table.feature_id == feature_id(connection, feature, project, field="feature"))
    named: list[str] = []
    if wanted:
        ends = sa.or_(_ends(table.id, "/" + wanted), _ends(table.id, "#" + wanted))
        named = _few(connection, query.where(table.task_id == wanted)) or _few(connection, query.where(ends))
    return _only("task", wanted, named, field)


def feature_id(connection: sa.Connection, wanted: str, project: str | None = None, *, field: str = "id") -> str:
    """The id of the feature with that id or slug, also a slug as files write it (``Checkout-v1``).

    Raises NotFound, and InvalidParams of `field` where several projects have such a feature.
    """
    table = features.c
    if _is(connection, table.id, wanted):
        return wanted
    query = sa.select(table.id).where(*_within(connection, table.project_id, project))
    found = _few(connection, query.where(table.slug == wanted))
    return _only("feature", wanted, found or _few(connection, query.where(table.slug == canonical(wanted))), field)


def _is(connection: sa.Connection, id: sa.ColumnElement[str], wanted: str) -> bool:
    return connection.execute(sa.select(id).where(id == wanted)).first() is not None


def _within(
    connection: sa.Connection, project_id: sa.ColumnElement[str], project: str | None
) -> list[sa.ColumnElement[bool]]:
    return [] if project is None else [project_id == repository.find(connection, project)]


def documents_at(connection: sa.Connection, path: str) -> list[str]:
    """The document at an absolute path, if there is one: of the innermost project, where several hold it."""
    path = posixpath.normpath(path)
    roots = connection.execute(sa.select(projects.c.id, projects.c.root)).all()
    above = [row for row in roots if path.startswith(row.root.rstrip("/") + "/")]
    ids = {f"{row.id}/{path[len(row.root.rstrip('/')) + 1 :]}": len(row.root) for row in above}
    found = connection.execute(sa.select(documents.c.id).where(documents.c.id.in_(ids))).scalars().all()
    return sorted(found, key=lambda id: -ids[id])[:1]


def _ends(column: sa.ColumnElement[str], end: str) -> sa.ColumnElement[bool]:
    return sa.func.substr(column, -len(end)) == end


def _few(connection: sa.Connection, query: sa.Select[Any]) -> list[str]:
    id = query.selected_columns[0]
    return list(connection.execute(query.order_by(id).limit(NAMED + 1)).scalars())


def _only(type_: str, wanted: str, found: Sequence[str], field: str) -> str:
    if len(found) == 1:
        return found[0]
    shown = wanted if len(wanted) <= SHOWN else wanted[:SHOWN] + "…"
    if not found:
        raise NotFound(type_, shown, f"see {type_}s/list")
    named = ", ".join(found[:NAMED]) + (", …" if len(found) > NAMED else "")
    raise InvalidParams(field, f"means several {type_}s: {named}; {_FEWER[type_]}", shown, found)
