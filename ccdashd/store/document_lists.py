"""Lists of documents: filtered, sorted, paged."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from ccdashd.protocol import types as t
from ccdashd.store import finding, paging, plan_lists
from ccdashd.store import projects as repository
from ccdashd.store.schema import documents

_table = documents.c

_SORTS: dict[str, tuple[sa.ColumnElement[Any], ...]] = {
    "path": (),  # ids are the project and the path in it
    "title": (plan_lists.by_name(_table.title),),
    "type": (_table.doc_type,),
    "status": (plan_lists.by_status(_table.status),),
    "modifiedAt": (_table.mtime_ns,),
    "tasks": (_table.tasks,),
}


def page(connection: sa.Connection, params: t.DocumentsList, revision: int) -> t.Page[t.DocumentRow]:
    """One page of the list. Raises NotFound for a project or feature that is not there, InvalidParams for a cursor."""
    keys = (*_SORTS[params.sort], _table.id)
    where = _filters(connection, params)
    return paging.page(connection, plan_lists.DOCUMENT, plan_lists.document, documents, where, keys, params, revision)


def _filters(connection: sa.Connection, params: t.DocumentsList) -> list[sa.ColumnElement[bool]]:
    where: list[sa.ColumnElement[bool]] = []
    if params.project is not None:
        where.append(_table.project_id == repository.find(connection, params.project))
    elif not params.include_hidden:
        where.append(paging.shown(_table.project_id))
    if params.type is not None:
        where.append(_table.doc_type == params.type)
    if params.status is not None:
        where.append(_table.status.in_(params.status))
    if params.feature is not None:
        where.append(_table.feature_id == finding.feature_id(connection, params.feature, params.project, field="feature"))
    if params.tag is not None:
        where.append(
            paging.tagged(connection, "document", _table.id, params.tag) | paging.file_tagged(_table.tags, params.tag)
        )
    if params.path is not None:
        where.append(at_or_below(params.path))
    if params.problems:
        where.append((_table.findings > 0) | (_table.problem != ""))
    return where + paging.words(params.text, _table.title, _table.path)


def at_or_below(path: str) -> sa.ColumnElement[bool]:
    """That a document is the one at a path in its project, or lies below it."""
    path = path.removeprefix("./").strip("/")
    if path in ("", "."):
        return sa.true()
    # A range, since LIKE takes capitals for small letters; "0" comes right after "/".
    return (_table.path == path) | ((_table.path > path + "/") & (_table.path < path + "0"))
