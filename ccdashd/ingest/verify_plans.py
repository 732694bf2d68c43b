"""Is what the cache says of planning files what they say? Reads those of a project again, and makes all that follows from
them anew, in memory, to compare."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from ccdashd.derive.plan_rows import PlanRows
from ccdashd.ingest.read_plan import read_plans
from ccdashd.protocol import types as t
from ccdashd.sources.planning.model import PLANNING_READER
from ccdashd.store import feature_rows, planning
from ccdashd.store.planning import State
from ccdashd.store.schema import document_diagnostics, documents, feature_phases, features, metadata, task_names, tasks

_RESCAN = "ccdash rescan repairs it"
_REBUILD = "ccdash rebuild repairs it"

_IDS = sa.select(documents.c.id).where(documents.c.project_id == sa.bindparam("project_id"))
_TASK_IDS = sa.select(tasks.c.id).where(tasks.c.project_id == sa.bindparam("project_id"))
_FEATURE_IDS = sa.select(features.c.id).where(features.c.project_id == sa.bindparam("project_id"))
_ROWS: dict[sa.Table, sa.ColumnElement[bool]] = {
    documents: documents.c.project_id == sa.bindparam("project_id"),
    document_diagnostics: document_diagnostics.c.document_id.in_(_IDS),
    tasks: tasks.c.project_id == sa.bindparam("project_id"),
    task_names: task_names.c.task_id.in_(_TASK_IDS),
    features: features.c.project_id == sa.bindparam("project_id"),
    feature_phases: feature_phases.c.feature_id.in_(_FEATURE_IDS),
}
_NOT_COMPARED = {"mtime_ns", "inode", "modified_at", "sessions"}
"""Columns that follow from times of files, which may be touched without a change, and from links."""


def plan_problems(
    project_id: str, root: str, cap: int, connection: sa.Connection, revision: int
) -> tuple[int, list[t.Problem]]:
    """``(files read, what is wrong with the rows of one project's planning files)``."""
    states = planning.states(connection, project_id)
    files, gone = read_plans(project_id, root, sorted(states), cap)
    problems = list(_changed(states, files, gone))
    if not problems:
        problems = list(_differences(project_id, files, connection))
    return len(files), problems


def _changed(states: dict[str, State], files: list[PlanRows], gone: list[str]) -> Iterator[t.Problem]:
    for path in gone:
        yield t.Problem(part=states[path].id, problem="the file is gone", hint=_RESCAN)
    for file in files:
        state = states[file.path]
        if file.problem != state.problem:
            problem = f"the file cannot be read: {file.problem}" if file.problem else "the file can be read again"
            yield t.Problem(part=state.id, problem=problem, hint=_RESCAN)
        elif file.hash != state.hash or state.reader != PLANNING_READER:
            yield t.Problem(part=state.id, problem="the file is another one than was read", hint=_RESCAN)


def _differences(project_id: str, files: list[PlanRows], connection: sa.Connection) -> Iterator[t.Problem]:
    engine = sa.create_engine("sqlite://")
    with engine.begin() as anew:
        metadata.create_all(anew)
        changes = planning.Changes()
        planning.store(anew, project_id, files, changes)
        feature_rows.rebuild(anew, project_id, changes)
        for table, where in _ROWS.items():
            stored, expected = (_rows(each, table, where, project_id) for each in (connection, anew))
            for key in sorted(stored.keys() | expected.keys(), key=repr):
                if stored.get(key) != expected.get(key):
                    problem = f"what {table.name} holds is not what the files say"
                    yield t.Problem(part=str(key[0]), problem=problem, hint=_REBUILD)
    engine.dispose()


def _rows(
    connection: sa.Connection, table: sa.Table, where: sa.ColumnElement[bool], project_id: str
) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    columns = [column for column in table.c if column.name not in _NOT_COMPARED]
    keys = len(table.primary_key.columns)
    columns.sort(key=lambda column: not column.primary_key)
    rows = connection.execute(sa.select(*columns).where(where), {"project_id": project_id})
    return {tuple(row[:keys]): tuple(row) for row in rows}
