"""Documents with their tasks, as far as links are found in them. Each is read and decoded once for a relinking, which looks
at it on its own and as a part of its feature."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import msgspec
import sqlalchemy as sa

from ccdashd.derive.document_links import DocumentData, TaskData, TaskRow
from ccdashd.derive.slugs import Claim
from ccdashd.store.connection import select

_documents = msgspec.json.Decoder(DocumentData)
_tasks = msgspec.json.Decoder(TaskData)
_claims = msgspec.json.Decoder(Claim)

_DOCUMENTS = """
SELECT id, project_id, path, feature_id, slugs, data FROM documents JOIN document_data USING (id) WHERE id IN ({})
"""
_TASKS = """
SELECT id, document_id, n, parent_id, phase_id, data FROM tasks JOIN task_data USING (id)
WHERE document_id IN ({}) ORDER BY document_id, n
"""
_MEMBERS = "SELECT feature_id, id FROM documents WHERE feature_id IN ({}) ORDER BY path"


class Known(msgspec.Struct, gc=False):
    """A document."""

    id: str
    project_id: str
    path: str
    feature_id: str | None
    claim: Claim
    data: DocumentData
    tasks: list[TaskRow]
    """In the order of the file."""


class Plans:
    """Reads documents, and keeps them: they must not change meanwhile."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._known: dict[str, Known] = {}

    def documents(self, ids: Iterable[str]) -> list[Known]:
        """Those of these documents that there are."""
        wanted = list(ids)
        self._read([id for id in wanted if id not in self._known])
        return [self._known[id] for id in wanted if id in self._known]

    def members(self, feature_ids: Iterable[str]) -> dict[str, list[Known]]:
        """The documents of these features, by feature and in the order of their paths."""
        members: dict[str, list[str]] = {id: [] for id in feature_ids}
        for feature_id, id in select(self._connection, _MEMBERS, members):
            members[feature_id].append(id)
        self._read([id for ids in members.values() for id in ids if id not in self._known])
        return {feature_id: [self._known[id] for id in ids] for feature_id, ids in members.items()}

    def _read(self, ids: list[str]) -> None:
        tasks: defaultdict[str, list[TaskRow]] = defaultdict(list)
        paths = {}
        for id, project_id, path, feature_id, claim, data in select(self._connection, _DOCUMENTS, ids):
            paths[id] = path
            known = Known(id, project_id, path, feature_id, _claims.decode(claim), _documents.decode(data), tasks[id])
            self._known[id] = known
        for id, document_id, n, parent_id, phase_id, data in select(self._connection, _TASKS, ids):
            path = paths[document_id]
            tasks[document_id].append(TaskRow(id, document_id, path, n, parent_id, phase_id, _tasks.decode(data)))
