"""Policies of retention, which are made of the journal, and what they look at: sessions, their logs, what they are linked
with, and what is tagged ``keep``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec
import sqlalchemy as sa

from ccdashd.derive.retention import KEEP, Policy
from ccdashd.edits.decisions import RetentionEdit
from ccdashd.protocol import types as t
from ccdashd.store import user
from ccdashd.store.connection import raw_connection
from ccdashd.store.logs import path_from
from ccdashd.store.projects import find, get
from ccdashd.store.schema import retention_policies
from ccdashd.store.session_rows import ACTIVE_MS
from ccdashd.store.sums import MAIN

_policy = msgspec.json.Decoder(Policy)

# --- policies ---


def policies(connection: sa.Connection) -> dict[str, Policy]:
    """All policies by id."""
    query = sa.select(retention_policies).order_by(retention_policies.c.id)
    return {row.id: _policy.decode(row.data) for row in connection.execute(query)}


def apply(connection: sa.Connection, edit: RetentionEdit) -> None:
    """Carry out one edit."""
    table = retention_policies
    connection.execute(sa.delete(table).where(table.c.id == edit.id))
    if edit.policy is not None:
        connection.execute(sa.insert(table).values(id=edit.id, data=msgspec.json.encode(edit.policy)))


def forget(connection: sa.Connection) -> None:
    """Forget all policies."""
    connection.execute(sa.delete(retention_policies))


def policy_of(connection: sa.Connection, wanted: t.RetentionPolicy) -> Policy:
    """A policy as it is kept. Raises NotFound where there is no such project."""
    return Policy(
        max_age_days=wanted.max_age_days,
        max_bytes=wanted.max_bytes,
        max_sessions=wanted.max_sessions,
        root="" if wanted.project is None else _root(connection, wanted.project),
        status=wanted.status,
        automatic=wanted.automatic,
    )


def _root(connection: sa.Connection, wanted: str) -> str:
    # First: a project above is not meant where that of a policy is gone.
    if any(policy.root == wanted for policy in policies(connection).values()):
        return wanted
    return get(connection, find(connection, wanted)).root


def wire(id: str, policy: Policy) -> t.RetentionPolicy:
    """A policy as clients see it."""
    return t.RetentionPolicy(
        id=id,
        max_age_days=policy.max_age_days,
        max_bytes=policy.max_bytes,
        max_sessions=policy.max_sessions,
        project=policy.root or None,
        status=policy.status,
        automatic=policy.automatic,
    )


# --- what they look at ---


class Log(NamedTuple):
    """A log of a session, or an earlier version of one."""

    path: str
    gone: bool
    size: int


@dataclass
class Session:
    """A main session with its sub-agents, as far as retention looks at it."""

    id: str
    title: str = ""
    project_id: str | None = None
    project: str | None = None
    """Its name."""
    root: str = ""
    ended_at: int | None = None
    """Of the last record, also of sub-agents."""
    written_at: int = 0
    """When a log was written last, in milliseconds since the epoch."""
    logs: list[Log] = field(default_factory=list)
    linked: bool = False
    features: list[str] = field(default_factory=list)
    """Statuses of the features that it is linked with."""
    keep: bool = False

    @property
    def gone(self) -> bool:
        """Whether none of its logs is there any more."""
        return all(log.gone for log in self.logs)

    @property
    def last_at(self) -> int:
        """Time of its last record, as far as that is known."""
        return self.written_at if self.ended_at is None else self.ended_at

    def is_active(self, now: int) -> bool:
        """Whether it is being written."""
        return not self.gone and now - max(self.last_at, self.written_at) < ACTIVE_MS


_LOGS = f"""
SELECT {MAIN}, s.path, s.state = 'gone', s.size, s.mtime_ns / 1000000
FROM (SELECT session_id AS id, parent_id, agent_id, path, state, size, mtime_ns FROM sync_state) s
WHERE s.id IS NOT NULL
"""
"""Every log by its main session."""

_SESSIONS = f"""
SELECT {MAIN}, s.id, s.agent_id IS NULL, s.title, s.project_id, p.name, p.root, s.ended_at
FROM sessions s LEFT JOIN projects p ON p.id = s.project_id WHERE TRUE
"""
_AMONG = f" AND {MAIN} IN (SELECT value FROM json_each(?))"

_KINDS = "('feature', 'task', 'document')"
_LINKS = f"""
SELECT source_id, target_type, target_id FROM entity_links l
WHERE source_type = 'session' AND target_type IN {_KINDS}
      AND NOT EXISTS (SELECT 1 FROM user_links u WHERE u.id = l.id AND u.state = 'dismissed')
