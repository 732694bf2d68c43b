"""Features, tasks, documents and sessions by words of their names, each with the file where it is."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, Literal, NamedTuple

import msgspec
import sqlalchemy as sa

from ccdashd.store import logs, paging
from ccdashd.store.schema import documents, features, projects, sessions, sync_state, tasks

Kind = Literal["feature", "task", "document", "session"]


class Named(NamedTuple):
    """Something with a name."""

    kind: Kind
    name: str
    container: str
    """The feature or project that it belongs to."""
    path: str
    """Absolute: of a session, its log."""
    line: int
    """From 1; 1 where it is the whole file."""


class _Details(msgspec.Struct):
    """What is looked at of `derive.features.Details`."""

    holder: str | None = None


_details = msgspec.json.Decoder(_Details)


def projects_at(connection: sa.Connection, folders: Collection[str]) -> set[str]:
    """The projects that these folders belong to, or that lie in them."""
    found = set()
    for id, root in connection.execute(sa.select(projects.c.id, projects.c.root)):
        root = root.rstrip("/") + "/"
        if any(root.startswith(folder.rstrip("/") + "/") or f"{folder}/".startswith(root) for folder in folders):
            found.add(id)
    return found


def by_name(connection: sa.Connection, text: str, first: Collection[str], limit: int) -> Iterator[list[Named]]:
    """What has each word of `text` in its name, kind by kind, at most `limit` of each: that of the projects `first`, then
    what was worked on last. Raises InvalidParams for a text that is too long."""
    yield list(_features(connection, text, first, limit))
    yield list(_tasks(connection, text, first, limit))
    yield list(_documents(connection, text, first, limit))
    yield list(_sessions(connection, text, first, limit))


def file_of_feature(connection: sa.Connection, feature_id: str) -> str | None:
    """The absolute path of the document that holds the status of a feature, or else of its first; None where there is no
    such feature."""
    query = sa.select(*_PLACE, projects.c.root).join(projects, projects.c.id == features.c.project_id)
    row = connection.execute(query.where(features.c.id == feature_id)).first()
    return _document(row) if row is not None else None


_first = sa.select(sa.func.min(documents.c.path)).where(documents.c.feature_id == features.c.id).scalar_subquery()

_PLACE = (features.c.project_id, features.c.data, _first.label("path"))
"""All that `_document` needs beside the root of the project."""


def _document(row: Any) -> str | None:
    holder = _details.decode(row.data).holder
    path = holder.removeprefix(f"{row.project_id}/") if holder is not None else row.path
    return _in(row.root, path) if path is not None else None


def _query(table: sa.Table, first: Collection[str], *columns: Any) -> sa.Select[Any]:
    own = sa.case((table.c.project_id.in_(first), 0), else_=1)
    query = sa.select(*columns, projects.c.root, projects.c.name.label("project_name"))
    return query.join(projects, projects.c.id == table.c.project_id).where(~projects.c.hidden).order_by(own)


def _features(connection: sa.Connection, text: str, first: Collection[str], limit: int) -> Iterator[Named]:
    table = features.c
    query = _query(features, first, table.name, *_PLACE)
    query = query.where(*paging.words(text, table.name, table.slug)).order_by(table.modified_at.desc(), table.id)
    for row in connection.execute(query.limit(limit)):
        path = _document(row)
        if path is not None:
            yield Named("feature", row.name, row.project_name, path, 1)


def _tasks(connection: sa.Connection, text: str, first: Collection[str], limit: int) -> Iterator[Named]:
    table = tasks.c
    query = _query(tasks, first, table.task_id, table.title, table.line, documents.c.path, features.c.name)
    query = query.join(documents, documents.c.id == table.document_id).outerjoin(
        features, features.c.id == table.feature_id
    )
    query = query.where(*paging.words(text, table.task_id, table.title)).order_by(documents.c.mtime_ns.desc(), table.id)
    for row in connection.execute(query.limit(limit)):
        name = " ".join(filter(None, (row.task_id, row.title)))
        yield Named("task", name, row.name or row.project_name, _in(row.root, row.path), max(row.line, 1))


def _documents(connection: sa.Connection, text: str, first: Collection[str], limit: int) -> Iterator[Named]:
    table = documents.c
    query = _query(documents, first, table.title, table.path)
    query = query.where(*paging.words(text, table.title, table.path)).order_by(table.mtime_ns.desc(), table.id)
    for row in connection.execute(query.limit(limit)):
        yield Named("document", row.title or row.path, row.project_name, _in(row.root, row.path), 1)


def _sessions(connection: sa.Connection, text: str, first: Collection[str], limit: int) -> Iterator[Named]:
    table = sessions.c
    log = sa.select(sa.func.min(sync_state.c.path)).where(sync_state.c.session_id == table.id, sync_state.c.state != "gone")
    path = log.scalar_subquery()
    query = _query(sessions, first, table.title, path.label("path"))
    query = query.where(table.agent_id.is_(None), ~table.empty, ~table.source_gone, *paging.words(text, table.title))
    for row in connection.execute(query.order_by(table.ended_at.desc(), table.id).limit(limit)):
        if row.path is not None:
            yield Named("session", row.title, row.project_name, logs.path_from(row.path), 1)


def _in(root: str, path: str) -> str:
    return f"{root.rstrip('/')}/{path}"
