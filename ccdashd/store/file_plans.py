"""Which plans speak of a file."""

from __future__ import annotations

from typing import NamedTuple

import sqlalchemy as sa

from ccdashd.protocol import types as t
from ccdashd.store import finding, plan_lists
from ccdashd.store.linked import linked
from ccdashd.store.schema import tasks


class Plans(NamedTuple):
    """The file itself, where it is a planning file; those that name it, tasks, and the features of all of them."""

    document: t.DocumentRow | None
    documents: list[t.DocumentRow]
    tasks: list[t.TaskRow]
    features: list[t.FeatureRow]


def of_path(connection: sa.Connection, path: str, limit: int) -> Plans:
    """What plans say of the file at an absolute path: at most `limit` documents and as many tasks, the surest."""
    own = finding.documents_at(connection, path)
    links = linked(connection, "file", path)
    naming = [link.id for link in links if link.type == "document" and link.id not in own]
    document = next(iter(plan_lists.documents_of(connection, own)), None)
    documents = plan_lists.documents_of(connection, naming[:limit])
    inside = sa.select(tasks.c.id).where(tasks.c.document_id.in_(own)).order_by(tasks.c.n).limit(limit)
    of_it = [*connection.execute(inside).scalars(), *(link.id for link in links if link.type == "task")]
    listed = plan_lists.tasks_of(connection, list(dict.fromkeys(of_it))[:limit])
    own_feature = document.feature_id if document is not None else None
    features = {own_feature, *(item.feature_id for item in documents), *(task.feature_id for task in listed)}
    features.update(link.id for link in links if link.type == "feature")
    return Plans(document, documents, listed, plan_lists.features_of(connection, sorted(filter(None, features))))
