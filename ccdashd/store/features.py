"""One feature, with its phases, documents and sessions."""

from __future__ import annotations

from typing import Any

import msgspec
import sqlalchemy as sa

from ccdashd.derive.features import Details
from ccdashd.derive.phases import PhaseRow
from ccdashd.protocol import types as t
from ccdashd.store import plan_lists
from ccdashd.store.entities import entities
from ccdashd.store.feature_sessions import work_of
from ccdashd.store.linked import Linked, around
from ccdashd.store.schema import documents, feature_phases, features

_details = msgspec.json.Decoder(Details)
_phase = msgspec.json.Decoder(PhaseRow)


def get(connection: sa.Connection, feature_id: str, revision: int) -> t.Feature:
    """One feature with all that is known of it."""
    row = connection.execute(plan_lists.FEATURE.add_columns(features.c.data).where(features.c.id == feature_id)).one()
    listed = plan_lists.feature(row)
    details = _details.decode(row.data)
    own = documents.c.feature_id == feature_id
    files = [
        plan_lists.document(document)
        for document in connection.execute(plan_lists.DOCUMENT.where(own).order_by(documents.c.path))
    ]
    phases = _phases(connection, feature_id)
    work = work_of(connection, feature_id)
    shown = {file.id for file in files} | {phase.id for phase in phases} | set(details.versions)

    def is_else(link: Linked) -> bool:
        inside = link.id in shown or (link.type == "task" and link.id.partition("#")[0] in shown)
        return link.type != "session" and not inside

    versions = entities(connection, [("feature", id) for id in details.versions])
    return t.Feature(
        **{name: getattr(listed, name) for name in _SHARED},
        description=details.description,
        holder=details.holder,
        evidence=details.evidence,
        mismatches=details.mismatches,
        owners=details.owners,
        file_tags=details.file_tags,
        phases=phases,
        documents=files,
        blockers=details.blockers,
        criteria=details.criteria,
        criteria_total=details.criteria_total,
        criteria_unmet=details.criteria_unmet,
        questions=details.questions,
        commits=details.commits,
        prs=details.prs,
        sessions=work.sessions,
        sessions_total=work.total,
        tokens=work.tokens,
        cost=work.cost,
        seconds=work.seconds,
        versions=[versions["feature", id] for id in details.versions],
        **around(connection, "feature", feature_id, is_else),
        revision=revision,
    )


_SHARED = tuple(
    name
    for name in t.FeatureRow.__struct_fields__
    if name in t.Feature.__struct_fields__ and name not in ("phases", "documents", "sessions", "mismatches")
)


def _phases(connection: sa.Connection, feature_id: str) -> list[t.Phase]:
    table = feature_phases.c
    query = (
        sa.select(feature_phases, documents.c.path)
        .join(documents, documents.c.id == table.document_id)
        .where(table.feature_id == feature_id)
        .order_by(table.n)
    )
    return [_wire(row, _phase.decode(row.data)) for row in connection.execute(query)]


def _wire(row: Any, phase: PhaseRow) -> t.Phase:
    return t.Phase(
        id=row.id,
        feature_id=row.feature_id,
        phase=row.phase,
        title=row.title,
        raw_status=phase.raw_status,
        status=row.status,
        document_id=row.document_id,
        path=row.path,
        line=phase.line,
        tasks=plan_lists.counts(phase.counts),
        progress=phase.progress,
        started=phase.started,
        completed=phase.completed,
        mismatches=phase.mismatches,
    )
