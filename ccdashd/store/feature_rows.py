"""The rows of features and their phases, made anew where documents changed.

Which feature each document belongs to is decided over all documents of the project each time, from a small column; only
features whose documents changed, or changed hands, are built. So the rows are those that a new database would have.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import msgspec
import sqlalchemy as sa

from ccdashd.derive import features as derive
from ccdashd.derive import phases, slugs, statuses
from ccdashd.derive.plan_rows import Row, encoder, lines
from ccdashd.derive.slugs import Claim
from ccdashd.sources.planning.model import Outline, Task
from ccdashd.store.connection import raw_connection, select
from ccdashd.store.planning import Changes, upsert
from ccdashd.store.schema import feature_phases, features

_claims = msgspec.json.Decoder(list[Claim])
_documents = msgspec.json.Decoder(Outline)
_tasks = msgspec.json.Decoder(Task)


class _Versions(msgspec.Struct):
    """What is compared of `derive.features.Details` without decoding the rest."""

    versions: list[str] = []


_versions = msgspec.json.Decoder(_Versions)


def versions_of(data: bytes) -> list[str]:
    """Ids of a feature's other versions, from its `data`."""
    return _versions.decode(data).versions


_MEMBER = "id, path, mtime_ns, feature_id"
_FEATURE = [column.name for column in features.c if column.name != "sessions"]
_WRITE_FEATURE = upsert(features, [*_FEATURE, "sessions"], "sessions")
_WRITE_PHASE = f"INSERT INTO feature_phases VALUES ({', '.join('?' * len(feature_phases.c))})"


class _Member(msgspec.Struct):
    """A document as it is looked at to find its feature."""

    id: str
    path: str
    mtime_ns: int
    feature_id: str | None
    """As it is stored."""


class _Work(msgspec.Struct):
    """What is to be built."""

    affected: set[str]
    """Slugs of features that may be other ones now, or none any more."""
    members: dict[str, list[_Member]]
    """The documents of each affected feature that there is."""
    relatives: Mapping[str, Sequence[str]]
    """Slugs of its other versions."""


def rebuild(connection: sa.Connection, project_id: str, changes: Changes) -> None:
    """Make the features of a project what its documents say, after these changes, and add to them what that changes."""
    _Rebuild(connection, project_id, changes).run()


