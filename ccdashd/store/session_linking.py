"""Links of sessions are found anew: in families of a main session and its sub-agents, since one's work is the other's."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final

import sqlalchemy as sa

from ccdashd.derive.links import Found
from ccdashd.derive.session_links import INHERITABLE, FeaturePhase, Named, Target, World, of_session
from ccdashd.derive.session_refs import Ref
from ccdashd.store import session_refs
from ccdashd.store.connection import select
from ccdashd.store.link_rows import Change, Rows, evidence_decoder

_FAMILIES: Final = 50
"""Families whose links are found together."""

_SESSIONS = "SELECT id, parent_id, agent_id IS NOT NULL FROM sessions WHERE id IN ({})"
_CHILDREN = "SELECT parent_id, id FROM sessions WHERE parent_id IN ({}) AND agent_id IS NOT NULL ORDER BY id"


def write(connection: sa.Connection, rows: Rows, session_ids: Collection[str]) -> list[Change]:
    """Make the links of these sessions, and of those in their families that depend on them, what is known says."""
    if not session_ids:
        return []
    there = {id: parent_id if is_agent else None for id, parent_id, is_agent in select(connection, _SESSIONS, session_ids)}
    gone = {id for id in session_ids if id not in there}
    changes = rows.write({f"session:{id}": [] for id in gone})
    wanted = {id for id, parent_id in there.items() if parent_id is not None}
    # Sub-agents that lost their parent, and parents that lost a sub-agent, whose id begins with theirs.
    wanted.update(id for _, id in select(connection, _CHILDREN, gone))
    parents = {there.get(id) or id.rpartition("/agent-")[0] for id in (*wanted, *gone)} - {""}
    mains = {id for id, parent_id in there.items() if parent_id is None} | {
        id for id, _, is_agent in select(connection, _SESSIONS, parents) if not is_agent
    }
    ordered = sorted(mains)
    done: set[str] = set()
    for begin in range(0, len(ordered), _FAMILIES):
        done |= _write_families(connection, rows, ordered[begin : begin + _FAMILIES], wanted, changes)
    orphans = sorted(wanted - done)
    for begin in range(0, len(orphans), _FAMILIES):
        part = orphans[begin : begin + _FAMILIES]
        refs = session_refs.of_sessions(connection, part)
        known = world(connection, part, refs.values())
        changes += rows.write({f"session:{id}": of_session(id, refs.get(id, ()), known) for id in part})
    return changes


def _write_families(
    connection: sa.Connection, rows: Rows, mains: list[str], wanted: set[str], changes: list[Change]
) -> set[str]:
    """Find the links of these main sessions, and of those of their sub-agents that are wanted or inherit others than
    before; returns all of their sub-agents."""
    children: defaultdict[str, list[str]] = defaultdict(list)
    for parent_id, id in select(connection, _CHILDREN, mains):
        children[parent_id].append(id)
    every = [id for ids in children.values() for id in ids]
    refs = session_refs.of_sessions(connection, [*mains, *every])
    known = world(connection, [*mains, *every], refs.values())
    found: dict[str, list[Found]] = {}
    for main in mains:
        pooled = [ref for id in (main, *children[main]) for ref in refs.get(id, ())]
        found[main] = of_session(main, pooled, known)
    written = rows.write({f"session:{main}": links for main, links in found.items()})
    other = {owner.removeprefix("session:") for owner, key in written if key.target_type in INHERITABLE}
    below = {
        f"session:{id}": of_session(id, refs.get(id, ()), known, found[main])
        for main in mains
        for id in children[main]
        if id in wanted or main in other
    }
    changes += written
    changes += rows.write(below)
    return set(every)


# --- what refs may lead to ---

_DOCUMENTS = "SELECT id, project_id, path, doc_type, feature_id FROM documents WHERE id IN ({})"
_FEATURES = "SELECT id FROM features WHERE id IN ({})"
_PHASES = "SELECT feature_id, id, phase, document_id FROM feature_phases WHERE feature_id IN ({}) ORDER BY feature_id, n"
_OF_COMMITS = """
SELECT l.target_id, l.source_type, l.source_id, l.evidence, COALESCE(t.feature_id, d.feature_id)
FROM entity_links l
LEFT JOIN tasks t ON l.source_type = 'task' AND t.id = l.source_id
LEFT JOIN documents d ON l.source_type = 'document' AND d.id = l.source_id
WHERE l.target_type = 'commit' AND l.target_id IN ({}) AND l.owner >= 'document:' AND l.owner < 'document;'
ORDER BY l.source_id
"""
_OF_SESSIONS = """
SELECT l.source_id, l.target_type, l.target_id, l.evidence, COALESCE(t.feature_id, d.feature_id)
FROM entity_links l
LEFT JOIN tasks t ON l.target_type = 'task' AND t.id = l.target_id
LEFT JOIN documents d ON l.target_type = 'document' AND d.id = l.target_id
WHERE l.source_type = 'session' AND l.source_id IN ({}) AND l.owner >= 'document:' AND l.owner < 'document;'
ORDER BY l.target_id
"""
_WITH_REQUEST = (
    "SELECT id, path, doc_type, feature_id, data FROM documents JOIN document_data USING (id) "
    "WHERE project_id IN ({}) AND instr(data, 'REQ-') > 0"
)


def world(connection: sa.Connection, session_ids: Iterable[str], refs: Iterable[Sequence[Ref]]) -> World:
    """What these refs may lead to, and what names these sessions."""
    every = [ref for rows in refs for ref in rows]
    values = {f"{ref.project_id}/{ref.value}" for ref in every if ref.kind != "commit"}
    documents = {(row[1], row[2]): Target(row[0], *row[2:]) for row in select(connection, _DOCUMENTS, values)}
    features = {id for (id,) in select(connection, _FEATURES, values)}
    requests = _requests(connection, {(ref.project_id, ref.value) for ref in every if ref.value.startswith("REQ-")})
    commits = _named(connection, _OF_COMMITS, {f"{ref.project_id}/{ref.value}" for ref in every if ref.kind == "commit"})
    sessions = _named(connection, _OF_SESSIONS, session_ids)
    belonging = {target.feature_id for target in documents.values()}
    belonging |= {target.feature_id for targets in requests.values() for target in targets}
    belonging |= {named.feature_id for known in (commits, sessions) for rows in known.values() for named in rows}
    phases = _phases(connection, {id for id in belonging if id is not None} | features)
    return World(documents, frozenset(features), phases, requests, commits, sessions)


def _named(connection: sa.Connection, query: str, keys: Iterable[str]) -> dict[str, list[Named]]:
    """Tasks and documents that name commits or sessions."""
    found: defaultdict[str, list[Named]] = defaultdict(list)
    for key, type, id, evidence, feature_id in select(connection, query, keys):
        first = evidence_decoder.decode(evidence)[0]
        found[key].append(Named(type, id, feature_id, first.place, first.line))
    return dict(found)


def _phases(connection: sa.Connection, feature_ids: Iterable[str]) -> dict[str, list[FeaturePhase]]:
    rows = list(select(connection, _PHASES, feature_ids))
    number: defaultdict[str, int] = defaultdict(int)
    for row in rows:
        number[row[3]] += 1
    found: defaultdict[str, list[FeaturePhase]] = defaultdict(list)
    for feature_id, id, phase, document_id in rows:
        found[feature_id].append(FeaturePhase(id, phase, document_id, number[document_id] == 1))
    return dict(found)


def _requests(connection: sa.Connection, wanted: set[tuple[str, str]]) -> dict[tuple[str, str], list[Target]]:
    """Documents whose frontmatter or headings name a request. Few commands do that, so documents have no index for it."""
    found: defaultdict[tuple[str, str], list[Target]] = defaultdict(list)
    by_project: defaultdict[str, list[str]] = defaultdict(list)
    for project_id, request in sorted(wanted):
        by_project[project_id].append(request)
    for project_id, requests in by_project.items():
        patterns = [
            (request, re.compile(re.escape(request.encode()) + rb"(?![A-Za-z0-9-])", re.IGNORECASE)) for request in requests
        ]
        rows: list[Any] = list(select(connection, _WITH_REQUEST, [project_id]))
        for *target, data in rows:
            for request, pattern in patterns:
                if pattern.search(data):
                    found[project_id, request].append(Target(*target))
    return dict(found)
