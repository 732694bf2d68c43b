"""What the cache knows of one planning file: where it lies, the feature that it belongs to, the phases that it tells."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import NamedTuple

import msgspec
import sqlalchemy as sa

from ccdashd.derive.phases import PhaseRow
from ccdashd.protocol import types as t
from ccdashd.store import plan_lists
from ccdashd.store.connection import raw_connection, select
from ccdashd.store.schema import documents, feature_phases, features, projects


class PlanPath(NamedTuple):
    """A path in a project."""

    project_id: str
    root: str
    path: str
    """Relative to `root`."""

    @property
    def document_id(self) -> str:
        return f"{self.project_id}/{self.path}"


class PhaseTold(NamedTuple):
    """A phase that a document tells."""

    id: str
    phase: str
    title: str
    status: t.PlanStatus
    row: PhaseRow


class PlanFile(NamedTuple):
    """What the cache has of a document."""

    feature: t.FeatureRow | None
    holds_status: bool
    """Whether the status of the feature is that of this document."""
    evidence: list[t.StatusEvidence]
    """What the documents of the feature say of its status."""
    blockers: list[t.Blocker]
    mismatches: list[t.Mismatch]
    """Those of the feature, whichever document they are about."""
    phases: list[PhaseTold]


NOTHING = PlanFile(None, False, [], [], [], [])


class _Details(msgspec.Struct):
    """What is looked at of `derive.features.Details`."""

    holder: str | None = None
    evidence: list[t.StatusEvidence] = []
    blockers: list[t.Blocker] = []
    mismatches: list[t.Mismatch] = []


_details = msgspec.json.Decoder(_Details)
_phase = msgspec.json.Decoder(PhaseRow)


def place_of(connection: sa.Connection, path: str) -> PlanPath | None:
    """Where an absolute path lies: in the project with the deepest root above it; None where there is none."""
    above: list[str] = []
    folder = os.path.dirname(path)
    while folder not in above:
        above.append(folder)
        folder = os.path.dirname(folder)
    query = f"SELECT id, root FROM projects WHERE root IN ({', '.join('?' * len(above))})"
    found = raw_connection(connection).execute(query, above).fetchall()
    if not found:
        return None
    id, root = max(found, key=lambda row: len(row[1]))
    return PlanPath(id, root, os.path.relpath(path, root))


def place_by_id(connection: sa.Connection, document_id: str) -> PlanPath | None:
    """Where the document of that id lies, or is to lie; None where its project is not there."""
    project_id, _, path = document_id.partition("/")
    root = connection.execute(sa.select(projects.c.root).where(projects.c.id == project_id)).scalar_one_or_none()
    return PlanPath(project_id, root, path) if root is not None else None


def size_of(connection: sa.Connection, document_id: str) -> int | None:
    """Bytes of the document of that id; None where there is none."""
    return connection.execute(sa.select(documents.c.size).where(documents.c.id == document_id)).scalar_one_or_none()


def of_document(connection: sa.Connection, document_id: str) -> PlanFile:
    """What the cache has of the document of that id; nothing where there is none."""
    feature_id = connection.execute(
        sa.select(documents.c.feature_id).where(documents.c.id == document_id)
    ).scalar_one_or_none()
    if feature_id is None:
        return NOTHING
    row = connection.execute(plan_lists.FEATURE.add_columns(features.c.data).where(features.c.id == feature_id)).first()
    if row is None:
        return NOTHING
    details = _details.decode(row.data)
    table = feature_phases.c
    query = sa.select(table.id, table.phase, table.title, table.status, table.data)
    query = query.where(table.feature_id == feature_id, table.document_id == document_id).order_by(table.n)
    return PlanFile(
        feature=plan_lists.feature(row),
        holds_status=details.holder == document_id,
        evidence=details.evidence,
        blockers=details.blockers,
        mismatches=details.mismatches,
        phases=[PhaseTold(*row[:4], _phase.decode(row.data)) for row in connection.execute(query)],
    )


class TaskPlace(NamedTuple):
    """Where a task of a feature stands."""

    id: str
    path: str
    """In the project."""
    line: int
    status: t.PlanStatus


def tasks_named(connection: sa.Connection, feature_id: str) -> dict[str, list[TaskPlace]]:
    """The tasks of a feature by the id that files call them."""
    query = """SELECT t.task_id, t.id, d.path, t.line, t.status FROM tasks t JOIN documents d ON d.id = t.document_id
        WHERE t.feature_id = ? AND t.task_id <> '' ORDER BY t.document_id, t.n"""
    found: dict[str, list[TaskPlace]] = {}
    for name, *place in raw_connection(connection).execute(query, (feature_id,)):
        found.setdefault(name, []).append(TaskPlace(*place))
    return found


def documents_at(connection: sa.Connection, project_id: str, paths: Iterable[str]) -> set[str]:
    """Those of these paths of a project that are documents."""
    ids = [f"{project_id}/{path}" for path in paths]
    return {path for (path,) in select(connection, "SELECT path FROM documents WHERE id IN ({})", ids)}
