"""The rows of planning files: documents, their tasks, and what was not understood in them.

Rows are compared with those that are there: only what differs is written, and told in `Changes`. What follows for features
is written by `ccdashd.store.feature_rows`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import sqlalchemy as sa

from ccdashd.derive.plan_rows import PlanRows, Row, document_id
from ccdashd.store.connection import raw_connection, select
from ccdashd.store.schema import document_data, document_diagnostics, documents, task_data, task_names, tasks


@dataclass
class Changes:
    """Ids of what was written, and of what is gone."""

    documents: set[str] = field(default_factory=set)
    tasks: set[str] = field(default_factory=set)
    features: set[str] = field(default_factory=set)
    gone_documents: set[str] = field(default_factory=set)
    gone_tasks: set[str] = field(default_factory=set)
    gone_features: set[str] = field(default_factory=set)
    names: bool = False
    """Whether anything changed that tells which document belongs to which feature."""

    def __bool__(self) -> bool:
        return any(vars(self).values())


class State(msgspec.Struct, frozen=True):
    """What is known of a planning file, to tell whether it changed."""

    id: str
    path: str
    size: int
    mtime_ns: int
    inode: int
    hash: str
    reader: int
    problem: str


_STATES = f"SELECT {', '.join(State.__struct_fields__)} FROM documents WHERE project_id = ?"


def states(connection: sa.Connection, project_id: str, paths: Collection[str] | None = None) -> dict[str, State]:
    """What is known of the project's planning files at these paths, or of all, by path."""
    raw = raw_connection(connection)
    if paths is None:
        return {row[1]: State(*row) for row in raw.execute(_STATES, (project_id,))}
    query = f"{_STATES} AND path IN ({{}})"
    return {row[1]: State(*row) for row in select(connection, query, paths, project_id)}


def strangers(known: Collection[str], connection: sa.Connection, revision: int) -> list[str]:
    """Ids of projects that have documents here, but are not among the known ones."""
    here = connection.execute(sa.select(documents.c.project_id).distinct()).scalars()
    return sorted(set(here) - set(known))


def store(connection: sa.Connection, project_id: str, files: Iterable[PlanRows], changes: Changes) -> None:
    """Write the rows of files that were read. Documents and tasks keep their feature until features are made anew."""
    new = {document_id(project_id, file.path): file for file in files}
    raw = raw_connection(connection)
    known = {row[0]: row for row in select(connection, _KNOWN_DOCUMENTS, new)}
    known_tasks = {row[0]: row for row in select(connection, _KNOWN_TASKS, known)}
    rows: list[Row] = []
    findings: list[Row] = []
    task_rows: list[Row] = []
    names: list[Row] = []
    for id, file in new.items():
        if file.document != known.get(id):
            rows.append(file.document)
            findings += file.findings
            changes.names |= id not in known or known[id][_CLAIM] != file.document[_CLAIM]
        other = [row for row in file.tasks if row != known_tasks.pop(row[0], None)]
        if other:
            task_rows += other
            written = {row[0] for row in other}
            names += (name for name in file.names if name[0] in written)
    written = {row[0] for row in task_rows}
    _delete(connection, document_diagnostics.c.document_id, [row[0] for row in rows])
    _delete(connection, task_names.c.task_id, [*written, *known_tasks])
    _delete(connection, task_data.c.id, known_tasks)
    _delete(connection, tasks.c.id, known_tasks)
    raw.executemany(_WRITE_DOCUMENT, [row[:-1] for row in rows])
    raw.executemany(_WRITE_DOCUMENT_DATA, [(row[0], row[-1]) for row in rows])
    raw.executemany(_WRITE_FINDING, findings)
    raw.executemany(_WRITE_TASK, [row[:-1] for row in task_rows])
    raw.executemany(_WRITE_TASK_DATA, [(row[0], row[-1]) for row in task_rows])
    raw.executemany(_WRITE_NAME, names)
    changes.documents.update(row[0] for row in rows)
    changes.tasks.update(written)
    changes.gone_tasks.update(known_tasks)


