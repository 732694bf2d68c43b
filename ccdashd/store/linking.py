"""Links are found anew where something changed: documents, features, and sessions that they or their logs speak of.

What is affected is told by what is stored: the links of the owners that changed, as they were and as they are now, and what
sessions refer to (`session_refs`). So the rows are those that a new database would have. Projects without planning files
cost one query.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

import msgspec
import sqlalchemy as sa

from ccdashd.derive import document_links
from ccdashd.derive.document_links import Member, Other, Phase, Project
from ccdashd.derive.links import Found
from ccdashd.derive.phases import PhaseRow
from ccdashd.derive.session_refs import Roots
from ccdashd.protocol import types as t
from ccdashd.store import links, session_linking, session_refs
from ccdashd.store.connection import raw_connection, select
from ccdashd.store.feature_rows import versions_of
from ccdashd.store.link_rows import Change, Rows, evidence_decoder
from ccdashd.store.link_sources import Known, Plans

_META: Final = "linked"
"""Name in `meta` of the list of projects with planning files, whose sessions have their refs."""

_ROOTS = """
SELECT p.root, p.id FROM projects p WHERE EXISTS (SELECT 1 FROM documents d WHERE d.project_id = p.id)
"""

_phases = msgspec.json.Decoder(PhaseRow)
_strings = msgspec.json.Decoder(list[str])


class Linked(NamedTuple):
    """Ids of links that came or changed, of those that are gone, and of features whose number of sessions is another."""

    upserted: set[str]
    deleted: set[str]
    features: set[str]


def relink(
    connection: sa.Connection,
    *,
    sessions: set[str],
    documents: Mapping[str, set[str]],
    features: set[str],
    owner: Callable[[str], str],
) -> Linked:
    """Find the links anew that changes may have made others; in the transaction of these changes, after them.

    `sessions` were written or deleted, `documents` (by project) and `features` written, moved or deleted. `owner` gives the
    root of the project that a folder belongs to.
    """
    raw = raw_connection(connection)
    roots: dict[str, str] = dict(raw.execute(_ROOTS).fetchall())
    stored = raw.execute("SELECT value FROM meta WHERE key = ?", (_META,)).fetchone()
    before = set(_strings.decode(stored[0])) if stored is not None else set()
    now = set(roots.values())
    if not now and not before and not any(documents.values()):
        return Linked(set(), set(), set())
    run = _Run(connection, Roots(roots, owner, os.path.expanduser("~")))
    if now != before:
        value = msgspec.json.encode(sorted(now)).decode()
        raw.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", (_META, value))
        sessions = sessions | run.sessions_of_projects(now ^ before)
    changed = session_refs.renew(connection, sessions, run.roots)
    run.documents(documents)
    run.features(features)
    run.sessions(sessions, changed)
    upserted, deleted = run.rows.settle()
    counted = links.recount(connection, run.counted | features | links.linked_by_hand(connection, sessions))
    return Linked(upserted, deleted, counted)


class _Run:
    def __init__(self, connection: sa.Connection, roots: Roots) -> None:
        self.connection = connection
        self.roots = roots
        self.rows = Rows(connection)
        self.plans = Plans(connection)
        self.counted: set[str] = set()
        """Features whose links with sessions changed."""
        self._affected: set[str] = set()
        """Sessions whose links may be others."""
        self._features: set[str] = set()
        """Features whose links may be others."""

    # --- projects ---

    def sessions_of_projects(self, project_ids: set[str]) -> set[str]:
        """Sessions whose refs depend on whether these projects have planning files."""
        raw = raw_connection(self.connection)
        every: dict[str, str] = dict(raw.execute("SELECT id, root FROM projects").fetchall())
        found: set[str] = set()
        for project_id in project_ids:
            root = every.get(project_id)
            around = [project_id]
            if root is not None:
                around += [id for id, other in every.items() if root.startswith(other.rstrip("/") + "/")]
            found |= session_refs.concerned(self.connection, around, [root] if root is not None else [])
            # Those that are in another project now, or gone, have rows of this one still.
            query = "SELECT DISTINCT session_id FROM session_refs WHERE project_id = ?"
            found.update(id for (id,) in raw.execute(query, (project_id,)))
        return found

    # --- documents ---

    def documents(self, documents: Mapping[str, set[str]]) -> None:
        """Find the links of documents anew, and of those that refer to ones that came or went."""
        roots = {id: root for root, id in self.roots.roots.items()}
        for project_id, ids in documents.items():
            if not ids:
                continue
            turned, features = self._turned(ids)
            wanted = ids | self._misnaming(project_id, roots.get(project_id, ""), ids)
            changes = self._write_documents(project_id, roots.get(project_id), wanted)
            self._follow(changes)
            self._follow_turned(project_id, turned)
            self._features |= features | self._features_of(wanted)
            self._follow_requests(project_id, ids, features)

    def _turned(self, ids: set[str]) -> tuple[set[str], set[str]]:
        """Documents that came, went, or are of another feature or type than before, and all that have no feature; and the
        features that any of the documents belonged to."""
        before: dict[str, tuple[str, str]] = {}
        for id, feature_id, evidence in select(self.connection, _CHILDREN, ids):
            before[id] = (feature_id, evidence_decoder.decode(evidence)[0].detail)
        now = {id: (feature_id, type) for id, feature_id, type in select(self.connection, _PLACES, ids)}
        turned = {id for id in ids if id not in before or before[id] != now.get(id)}
        return turned, {feature_id for feature_id, _ in before.values()}

    def _misnaming(self, project_id: str, root: str, ids: set[str]) -> set[str]:
        """Documents that refer to one that came as if it were a file, or to one that went as if it were a document."""
        there = {id for (id,) in select(self.connection, "SELECT id FROM documents WHERE id IN ({})", ids)}
        files = [os.path.join(root, id.removeprefix(f"{project_id}/")) for id in there]
        return self._naming("file", files) | self._naming("document", ids - there)

    def _naming(self, type: t.EntityType, ids: Collection[str]) -> set[str]:
        """Documents that refer to these documents or files."""
        owners = {owner for (owner,) in select(self.connection, _NAMED_BY, ids, type)}
        if type == "document":
            owners.update(owner for (owner,) in select(self.connection, _IMPLEMENTED, ids))
        return {owner.removeprefix("document:") for owner in owners}

    def _write_documents(self, project_id: str, root: str | None, ids: set[str]) -> list[Change]:
        found: dict[str, list[Found]] = {f"document:{id}": [] for id in ids}
        if root is not None:
            paths = select(self.connection, "SELECT path FROM documents WHERE project_id IN ({})", [project_id])
            project = Project(project_id, root, frozenset(path for (path,) in paths))
            for known in self.plans.documents(ids):
                alone = known.feature_id is None
                found[f"document:{known.id}"] = document_links.of_document(project, known.data, known.tasks, alone=alone)
        return self.rows.write(found)

    def _follow(self, changes: list[Change]) -> None:
        """Sessions that documents name, or whose commits they name, otherwise than before."""
        self._affected.update(key.source_id for _, key in changes if key.source_type == "session")
        commits = [key.target_id for _, key in changes if key.target_type == "commit"]
        self._affected |= self._sessions_with(commits)

    def _follow_turned(self, project_id: str, turned: set[str]) -> None:
        """Sessions that refer to these documents or are named by them, and features whose documents refer to them."""
        if not turned:
            return
        paths = [id.removeprefix(f"{project_id}/") for id in turned]
        self._affected.update(id for (id,) in select(self.connection, _SESSIONS_BY_VALUE, paths, project_id))
        owners = [f"document:{id}" for id in turned]
        self._affected.update(id for (id,) in select(self.connection, _SESSIONS_NAMED, owners))
        self._affected |= self._sessions_with(id for (id,) in select(self.connection, _COMMITS_NAMED, owners))
        self._features |= self._features_of(self._naming("document", turned))

    def _follow_requests(self, project_id: str, ids: set[str], features: set[str]) -> None:
        """Sessions whose commands name a request, where documents that name one changed, or may have named it before."""
        raw = raw_connection(self.connection)
        asking = {id for (id,) in raw.execute(_SESSIONS_WITH_REQUESTS, (project_id,))}
        if asking:
            query = "SELECT 1 FROM document_data WHERE id IN ({}) AND instr(data, 'REQ-') > 0 LIMIT 1"
            if any(True for _ in select(self.connection, query, ids)):
                self._affected |= asking
            else:
                self._affected |= asking & {id for (id,) in select(self.connection, _LINKED_SESSIONS, features, "feature")}

    def _features_of(self, document_ids: Iterable[str]) -> set[str]:
        query = "SELECT DISTINCT feature_id FROM documents WHERE id IN ({}) AND feature_id IS NOT NULL"
        return {id for (id,) in select(self.connection, query, document_ids)}

    def _sessions_with(self, commit_ids: Iterable[str]) -> set[str]:
        by_project: defaultdict[str, set[str]] = defaultdict(set)
        for id in commit_ids:
            project_id, _, digits = id.rpartition("/")
            by_project[project_id].add(digits)
        return {
            session_id
            for project_id, values in by_project.items()
            for (session_id,) in select(self.connection, _SESSIONS_BY_VALUE, values, project_id)
        }

    # --- features ---

    def features(self, features: set[str]) -> None:
        """Find the links of features anew, and which sessions that concerns."""
        wanted = features | self._features
        found: dict[str, list[Found]] = {f"feature:{id}": [] for id in wanted}
        rows = list(select(self.connection, "SELECT id, project_id, slug, data FROM features WHERE id IN ({})", wanted))
        before = self._owners(found)
        members = self.plans.members(row[0] for row in rows)
        others = self._others(members)
        phases: defaultdict[str, list[Phase]] = defaultdict(list)
        for feature_id, id, n, phase, document_id, data in select(self.connection, _PHASES, members):
            phases[feature_id].append(Phase(id, n, phase, document_id, _phases.decode(data).line))
        for id, project_id, slug, data in rows:
            known = members[id]
            tasks = [task for document in known for task in document.tasks]
            documents = [Member(each.id, each.path, each.data.doc_type, each.claim, each.data.refs) for each in known]
            found[f"feature:{id}"] = document_links.of_feature(
                project_id, slug, documents, phases[id], tasks, versions_of(data), others
            )
        changes = self.rows.write(found)
        # A session knows a feature's phases by its commands, and the feature itself by its name.
        turned = {owner.removeprefix("feature:") for owner, key in changes if key.target_type == "phase"}
        self._affected.update(id for (id,) in select(self.connection, _LINKED_SESSIONS, turned, "feature"))
        there = {f"feature:{row[0]}" for row in rows}
        for owner in (there - before) | (before - there):
            project_id, _, slug = owner.removeprefix("feature:").partition("/")
            self._affected.update(id for (id,) in select(self.connection, _SESSIONS_BY_VALUE, [slug], project_id))

    def _owners(self, owners: Iterable[str]) -> set[str]:
        query = "SELECT DISTINCT owner FROM entity_links WHERE owner IN ({})"
        return {owner for (owner,) in select(self.connection, query, owners)}

    def _others(self, members: Mapping[str, Sequence[Known]]) -> dict[str, Other]:
        """Documents of any feature that these refer to, by path."""
        wanted = {
            f"{document.project_id}/{ref.path}"
            for documents in members.values()
            for document in documents
            for ref in document.data.refs
            if ref.path and ref.field != "body"
        }
        return {
            path: Other(id, feature_id, doc_type)
            for id, path, feature_id, doc_type in select(self.connection, _OTHERS, wanted)
        }

    # --- sessions ---

    def sessions(self, written: set[str], changed: set[str]) -> None:
        """Find the links of sessions anew: of those whose refs changed, and of those that are affected."""
        linked = self._owners(f"session:{id}" for id in written)
        there = {id for (id,) in select(self.connection, "SELECT id FROM sessions WHERE id IN ({})", written)}
        # Who refers to what he did and has links has the same links still.
        wanted = self._affected | changed | {id for id in written if id not in there or f"session:{id}" not in linked}
        changes = session_linking.write(self.connection, self.rows, wanted)
        self.counted.update(key.target_id for _, key in changes if key.target_type == "feature")


_CHILDREN = """
SELECT target_id, source_id, evidence FROM entity_links
WHERE target_type = 'document' AND target_id IN ({}) AND source_type = 'feature' AND link_type = 'child'
"""
_PLACES = "SELECT id, feature_id, doc_type FROM documents WHERE id IN ({})"
_NAMED_BY = """
SELECT DISTINCT owner FROM entity_links
WHERE target_type = ? AND target_id IN ({}) AND owner >= 'document:' AND owner < 'document;'
"""
# A PRD may say which plan implements it.
_IMPLEMENTED = """
SELECT DISTINCT owner FROM entity_links
WHERE source_type = 'document' AND source_id IN ({}) AND link_type = 'implements'
  AND owner >= 'document:' AND owner < 'document;'
"""
_SESSIONS_NAMED = "SELECT source_id FROM entity_links WHERE owner IN ({}) AND source_type = 'session'"
_COMMITS_NAMED = "SELECT target_id FROM entity_links WHERE owner IN ({}) AND target_type = 'commit'"
_SESSIONS_BY_VALUE = "SELECT DISTINCT session_id FROM session_refs WHERE project_id = ? AND value IN ({})"
_SESSIONS_WITH_REQUESTS = """
SELECT DISTINCT session_id FROM session_refs WHERE project_id = ? AND value >= 'REQ-' AND value < 'REQ.'
"""
_LINKED_SESSIONS = """
SELECT DISTINCT source_id FROM entity_links WHERE target_type = ? AND target_id IN ({}) AND source_type = 'session'
"""
_PHASES = (
    "SELECT feature_id, id, n, phase, document_id, data FROM feature_phases WHERE feature_id IN ({}) ORDER BY feature_id, n"
)
_OTHERS = "SELECT id, path, feature_id, doc_type FROM documents WHERE id IN ({}) AND feature_id IS NOT NULL"
