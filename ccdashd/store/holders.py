"""Which files hold the status of a task, a phase or a feature."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa

from ccdashd.derive.features import Details
from ccdashd.derive.phases import PhaseRow
from ccdashd.errors import NotFound, ReadOnly
from ccdashd.store.schema import documents, feature_phases, features, projects, tasks

_details = msgspec.json.Decoder(Details)
_phase = msgspec.json.Decoder(PhaseRow)

CASCADE = ("implementation_plan", "phase_plan", "progress", "quick_feature")
"""Types of documents that tell how far the work on a feature is."""


class Holder(NamedTuple):
    """A status in a file: its own, or that of the task with that key."""

    document_id: str
    root: str
    """Of the project."""
    path: str
    """In the project."""
    task: str | None = None


def of_task(connection: sa.Connection, task_id: str) -> Holder:
    """The file of a task. Raises NotFound."""
    query = _holders(tasks.c.document_id).where(tasks.c.id == task_id)
    row = connection.execute(query).first()
    if row is None:
        raise NotFound("task", task_id, "see tasks/list")
    document_id, root, path = row
    return Holder(document_id, root, path, task_id.removeprefix(f"{document_id}#"))


def of_phase(connection: sa.Connection, phase_id: str) -> Holder:
    """The file of a phase. Raises NotFound, and ReadOnly where its status is not that of a file."""
    table = feature_phases.c
    query = _holders(table.document_id).add_columns(table.data, documents.c.raw_status, documents.c.doc_type)
    row = connection.execute(query.where(table.id == phase_id)).first()
    if row is None:
        raise NotFound("phase", phase_id, "features/get has the phases of a feature")
    *place, data, raw_status, doc_type = row
    in_it = connection.execute(sa.select(sa.func.count()).where(table.document_id == row.id)).scalar_one()
    is_without = not raw_status and in_it == 1 and doc_type in ("progress", "phase_plan")
    if not _phase.decode(data).raw_status and not is_without:
        message = (
            f"the phase has no file of its own: {row.path} has several, or only announces it; "
            "set the status of its tasks, or that of the feature"
        )
        raise ReadOnly(message, path=row.path)
    return Holder(*place)


def of_feature(connection: sa.Connection, feature_id: str, *, cascade: bool) -> list[Holder]:
    """The document that holds the status of a feature; with `cascade` also its other plans and progress files that have
    one, by path. Raises NotFound, and ReadOnly where no document holds it."""
    data = connection.execute(sa.select(features.c.data).where(features.c.id == feature_id)).scalar_one_or_none()
    if data is None:
        raise NotFound("feature", feature_id, "see features/list")
    holder = _details.decode(data).holder
    row = connection.execute(_holders(documents.c.id).where(documents.c.id == holder)).first()
    if row is None:
        message = "no document holds the status of the feature: it follows from its phases; set the status of these"
        raise ReadOnly(message, id=feature_id)
    others: Sequence[Any] = ()
    if cascade:
        own = documents.c
        with_status = (own.feature_id == feature_id, own.raw_status != "", own.doc_type.in_(CASCADE), own.id != holder)
        others = connection.execute(_holders(own.id).where(*with_status).order_by(own.path)).all()
    return [Holder(*row) for row in (row, *others)]


def _holders(document_id: sa.ColumnElement[str]) -> sa.Select[Any]:
    return (
        sa.select(documents.c.id, projects.c.root, documents.c.path)
        .join_from(documents, projects, projects.c.id == documents.c.project_id)
        .where(documents.c.id == document_id)
    )


def stored(connection: sa.Connection, holder: Holder) -> tuple[str, str] | None:
    """The hash of the file, and the status as it stands there, as far as the cache knows; None where there is none."""
    query = sa.select(documents.c.hash, documents.c.raw_status).where(documents.c.id == holder.document_id)
    if holder.task is not None:
        query = sa.select(documents.c.hash, tasks.c.raw_status).join(tasks, tasks.c.document_id == documents.c.id)
        query = query.where(tasks.c.id == f"{holder.document_id}#{holder.task}")
    row = connection.execute(query).first()
    return (row[0], row[1]) if row is not None else None
