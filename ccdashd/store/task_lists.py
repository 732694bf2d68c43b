"""Lists of tasks: filtered, sorted, paged."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from ccdashd.protocol import types as t
from ccdashd.store import finding, paging, plan_lists
from ccdashd.store import projects as repository
from ccdashd.store.schema import documents, task_names, tasks

_table = tasks.c

_modified = sa.select(documents.c.mtime_ns).where(documents.c.id == _table.document_id).scalar_subquery()

_SORTS: dict[str, tuple[sa.ColumnElement[Any], ...]] = {
    "path": (),
    "status": (plan_lists.by_status(_table.status),),
    "priority": (plan_lists.by_priority(_table.priority),),
    "title": (plan_lists.by_name(_table.title),),
    "feature": (_table.feature_id,),
    "modifiedAt": (_modified,),
}


def page(connection: sa.Connection, params: t.TasksList, revision: int) -> t.Page[t.TaskRow]:
    """One page of the list. Raises NotFound for a project, feature or document that is not there, InvalidParams for a
    cursor that is none."""
    keys = (*_SORTS[params.sort], _table.document_id, _table.n)
    where = _filters(connection, params)
    return paging.page(connection, plan_lists.TASK, plan_lists.task, tasks, where, keys, params, revision)


def _filters(connection: sa.Connection, params: t.TasksList) -> list[sa.ColumnElement[bool]]:
    where: list[sa.ColumnElement[bool]] = []
    if params.project is not None:
        where.append(_table.project_id == repository.find(connection, params.project))
    elif not params.include_hidden:
        where.append(paging.shown(_table.project_id))
    if params.feature is not None:
        where.append(_table.feature_id == finding.feature_id(connection, params.feature, params.project, field="feature"))
    if params.phase is not None:
        where.append((_table.phase_id == params.phase) | (sa.func.lower(_table.phase) == params.phase.lower()))
    if params.document is not None:
        where.append(
            _table.document_id == finding.document_id(connection, params.document, params.project, field="document")
        )
    if params.status is not None:
        where.append(_table.status.in_(params.status))
    if params.assignee is not None:
        names = task_names.c
        named = sa.select(names.task_id).where(names.kind == "assignee", names.name == params.assignee)
        where.append(_table.id.in_(named))
    if params.priority is not None:
        where.append(sa.func.lower(_table.priority) == params.priority.lower())
    if params.form is not None:
        where.append(_table.form == params.form)
    if params.recovered is not None:
        where.append(_table.recovered if params.recovered else ~_table.recovered)
    if params.tag is not None:
        where.append(paging.tagged(connection, "task", _table.id, params.tag))
    return where + paging.words(params.text, _table.task_id, _table.title, _table.description)
