"""One task, with all that its file says of it."""

from __future__ import annotations

import os
from collections import defaultdict
from typing import Any

import msgspec
import sqlalchemy as sa

from ccdashd.protocol import types as t
from ccdashd.sources.planning.model import Task
from ccdashd.store import linked, plan_lists
from ccdashd.store.entities import entities
from ccdashd.store.schema import task_data, tasks

_task = msgspec.json.Decoder(Task)
_table = tasks.c


def get(connection: sa.Connection, task_id: str, revision: int) -> t.Task:
    """One task with all that its file says of it."""
    query = plan_lists.TASK.add_columns(task_data.c.data).join(task_data, task_data.c.id == _table.id)
    row = connection.execute(query.where(_table.id == task_id)).one()
    task = _task.decode(row.data)
    listed = plan_lists.task(row)
    below = (_table.document_id == row.document_id, _table.parent_id == task_id)
    children = connection.execute(sa.select(_table.id).where(*below).order_by(_table.n)).scalars()
    before, after = _order(connection, row)
    return t.Task(
        **{name: getattr(listed, name) for name in _SHARED},
        absolute_path=os.path.join(row.root, row.path),
        batch=task.batch,
        section=task.section,
        parent_id=row.parent_id,
        children=list(children),
        description=task.description,
        model=task.model,
        started=task.started,
        completed=task.completed,
        depends_on=before,
        blocks=after,
        files=task.files,
        commits=task.commits,
        sessions=task.session_ids,
        acceptance=task.acceptance,
        notes=task.notes,
        fields=task.fields,
        hash=row.hash,
        **linked.around(connection, "task", task_id),
        revision=revision,
    )


_SHARED = tuple(name for name in t.TaskRow.__struct_fields__ if name in t.Task.__struct_fields__)


class _Needs(msgspec.Struct):
    """What is looked at of the tasks around one."""

    depends_on: list[str] = []


_needs = msgspec.json.Decoder(_Needs)


def _order(connection: sa.Connection, row: Any) -> tuple[list[t.Entity], list[t.Entity]]:
    """Tasks that come before one, and those that wait for it.

    An id means the task of that id in the same file, else the only one in the feature.
    """
    around = _table.document_id == row.document_id
    if row.feature_id is not None:
        around |= _table.feature_id == row.feature_id
    query = sa.select(_table.id, _table.document_id, _table.task_id, task_data.c.data)
    query = query.join(task_data, task_data.c.id == _table.id).where(around)
    rows = connection.execute(query.order_by(_table.document_id, _table.n)).all()
    in_file: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    in_feature: defaultdict[str, list[str]] = defaultdict(list)
    for other in rows:
        in_file[other.document_id, other.task_id].append(other.id)
        in_feature[other.task_id].append(other.id)

    def meant(document_id: str, written: str) -> str | None:
        named = in_file.get((document_id, written), [])[:1] or in_feature.get(written, [])
        return named[0] if len(named) == 1 else None

    before: list[t.Entity | str] = []
    after: list[str] = []
    for other in rows:
        for written in _needs.decode(other.data).depends_on:
            id = meant(other.document_id, written)
            if other.id == row.id:
                before.append(id or t.Entity(type="task", id=written, title=written, missing=True))
            elif id == row.id:
                after.append(other.id)
    known = entities(connection, [("task", id) for id in [*after, *before] if isinstance(id, str)])
    return (
        [known["task", one] if isinstance(one, str) else one for one in before],
        [known["task", id] for id in dict.fromkeys(after)],
    )
