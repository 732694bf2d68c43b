"""Documents, tasks and features as lists show them, and in which order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from ccdashd.clock import iso
from ccdashd.protocol import types as t
from ccdashd.sources.planning.model import STATUSES
from ccdashd.store.schema import documents, features, projects, tasks

_counts = msgspec.json.Decoder(list[int])

_PRIORITIES = {
    **dict.fromkeys(("p0", "critical", "highest", "urgent", "blocker"), 4),
    **dict.fromkeys(("p1", "high"), 3),
    **dict.fromkeys(("p2", "medium", "normal", "moderate"), 2),
    **dict.fromkeys(("p3", "low", "minor"), 1),
    **dict.fromkeys(("p4", "lowest", "trivial"), 0),
}


def by_name(name: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
    """To sort by a name, whatever its case."""
    return sa.func.lower(name, type_=sa.Text())


def by_status(status: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """To sort by how far things are: from todo to done, then blocked, deferred, archived, unknown."""
    return sa.case({word: place for place, word in enumerate(STATUSES)}, value=status)


def by_priority(priority: sa.ColumnElement[str]) -> sa.ColumnElement[Any]:
    """To sort by how urgent things are; words that say nothing of that are the least."""
    return sa.case(_PRIORITIES, value=sa.func.lower(priority), else_=-1)


def counts(numbers: Sequence[int]) -> t.Counts:
    """Tasks by status, in the order of `STATUSES`."""
    return t.Counts(total=sum(numbers), **dict(zip(STATUSES, numbers, strict=True)))


_NAME = projects.c.name.label("project_name")

DOCUMENT = sa.select(
    *(column for column in documents.c if column.name not in ("slugs", "tags")), _NAME, projects.c.root
).join(projects, projects.c.id == documents.c.project_id)
"""All that `document` needs, and the root of the project."""

TASK = (
    sa.select(
        *(column for column in tasks.c if column.name != "description"),
        documents.c.path,
        documents.c.hash,
        _NAME,
        projects.c.root,
    )
    .join(documents, documents.c.id == tasks.c.document_id)
    .join(projects, projects.c.id == tasks.c.project_id)
)
"""All that `task` needs, the hash of the file and the root of the project."""

FEATURE = sa.select(*(column for column in features.c if column.name not in ("data", "tags")), _NAME, projects.c.root).join(
    projects, projects.c.id == features.c.project_id
)
"""All that `feature` needs, and the root of the project."""


def document(row: Any) -> t.DocumentRow:
    """A row of `DOCUMENT`."""
    return t.DocumentRow(
        id=row.id,
        project_id=row.project_id,
        project_name=row.project_name,
        path=row.path,
        title=row.title,
        doc_type=row.doc_type,
        raw_status=row.raw_status,
        status=row.status,
        feature_id=row.feature_id,
        tasks=counts(_counts.decode(row.counts)),
        findings=row.findings,
        recovered=row.recovered,
        size=row.size,
        modified_at=file_time(row.mtime_ns),
    )


def file_time(nanoseconds: int) -> str:
    """When a file was written, as the wire has it."""
    return iso(nanoseconds // 1_000_000) or ""


def phase_title(phase: str, title: str) -> str:
    """What a phase is called, of its name and title as written."""
    named = phase and not title.lower().startswith("phase")
    return ": ".join(filter(None, (f"Phase {phase}" if named else "", title)))


def task(row: Any) -> t.TaskRow:
    """A row of `TASK`."""
    return t.TaskRow(
        id=row.id,
        project_id=row.project_id,
        project_name=row.project_name,
        document_id=row.document_id,
        path=row.path,
        line=row.line,
        feature_id=row.feature_id,
        phase_id=row.phase_id,
        phase=row.phase,
        task_id=row.task_id,
        title=row.title,
        raw_status=row.raw_status,
        status=row.status,
        priority=row.priority,
        assignees=row.assignees.split("\n") if row.assignees else [],
        effort=row.effort,
        form=row.form,
        recovered=row.recovered,
    )


def feature(row: Any) -> t.FeatureRow:
    """A row of `FEATURE`."""
    return t.FeatureRow(
        id=row.id,
        project_id=row.project_id,
        project_name=row.project_name,
        slug=row.slug,
        name=row.name,
        status=row.status,
        raw_status=row.raw_status,
        category=row.category,
        priority=row.priority,
        phases=row.phases,
        phases_done=row.phases_done,
        tasks=counts(_counts.decode(row.counts)),
        progress=row.progress,
        documents=row.documents,
        sessions=row.sessions,
        open_blockers=row.open_blockers,
        mismatches=row.mismatches,
        modified_at=iso(row.modified_at),
    )


def documents_of(connection: sa.Connection, ids: Sequence[str]) -> list[t.DocumentRow]:
    """Documents by id, sorted by path."""
    query = DOCUMENT.where(documents.c.id.in_(ids)).order_by(documents.c.id)
    return [document(row) for row in connection.execute(query)]


def tasks_of(connection: sa.Connection, ids: Sequence[str]) -> list[t.TaskRow]:
    """Tasks by id, in the order of the files."""
    query = TASK.where(tasks.c.id.in_(ids)).order_by(tasks.c.document_id, tasks.c.n)
    return [task(row) for row in connection.execute(query)]


def features_of(connection: sa.Connection, ids: Sequence[str]) -> list[t.FeatureRow]:
    """Features by id, sorted by slug."""
    query = FEATURE.where(features.c.id.in_(ids)).order_by(features.c.id)
    return [feature(row) for row in connection.execute(query)]