UNION SELECT target_id, source_type, source_id FROM entity_links l
WHERE target_type = 'session' AND source_type IN {_KINDS}
      AND NOT EXISTS (SELECT 1 FROM user_links u WHERE u.id = l.id AND u.state = 'dismissed')
UNION SELECT source_id, target_type, target_id FROM user_links
WHERE source_type = 'session' AND target_type IN {_KINDS} AND state = 'made'
UNION SELECT target_id, source_type, source_id FROM user_links
WHERE target_type = 'session' AND source_type IN {_KINDS} AND state = 'made'
"""
"""Sessions, also sub-agents, with what they are linked with, but for links that were dismissed."""


def sessions(connection: sa.Connection, only: Collection[str] | None = None) -> dict[str, Session]:
    """Every main session that has a log, or whose sub-agent has one, by id; or `only` these."""
    raw = raw_connection(connection)
    among, given = ("", ()) if only is None else (_AMONG, (msgspec.json.encode(list(only)).decode(),))
    found: dict[str, Session] = {}
    for main, path, gone, size, written_at in raw.execute(_LOGS + among, given):
        session = found.setdefault(main, Session(main))
        session.logs.append(Log(path_from(path), bool(gone), size))
        session.written_at = max(session.written_at, written_at)
    by_id: dict[str, Session] = {}
    for main, id, is_main, title, project_id, project, root, ended_at in raw.execute(_SESSIONS + among, given):
        session = by_id[id] = found.setdefault(main, Session(main))
        if is_main or session.project_id is None:
            session.project_id, session.project, session.root = project_id, project, root or ""
        if is_main:
            session.title = title
        if ended_at is not None:
            session.ended_at = max(session.ended_at or ended_at, ended_at)
    _link(connection, by_id)
    return found


def main_of(connection: sa.Connection, session_id: str) -> tuple[str, bool] | None:
    """The id of the main session that a session belongs to, and whether that has a log of its own; None where the session
    is not known."""
    query = f"SELECT {MAIN}, EXISTS (SELECT 1 FROM sessions m WHERE m.id = {MAIN}) FROM sessions s WHERE s.id = ?"
    row = raw_connection(connection).execute(query, (session_id,)).fetchone()
    return None if row is None else (row[0], bool(row[1]))


def _link(connection: sa.Connection, by_id: dict[str, Session]) -> None:
    """Add to sessions, which are named by their own ids and by those of sub-agents, what says whether they may go."""
    raw = raw_connection(connection)
    kept = _kept(connection)
    statuses: dict[str, str] = dict(raw.execute("SELECT id, status FROM features").fetchall())
    features: defaultdict[str, set[str]] = defaultdict(set)
    for session_id, type_, id in raw.execute(_LINKS):
        session = by_id.get(session_id)
        if session is None:
            continue
        session.linked = True
        session.keep |= (type_, id) in kept
        if type_ == "feature" and id in statuses:
            features[session.id].add(id)
    for id, session in by_id.items():
        session.keep |= ("session", id) in kept or ("project", session.project_id) in kept
        session.features = [statuses[feature] for feature in sorted(features[session.id])]


def _kept(connection: sa.Connection) -> set[tuple[str, str]]:
    """Type and id of every entity with the tag, however it is spelled."""
    query = "SELECT entity_type, entity_id FROM entity_tags WHERE tag = ?"
    return set(raw_connection(connection).execute(query, (user.spelling(connection, KEEP),)).fetchall())
