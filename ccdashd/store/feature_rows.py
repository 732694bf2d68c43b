"""The rows of features and their phases, made anew where documents changed.

Which feature each document belongs to is decided over all documents of the project each time, from a small column; only
features whose documents changed, or changed hands, are built. So the rows are those that a new database would have.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable

import msgspec
import sqlalchemy as sa

from ccdashd.derive import features as derive
from ccdashd.derive import phases, slugs, statuses
from ccdashd.derive.slugs import Claim
from ccdashd.sources.planning.model import Document, Task
from ccdashd.store.connection import raw_connection
from ccdashd.store.planning import Changes, Row, encoder, lines, select, upsert
from ccdashd.store.schema import feature_phases, features

_claims = msgspec.json.Decoder(list[Claim])
_documents = msgspec.json.Decoder(Document)
_tasks = msgspec.json.Decoder(Task)


class _Versions(msgspec.Struct):
    """What is compared of `derive.features.Details` without decoding the rest."""

    versions: list[str] = []


_versions = msgspec.json.Decoder(_Versions)

_FEATURE = [column.name for column in features.c if column.name != "sessions"]
_WRITE_FEATURE = upsert(features, [*_FEATURE, "sessions"], "sessions")
_WRITE_PHASE = f"INSERT INTO feature_phases VALUES ({', '.join('?' * len(feature_phases.c))})"


class _Member(msgspec.Struct):
    """A document as all of its project are looked at."""

    id: str
    path: str
    mtime_ns: int
    feature_id: str | None
    """As it is stored."""


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
        query = "SELECT id, path, mtime_ns, feature_id, slugs FROM documents WHERE project_id = ?"
        rows = self._raw.execute(query, (self._project_id,)).fetchall()
        documents = [_Member(*row[:4]) for row in rows]
        claimed = _claims.decode(b"[" + b",".join(row[4] for row in rows) + b"]")
        claims = {member.path: claim for member, claim in zip(documents, claimed, strict=True)}
        assigned = slugs.assign(claims)
        relatives = slugs.relatives(claims, assigned)

        stored = dict(self._raw.execute("SELECT slug, documents FROM features WHERE project_id = ?", (self._project_id,)))
        members: defaultdict[str, list[_Member]] = defaultdict(list)
        moved = []
        affected = {slug for slug, number in (Counter(stored) - Counter(filter(None, assigned.values()))).items() if number}
        for member in documents:
            slug = assigned[member.path]
            if slug is not None:
                members[slug].append(member)
            if member.feature_id != self._id(slug):
                moved.append(member)
                affected.update(filter(None, (slug, self._slug(member.feature_id))))
            elif slug is not None and member.id in self._changes.documents:
                affected.add(slug)
        if moved or self._changes.gone_documents:
            affected |= self._related_otherwise(relatives)
        self._move(moved, assigned)
        self._write(affected, members, relatives)

    def _id(self, slug: str | None) -> str | None:
        return None if slug is None else f"{self._project_id}/{slug}"

    def _slug(self, feature_id: str | None) -> str | None:
        return None if feature_id is None else feature_id.removeprefix(f"{self._project_id}/")

    def _related_otherwise(self, relatives: dict[str, list[str]]) -> set[str]:
        """Features whose versions are not what is stored of them."""
        found = set()
        for slug, data in self._raw.execute("SELECT slug, data FROM features WHERE project_id = ?", (self._project_id,)):
            if _versions.decode(data).versions != [self._id(other) for other in relatives.get(slug, ())]:
                found.add(slug)
        return found

    def _move(self, moved: list[_Member], assigned: dict[str, str | None]) -> None:
        """Give documents their feature; those that have none any more, and their tasks, are done with that."""
        rows = [(self._id(assigned[member.path]), member.id) for member in moved]
        self._raw.executemany("UPDATE documents SET feature_id = ? WHERE id = ?", rows)
        self._changes.documents.update(member.id for member in moved)
        loose = [member.id for member in moved if assigned[member.path] is None]
        query = "SELECT id, feature_id, phase_id FROM tasks WHERE document_id IN ({}) AND feature_id IS NOT NULL"
        self._place((row, None, None) for row in select(self._connection, query, loose))

    def _place(self, tasks: Iterable[tuple[Row, str | None, str | None]]) -> None:
        """Give tasks, each with its id and what is stored of it, their feature and phase."""
        rows = [(feature_id, phase_id, row[0]) for row, feature_id, phase_id in tasks if row[1:] != (feature_id, phase_id)]
        self._raw.executemany("UPDATE tasks SET feature_id = ?, phase_id = ? WHERE id = ?", rows)
        self._changes.tasks.update(row[2] for row in rows)

    def _write(self, affected: set[str], members: dict[str, list[_Member]], relatives: dict[str, list[str]]) -> None:
        """Build the affected features, and write those of their rows that are other ones than before."""
        ids = {f"{self._project_id}/{slug}": slug for slug in sorted(affected)}
        known, known_phases = self._stored(ids)
        documents, tasks = self._load([member.id for slug in ids.values() for member in members.get(slug, ())])
        rows: list[Row] = []
        phase_rows: list[Row] = []
        other_phases: list[str] = []
        for id, slug in ids.items():
            if slug not in members:
                continue
            of_it = [documents[member.id] for member in members[slug]]
            built = derive.build(self._project_id, slug, of_it, relatives.get(slug, ()))
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

    def _load(self, ids: list[str]) -> tuple[dict[str, Document], defaultdict[str, list[Row]]]:
        """Documents with their tasks; and of each its tasks' id, and what is stored of their feature and phase."""
        query = "SELECT id, data FROM documents WHERE id IN ({})"
        documents = {id: _documents.decode(data) for id, data in select(self._connection, query, ids)}
        rows: defaultdict[str, list[Row]] = defaultdict(list)
        query = "SELECT document_id, data, id, feature_id, phase_id FROM tasks WHERE document_id IN ({})"
        query += " ORDER BY document_id, n"
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