class _Rebuild:
    def __init__(self, connection: sa.Connection, project_id: str, changes: Changes) -> None:
        self._connection = connection
        self._raw = raw_connection(connection)
        self._project_id = project_id
        self._changes = changes

    def run(self) -> None:
        self._write(self._regrouped() if self._changes.names else self._as_before())

    def _id(self, slug: str) -> str:
        return f"{self._project_id}/{slug}"

    def _key(self, id: str) -> str:
        """The slug of a feature's id, or the path of a document's."""
        return id.removeprefix(f"{self._project_id}/")

    def _as_before(self) -> _Work:
        """Where every document stays with its feature, those of the changed documents are all that there is to build."""
        query = "SELECT DISTINCT feature_id FROM documents WHERE id IN ({}) AND feature_id IS NOT NULL"
        ids = {id for (id,) in select(self._connection, query, self._changes.documents)}
        members: defaultdict[str, list[_Member]] = defaultdict(list)
        query = f"SELECT {_MEMBER} FROM documents WHERE feature_id IN ({{}})"
        for row in select(self._connection, query, ids):
            members[self._key(row[3])].append(_Member(*row))
        query = "SELECT id, data FROM features WHERE id IN ({})"
        relatives = {self._key(id): self._relatives(data) for id, data in select(self._connection, query, ids)}
        return _Work(set(members), members, relatives)

    def _regrouped(self) -> _Work:
        """Decide anew, over all documents, which belongs to which feature."""
        query = f"SELECT {_MEMBER}, slugs FROM documents WHERE project_id = ?"
        rows = self._raw.execute(query, (self._project_id,)).fetchall()
        claimed = _claims.decode(b"[" + b",".join([row[4] for row in rows]) + b"]")
        claims = {row[1]: claim for row, claim in zip(rows, claimed, strict=True)}
        assigned = slugs.assign(claims)
        relatives = slugs.relatives(claims, assigned)

        members: defaultdict[str, list[_Member]] = defaultdict(list)
        moved = []
        affected: set[str] = set()
        for row in rows:
            member = _Member(*row[:4])
            slug = assigned[member.path]
            before = None if member.feature_id is None else self._key(member.feature_id)
            if slug is not None:
                members[slug].append(member)
            if slug != before:
                moved.append(member)
            if slug != before or member.id in self._changes.documents:
                affected.update(filter(None, (slug, before)))
        query = "SELECT slug, documents FROM features WHERE project_id = ?"
        stored: dict[str, int] = dict(self._raw.execute(query, (self._project_id,)).fetchall())
        affected.update(slug for slug, documents in stored.items() if documents != len(members.get(slug, ())))
        others = {member.path for member in moved} | {self._key(id) for id in self._changes.gone_documents}
        if stored.keys() != members.keys() or any(name in others for claim in claimed for name in claim.lineage):
            affected |= self._related_otherwise(relatives)
        self._move(moved, assigned)
        return _Work(affected, members, relatives)

    def _related_otherwise(self, relatives: Mapping[str, Sequence[str]]) -> set[str]:
        """Features whose other versions are not those that are stored."""
        query = "SELECT slug, data FROM features WHERE project_id = ?"
        return {
            slug
            for slug, data in self._raw.execute(query, (self._project_id,))
            if self._relatives(data) != relatives.get(slug, [])
        }

    def _relatives(self, data: bytes) -> list[str]:
        return [self._key(id) for id in versions_of(data)]

    def _move(self, moved: list[_Member], assigned: dict[str, str | None]) -> None:
        """Give documents their feature; those that have none any more, and their tasks, are done with that."""
        slugs = [assigned[member.path] for member in moved]
        rows = [(None if slug is None else self._id(slug), member.id) for slug, member in zip(slugs, moved, strict=True)]
        self._raw.executemany("UPDATE documents SET feature_id = ? WHERE id = ?", rows)
        self._changes.documents.update(id for _, id in rows)
        loose = [id for feature_id, id in rows if feature_id is None]
        query = "SELECT id, feature_id, phase_id FROM tasks WHERE document_id IN ({}) AND feature_id IS NOT NULL"
        self._place((row, None, None) for row in select(self._connection, query, loose))

    def _place(self, tasks: Iterable[tuple[Row, str | None, str | None]]) -> None:
        """Give tasks, each with its id and what is stored of it, their feature and phase."""
        rows = [(feature_id, phase_id, row[0]) for row, feature_id, phase_id in tasks if row[1:] != (feature_id, phase_id)]
        self._raw.executemany("UPDATE tasks SET feature_id = ?, phase_id = ? WHERE id = ?", rows)
        self._changes.tasks.update(row[2] for row in rows)

    def _write(self, work: _Work) -> None:
        """Build the affected features, and write those of their rows that are other ones than before."""
        members = work.members
        ids = {self._id(slug): slug for slug in sorted(work.affected)}
        known, known_phases = self._stored(ids)
        documents, tasks = self._load([member.id for slug in ids.values() for member in members.get(slug, ())])
        rows: list[Row] = []
        phase_rows: list[Row] = []
        other_phases: list[str] = []
        for id, slug in ids.items():
            if slug not in members:
                continue
            of_it = [documents[member.id] for member in members[slug]]
            built = derive.build(self._project_id, slug, of_it, work.relatives.get(slug, ()))
            row = self._feature_row(id, built, members[slug])
            new_phases = [self._phase_row(id, n, phase) for n, phase in enumerate(built.phases)]
            if new_phases != known_phases[id]:
                other_phases.append(id)
                phase_rows += new_phases
            if row != known.get(id) or new_phases != known_phases[id]:
                rows.append(row)
            phase_of = {
                f"{phase_row[2]}#{key}": phase_row[0]
                for phase, phase_row in zip(built.phases, new_phases, strict=True)
                for key in phase.tasks
            }
            self._place((task, id, phase_of.get(task[0])) for member in members[slug] for task in tasks[member.id])

        gone = [id for id, slug in ids.items() if slug not in members and id in known]
        self._raw.executemany("DELETE FROM feature_phases WHERE feature_id = ?", [(id,) for id in (*gone, *other_phases)])
        self._raw.executemany("DELETE FROM features WHERE id = ?", [(id,) for id in gone])
        self._raw.executemany(_WRITE_FEATURE, [(*row, 0) for row in rows])
        self._raw.executemany(_WRITE_PHASE, phase_rows)
        self._changes.features.update(row[0] for row in rows)
        self._changes.gone_features.update(gone)

    def _stored(self, ids: Iterable[str]) -> tuple[dict[str, Row], defaultdict[str, list[Row]]]:
        """The rows that there are of these features, and of their phases."""
        columns = ", ".join(f'"{column}"' for column in _FEATURE)
        known = {row[0]: row for row in select(self._connection, f"SELECT {columns} FROM features WHERE id IN ({{}})", ids)}
        phases_of: defaultdict[str, list[Row]] = defaultdict(list)
        query = "SELECT * FROM feature_phases WHERE feature_id IN ({}) ORDER BY feature_id, n"
        for row in select(self._connection, query, ids):
            phases_of[row[1]].append(row)
        return known, phases_of

    def _load(self, ids: list[str]) -> tuple[dict[str, Outline], defaultdict[str, list[Row]]]:
        """Documents with their tasks; and of each its tasks' id, and what is stored of their feature and phase."""
        query = "SELECT id, data FROM document_data WHERE id IN ({})"
        documents = {id: _documents.decode(data) for id, data in select(self._connection, query, ids)}
        rows: defaultdict[str, list[Row]] = defaultdict(list)
        query = "SELECT document_id, data, id, feature_id, phase_id FROM tasks JOIN task_data USING (id)"
        query += " WHERE document_id IN ({}) ORDER BY document_id, n"
        for id, data, *row in select(self._connection, query, ids):
            documents[id].tasks.append(_tasks.decode(data))
            rows[id].append(tuple(row))
        return documents, rows

    def _feature_row(self, id: str, built: derive.FeatureData, members: list[_Member]) -> Row:
        return (
            id,
            self._project_id,
            built.slug,
            built.name,
            built.status,
            built.raw_status,
            built.category,
            built.priority,
            len(built.phases),
            sum(phase.status in statuses.CLOSED for phase in built.phases),
            encoder.encode(built.counts),
            sum(built.counts),
            built.progress,
            len(members),
            built.open_blockers,
            built.mismatches,
            lines(built.details.file_tags),
            max(member.mtime_ns for member in members) // 1_000_000,
            encoder.encode(built.details),
        )

    def _phase_row(self, feature_id: str, n: int, phase: phases.Phase) -> Row:
        document = f"{self._project_id}/{phase.path}"
        id = f"{document}#phase-{phases.key(phase.phase)}"
        return (id, feature_id, document, n, phase.phase, phase.title, phase.status, encoder.encode(phase.row))
