"""Lists of features: filtered, sorted, paged."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from ccdashd.protocol import types as t
from ccdashd.store import paging, plan_lists
from ccdashd.store import projects as repository
from ccdashd.store.schema import features

_table = features.c

_SORTS: dict[str, Any] = {
    "name": plan_lists.by_name(_table.name),
    "status": plan_lists.by_status(_table.status),
    "progress": _table.progress,
    "tasks": _table.tasks,
    "modifiedAt": _table.modified_at,
    "sessions": _table.sessions,
    "priority": plan_lists.by_priority(_table.priority),
}


def page(connection: sa.Connection, params: t.FeaturesList, revision: int) -> t.Page[t.FeatureRow]:
    """One page of the list. Raises NotFound for a project that is not there, InvalidParams for a cursor that is none."""
    keys = (_SORTS[params.sort], _table.id)
    where = _filters(connection, params)
    return paging.page(connection, plan_lists.FEATURE, plan_lists.feature, features, where, keys, params, revision)


def _filters(connection: sa.Connection, params: t.FeaturesList) -> list[sa.ColumnElement[bool]]:
    where: list[sa.ColumnElement[bool]] = []
    if params.project is not None:
        where.append(_table.project_id == repository.find(connection, params.project))
    elif not params.include_hidden:
        where.append(paging.shown(_table.project_id))
    if params.status is not None:
        where.append(_table.status.in_(params.status))
    if params.category is not None:
        where.append(sa.func.lower(_table.category) == params.category.lower())
    if params.tag is not None:
        where.append(
            paging.tagged(connection, "feature", _table.id, params.tag) | paging.file_tagged(_table.tags, params.tag)
        )
    if params.mismatch is not None:
        where.append(_table.mismatches > 0 if params.mismatch else _table.mismatches == 0)
    return where + paging.words(params.text, _table.name, _table.slug)
