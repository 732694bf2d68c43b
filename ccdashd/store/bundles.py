"""What a bundle takes of the cache, and what an import asks it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import sqlalchemy as sa

from ccdashd.archive import manifest as manifests
from ccdashd.derive.link_ids import external_link_id
from ccdashd.derive.links import Key
from ccdashd.edits.decisions import ExternalLinkEdit, LinkEdit, MetadataEdit, Name, TagEdit, TagUse, UserEdit
from ccdashd.protocol import types as t
from ccdashd.store import finding, logs, projects, sessions, user
from ccdashd.store.connection import raw_connection
from ccdashd.store.entities import Key as Ref
from ccdashd.store.link_trees import circle
from ccdashd.store.linked import linked
from ccdashd.store.names import id_of
from ccdashd.store.schema import documents, feature_phases, tasks, user_links
from ccdashd.store.schema import projects as project_table

_CHUNK = 500


class Session(NamedTuple):
    """A session of a bundle."""

    id: str
    title: str
    agent: str
    parent: str | None
    root: str
    """Of its project."""


class Known(NamedTuple):
    """A log that is here."""

    path: str
    gone: bool
    """It is in the archive or the cache only."""


@dataclass
class Contents:
    """What belongs into a bundle. Roots and paths are absolute."""

    id: str | None
    """Of what was asked for."""
    everything: bool = False
    sessions: list[Session] = field(default_factory=list)
    logs: list[tuple[str, str]] = field(default_factory=list)
    """Path and session, without earlier versions."""
    documents: list[tuple[str, str]] = field(default_factory=list)
    """Root of the project, and path in it."""
    roots: set[str] = field(default_factory=set)
    """Projects that are in it with all that they have."""
    entities: set[tuple[str, str]] = field(default_factory=set)
    """Type and id of what else is in it."""

    def concerns(self, name: Name) -> bool:
        """Whether an entity is in it."""
        return self.everything or name.root in self.roots or (name.type, id_of(name)) in self.entities


_SESSIONS = """
SELECT s.id, s.title, s.agent, s.parent_id, p.root, s.project_id, s.agent_id IS NOT NULL
FROM sessions s JOIN projects p ON p.id = s.project_id ORDER BY s.started_at, s.id
"""
_LOGS = "SELECT path, session_id FROM sync_state WHERE session_id IS NOT NULL ORDER BY session_id, path"


def contents(connection: sa.Connection, what: t.BundleOf, wanted: str | None) -> Contents:
    """What belongs into a bundle of that session, feature or project, or of all. Raises NotFound and InvalidParams."""
    found = Contents(None)
    rows = raw_connection(connection).execute(_SESSIONS).fetchall()
    project: str | None = None
    mains: set[str] = set()
    if what == "all":
        found.everything = True
        _add_documents(connection, found)
    elif what == "project":
        project = found.id = projects.find(connection, wanted or "")
        query = sa.select(project_table.c.root).where(project_table.c.id == project)
        found.roots.add(str(connection.execute(query).scalar_one()))
        _add_documents(connection, found, documents.c.project_id == project)
    elif what == "feature":
        feature = found.id = finding.feature_id(connection, wanted or "")
        mains = {link.id for link in linked(connection, "feature", feature) if link.type == "session"}
        _add_documents(connection, found, documents.c.feature_id == feature)
        _add_feature(connection, found, feature)
    else:
        found.id = sessions.find(connection, wanted or "")
        mains = {found.id}
    chosen = {row[0] for row in rows if what == "all" or row[0] in mains or (project is not None and row[5] == project)}
    children: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        if row[6] and row[3] is not None:
            children[row[3]].append(row[0])
    waiting = list(chosen)
    while waiting:
        more = [child for child in children.get(waiting.pop(), ()) if child not in chosen]
        chosen.update(more)
        waiting += more
    found.sessions = [Session(*row[:5]) for row in rows if row[0] in chosen]
    found.entities |= {("session", id) for id in chosen}
    # Earlier versions of a log come with it; by their own rows they count where it belongs to another session by now.
    owners: dict[str, str] = {}
    for path, session in raw_connection(connection).execute(_LOGS):
        log, earlier = manifests.split(logs.path_from(path))
        if session in chosen and (earlier is None or log not in owners):
            owners[log] = session
    found.logs = sorted(owners.items(), key=lambda log: (log[1], log[0]))
    return found


def _add_documents(connection: sa.Connection, found: Contents, *where: sa.ColumnElement[bool]) -> None:
    query = sa.select(documents.c.id, project_table.c.root, documents.c.path)
    query = query.join(project_table, project_table.c.id == documents.c.project_id).where(*where)
    for id, root, path in connection.execute(query.order_by(project_table.c.root, documents.c.path)):
        found.documents.append((root, path))
        found.entities.add(("document", id))


def _add_feature(connection: sa.Connection, found: Contents, feature: str) -> None:
    found.entities.add(("feature", feature))
    for type, table in (("phase", feature_phases), ("task", tasks)):
        ids = connection.execute(sa.select(table.c.id).where(table.c.feature_id == feature)).scalars()
        found.entities |= {(type, id) for id in ids}


def known(connection: sa.Connection, session_ids: Sequence[str]) -> dict[str, list[Known]]:
    """The logs, and earlier versions of logs, of these sessions."""
    raw = raw_connection(connection)
    found: dict[str, list[Known]] = defaultdict(list)
    for begin in range(0, len(session_ids), _CHUNK):
        part = session_ids[begin : begin + _CHUNK]
        query = (
            f"SELECT session_id, path, state = 'gone' FROM sync_state WHERE session_id IN ({', '.join('?' * len(part))})"
        )
        for session, path, gone in raw.execute(query, part):
            found[session].append(Known(logs.path_from(path), bool(gone)))
    return found


def unsaid(connection: sa.Connection, edits: Iterable[UserEdit], *, replace: bool) -> list[UserEdit]:
    """Those of the edits of a bundle that say something new. Where the user of this machine said something else, that
    counts, unless it is to be replaced. What would make an entity a parent of itself is left out."""
    found: list[UserEdit] = []
    parents: defaultdict[Ref, list[Ref]] = defaultdict(list)
    for edit in edits:
        if not _is_new(connection, edit, replace):
            continue
        if isinstance(edit, LinkEdit) and edit.op == "make" and edit.link_type == "child":
            parent, child = _ref(edit.source), _ref(edit.target)
            if circle(connection, parent, child, parents):
                continue
            parents[child].append(parent)
        found.append(edit)
    return found


def _ref(name: Name) -> Ref:
    return name.type, id_of(name)


def _is_new(connection: sa.Connection, edit: UserEdit, replace: bool) -> bool:
    match edit:
        case TagEdit(name=name, color=color):
            spelled = user.spelling(connection, name)
            tag = user.tag(connection, spelled) if spelled is not None else None
            return tag is None or tag.color == "" or (replace and tag.color != color)
        case TagUse(name=name, entity=entity):
            tags = user.tags_of(connection, entity.type, id_of(entity))
            return name.casefold() not in map(str.casefold, tags)
        case MetadataEdit(entity=entity, key=key, value=value):
            values = user.metadata_of(connection, entity.type, id_of(entity), key)
            return key not in values or (replace and values[key] != value)
        case ExternalLinkEdit(entity=entity, url=url):
            return user.external_link(connection, external_link_id(entity.type, id_of(entity), url)) is None
        case LinkEdit(op=op, note=note):
            state = _link_state(connection, edit)
            return state is None or (replace and state != ("made" if op == "make" else "dismissed", note))


def _link_state(connection: sa.Connection, edit: LinkEdit) -> tuple[str, str] | None:
    key = Key(edit.source.type, id_of(edit.source), edit.target.type, id_of(edit.target), edit.link_type)
    # A link without a direction may stand the other way round.
    ids = [key.id, key.reversed.id] if edit.link_type == "related" else [key.id]
    row = connection.execute(sa.select(user_links.c.state, user_links.c.note).where(user_links.c.id.in_(ids))).first()
    return None if row is None else (row.state, row.note)
