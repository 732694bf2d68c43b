"""What follows when sessions or planning files changed: features, phases, links. Part of the same transaction."""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa

from ccdashd.ingest.written import Written
from ccdashd.store import feature_rows, linking, planning

Owner = Callable[[str], str]
"""The root of the project that a working directory belongs to."""


def of_sessions(connection: sa.Connection, sessions: set[str], owner: Owner) -> Written:
    """Sessions were written or deleted."""
    written = Written()
    _link(connection, written, owner, sessions=sessions)
    return written


def of_documents(connection: sa.Connection, project_id: str, changes: planning.Changes, owner: Owner) -> Written:
    """Documents of a project were written or forgotten, as `changes` tell; these grow by the features that follow."""
    written = Written()
    if not changes:
        return written
    feature_rows.rebuild(connection, project_id, changes)
    written.projects.add(project_id)
    written.note("document", changes.documents, changes.gone_documents)
    written.note("task", changes.tasks, changes.gone_tasks)
    written.note("feature", changes.features, changes.gone_features)
    _link(
        connection,
        written,
        owner,
        documents={project_id: changes.documents | changes.gone_documents},
        features=changes.features | changes.gone_features,
    )
    return written


def forget_project(connection: sa.Connection, project_id: str, owner: Owner) -> Written:
    """Forget the planning files of a project, and all that was made of them."""
    changes = planning.Changes()
    planning.forget(connection, {state.id for state in planning.states(connection, project_id).values()}, changes)
    return of_documents(connection, project_id, changes, owner)


def _link(
    connection: sa.Connection,
    written: Written,
    owner: Owner,
    *,
    sessions: set[str] | None = None,
    documents: dict[str, set[str]] | None = None,
    features: set[str] | None = None,
) -> None:
    linked = linking.relink(
        connection, sessions=sessions or set(), documents=documents or {}, features=features or set(), owner=owner
    )
    written.note("link", linked.upserted, linked.deleted)
    written.note("feature", linked.features)