def touch(connection: sa.Connection, project_id: str, files: Iterable[PlanRows]) -> None:
    """Note new times and inodes of files whose bytes are what they were."""
    rows = [(file.size, file.mtime_ns, file.inode, document_id(project_id, file.path)) for file in files]
    raw = raw_connection(connection)
    raw.executemany("UPDATE documents SET size = ?, mtime_ns = ?, inode = ? WHERE id = ?", rows)
    raw.executemany(_TOUCH_FEATURE, [(row[3],) for row in rows])


_TOUCH_FEATURE = """
UPDATE features SET modified_at = (SELECT MAX(mtime_ns) / 1000000 FROM documents WHERE feature_id = features.id)
WHERE id = (SELECT feature_id FROM documents WHERE id = ?)
"""


def expire(connection: sa.Connection) -> None:
    """Make every planning file be read anew, whatever its time says."""
    connection.execute(sa.update(documents).values(reader=0))


def forget(connection: sa.Connection, ids: Collection[str], changes: Changes) -> None:
    """Delete documents with their tasks."""
    gone = [id for (id,) in select(connection, "SELECT id FROM documents WHERE id IN ({})", ids)]
    gone_tasks = [id for (id,) in select(connection, "SELECT id FROM tasks WHERE document_id IN ({})", gone)]
    _delete(connection, task_names.c.task_id, gone_tasks)
    _delete(connection, task_data.c.id, gone_tasks)
    _delete(connection, tasks.c.id, gone_tasks)
    _delete(connection, document_diagnostics.c.document_id, gone)
    _delete(connection, document_data.c.id, gone)
    _delete(connection, documents.c.id, gone)
    changes.gone_documents.update(gone)
    changes.gone_tasks.update(gone_tasks)
    changes.names |= bool(gone)


# References are not looked up while much is written: rows below are deleted here, not left to the database.
def _delete(connection: sa.Connection, column: sa.Column[Any], keys: Iterable[str]) -> None:
    statement = f"DELETE FROM {column.table.name} WHERE {column.name} = ?"
    raw_connection(connection).executemany(statement, [(key,) for key in keys])


_DOCUMENT = [column.name for column in documents.c if column.name != "feature_id"]
_CLAIM = _DOCUMENT.index("slugs")
_TASK = [column.name for column in tasks.c if column.name not in ("feature_id", "phase_id")]


def _names(columns: Iterable[str]) -> str:
    return ", ".join(f'"{column}"' for column in columns)


def upsert(table: sa.Table, columns: Sequence[str], *once: str) -> str:
    """The statement that writes these columns of a row, and those named `once` where the row is new; others stay."""
    values = ", ".join("?" * len(columns))
    new = ", ".join(f"{column} = excluded.{column}" for column in columns if column not in once)
    return f"INSERT INTO {table.name} ({_names(columns)}) VALUES ({values}) ON CONFLICT (id) DO UPDATE SET {new}"


_KNOWN_DOCUMENTS = f"""
SELECT {_names(_DOCUMENT)}, data FROM documents JOIN document_data USING (id) WHERE id IN ({{}})
"""
_KNOWN_TASKS = f"SELECT {_names(_TASK)}, data FROM tasks JOIN task_data USING (id) WHERE document_id IN ({{}})"
_WRITE_DOCUMENT = upsert(documents, _DOCUMENT)
_WRITE_TASK = upsert(tasks, _TASK)
_WRITE_DOCUMENT_DATA = "INSERT OR REPLACE INTO document_data (id, data) VALUES (?, ?)"
_WRITE_TASK_DATA = "INSERT OR REPLACE INTO task_data (id, data) VALUES (?, ?)"
_WRITE_NAME = "INSERT INTO task_names (task_id, kind, name) VALUES (?, ?, ?)"
_WRITE_FINDING = f"INSERT INTO document_diagnostics VALUES ({', '.join('?' * len(document_diagnostics.c))})"
